/* SPDX-License-Identifier: Apache-2.0 */
/* Exchange table. A complete exchange is kept for the grace time, since its request's record may come after. */
#include "mcp/exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "mcp/pair.h"
#include "mcp/session.h"

int exchanges_init(struct mcp *m)
{
	list_init(&m->exchanges.holding);
	list_init(&m->exchanges.done);
	return table_init(&m->exchanges.by_id, m->caps.exchanges);
}

/* It is out of the table already. */
static void exchange_release(struct mcp *m, struct exchange *x)
{
	pair_exchange_gone(x);
	exchange_drop(m, x);
	list_del(&x->finished);
	session_unref(x->s);
	free(x);
}

static void exchange_free(struct mcp *m, struct exchange *x)
{
	table_del(&m->exchanges.by_id, &x->node);
	exchange_release(m, x);
}

void exchanges_done(struct mcp *m)
{
	while (m->exchanges.by_id.oldest)
		exchange_free(m, table_entry(m->exchanges.by_id.oldest, struct exchange, node));
	table_done(&m->exchanges.by_id);
}

struct exchange *exchange_find(struct mcp *m, uint64_t id)
{
	struct table_node *node = table_get(&m->exchanges.by_id, &id, sizeof(id));

	return node ? table_entry(node, struct exchange, node) : NULL;
}

/* Only one that something depended on is a loss. */
static void exchange_evicted(struct mcp *m, struct table_node *node)
{
	struct exchange *x;

	if (!node)
		return;
	x = table_entry(node, struct exchange, node);
	if (!x->done && (!list_empty(&x->pending) || x->held.n > 0 || x->endpoint))
		m->stats.exchanges_evicted++;
	exchange_release(m, x);
}

struct exchange *exchange_open(struct mcp *m, const struct mcp_http *http)
{
	struct exchange *x = exchange_find(m, http->id);

	if (x)
		return x;
	x = calloc(1, sizeof(*x));
	if (!x) {
		m->stats.no_memory++;
		return NULL;
	}
	x->id = http->id;
	x->get = sv_eq(http->method, SV("GET"));
	list_init(&x->pending);
	list_init(&x->holding);
	list_init(&x->finished);
	held_queue_init(&x->held);
	/* One that is over has had its time, though not all of the grace time. */
	if (m->exchanges.by_id.n >= m->exchanges.by_id.max && !list_empty(&m->exchanges.done))
		exchange_free(m, list_entry(m->exchanges.done.next, struct exchange, finished));
	exchange_evicted(m, table_add(&m->exchanges.by_id, &x->node, &x->id, sizeof(x->id)));
	return x;
}

uint32_t exchange_drop(struct mcp *m, struct exchange *x)
{
	uint32_t n = x->held.n;

	m->exchanges.held_bytes -= x->held.bytes;
	held_queue_drop(&x->held);
	list_del(&x->holding);
	return n;
}

void exchange_hold(struct mcp *m, struct exchange *x, const struct mcp_msg *msg)
{
	struct exchanges *xs = &m->exchanges;
	struct held *h = x->held.n < MCP_HELD_MAX ? held_new(msg, ++m->held_seq, m->now) : NULL;

	if (!h) {
		m->stats.held_dropped++;
		return;
	}
	if (x->held.n == 0) {
		x->held_since = m->now;
		list_add(&xs->holding, &x->holding);
	}
	held_queue_add(&x->held, h);
	xs->held_bytes += h->size;
	while (xs->held_bytes > MCP_HELD_BYTES && !list_empty(&xs->holding))
		m->stats.held_dropped +=
			exchange_drop(m, list_entry(xs->holding.next, struct exchange, holding));
}

struct held *exchange_take(struct mcp *m, struct exchange *x)
{
	struct held *h = held_queue_take(&x->held);

	if (h)
		m->exchanges.held_bytes -= h->size;
	if (x->held.n == 0)
		list_del(&x->holding);
	return h;
}

void exchange_finish(struct mcp *m, struct exchange *x)
{
	list_move(&m->exchanges.done, &x->finished);
}

void exchanges_tick(struct mcp *m)
{
	struct list *done = &m->exchanges.done;

	while (!list_empty(done)) {
		struct exchange *x = list_entry(done->next, struct exchange, finished);

		/* Twice: what it holds is judged after once. */
		if (x->done_at + 2 * MCP_GRACE_NS > m->now)
			return;
		exchange_free(m, x);
	}
}
