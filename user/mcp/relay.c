/* SPDX-License-Identifier: Apache-2.0 */
/* Relays.
 *
 * Requests in flight are found by what the other hop has in common with them; each such key has a slot with the requests
 * that share it. Keys contain the process between, so that a slot rarely holds more than one. Hops may be decoded in either
 * order: what a TLS library was given is told of when its reader may have gone on already. So that an inner hop may be taken
 * for one of another call like its own, whose outer hop is not decoded yet: one that has the same id takes precedence. */
#include "mcp/relay.h"

#include <stdlib.h>

#include "base/hash.h"
#include "mcp/call_marks.h"
#include "mcp/inflight.h"
#include "mcp/record.h"

#define MEMBERS_MAX 32 /* of one slot that are looked at; where there are more it is in doubt */

struct relay_slot {
	struct table_node node;
	struct session_key key;
	struct list members;
};

int relays_init(struct mcp *m)
{
	list_init(&m->relays.awaited);
	/* Each request in flight is in one slot of each kind at most: never full. */
	return table_init(&m->relays.slots, HOPS * RELAY_BYS * ((size_t)m->caps.in_flight + 1));
}

void relays_done(struct mcp *m)
{
	table_done(&m->relays.slots);
}

void relay_init(struct relay *r)
{
	for (int i = 0; i < HOPS * RELAY_BYS; i++)
		list_init(&r->by[i / RELAY_BYS][i % RELAY_BYS].link);
	list_init(&r->inners);
	list_init(&r->as_inner);
	list_init(&r->awaited);
}

static bool may_be_relayed(struct sv method)
{
	static const struct sv names[] = {
		{ "tools/call", 10 },	   { "tools/list", 10 },     { "resources/read", 14 },
		{ "resources/list", 14 },  { "prompts/get", 11 },    { "prompts/list", 12 },
		{ "completion/complete", 19 }, { "resources/templates/list", 24 },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sv_eq(method, names[i]))
			return true;
	return false;
}

static const struct proc_id *end_of(const struct pending *p, uint8_t side)
{
	const struct route *r = &p->call->route, *s = &p->s->route;

	if (side == SIDE_CLIENT)
		return r->client.pid ? &r->client : &s->client;
	return r->server.pid ? &r->server : &s->server;
}

static void put_proc(struct session_parts *parts, const struct proc_id *proc)
{
	session_parts_num(parts, proc->pid);
	session_parts_num(parts, proc->start);
}

static void put_args(struct session_parts *parts, const struct pending *p)
{
	session_parts_num(parts, p->call->args_fp.w[0]);
	session_parts_num(parts, p->call->args_fp.w[1]);
}

/* The process between @p, which is @hop, and the other. */
static const struct proc_id *between(const struct pending *p, enum relay_hop hop)
{
	return end_of(p, hop == HOP_OUTER ? SIDE_SERVER : SIDE_CLIENT);
}

/* What @p, which is @hop, has in common with the other. @as: in which of the two that key is looked for. false: @p lacks it. */
static bool key_of(const struct pending *p, enum relay_by by, enum relay_hop hop, enum relay_hop as, struct session_key *ret)
{
	static const uint8_t kinds[] = { KEY_RELAY_TRACE, KEY_RELAY_VENDOR, KEY_RELAY_ARGS, KEY_RELAY_PASSED };
	struct sv id = request_key_id(p->key, p->n);
	const struct relay *r = &p->relay;
	struct session_parts parts;

	if ((by == BY_TRACE && !r->trace) || (by == BY_VENDOR && !r->vendor) ||
	    ((by == BY_ARGS || by == BY_PASSING) && !p->args_known))
		return false;
	session_parts_init(&parts, kinds[by]);
	session_parts_num(&parts, as);
	if (by != BY_PASSING)
		put_proc(&parts, between(p, hop));
	session_parts_num(&parts, hash_bytes(p->call->method, strlen(p->call->method)));
	if (by == BY_TRACE || by == BY_VENDOR)
		session_parts_num(&parts, by == BY_TRACE ? r->trace : r->vendor);
	if (by == BY_ARGS || by == BY_PASSING) {
		session_parts_text(&parts, sv_of(record_target(p->call)));
		put_args(&parts, p);
	}
	if (by == BY_PASSING) {
		session_parts_text(&parts, id);
		session_parts_num(&parts, p->call->request_bytes);
	}
	*ret = session_parts_key(&parts);
	return true;
}

static bool passes(const struct mcp *m, const struct proc_id *proc)
{
	return m->ops.passes && proc->pid && m->ops.passes(m->ops.ctx, proc);
}

static struct relay_slot *slot_find(struct mcp *m, const struct session_key *key)
{
	struct table_node *node = table_peek(&m->relays.slots, key, sizeof(*key));

	return node ? table_entry(node, struct relay_slot, node) : NULL;
}

static void join(struct mcp *m, struct pending *p, enum relay_hop hop, enum relay_by by)
{
	struct relay_link *link = &p->relay.by[hop][by];
	struct session_key key;

	if (!key_of(p, by, hop, hop, &key))
		return;
	link->slot = slot_find(m, &key);
	if (!link->slot && m->relays.slots.n < m->relays.slots.max) {
		link->slot = calloc(1, sizeof(*link->slot));
		if (!link->slot)
			return;
		link->slot->key = key;
		list_init(&link->slot->members);
		table_add(&m->relays.slots, &link->slot->node, &link->slot->key, sizeof(link->slot->key));
	}
	if (!link->slot)
		return;
	link->p = p;
	list_add(&link->slot->members, &link->link);
}

static bool both_differ(uint64_t a, uint64_t b)
{
	return a && b && a != b;
}

static bool same_target(const struct pending *a, const struct pending *b)
{
	return sv_eq(sv_of(record_target(a->call)), sv_of(record_target(b->call)));
}

static bool same_args(const struct pending *a, const struct pending *b)
{
	return a->args_known && b->args_known && fp_is(&a->call->args_fp) &&
	       fp_eq(&a->call->args_fp, &b->call->args_fp);
}

/* A trace goes on in what a tool calls by itself: that is another call. */
static bool fits(const struct pending *o, const struct pending *p, enum relay_by by)
{
	if (o->s == p->s || !o->call || !p->call || (o->begin && p->begin && o->begin > p->begin))
		return false;
	if (both_differ(o->relay.vendor, p->relay.vendor) || both_differ(o->relay.trace, p->relay.trace))
		return false;
	return by != BY_TRACE || same_target(o, p) || same_args(o, p);
}

static bool same_id(const struct pending *a, const struct pending *b)
{
	return sv_eq(request_key_id(a->key, a->n), request_key_id(b->key, b->n));
}

/* An inner hop that was asked before its outer one was seen: by their times alone is it one. */
static bool fits_late(const struct pending *o, const struct pending *p, enum relay_by by)
{
	bool may = same_id(o, p) ? p->relay.bond < BOND_ID : !p->relay.outer && !p->relay.doubt;

	return may && o->begin && p->begin && fits(o, p, by);
}

struct found {
	struct pending *one, *same;
	unsigned int n, n_same;
};

/* @p is @hop: what may be its other one. */
static void look(struct mcp *m, const struct pending *p, enum relay_hop hop, enum relay_by by, struct found *ret)
{
	const struct relay_slot *slot;
	struct session_key key;

	*ret = (struct found){ 0 };
	if ((by != BY_PASSING && !between(p, hop)->pid) || !key_of(p, by, hop, !hop, &key))
		return;
	slot = slot_find(m, &key);
	if (!slot)
		return;
	for (const struct list *l = slot->members.next; l != &slot->members; l = l->next) {
		struct pending *o = list_entry(l, struct relay_link, link)->p;

		if (hop == HOP_INNER ? !fits(o, p, by) : !fits_late(p, o, by))
			continue;
		ret->one = o;
		if (++ret->n > MEMBERS_MAX)
			return;
		if (same_id(o, p)) {
			ret->same = o;
			ret->n_same++;
		}
	}
}

/* @doubt: there are several. */
static struct pending *other_of(struct mcp *m, const struct pending *p, enum relay_hop hop, bool *doubt)
{
	struct found f = { 0 };

	for (int by = 0; by < RELAY_BYS && f.n == 0; by++)
		if (by != BY_PASSING || passes(m, between(p, hop)))
			look(m, p, hop, (enum relay_by)by, &f);
	if (f.n > 1)
		f.one = f.n <= MEMBERS_MAX && f.n_same == 1 ? f.same : NULL;
	*doubt = f.n > 1 && !f.one;
	return f.one;
}

void relay_part(struct pending *p)
{
	p->relay.outer = NULL;
	p->relay.bond = BOND_NONE;
	list_del(&p->relay.as_inner);
}

/* @bond: how sure that is. A second inner hop as sure: the outer call is no mere relay of one of them (a gateway that asks all
 * its servers, a retry). */
static void bind(struct mcp *m, struct pending *o, struct pending *p, enum relay_bond bond)
{
	struct relay *r = &o->relay;
	bool taken = r->held || !list_empty(&r->inners);

	if (bond < r->claim || (bond == r->claim && r->several))
		return;
	r->several = taken && bond == r->claim;
	r->claim = bond;
	if (taken)
		relay_let_go(m, r);
	if (r->several)
		return;
	if (p->relay.outer)
		relay_part(p);
	p->relay.outer = o;
	p->relay.bond = bond;
	list_add(&r->inners, &p->relay.as_inner);
}

static enum relay_bond bond_of(const struct pending *o, const struct pending *p)
{
	return same_id(o, p) ? BOND_ID : BOND_FIT;
}

static void find_outer(struct mcp *m, struct pending *p)
{
	struct pending *o = other_of(m, p, HOP_INNER, &p->relay.doubt);

	if (o)
		bind(m, o, p, bond_of(o, p));
}

/* One that was told of as asked is none of its own after all. */
static void find_inner(struct mcp *m, struct pending *o)
{
	bool doubt;
	struct pending *p = other_of(m, o, HOP_OUTER, &doubt);
	struct call shown;
	bool told;

	if (doubt) {
		o->relay.several = true;
		o->relay.claim = BOND_FIT;
	}
	if (!p)
		return;
	told = !p->relay.outer;
	bind(m, o, p, bond_of(o, p));
	if (p->relay.outer != o || !told || !m->ops.withdrawn)
		return;
	record_show(p->call, p->s, &shown);
	m->ops.withdrawn(m->ops.ctx, &shown);
}

void relay_asked(struct mcp *m, struct pending *p, const struct mcp_msg *msg)
{
	const struct rpc_value *f = msg->rpc->f;

	if (p->asker != SIDE_CLIENT || !may_be_relayed(f[RPC_F_METHOD].text) || !p->call->method)
		return;
	p->relay.vendor = call_marks_hash(&f[RPC_F_META_TOOL_USE]);
	if (!p->relay.vendor)
		p->relay.vendor = call_marks_hash(&f[RPC_F_META_CALL_ID]);
	if (p->call->trace_id)
		p->relay.trace = hash_bytes(p->call->trace_id, strlen(p->call->trace_id)) | 1;
	find_outer(m, p);
	find_inner(m, p);
	for (int hop = 0; hop < HOPS; hop++) {
		const struct proc_id *proc = between(p, (enum relay_hop)hop);

		for (int by = 0; by < BY_PASSING && proc->pid; by++)
			join(m, p, (enum relay_hop)hop, (enum relay_by)by);
		if (passes(m, proc))
			join(m, p, (enum relay_hop)hop, BY_PASSING);
	}
}

static void leave(struct mcp *m, struct relay_link *link)
{
	struct relay_slot *slot = link->slot;

	if (!slot)
		return;
	list_del(&link->link);
	link->slot = NULL;
	if (!list_empty(&slot->members))
		return;
	table_del(&m->relays.slots, &slot->node);
	free(slot);
}

void relay_leave(struct mcp *m, struct pending *p)
{
	struct relay *r = &p->relay;

	for (int i = 0; i < HOPS * RELAY_BYS; i++)
		leave(m, &r->by[i / RELAY_BYS][i % RELAY_BYS]);
	while (!list_empty(&r->inners))
		relay_part(list_entry(r->inners.next, struct pending, relay.as_inner));
	relay_part(p);
	relay_drop(m, r);
}
