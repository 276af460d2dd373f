/* SPDX-License-Identifier: Apache-2.0 */
/* resolve FILE COPY ROUNDS: milliseconds until it is known where to probe the file, the median of the rounds: where nothing is known,
 * where the cache on disk knows the file, and where it knows the content alone of a copy, whose times are changed; and how many points
 * there are. The cache is a folder of its own, the files are in memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/evloop.h"
#include "probe/resolver.h"

#define ROUNDS_MAX 99

struct look {
	struct evloop *loop;
	struct resolver *r;
	int err;
	unsigned int points;
	bool done;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void on_done(void *ctx, uint64_t tag, int err, const struct tls_found *f)
{
	struct look *l = ctx;

	(void)tag;
	l->err = err;
	l->points = err ? 0 : f->n;
	l->done = true;
	evloop_stop(l->loop);
}

static void on_tick(void *ctx)
{
	struct look *l = ctx;

	resolver_tick(l->r);
}

/* Milliseconds, by a resolver that was just started; < 0: failed. */
static double look(const char *path, const char *cache, unsigned int *points)
{
	struct look l = { .loop = evloop_new() };
	struct resolver_opts o = { .loop = l.loop, .cache_dir = cache, .wall_ms = 20000, .cpu_s = 20, .done = on_done, .ctx = &l };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	double took = -1, begin;

	l.r = l.loop ? resolver_new(&o) : NULL;
	if (!l.r || fd < 0 || evloop_tick(l.loop, 50, on_tick, &l))
		goto out;
	begin = now_ms();
	l.err = resolver_look(l.r, fd, 0);
	if (!l.err && !l.done)
		l.err = evloop_run(l.loop);
	took = l.err ? -1 : now_ms() - begin;
	*points = l.points;
	if (l.err)
		fprintf(stderr, "resolve: %s\n", strerror(-l.err));
out:
	resolver_free(l.r);
	evloop_free(l.loop);
	if (fd >= 0)
		close(fd);
	return took;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_size);
	return v[n / 2];
}

int main(int c, char **v)
{
	static double first[ROUNDS_MAX], cached[ROUNDS_MAX], copied[ROUNDS_MAX];
	char cache[] = "/tmp/mcpvigil-resolve-XXXXXX", command[64];
	int rounds = c == 4 ? (int)strtol(v[3], NULL, 10) : 0, i;
	unsigned int points = 0;

	if (rounds < 1 || rounds > ROUNDS_MAX || !mkdtemp(cache))
		return 2;
	for (i = 0; i < rounds; i++) {
		first[i] = look(v[1], NULL, &points);
		if (first[i] < 0 || (!i && look(v[1], cache, &points) < 0))
			return 1;
		cached[i] = look(v[1], cache, &points);
		if (cached[i] < 0 || utimensat(AT_FDCWD, v[2], NULL, 0))
			return 1;
		copied[i] = look(v[2], cache, &points);
		if (copied[i] < 0)
			return 1;
	}
	printf("%.2f %.3f %.2f %u\n", median(first, rounds), median(cached, rounds), median(copied, rounds), points);
	snprintf(command, sizeof(command), "rm -r %s", cache);
	return system(command) ? 1 : 0;
}
