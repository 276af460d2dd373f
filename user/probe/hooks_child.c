/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks process: a loop of its own. Asked whom to look at; tells what was found. It says that it is ready once whatever ran at
 * its start was looked at, and whatever was asked for by then. */
#include "probe/hooks_wire.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/evloop.h"
#include "base/log.h"
#include "probe/tlsprocs.h"

#define TICK_MS 25
#define IDLE_MS 500 /* where nothing is to be looked at soon */
#define STATS_NS NSEC_PER_SEC
#define READY_NS (20 * NSEC_PER_SEC) /* then it is told in any case */

struct child {
	struct evloop *loop;
	struct tlsprocs *procs;
	struct hooks_run run;
	bool ready, idle;
	uint64_t start, stats;
	struct hooks_news news;
};

/* 0; -errno: there is no room, or the agent is gone. */
static int news_send(struct child *c, size_t size)
{
	ssize_t n = send(c->run.fd, &c->news, offsetof(struct hooks_news, hooked) + size, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 ? -errno : 0;
}

static int on_tell(void *ctx, const struct ev_hooked *h)
{
	struct child *c = ctx;

	c->news.kind = HOOKS_HOOKED;
	c->news.hooked = *h;
	return news_send(c, sizeof(*h));
}

static void stats_send(struct child *c)
{
	c->news.kind = HOOKS_STATS;
	memset(&c->news.stats, 0, sizeof(c->news.stats));
	tlsprocs_stats(c->procs, &c->news.stats);
	c->news.stats.pid = (uint32_t)getpid();
	c->news.stats.busy = tlsprocs_full(c->procs);
	c->news.stats.restarts = c->run.restarts;
	news_send(c, sizeof(c->news.stats));
}

static void on_tick(void *ctx);

static void pace(struct child *c, bool idle)
{
	if (idle != c->idle && !evloop_tick(c->loop, idle ? IDLE_MS : TICK_MS, on_tick, c))
		c->idle = idle;
}

static void on_ask(void *ctx)
{
	struct child *c = ctx;
	struct hooks_ask ask;
	ssize_t n;

	for (int i = 0; i < 256; i++) {
		n = recv(c->run.fd, &ask, sizeof(ask), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			evloop_stop(c->loop); /* the agent is gone */
			return;
		}
		if (n == sizeof(ask) && ask.why == HOOKS_ODD)
			tlsprocs_odd(c->procs, ask.pid, ask.start, ask.stack, (enum odd_what)ask.what);
		else if (n == sizeof(ask))
			tlsprocs_look(c->procs, ask.pid, ask.start, (enum hooks_reason)ask.why);
		if (ask.why != HOOKS_EXIT)
			pace(c, false);
	}
}

static void ready_check(struct child *c)
{
	if (c->ready || (tlsprocs_busy(c->procs) && clock_boot_ns() < c->start + READY_NS))
		return;
	stats_send(c);
	c->news.kind = HOOKS_READY;
	c->ready = news_send(c, 0) == 0;
}

static void on_tick(void *ctx)
{
	struct child *c = ctx;
	uint64_t now = clock_boot_ns();

	tlsprocs_tick(c->procs, now);
	ready_check(c);
	if (now >= c->stats + STATS_NS) {
		c->stats = now;
		stats_send(c);
		if (c->run.beat >= 0)
			eventfd_write(c->run.beat, 1);
	}
	pace(c, c->ready && !tlsprocs_waiting(c->procs));
}

/* A file that is probed keeps some ten descriptors. */
static void descriptors_raise(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l))
		return;
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
}

static int child_start(struct child *c, struct probe *p, const struct hooks_opts *o)
{
	struct tlsfiles_opts files = { .probe = p, .cache_dir = o->cache_dir, .remote = o->fuse_network };
	int err;

	c->loop = evloop_new();
	if (!c->loop)
		return -errno;
	files.loop = c->loop;
	c->procs = tlsprocs_new(&files, on_tell, c);
	if (!c->procs)
		return -errno;
	err = evloop_add_fd(c->loop, c->run.fd, on_ask, c);
	return err ? err : evloop_tick(c->loop, TICK_MS, on_tick, c);
}

int hooks_main(struct probe *p, const struct hooks_opts *o, const struct hooks_run *run)
{
	struct child *c = calloc(1, sizeof(*c));
	int err = c ? 0 : -ENOMEM;

	prctl(PR_SET_NAME, "mcpvigil-hooks");
	descriptors_raise();
	if (!err) {
		c->run = *run;
		err = child_start(c, p, o);
	}
	if (!err) {
		c->start = clock_boot_ns();
		tlsprocs_sweep(c->procs);
		err = evloop_run(c->loop);
	}
	if (err)
		log_err("the process that probes TLS libraries ends: %s", errstr(err));
	if (c) {
		tlsprocs_free(c->procs);
		evloop_free(c->loop);
	}
	free(c);
	return err ? 1 : 0;
}
