/* SPDX-License-Identifier: Apache-2.0 */
/* Paced MCP calls over many stdio sessions: messages of 1 KB, requests and responses, two pipes
 * a session.
 *
 *   rate MESSAGES_A_SECOND SECONDS SESSIONS
 *
 * Each session is a client and a server process. A client sends what is due by the clock, a few
 * requests at a time, and takes the answers. At the end one line:
 * {"calls":N,"seconds":S,"asked":R}, initialize not counted. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 1024
#define BATCH	16 /* of MESSAGE bytes: well below what a pipe holds */
#define TICK_NS 2000000

static void die(const char *what)
{
	fprintf(stderr, "rate: %s: %m\n", what);
	_exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A message of exactly MESSAGE bytes, newline included: head with the id, filler, tail. */
static void message(char *m, const char *head, uint64_t id, const char *tail)
{
	int n = snprintf(m, MESSAGE, head, (unsigned long long)id);
	size_t t = strlen(tail);

	memset(m + n, 'x', MESSAGE - (size_t)n - t);
	memcpy(m + MESSAGE - t, tail, t);
}

static void put(int fd, const char *p, size_t n)
{
	if (write(fd, p, n) != (ssize_t)n)
		die("write");
}

struct inbox {
	char buf[BATCH * MESSAGE];
	size_t have;
};

/* Read until @want bytes are there (or more). 0 at the end of the stream. */
static size_t fill(int fd, struct inbox *b, size_t want)
{
	ssize_t n;

	while (b->have < want) {
		n = read(fd, b->buf + b->have, sizeof(b->buf) - b->have);
		if (n < 0)
			die("read");
		if (!n)
			return 0;
		b->have += (size_t)n;
	}
	return b->have;
}

static int server(void)
{
	static struct inbox in;
	static char out[MESSAGE];
	size_t n, i;
	uint64_t id = 0;

	while (fill(0, &in, MESSAGE)) {
		n = in.have / MESSAGE;
		for (i = 0; i < n; i++, id++) {
			if (!id)
				message(out,
					"{\"jsonrpc\":\"2.0\",\"id\":%llu,\"result\":{"
					"\"protocolVersion\":\"2025-11-25\","
					"\"capabilities\":{},\"serverInfo\":{\"version\":\"1\","
					"\"name\":\"",
					id, "\"}}}\n");
			else
				message(out,
					"{\"jsonrpc\":\"2.0\",\"id\":%llu,\"result\":{\"content\":["
					"{\"type\":\"text\","
					"\"text\":\"",
					id, "\"}]}}\n");
			put(1, out, MESSAGE);
		}
		in.have -= n * MESSAGE;
		memmove(in.buf, in.buf + n * MESSAGE, in.have);
	}
	return 0;
}

static void exchange(int in, int out, uint64_t id, size_t n)
{
	static struct inbox box;
	char m[MESSAGE];
	size_t i;

	for (i = 0; i < n; i++, id++) {
		if (!id)
			message(m,
				"{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"initialize\","
				"\"params\":{\"protocolVersion\":"
				"\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"version\":"
				"\"1\",\"name\":\"",
				id, "\"}}}\n");
		else
			message(m,
				"{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"tools/"
				"call\",\"params\":{\"name\":\"echo\","
				"\"arguments\":{\"text\":\"",
				id, "\"}}}\n");
		put(out, m, MESSAGE);
	}
	if (!fill(in, &box, n * MESSAGE))
		die("the server ended");
	box.have = 0;
}

static uint64_t client(int in, int out, double calls_a_second, uint64_t begin, uint64_t end)
{
	uint64_t sent = 0, due, t;
	struct timespec at;

	exchange(in, out, 0, 1);
	for (t = now(); t < end; t = now()) {
		due = t > begin ? (uint64_t)((double)(t - begin) / 1e9 * calls_a_second) - sent : 0;
		if (due) {
			due = due < BATCH ? due : BATCH;
			exchange(in, out, sent + 1, due);
			sent += due;
			if (due == BATCH)
				continue;
		}
		t += TICK_NS;
		at = (struct timespec){ (time_t)(t / 1000000000u), (long)(t % 1000000000u) };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	}
	return sent;
}

static void spawn(int in, int out)
{
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
		die("dup2");
	execl("/proc/self/exe", "rate-server", "--server", (char *)NULL);
	die("exec");
}

static void session(uint64_t *sent, double calls_a_second, uint64_t begin, uint64_t end)
{
	int a[2], b[2];
	pid_t pid;

	if (pipe2(a, O_CLOEXEC) || pipe2(b, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		spawn(a[0], b[1]);
	close(a[0]);
	close(b[1]);
	*sent = client(b[0], a[1], calls_a_second, begin, end);
	close(a[1]);
	waitpid(pid, NULL, 0);
	_exit(0);
}

int main(int c, char **v)
{
	unsigned int sessions, i;
	uint64_t *sent, total = 0, begin, end;
	int status, failed = 0;
	double rate;

	if (c == 2 && !strcmp(v[1], "--server"))
		return server();
	if (c != 4) {
		fprintf(stderr, "usage: rate MESSAGES_A_SECOND SECONDS SESSIONS\n");
		return 2;
	}
	sessions = (unsigned int)strtoul(v[3], NULL, 10);
	rate = strtod(v[1], NULL) / 2 / sessions; /* two messages are a call */
	sent = mmap(NULL, sessions * sizeof(*sent), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sent == MAP_FAILED)
		die("mmap");
	begin = now() + 500000000u;
	end = begin + (uint64_t)(strtod(v[2], NULL) * 1e9);
	for (i = 0; i < sessions; i++) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			session(&sent[i], rate, begin, end);
		}
	}
	while (wait(&status) > 0)
		failed |= status;
	for (i = 0; i < sessions; i++)
		total += sent[i];
	printf("{\"calls\":%llu,\"seconds\":%s,\"asked\":%s,\"sessions\":%u}\n",
	       (unsigned long long)total, v[2], v[1], sessions);
	return !!failed;
}
