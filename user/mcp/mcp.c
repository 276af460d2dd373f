/* SPDX-License-Identifier: Apache-2.0 */
/* Entry point: where messages go, and the time. */
#include "mcp/mcp.h"

#include <errno.h>
#include <stdlib.h>

#include "mcp/ends.h"
#include "mcp/exchange.h"
#include "mcp/execset.h"
#include "mcp/hang.h"
#include "mcp/http.h"
#include "mcp/logical.h"
#include "mcp/moment.h"
#include "mcp/pair.h"
#include "mcp/relay.h"
#include "mcp/resend.h"
#include "mcp/session.h"
#include "mcp/state.h"
#include "mcp/stdio.h"
#include "mcp/tools.h"
#include "mcp/wire.h"

/* A pair of streams is in the table twice, and an entry must not be evicted by its partner. */
#define CAP_MIN 16

static uint32_t at_least(uint32_t cap)
{
	return cap < CAP_MIN ? CAP_MIN : cap;
}

struct mcp *mcp_new(const struct mcp_caps *caps, const struct mcp_ops *ops)
{
	struct mcp *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->ops = *ops;
	m->caps = (struct mcp_caps){
		.sessions = at_least(caps->sessions),
		.in_flight = at_least(caps->in_flight),
		.streams = at_least(caps->streams),
		.exchanges = at_least(caps->exchanges),
		.tools = at_least(caps->tools),
		.tasks = at_least(caps->tasks),
	};
	/* All of them, so that mcp_free finds lists and tables that can be taken down. */
	if (sessions_init(m) | pair_init(m) | wires_init(m) | exchanges_init(m) | logicals_init(m) | relays_init(m) |
	    tools_init(m) | ends_init(m)) {
		mcp_free(m);
		errno = ENOMEM;
		return NULL;
	}
	return m;
}

/* What holds references goes before what they refer to. */
void mcp_free(struct mcp *m)
{
	if (!m)
		return;
	pair_done(m);
	relays_done(m);
	logicals_done(m);
	tools_done(m);
	exchanges_done(m);
	execsets_done(m);
	wires_done(m);
	sessions_done(m);
	ends_done(m);
	free(m);
}

static void set_now(struct mcp *m, uint64_t now)
{
	if (now > m->now)
		m->now = now;
}

void mcp_feed(struct mcp *m, const struct mcp_msg *msg)
{
	set_now(m, moment_latest(msg));
	if (msg->rpc->kind == RPC_OTHER)
		m->stats.invalid++;
	else if (msg->http)
		http_feed(m, msg);
	else
		stdio_feed(m, msg);
}

void mcp_stdio_set(struct mcp *m, uint64_t in, uint64_t out, struct proc_id proc)
{
	stdio_set(m, in, out, &proc);
}

void mcp_http_done(struct mcp *m, const struct mcp_http *x, uint64_t ts)
{
	set_now(m, ts);
	http_done(m, x, ts);
}

void mcp_sse_endpoint(struct mcp *m, const struct mcp_http *x, struct sv uri, uint64_t ts)
{
	set_now(m, ts);
	http_endpoint(m, x, uri, ts);
}

void mcp_stream_end(struct mcp *m, uint64_t stream, uint64_t ts, const char *reason)
{
	set_now(m, ts);
	stdio_end(m, stream, ts, reason);
}

void mcp_noise(struct mcp *m, uint64_t stream, uint64_t lines, uint64_t bytes, uint64_t ts)
{
	set_now(m, ts);
	stdio_noise(m, stream, lines, bytes);
}

void mcp_process_exit(struct mcp *m, struct proc_id proc, uint64_t ts)
{
	set_now(m, ts);
	ends_exit(m, &proc, ts);
}

void mcp_in_flight(struct mcp *m, bool (*fn)(void *ctx, const struct call *c), void *ctx)
{
	pair_in_flight(m, fn, ctx);
}

void mcp_tick(struct mcp *m, uint64_t now)
{
	set_now(m, now);
	http_tick(m);
	stdio_tick(m);
	hang_tick(m);
	pair_tick(m);
	sessions_tick(m);
	relay_tick(m);
	resend_tick(m); /* behind the sessions: a call that a server took along is no broken exchange */
	logical_tick(m);
}

void mcp_flush(struct mcp *m, uint64_t now)
{
	set_now(m, now);
	relay_flush(m);
	http_flush(m);
	stdio_flush(m);
	pair_flush(m);
	sessions_flush(m);
}

void mcp_stats(const struct mcp *m, struct mcp_stats *ret)
{
	*ret = m->stats;
	ret->sessions = m->sessions.by_key.n;
	ret->in_flight = m->inflight.n;
	ret->sessions_evicted = m->sessions.by_key.evicted;
}
