/* SPDX-License-Identifier: Apache-2.0 */
/* Attaches the agent's programs to one file, as probe/attach.h does it, without the rest of the agent.
 *
 *	attach hold|cycle N|stale|lease FILE FN:OFFSET...
 *
 * FN: enum tls_func. hold: attached until the input ends. cycle: N times; the times it took. stale: the file is not what was
 * analysed. lease: until somebody writes to the file. MCPVIGIL_UPROBES: as in the agent. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/evloop.h"
#include "base/hash.h"
#include "event_tls.h"
#include "probe/attach.h"
#include "probe/probe.h"

#define CYCLES_MAX 1000

static struct probe *probe;
static struct attached *attached;
static struct leases *leases;
static struct evloop *loop;
static struct tls_found found;

static void say(const char *what)
{
	printf("%s\n", what);
	fflush(stdout);
}

static void wait_eof(void)
{
	char c;

	while (read(0, &c, 1) > 0)
		;
}

static void wait_line(void)
{
	char c = 0;

	while (c != '\n' && read(0, &c, 1) > 0)
		;
}

static bool point_parse(int fd, const char *text)
{
	struct tls_point *p = &found.point[found.n++];
	char *end;

	p->fn = (uint8_t)strtoul(text, &end, 10);
	p->offset = p->func = strtoull(*end ? end + 1 : end, NULL, 0);
	p->stack = TLS_OPENSSL;
	p->nbytes = TLS_BYTES;
	if (pread(fd, p->bytes, TLS_BYTES, (off_t)p->offset) != TLS_BYTES)
		return false;
	p->hash = hash_fixed(p->bytes, TLS_BYTES);
	return true;
}

static int hold(int fd)
{
	attached = attach_file(probe, fd, &found);
	if (!attached) {
		say(errstr(-errno));
		return 1;
	}
	printf("attached %u\n", attach_points(attached));
	fflush(stdout);
	wait_line();
	attach_free(attached);
	say("detached");
	wait_eof();
	return 0;
}

static unsigned int fds_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void times_print(const char *name, uint64_t *ns, unsigned int n)
{
	qsort(ns, n, sizeof(*ns), by_size);
	printf("\"%s_ms\": [%.2f, %.2f], ", name, (double)ns[n / 2] / 1e6, (double)ns[n - 1] / 1e6);
}

static int cycle(int fd, unsigned int n)
{
	static uint64_t on[CYCLES_MAX], off[CYCLES_MAX];
	unsigned int before = fds_open();

	for (unsigned int i = 0; i < n; i++) {
		uint64_t begin = clock_boot_ns(), then;

		attached = attach_file(probe, fd, &found);
		if (!attached) {
			say(errstr(-errno));
			return 1;
		}
		then = clock_boot_ns();
		attach_free(attached);
		on[i] = then - begin;
		off[i] = clock_boot_ns() - then;
	}
	printf("{");
	times_print("attach", on, n);
	times_print("detach", off, n);
	printf("\"fds\": %d}\n", (int)(fds_open() - before));
	fflush(stdout);
	wait_eof();
	return 0;
}

/* The hash of the way to a point is another, or the bytes at it; or the file ends before. */
static int stale(int fd)
{
	struct tls_point *last = &found.point[found.n - 1], keep = *last;

	for (unsigned int i = 0; i < 4; i++) {
		*last = keep;
		last->hash ^= i == 0;
		last->bytes[TLS_BYTES - 1] ^= i == 1;
		if (i == 2)
			last->offset = last->func = 1ULL << 40;
		if (i == 3)
			last->func = 0;
		attached = attach_file(probe, fd, &found);
		say(attached ? "attached" : errstr(-errno));
		attach_free(attached);
	}
	wait_eof();
	return 0;
}

static void on_broken(void *ctx, int fd)
{
	(void)ctx;
	attach_free(attached);
	say("detached");
	wait_line(); /* somebody looks whether the writer waits */
	lease_drop(leases, fd);
	evloop_stop(loop);
}

static int lease(int fd)
{
	int err;

	loop = evloop_new();
	leases = loop ? leases_new(loop, on_broken, NULL) : NULL;
	err = leases ? lease_take(leases, fd) : -errno;
	if (!err)
		attached = attach_file(probe, fd, &found);
	if (!attached) {
		say(errstr(err ? err : -errno));
		return 1;
	}
	printf("attached %u\n", attach_points(attached));
	fflush(stdout);
	err = evloop_run(loop);
	wait_eof();
	return err != 0;
}

static bool program_start(void)
{
	struct probe_opts opts = PROBE_OPTS_DEFAULT;

	opts.uprobes = getenv("MCPVIGIL_UPROBES");
	probe = probe_new(&opts);
	return probe && !probe_tls_why(probe)[0];
}

int main(int argc, char **argv)
{
	const char *mode = argc > 3 ? argv[1] : "";
	int at = strcmp(mode, "cycle") == 0 ? 3 : 2;
	unsigned long n = at == 3 ? strtoul(argv[2], NULL, 10) : 1;
	int fd = argc > at + 1 ? open(argv[at], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || n == 0 || n > CYCLES_MAX)
		return 2;
	for (int i = at + 1; i < argc && found.n < TLS_POINTS_MAX; i++) {
		if (!point_parse(fd, argv[i]))
			return 2;
	}
	if (!program_start())
		return 3;
	if (strcmp(mode, "cycle") == 0)
		return cycle(fd, (unsigned int)n);
	return strcmp(mode, "stale") == 0 ? stale(fd) : strcmp(mode, "lease") == 0 ? lease(fd) : hold(fd);
}
