/* SPDX-License-Identifier: Apache-2.0 */
/* Price of a message over TLS: nanoseconds per SSL_write and the SSL_read that takes it, both ends in one thread; the best of
 * several rounds. The connection begins over TCP, as the agent looks for a socket behind each, and goes on through memory:
 * what its other hooks cost is no part of the figure.
 *
 *   tls mcp|other BYTES ROUNDS      MCP calls and their answers, or something else
 *   tls hold                        says "ready", waits for the end of its input, says where SSL_read and SSL_write are
 *
 * Between two rounds it sleeps: the agent has a budget of bytes per process. */
#include <dlfcn.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../e2e/tls/loopback.h"

#define CALLS	  1000 /* of a round, each of two messages */
#define PAUSE_US  60000
#define TEXT_MAX  16000
#define FOUND_OUT 3  /* rounds in which the agent finds out what it is */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int move(SSL *from, SSL *to, const char *p, int n)
{
	static char got[TEXT_MAX + 400];
	int have = 0, r;

	if (SSL_write(from, p, n) != n)
		return -1;
	for (; have < n; have += r) {
		r = SSL_read(to, got, sizeof(got));
		if (r <= 0)
			return -1;
	}
	return 0;
}

static char out[TEXT_MAX + 400];

/* Into @out; its length. */
static int message(int mcp, int answer, unsigned int id, const char *text)
{
	if (!mcp)
		return snprintf(out, sizeof(out), "%c%c%08x%s", 1, 2, id, text);
	if (answer)
		return snprintf(out, sizeof(out),
				"{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}}\n", id,
				text);
	return snprintf(out, sizeof(out),
			"{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\","
			"\"arguments\":{\"text\":\"%s\"}}}\n",
			id, text);
}

/* Nanoseconds per message; < 0: failed. */
static double round_of(struct loopback *l, int mcp, const char *text)
{
	static unsigned int id;
	double took = 0, begin;
	int i, answer, n;

	for (i = 0; i < CALLS; i++, id++) {
		for (answer = 0; answer < 2; answer++) {
			n = message(mcp, answer, id, text);
			begin = now();
			if (move(answer ? l->server : l->client, answer ? l->client : l->server, out, n))
				return -1;
			took += now() - begin;
		}
	}
	return took / (2 * CALLS);
}

static int measure(int mcp, size_t bytes, int rounds)
{
	static char text[TEXT_MAX + 1];
	struct loopback l;
	double best = 0, t;
	int i;

	memset(text, 'x', bytes < TEXT_MAX ? bytes : TEXT_MAX);
	if (loopback_open(&l, 1)) {
		ERR_print_errors_fp(stderr);
		return 1;
	}
	for (i = 0; i < rounds; i++) {
		t = round_of(&l, mcp, text);
		if (t < 0) {
			ERR_print_errors_fp(stderr);
			return 1;
		}
		if (i == FOUND_OUT && loopback_unplug(&l))
			return 1;
		if (i > FOUND_OUT && (best == 0 || t < best))
			best = t;
		usleep(PAUSE_US);
	}
	printf("%.1f\n", best);
	loopback_close(&l);
	return 0;
}

static int hold(void)
{
	char c;

	printf("ready\n");
	fflush(stdout);
	if (read(0, &c, 1) < 0)
		return 1;
	printf("%p %p\n", dlsym(RTLD_DEFAULT, "SSL_read"), dlsym(RTLD_DEFAULT, "SSL_write"));
	return 0;
}

int main(int c, char **v)
{
	if (c == 2 && !strcmp(v[1], "hold"))
		return hold();
	if (c == 4)
		return measure(!strcmp(v[1], "mcp"), strtoul(v[2], NULL, 10), (int)strtol(v[3], NULL, 10));
	fprintf(stderr, "usage: tls mcp|other BYTES ROUNDS, tls hold\n");
	return 2;
}
