/* SPDX-License-Identifier: Apache-2.0 */
/* Stream table. */
#include "mcp/wire.h"

#include <errno.h>
#include <stdlib.h>

#include "mcp/between.h"
#include "mcp/copy.h"
#include "mcp/duplex.h"
#include "mcp/method.h"
#include "mcp/report.h"
#include "mcp/session.h"
#include "mcp/shape.h"

int wires_init(struct mcp *m)
{
	struct wires *ws = &m->wires;

	list_init(&ws->fresh);
	list_init(&ws->stale);
	list_init(&ws->dirty);
	list_init(&ws->young);
	list_init(&ws->ended);
	if (table_init(&ws->by_id, m->caps.streams) || table_init(&ws->members, m->caps.streams) ||
	    table_init(&ws->between, m->caps.streams) || table_init(&ws->by_reader, m->caps.streams))
		return -ENOMEM;
	return 0;
}

void wires_done(struct mcp *m)
{
	struct wires *ws = &m->wires;

	while (ws->by_id.oldest) {
		struct wire *w = table_entry(ws->by_id.oldest, struct wire, node);

		if (w->d)
			duplex_free(w->d);
		wire_free(m, w);
	}
	table_done(&ws->by_id);
	table_done(&ws->members);
	table_done(&ws->between);
	table_done(&ws->by_reader);
}

struct wire *wire_find(struct mcp *m, uint64_t id)
{
	struct table_node *node = id ? table_get(&m->wires.by_id, &id, sizeof(id)) : NULL;

	return node ? table_entry(node, struct wire, node) : NULL;
}

struct wire *wire_peek(const struct mcp *m, uint64_t id)
{
	struct table_node *node = id ? table_peek(&m->wires.by_id, &id, sizeof(id)) : NULL;

	return node ? table_entry(node, struct wire, node) : NULL;
}

static void wire_release(struct mcp *m, struct wire *w)
{
	wire_drop(m, w);
	list_del(&w->holding);
	list_del(&w->dirty);
	list_del(&w->ending);
	between_leave(m, w);
	copy_leave(m, w);
	session_unref(w->s);
	free(w);
}

/* A stream may have been paired and then turn out to speak HTTP: its peer goes on alone. */
void wire_free(struct mcp *m, struct wire *w)
{
	if (w->d)
		duplex_end(m, w->d, m->now, "close");
	table_del(&m->wires.by_id, &w->node);
	wire_release(m, w);
}

/* The least recently used one is out of the table already. Of HTTP streams only the verdict is forgotten. */
static void wire_evicted(struct mcp *m, struct table_node *node)
{
	struct wire *w;

	if (!node)
		return;
	w = table_entry(node, struct wire, node);
	if (!w->http)
		m->stats.streams_evicted++;
	if (w->d)
		duplex_end(m, w->d, m->now, "idle");
	wire_release(m, w);
}

struct wire *wire_open(struct mcp *m, uint64_t id)
{
	struct wire *w = wire_find(m, id);

	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	if (!w) {
		m->stats.no_memory++;
		return NULL;
	}
	w->id = id;
	held_queue_init(&w->held);
	list_init(&w->holding);
	list_init(&w->dirty);
	list_init(&w->ending);
	list_init(&w->in_between);
	list_init(&w->in_reader);
	wire_evicted(m, table_add(&m->wires.by_id, &w->node, &w->id, sizeof(w->id)));
	return w;
}

/* The shape sticks: what decides first decides. Only what was "unknown" so far can still be decided, and a new
 * initialize is a new beginning. */
static void saw_shape(struct wire *w, const struct rpc_msg *rpc)
{
	enum shape s = shape_of(rpc);

	if (w->shape == SHAPE_UNDECIDED || (w->shape == SHAPE_UNKNOWN && s != SHAPE_UNDECIDED))
		w->shape = s;
	else if (s == SHAPE_MCP && shape_is_other(w->shape) &&
		 sv_eq(rpc->f[RPC_F_METHOD].text, SV("initialize")))
		w->shape = s;
}

void wire_saw(struct mcp *m, struct wire *w, const struct mcp_msg *msg)
{
	if (msg->writer.pid)
		w->writer = msg->writer;
	if (msg->reader.pid)
		w->reader = msg->reader;
	w->carried = true;
	w->http = msg->http != NULL;
	if (w->http)
		return;
	if (!w->between && w->writer.pid && w->reader.pid)
		between_join(m, w);
	copy_saw(m, w, msg->rpc);
	if (w->d && w->d->live)
		return;
	w->reverse = msg->reverse;
	w->late |= msg->late;
	w->asked |= msg->rpc->kind == RPC_REQUEST || msg->rpc->kind == RPC_NOTIFICATION;
	saw_shape(w, msg->rpc);
	if (w->sender == SENT_BY_BOTH)
		w->sender = shape_sender(msg->rpc);
}

void wire_drop(struct mcp *m, struct wire *w)
{
	w->dropped += w->held.n;
	m->wires.held_bytes -= w->held.bytes;
	held_queue_drop(&w->held);
	list_del(&w->holding);
}

/* Who has waited longest goes first: a stream finds its other half soon or never. */
static void make_room(struct mcp *m)
{
	struct wires *ws = &m->wires;

	while (ws->held_bytes > MCP_HELD_BYTES && (!list_empty(&ws->stale) || !list_empty(&ws->fresh))) {
		struct list *l = list_empty(&ws->stale) ? ws->fresh.next : ws->stale.next;
		struct wire *w = list_entry(l, struct wire, holding);

		m->stats.held_dropped += w->held.n;
		wire_drop(m, w);
	}
}

void wire_hold(struct mcp *m, struct wire *w, const struct mcp_msg *msg)
{
	struct held *h = w->held.n < MCP_HELD_MAX ? held_new(msg, ++m->held_seq, m->now) : NULL;

	if (!h) {
		w->dropped++;
		m->stats.held_dropped++;
		return;
	}
	if (w->held.n == 0) {
		w->held_since = m->now;
		list_move(w->judged ? &m->wires.stale : &m->wires.fresh, &w->holding);
	}
	held_queue_add(&w->held, h);
	m->wires.held_bytes += h->size;
	if (!w->d && list_empty(&w->dirty))
		list_add(&m->wires.dirty, &w->dirty);
	make_room(m);
}

struct held *wire_take(struct mcp *m, struct wire *w)
{
	struct held *h = held_queue_take(&w->held);

	if (h)
		m->wires.held_bytes -= h->size;
	if (w->held.n == 0)
		list_del(&w->holding);
	return h;
}

void wire_verdict(struct mcp *m, struct wire *w, enum wire_verdict v)
{
	if (w->verdict == v)
		return;
	w->verdict = v;
	if (m->ops.verdict)
		m->ops.verdict(m->ops.verdict_ctx, w->id, v == VERDICT_MCP);
}

void wire_is_other(struct mcp *m, struct wire *w, uint8_t shape)
{
	uint64_t n = w->held.n + w->dropped;

	w->shape = shape;
	wire_drop(m, w);
	w->dropped = 0;
	list_del(&w->dirty);
	m->stats.other_jsonrpc += n;
	w->other += n;
	if (w->verdict != VERDICT_OTHER && w->carried)
		report_other(m, shape, w->writer.pid ? &w->writer : &w->reader, w->other);
	wire_verdict(m, w, VERDICT_OTHER);
}

void wire_report(struct mcp *m, struct wire *w)
{
	struct report_unpaired u = {
		.writer = w->writer,
		.reader = w->reader,
		.count = w->held.n + w->dropped,
		.ambiguous = w->ambiguous && !w->copy,
		.copy = w->copy,
	};

	if (!u.count)
		return;
	if (w->shape != SHAPE_MCP)
		m->stats.other_jsonrpc += u.count;
	report_unpaired(m, &u);
	wire_drop(m, w);
	w->dropped = 0;
}
