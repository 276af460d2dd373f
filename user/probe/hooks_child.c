/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks process: a loop of its own. Asked whom to look at; tells what was found. It says that it is ready once whatever ran at
 * its start was looked at, and whatever was asked for by then. */
#include "probe/hooks_wire.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/evloop.h"
#include "base/log.h"
#include "probe/tlsprocs.h"

#define TICK_MS 25
#define STATS_TICKS 40
#define READY_TICKS 800 /* 20 s: then it is told in any case */

struct child {
	struct evloop *loop;
	struct tlsprocs *procs;
	int fd;
	bool ready;
	uint64_t ticks, lost;
	struct hooks_news news;
};

static void news_send(struct child *c, size_t size)
{
	if (send(c->fd, &c->news, offsetof(struct hooks_news, hooked) + size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		c->lost++;
}

static void on_tell(void *ctx, const struct ev_hooked *h)
{
	struct child *c = ctx;

	c->news.kind = HOOKS_HOOKED;
	c->news.hooked = *h;
	news_send(c, sizeof(*h));
}

static void stats_send(struct child *c)
{
	c->news.kind = HOOKS_STATS;
	memset(&c->news.stats, 0, sizeof(c->news.stats));
	tlsprocs_stats(c->procs, &c->news.stats);
	c->news.stats.pid = (uint32_t)getpid();
	news_send(c, sizeof(c->news.stats));
}

static void on_ask(void *ctx)
{
	struct child *c = ctx;
	struct hooks_ask ask;
	ssize_t n;

	for (int i = 0; i < 256; i++) {
		n = recv(c->fd, &ask, sizeof(ask), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			evloop_stop(c->loop); /* the agent is gone */
			return;
		}
		if (n == sizeof(ask))
			tlsprocs_look(c->procs, ask.pid, ask.start, (enum hooks_reason)ask.why);
	}
}

static void ready_check(struct child *c)
{
	if (c->ready || (tlsprocs_busy(c->procs) && c->ticks < READY_TICKS))
		return;
	c->ready = true;
	stats_send(c);
	c->news.kind = HOOKS_READY;
	news_send(c, 0);
}

static void on_tick(void *ctx)
{
	struct child *c = ctx;

	tlsprocs_tick(c->procs, clock_boot_ns());
	ready_check(c);
	if (++c->ticks % STATS_TICKS == 0)
		stats_send(c);
}

/* Signals of a terminal are for the agent, which ends us. */
static void signals_ignore(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static int child_start(struct child *c, struct probe *p, const struct hooks_opts *o)
{
	struct tlsfiles_opts files = { .probe = p, .cache_dir = o->cache_dir, .remote = o->fuse_network };
	int err = o->confine ? o->confine() : 0;

	if (err)
		return err;
	c->loop = evloop_new();
	if (!c->loop)
		return -errno;
	files.loop = c->loop;
	c->procs = tlsprocs_new(&files, on_tell, c);
	if (!c->procs)
		return -errno;
	err = evloop_add_fd(c->loop, c->fd, on_ask, c);
	return err ? err : evloop_tick(c->loop, TICK_MS, on_tick, c);
}

int hooks_main(struct probe *p, const struct hooks_opts *o, int fd)
{
	struct child *c = calloc(1, sizeof(*c));
	int err = c ? 0 : -ENOMEM;

	prctl(PR_SET_NAME, "mcpvigil-hooks");
	signals_ignore();
	if (!err) {
		c->fd = fd;
		err = child_start(c, p, o);
	}
	if (!err) {
		tlsprocs_scan(c->procs);
		ready_check(c);
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
