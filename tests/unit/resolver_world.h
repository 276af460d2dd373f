/* SPDX-License-Identifier: Apache-2.0 */
/* A resolver with a loop, files to give it, and what it said of them. */
#ifndef MCPVIGIL_TESTS_RESOLVER_WORLD_H
#define MCPVIGIL_TESTS_RESOLVER_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/evloop.h"
#include "base/log.h"
#include "probe/resolver.h"
#include "probe/resolver_int.h"

#define SAID_MAX  2048
#define FILE_SIZE 8192

struct said {
	uint64_t tag;
	int err;
	struct tls_found f;
};

static struct world {
	struct evloop *loop;
	struct resolver *r;
	struct resolver_opts o;
	unsigned int n, want;
	struct said said[SAID_MAX];
	char dir[40], cache[64];
	void (*on_tick)(void);
} w;

static void on_done(void *ctx, uint64_t tag, int err, const struct tls_found *f)
{
	assert_ptr_equal(ctx, &w);
	assert_true(w.n < SAID_MAX);
	w.said[w.n++] = (struct said){ tag, err, *f };
	if (w.n >= w.want)
		evloop_stop(w.loop);
}

static void on_tick(void *ctx)
{
	(void)ctx;
	resolver_tick(w.r);
	if (w.on_tick)
		w.on_tick();
}

static inline void world_restart(void)
{
	resolver_free(w.r);
	w.r = resolver_new(&w.o);
	assert_non_null(w.r);
}

static inline int world_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	log_level_set(LOG_ERR);
	snprintf(w.dir, sizeof(w.dir), "/tmp/mcpvigil-resolver-XXXXXX");
	if (!mkdtemp(w.dir))
		return -1;
	snprintf(w.cache, sizeof(w.cache), "%s/cache", w.dir);
	w.loop = evloop_new();
	w.o = (struct resolver_opts){ .loop = w.loop, .wall_ms = 60000, .done = on_done, .ctx = &w };
	w.r = w.loop ? resolver_new(&w.o) : NULL;
	resolver_resolve = resolve_fd;
	return w.r ? evloop_tick(w.loop, 10, on_tick, NULL) : -1;
}

static inline int world_down(void **state)
{
	char command[64];

	(void)state;
	resolver_free(w.r);
	evloop_free(w.loop);
	snprintf(command, sizeof(command), "rm -rf %s", w.dir);
	/* No child is left of any test. */
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? system(command) : -1;
}

/* A file that begins as ELF files do, and is @fill otherwise; its descriptor. */
static inline int file_new(const char *name, char fill)
{
	char path[80], bytes[FILE_SIZE];
	int fd, rd;

	snprintf(path, sizeof(path), "%s/%s", w.dir, name);
	memset(bytes, fill, sizeof(bytes));
	memcpy(bytes, "\177ELF", 4);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	rd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(rd >= 0);
	return rd;
}

/* Look at it and wait for what is said. */
static inline const struct said *look(int fd)
{
	static uint64_t tag;

	w.n = 0;
	w.want = SAID_MAX; /* the loop does not run yet */
	assert_int_equal(resolver_look(w.r, fd, ++tag), 0);
	w.want = 1;
	if (w.n == 0)
		assert_int_equal(evloop_run(w.loop), 0);
	assert_int_equal(w.n, 1);
	assert_int_equal(w.said[0].tag, tag);
	return &w.said[0];
}

/* One file for one look; a number in it keeps it apart from the one before. */
static inline int look_with(int (*resolve)(int fd, struct tls_found *ret))
{
	static char fill = ' ';
	int fd = file_new("hostile", ++fill), err;

	resolver_resolve = resolve;
	err = look(fd)->err;
	assert_true(err == 0 || w.said[0].f.n == 0);
	close(fd);
	return err;
}

static inline struct resolver_stats world_stats(void)
{
	struct resolver_stats s;

	resolver_stats(w.r, &s);
	return s;
}

#endif
