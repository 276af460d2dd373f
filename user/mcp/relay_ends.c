/* SPDX-License-Identifier: Apache-2.0 */
/* Relays: what becomes of hops that are complete. The inner one is held by the outer one until that is complete, too; decoded in
 * the other order, the outer one waits. */
#include "mcp/relay.h"

#include "mcp/inflight.h"
#include "mcp/outcome.h"

#define AWAITED_MAX 256 /* calls that wait for their inner hop; others are told without it */

void relay_let_go(struct mcp *m, struct relay *r)
{
	struct finished *held = r->held;

	r->held = NULL;
	while (!list_empty(&r->inners))
		relay_part(list_entry(r->inners.next, struct pending, relay.as_inner));
	if (held)
		finished_tell(m, held, NULL);
}

bool relay_hold(struct mcp *m, struct pending *p)
{
	struct pending *o = p->relay.outer;
	struct finished *h = o && !p->whole && p->call->has_response ? finished_take(m, p) : NULL;

	if (!h)
		return false;
	relay_part(p);
	o->relay.held = h;
	return true;
}

static bool has_answer(const struct call *c)
{
	return c->has_response && (c->outcome == CALL_OK || c->outcome == CALL_TOOL_ERROR || c->outcome == CALL_RPC_ERROR);
}

static bool includes(const struct call *outer, const struct call *inner)
{
	return has_answer(outer) && outer->ts >= inner->ts;
}

static void include(struct call *outer, const struct call *inner)
{
	outer->hops += 1 + inner->hops;
	outer->request_seen += inner->request_seen;
	outer->response_seen += inner->response_seen;
}

void relay_settle(struct mcp *m, struct pending *p)
{
	struct finished *held = p->relay.held;

	if (held && !includes(p->call, held->c)) {
		relay_let_go(m, &p->relay);
	} else if (held) {
		include(p->call, held->c);
		p->relay.held = NULL;
		finished_drop(held);
	}
}

bool relay_await(struct mcp *m, struct pending *p)
{
	struct relay *r = &p->relay;
	struct pending *inner;

	if (list_empty(&r->inners) || r->outer || p->whole || p->step.input || p->step.task || !has_answer(p->call))
		return false;
	if (m->relays.n_awaited == AWAITED_MAX) {
		m->stats.relays_full++;
		return false;
	}
	inner = list_entry(r->inners.next, struct pending, relay.as_inner);
	inner->relay.over = finished_take(m, p);
	if (!inner->relay.over)
		return false;
	inner->relay.over_at = m->now;
	list_add(&m->relays.awaited, &inner->relay.awaited);
	m->relays.n_awaited++;
	return true;
}

/* What waits for @r. */
static struct finished *over(struct mcp *m, struct relay *r)
{
	struct finished *f = r->over;

	if (!f)
		return NULL;
	r->over = NULL;
	list_del(&r->awaited);
	m->relays.n_awaited--;
	return f;
}

bool relay_end(struct mcp *m, struct pending *p)
{
	struct finished *f = over(m, &p->relay);
	bool part = f && !p->whole && p->call->has_response && includes(f->c, p->call);

	if (part) {
		include(f->c, p->call);
		call_free(p->call);
		p->call = NULL;
	}
	if (f)
		finished_tell(m, f, NULL);
	return part;
}

void relay_release(struct mcp *m, struct pending *p)
{
	struct finished *f = over(m, &p->relay);

	if (f)
		finished_tell(m, f, NULL);
}

void relay_session_end(struct mcp *m, const struct session *s)
{
	struct list *head = &m->relays.awaited, *next;

	for (struct list *l = head->next; l != head; l = next) {
		struct pending *p = list_entry(l, struct pending, relay.awaited);

		next = l->next;
		if (p->relay.over->s == s)
			relay_release(m, p);
	}
}

void relay_tick(struct mcp *m)
{
	struct list *head = &m->relays.awaited;

	while (!list_empty(head)) {
		struct pending *p = list_entry(head->next, struct pending, relay.awaited);

		if (p->relay.over_at + MCP_GRACE_NS > m->now)
			return;
		relay_release(m, p);
	}
}

void relay_drop(struct mcp *m, struct relay *r)
{
	finished_drop(r->held);
	r->held = NULL;
	finished_drop(over(m, r));
}

void relay_flush(struct mcp *m)
{
	struct list *head = &m->inflight.by_age;

	for (struct list *l = head->next; l != head; l = l->next) {
		struct pending *p = list_entry(l, struct pending, age);

		relay_release(m, p);
		relay_let_go(m, &p->relay);
	}
}
