/* SPDX-License-Identifier: Apache-2.0 */
/* Relays: what becomes of hops that are complete. The inner one is held by the outer one until that is complete, too; decoded in
 * the other order, the outer one waits. */
#include "mcp/relay.h"

#include <stdlib.h>

#include "mcp/inflight.h"
#include "mcp/outcome.h"

#define AWAITED_MAX 256 /* calls that wait for their inner hop; others are told without it */

static void tell(struct mcp *m, struct finished *f)
{
	outcome_tell(m, f, NULL);
	session_unref(f->s);
	free(f);
}

void relay_let_go(struct mcp *m, struct relay *r)
{
	struct finished *held = r->held;

	r->held = NULL;
	while (!list_empty(&r->inners))
		relay_part(list_entry(r->inners.next, struct pending, relay.as_inner));
	if (held)
		tell(m, held);
}

static void drop(struct finished *f)
{
	if (!f)
		return;
	session_unref(f->s);
	call_free(f->c);
	free(f);
}

/* NULL: no memory. Else @p's call is not @p's any more. */
static struct finished *take(struct mcp *m, struct pending *p)
{
	struct finished *f = malloc(sizeof(*f));

	if (!f) {
		m->stats.no_memory++;
		return NULL;
	}
	*f = (struct finished){ p->call, session_ref(p->s), p->step };
	p->call = NULL;
	return f;
}

bool relay_hold(struct mcp *m, struct pending *p)
{
	struct pending *o = p->relay.outer;
	struct finished *h = o && !p->whole && p->call->has_response ? take(m, p) : NULL;

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
		drop(held);
	}
}

bool relay_await(struct mcp *m, struct pending *p)
{
	struct pending *inner = list_empty(&p->relay.inners) ? NULL :
							       list_entry(p->relay.inners.next, struct pending, relay.as_inner);

	if (!inner || p->relay.outer || p->whole || p->step.input || p->step.task || !has_answer(p->call) ||
	    m->relays.n_awaited == AWAITED_MAX)
		return false;
	inner->relay.over = take(m, p);
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
		tell(m, f);
	return part;
}

void relay_release(struct mcp *m, struct pending *p)
{
	struct finished *f = over(m, &p->relay);

	if (f)
		tell(m, f);
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
	drop(r->held);
	r->held = NULL;
	drop(over(m, r));
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
