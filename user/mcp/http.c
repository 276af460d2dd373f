/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP exchanges: decided one by one whether they are MCP.
 *
 * What decides is a message (shape.h), a header that only MCP has, or that the session is known. Until then the
 * messages of an exchange are held. A connection may carry all kinds of exchanges, so that none of its streams is
 * ever said not to be MCP. */
#include "mcp/http.h"

#include "mcp/ends.h"
#include "mcp/exchange.h"
#include "mcp/http_session.h"
#include "mcp/pair.h"
#include "mcp/report.h"
#include "mcp/resend.h"
#include "mcp/shape.h"
#include "mcp/wire.h"

static void is_mcp(struct mcp *m, const struct mcp_msg *msg)
{
	const uint64_t streams[2] = { msg->stream, msg->reverse };

	for (int i = 0; i < 2; i++) {
		struct wire *w = streams[i] ? wire_open(m, streams[i]) : NULL;

		if (!w)
			continue;
		w->http = true;
		wire_verdict(m, w, VERDICT_MCP);
	}
}

static void process(struct mcp *m, struct exchange *x, const struct mcp_msg *msg)
{
	struct mcp_link l = { .x = x, .msg = msg };

	l.from = msg->http->in_response ? SIDE_SERVER : SIDE_CLIENT;
	if (l.from == SIDE_SERVER)
		http_session_settle(m, x, msg->http->session_id);
	l.s = x->s;
	session_find(m, &l.s->key); /* used just now */
	is_mcp(m, msg);
	x->requests += l.from == SIDE_CLIENT && msg->rpc->kind == RPC_REQUEST;
	pair_feed(m, &l);
}

static void is_other(struct mcp *m, struct exchange *x, enum shape shape, const struct mcp_msg *msg)
{
	uint64_t n = exchange_drop(m, x);
	struct wire *w = wire_open(m, msg->stream);

	x->other = true;
	n += n == 0; /* else the message at hand is one of those held */
	m->stats.other_jsonrpc += n;
	if (!w)
		return;
	w->http = true;
	if (!w->other)
		report_other(m, shape, msg->writer.pid ? &msg->writer : &msg->reader, n);
	w->other += n;
}

static bool has_header(const struct mcp_http *http)
{
	return http->session_id.n > 0 || http->version.n > 0;
}

/* Enough is known to say which session the message belongs to. @late: nothing more will come to help. */
static bool is_decided(struct mcp *m, const struct exchange *x, const struct mcp_msg *msg, bool late)
{
	const struct mcp_http *http = msg->http;

	/* The answer came before its request, which tells more. */
	if (http->in_response && !x->asked && !x->get && http->session_id.n == 0 && !late)
		return false;
	return shape_of(msg->rpc) == SHAPE_MCP || has_header(http) || http_session_known(m, x, msg);
}

static void release(struct mcp *m, struct exchange *x)
{
	struct rpc_msg rpc;
	struct mcp_msg msg;

	for (struct held *h = exchange_take(m, x); h; h = exchange_take(m, x)) {
		held_view(h, &msg, &rpc);
		process(m, x, &msg);
		held_free(h);
	}
}

static void decide(struct mcp *m, struct exchange *x, const struct mcp_msg *msg)
{
	enum shape shape = shape_of(msg->rpc);

	if (shape_is_other(shape) && !has_header(msg->http)) {
		exchange_hold(m, x, msg);
		is_other(m, x, shape, msg);
	} else if (is_decided(m, x, msg, false) && http_session_join(m, x, msg) == 0) {
		release(m, x);
		process(m, x, msg);
	} else {
		exchange_hold(m, x, msg);
	}
}

static void saw(struct exchange *x, const struct mcp_msg *msg)
{
	const struct mcp_http *http = msg->http;

	if (http->status)
		x->status = http->status;
	if (http->last_r)
		x->last_r = http->last_r;
	if (http->in_response || msg->rpc->kind != RPC_REQUEST)
		return;
	x->asked = true;
	x->modern |= shape_is_modern(msg->rpc);
}

void http_feed(struct mcp *m, const struct mcp_msg *msg)
{
	struct exchange *x = exchange_open(m, msg->http);

	if (!x)
		return;
	saw(x, msg);
	if (x->other) {
		m->stats.other_jsonrpc++;
		return;
	}
	if (x->s && x->s->ended) { /* evicted */
		session_unref(x->s);
		x->s = NULL;
	}
	if (x->s)
		process(m, x, msg);
	else
		decide(m, x, msg);
}

static void session_deleted(struct mcp *m, const struct mcp_http *http, uint64_t ts)
{
	struct session *s;

	if (!sv_eq(http->method, SV("DELETE")) || http->session_id.n == 0 || http->status / 100 != 2)
		return;
	s = http_session_by_id(m, http->session_id, &http->server_addr);
	if (s)
		session_end_soon(m, s, ts, "delete");
}

/* An exchange without messages so far is of interest only if a request may come that it fails. */
static struct exchange *exchange_for_done(struct mcp *m, const struct mcp_http *http)
{
	struct exchange *x = exchange_find(m, http->id);

	if (x || !sv_eq(http->method, SV("POST")) || (http->status < 400 && !http->aborted))
		return x;
	return exchange_open(m, http);
}

static void settle(struct mcp *m, struct exchange *x, const struct mcp_http *http)
{
	if (!resend_may_come(x))
		http_session_settle(m, x, http->session_id);
}

void http_done(struct mcp *m, const struct mcp_http *http, uint64_t ts)
{
	struct exchange *x;

	if (http->done || http->aborted)
		session_deleted(m, http, ts);
	x = exchange_for_done(m, http);
	if (!x)
		return;
	if (http->status)
		x->status = http->status;
	if (!http->done && !http->aborted)
		return; /* the head alone: an error may still come in the body */
	x->done = true;
	/* To a client that has gone, a complete response says as little as a broken one. */
	x->gone = http->client_gone && http->client_gone <= ts ? http->client_gone : 0;
	x->aborted = http->aborted || (x->gone && x->modern);
	x->done_at = m->now;
	if (http->last_r)
		x->last_r = http->last_r;
	settle(m, x, http);
	pair_exchange_done(m, x, ts);
	if (x->endpoint && x->s)
		session_end_soon(m, x->s, ts, x->aborted ? "close" : "eof");
	exchange_finish(m, x);
}

void http_endpoint(struct mcp *m, const struct mcp_http *http, struct sv uri, uint64_t ts)
{
	struct exchange *x = exchange_open(m, http);
	struct session *s;

	if (!x)
		return;
	s = http_session_endpoint(m, x, http, uri);
	if (!s)
		return;
	x->get = true;
	x->endpoint = true;
	if (!s->begin_ts)
		s->begin_ts = http->first_w ? http->first_w : ts;
	if (!s->route.client.pid)
		s->route.client = http->client;
	if (!s->route.server.pid)
		s->route.server = http->server;
	ends_saw(m, s, NULL);
}

/* The exchange's first message has waited long enough. */
static void judge(struct mcp *m, struct exchange *x, bool last)
{
	struct rpc_msg rpc;
	struct mcp_msg msg;

	held_view(held_queue_first(&x->held), &msg, &rpc);
	if (is_decided(m, x, &msg, true) && http_session_join(m, x, &msg) == 0) {
		release(m, x);
	} else if (x->done || last) {
		is_other(m, x, SHAPE_UNKNOWN, &msg);
	} else {
		x->held_since = m->now;
		list_move(&m->exchanges.holding, &x->holding);
	}
}

static void judge_all(struct mcp *m, bool last)
{
	struct list *holding = &m->exchanges.holding;

	while (!list_empty(holding)) {
		struct exchange *x = list_entry(holding->next, struct exchange, holding);

		if (!last && x->held_since + MCP_GRACE_NS > m->now)
			return;
		judge(m, x, last);
	}
}

void http_tick(struct mcp *m)
{
	judge_all(m, false);
	exchanges_tick(m);
}

void http_flush(struct mcp *m)
{
	judge_all(m, true);
	/* An initialize without an answer: its session is the one of these peers. */
	for (struct table_node *n = m->exchanges.by_id.oldest; n; n = n->newer)
		http_session_settle(m, table_entry(n, struct exchange, node), (struct sv){ 0 });
}
