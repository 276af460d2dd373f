/* SPDX-License-Identifier: Apache-2.0 */
/* Requests on the wire more than once.
 *
 * A server may close an idle connection just as a client sends on it; the client then sends the same bytes on another
 * one. The record of the break and that of the second request come in either order. */
#include "mcp/resend.h"

#include "mcp/call_marks.h"
#include "mcp/exchange.h"
#include "mcp/outcome.h"
#include "model/call.h"

#define STEPS 16 /* requests with one id in flight at once that are looked at */

static bool same_text(const char *a, struct sv b)
{
	return sv_eq(sv_of(a), b);
}

static bool is_same(const struct pending *p, const struct mcp_link *l)
{
	const struct rpc_msg *rpc = l->msg->rpc;
	const struct call *c = p->call;

	if (!c->method || !same_text(c->method, rpc->f[RPC_F_METHOD].text) || c->request_bytes != rpc->bytes)
		return false;
	if (!p->args_known || !call_marks_known(l->msg))
		return !c->lost_bytes && !l->msg->lost_bytes && !p->args_known && !rpc->marks;
	return fp_eq(&c->args_fp, &rpc->marks->args);
}

struct pending *resend_join(struct mcp *m, const struct mcp_link *l, const struct request_key *k)
{
	struct pending *p;

	if (list_empty(&m->inflight.broken) || !l->x || l->from != SIDE_CLIENT)
		return NULL;
	p = pending_in_session(m, k);
	for (unsigned int i = 0; p && i < STEPS; i++, p = pending_next(p)) {
		if (!p->broken.at || p->exchange == l->x->id || !is_same(p, l))
			continue;
		p->broken.at = 0;
		list_del(&p->broken.link);
		p->call->request_seen++;
		p->last_r = l->msg->t.last_r;
		pending_rejoin(m, p, l);
		return p;
	}
	return NULL;
}

static bool is_twin(const struct pending *p, const struct pending *q)
{
	const struct call *a = p->call, *b = q->call;

	if (q == p || q->broken.at || q->exchange == p->exchange || q->begin <= p->begin || !a->method || !b->method)
		return false;
	return same_text(a->method, sv_of(b->method)) && a->request_bytes == b->request_bytes &&
	       p->args_known == q->args_known && !a->lost_bytes && !b->lost_bytes &&
	       fp_eq(&a->args_fp, &b->args_fp);
}

/* One with the same key that was sent after @p; @p may be the first of the ring or not. */
static struct pending *twin_of(struct mcp *m, struct pending *p)
{
	struct request_key k = { .n = p->n };
	struct pending *q;

	memcpy(k.b, p->key, p->n);
	q = pending_in_session(m, &k);
	for (unsigned int i = 0; q && i < STEPS; i++, q = pending_next(q))
		if (is_twin(p, q))
			return q;
	return NULL;
}

/* @q takes over what @p began. */
static void take_over(struct mcp *m, struct pending *p, struct pending *q)
{
	q->call->request_seen += p->call->request_seen;
	q->call->start = p->call->start;
	q->begin = p->begin;
	if (p->call->has_ordinal)
		q->call->ordinal = p->call->ordinal;
	q->call->attempt = p->call->attempt;
	if (!q->whole) {
		q->whole = p->whole;
		p->whole = NULL;
	}
	logical_free(p->whole);
	p->whole = NULL;
	call_free(p->call);
	pending_retire(m, p, false);
}

void resend_wait(struct mcp *m, struct pending *p, enum call_outcome outcome, uint64_t end, uint64_t ts)
{
	struct pending *q = twin_of(m, p);

	if (q) {
		take_over(m, p, q);
		return;
	}
	pending_leave_exchange(p);
	p->broken.at = m->now;
	p->broken.ts = ts ? ts : m->now;
	p->broken.end = end;
	p->broken.outcome = (uint8_t)outcome;
	list_move(&m->inflight.broken, &p->broken.link);
}

void resend_tick(struct mcp *m)
{
	struct list *broken = &m->inflight.broken;

	while (!list_empty(broken)) {
		struct pending *p = list_entry(broken->next, struct pending, broken.link);

		if (p->broken.at + MCP_GRACE_NS > m->now)
			return;
		outcome_at_end(m, p, p->broken.ts);
	}
}
