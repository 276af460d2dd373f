/* SPDX-License-Identifier: Apache-2.0 */
/* Control socket of the running agent: trace, doctor and calls ask it, on its own loop.
 *
 * At most CTL_CLIENTS at a time, each with one request of CTL_REQUEST_MAX bytes and a queue of CTL_QUEUE_MAX; what a trace
 * does not read in time is dropped by the record, counted, and told to that trace alone. Nothing here blocks the loop. */
#ifndef MCPVIGIL_CTL_H
#define MCPVIGIL_CTL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "sink/sink.h"

#define CTL_CLIENTS 16
#define CTL_QUEUE_MAX (4UL << 20)
#define CTL_QUEUE_CONTENT (16UL << 20) /* of a trace with payloads: one record may hold several MiB */
#define CTL_TEXT_MAX (1UL << 20)       /* of doctor's and calls' answer */
#define CTL_SETTLE_NS 1200000000ULL    /* flow/ and mcp/ hold nothing back for longer than 1 s where it was read */

struct evloop;
struct facts;
struct ctl;

struct ctl_opts {
	const char *path;
	uid_t uid;	    /* may ask besides root: geteuid() */
	bool content;	    /* the agent keeps payloads (configuration key `content') */
	uint64_t settle_ns; /* CTL_SETTLE_NS: how long a trace that was told to end waits for what is held back */
};

struct ctl_ops {
	/* Empty the rings and report losses, so that what has happened by now has gone to the sinks. */
	void (*drain)(void *ctx);
	/* Append what `doctor' prints of the agent. */
	void (*doctor)(void *ctx, struct buf *out);
	void *ctx;
};

struct ctl_stats {
	unsigned int clients;
	uint64_t asked, refused; /* requests; connections and requests turned away */
	uint64_t dropped;	 /* C_SUBSCRIBER_DROPPED */
};

/* Listen. NULL with errno after a line on standard error; EADDRINUSE: an agent runs there. @l, @o->path and, up to
 * ctl_stop, @f outlive it; @f tells what is in flight. */
struct ctl *ctl_new(struct evloop *l, const struct ctl_opts *o, const struct ctl_ops *ops, struct facts *f);
/* The row to add to the agent's sinks, which own the ctl from then on. */
extern const struct sink_ops ctl_sink_ops;
/* The end of capture, after everything pending has gone to the sinks and before the pipeline is freed: traces get their
 * summary, within half a second; nobody is let in any more, and the socket is gone. */
void ctl_stop(struct ctl *c);
void ctl_free(struct ctl *c);
void ctl_stats(const struct ctl *c, struct ctl_stats *ret);

#endif
