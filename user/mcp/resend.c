/* SPDX-License-Identifier: Apache-2.0 */
/* Requests on the wire more than once.
 *
 * A server may close an idle connection just as a client sends on it; the client then sends the same bytes on another
 * one. What tells of the break, of the second request and of its answer comes in any order: the end of a TCP connection
 * is believed only after a while. A client that is redirected sends the request again, too. */
#include "mcp/resend.h"

#include "mcp/call_marks.h"
#include "mcp/exchange.h"
#include "mcp/http_session.h"
#include "mcp/outcome.h"
#include "mcp/record.h"
#include "mcp/relay.h"
#include "model/call.h"

#define STEPS 16 /* requests with one id in flight at once that are looked at */

static bool same_text(const char *a, struct sv b)
{
	return sv_eq(sv_of(a), b);
}

static bool is_same(const struct pending *p, const struct mcp_msg *msg)
{
	const struct rpc_msg *rpc = msg->rpc;
	const struct call *c = p->call;

	if (!c->method || !same_text(c->method, rpc->f[RPC_F_METHOD].text) || c->request_bytes != rpc->bytes)
		return false;
	if (!p->args_known || !call_marks_known(msg))
		return !c->lost_bytes && !msg->lost_bytes && !p->args_known && !rpc->marks;
	return fp_eq(&c->args_fp, &rpc->marks->args);
}

struct pending *resend_join(struct mcp *m, const struct mcp_link *l, const struct request_key *k)
{
	struct pending *p;

	if (list_empty(&m->inflight.broken) || !l->x || l->from != SIDE_CLIENT)
		return NULL;
	p = pending_in_session(m, k);
	for (unsigned int i = 0; p && i < STEPS; i++, p = pending_next(p)) {
		if (!p->broken.at || p->exchange == l->x->id || !is_same(p, l->msg))
			continue;
		p->broken.at = 0;
		p->broken.status = 0;
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

/* @to takes over what @from began: both were asked, and one call is told. */
static void take_call(struct mcp *m, const struct session *s, struct call *to, const struct call *from)
{
	struct call shown;

	if (m->ops.withdrawn) {
		record_show(to, s, &shown);
		m->ops.withdrawn(m->ops.ctx, &shown);
	}
	to->request_seen += from->request_seen;
	to->start = from->start;
	if (from->has_ordinal)
		to->ordinal = from->ordinal;
	to->attempt = from->attempt;
}

static void take_over(struct mcp *m, struct pending *p, struct pending *q)
{
	take_call(m, q->s, q->call, p->call);
	q->begin = p->begin;
	if (!q->whole) {
		q->whole = p->whole;
		p->whole = NULL;
	}
	logical_free(p->whole);
	p->whole = NULL;
	relay_release(m, p);
	call_free(p->call);
	pending_retire(m, p, false);
}

/* @p broke, and what it holds is itself, sent again and answered. */
static void take_answered(struct mcp *m, struct pending *p)
{
	struct finished *f = p->twin.f;
	struct whole *whole = p->whole;

	p->twin.f = NULL;
	p->whole = NULL;
	take_call(m, f->s, f->c, p->call);
	if (f->c->has_duration)
		f->c->duration_ns += p->twin.begin - p->begin;
	relay_release(m, p);
	call_free(p->call);
	pending_retire(m, p, false);
	finished_tell(m, f, whole);
}

void resend_wait(struct mcp *m, struct pending *p, enum call_outcome outcome, uint64_t end, uint64_t ts)
{
	struct pending *q;

	if (p->twin.f) {
		take_answered(m, p);
		return;
	}
	q = twin_of(m, p);
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

bool resend_may_come(const struct exchange *x)
{
	return x->status / 100 == 3 || (x->aborted && !x->status);
}

static bool same_client(const struct pending *p, const struct mcp_msg *msg)
{
	const struct route *r = &p->call->route;

	if (r->client.pid || msg->writer.pid)
		return r->client.pid == msg->writer.pid && r->client.start == msg->writer.start;
	return r->client_addr.family == msg->src.family && !memcmp(r->client_addr.ip, msg->src.ip, sizeof(msg->src.ip));
}

struct session *resend_session(struct mcp *m, const struct mcp_msg *msg)
{
	struct list *broken = &m->inflight.broken;
	struct request_key k;
	unsigned int i = 0;

	request_key_make(&k, 0, 0, SIDE_CLIENT, &msg->rpc->f[RPC_F_ID]);
	for (struct list *l = broken->prev; l != broken && i < STEPS; l = l->prev, i++) {
		struct pending *p = list_entry(l, struct pending, broken.link);

		if (p->initialize && p->s->provisional && same_client(p, msg) && is_same(p, msg) &&
		    sv_eq(request_key_id(p->key, p->n), request_key_id(k.b, k.n)))
			return p->s;
	}
	return NULL;
}

/* It did not come again. */
static void settle_session(struct mcp *m, const struct pending *p)
{
	struct exchange *x = p->s->provisional ? exchange_find(m, p->exchange) : NULL;

	if (x)
		http_session_settle(m, x, (struct sv){ 0 });
}

void resend_tick(struct mcp *m)
{
	struct list *broken = &m->inflight.broken, *twins = &m->inflight.twins;

	while (!list_empty(broken)) {
		struct pending *p = list_entry(broken->next, struct pending, broken.link);

		if (p->broken.at + MCP_GRACE_NS > m->now)
			break;
		settle_session(m, p);
		outcome_at_end(m, p, p->broken.ts);
	}
	while (!list_empty(twins)) {
		struct pending *p = list_entry(twins->next, struct pending, twin.link);

		if (p->twin.at + MCP_GRACE_NS > m->now)
			return;
		resend_release(m, p);
	}
}

/* One like @q that was sent before it and of which nothing came back so far. */
static struct pending *twin_before(struct mcp *m, const struct pending *q)
{
	struct request_key k = { .n = q->n };
	struct pending *p;

	memcpy(k.b, q->key, q->n);
	p = pending_in_session(m, &k);
	for (unsigned int i = 0; p && i < STEPS; i++, p = pending_next(p))
		if (p->x && p->x->status / 100 != 2 && !p->twin.f && !p->broken.at && is_twin(p, q))
			return p;
	return NULL;
}

bool resend_hold(struct mcp *m, struct pending *q)
{
	struct pending *p = q->exchange && !q->whole && q->call->has_response ? twin_before(m, q) : NULL;

	if (!p)
		return false;
	p->twin.f = finished_take(m, q);
	if (!p->twin.f)
		return false;
	p->twin.at = m->now;
	p->twin.begin = q->begin;
	list_add(&m->inflight.twins, &p->twin.link);
	return true;
}

void resend_release(struct mcp *m, struct pending *p)
{
	struct finished *f = p->twin.f;

	if (!f)
		return;
	p->twin.f = NULL;
	list_del(&p->twin.link);
	finished_tell(m, f, NULL);
}

void resend_leave(struct pending *p)
{
	list_del(&p->twin.link);
	finished_drop(p->twin.f);
	p->twin.f = NULL;
}
