/* SPDX-License-Identifier: Apache-2.0 */
/* Storage of requests in flight.
 *
 * A request is found by its exchange and by its session. Where a peer uses an id again before it was answered the
 * requests form a ring, of which the oldest alone is in the table: their answers come in order. */
#include "mcp/inflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcp/exchange.h"
#include "mcp/resend.h"
#include "model/call.h"

#define ANSWERED_MAX 16384

static size_t answered_max(const struct mcp *m)
{
	return m->caps.in_flight < ANSWERED_MAX ? m->caps.in_flight : ANSWERED_MAX;
}

int inflight_init(struct mcp *m)
{
	struct inflight *f = &m->inflight;

	list_init(&f->by_age);
	list_init(&f->cancelled);
	list_init(&f->broken);
	list_init(&f->twins);
	list_init(&f->greetings);
	/* One more than the cap: who is the oldest is known by age, not by the order of a table. */
	if (table_init(&f->by_session, (size_t)m->caps.in_flight + 1) ||
	    table_init(&f->by_exchange, (size_t)m->caps.in_flight + 1) ||
	    table_init(&f->answered, answered_max(m)) || table_init(&f->early, answered_max(m)))
		return -ENOMEM;
	return 0;
}

void inflight_done(struct mcp *m)
{
	struct inflight *f = &m->inflight;

	while (!list_empty(&f->by_age)) {
		struct pending *p = list_entry(f->by_age.next, struct pending, age);

		call_free(p->call);
		logical_free(p->whole);
		p->whole = NULL;
		pending_retire(m, p, false);
	}
	for (struct early *e = early_oldest(m); e; e = early_oldest(m)) {
		early_unlink(m, e);
		early_free(e);
	}
	while (f->answered.oldest) {
		struct pending *p = table_entry(f->answered.oldest, struct pending, by_session);

		table_del(&f->answered, &p->by_session);
		free(p);
	}
	table_done(&f->by_session);
	table_done(&f->by_exchange);
	table_done(&f->answered);
	table_done(&f->early);
}

static struct pending *peek(const struct table *t, struct sv key)
{
	struct table_node *node = table_peek(t, key.p, key.n);

	return node ? table_entry(node, struct pending, by_session) : NULL;
}

static void join_ring(struct mcp *m, struct pending *p)
{
	struct sv key = request_key_session(p->key, p->n);
	struct pending *head = peek(&m->inflight.by_session, key);

	list_init(&p->ring);
	p->first = !head;
	if (head)
		list_add(&head->ring, &p->ring);
	else
		table_add(&m->inflight.by_session, &p->by_session, key.p, key.n);
}

static void leave_ring(struct mcp *m, struct pending *p)
{
	struct pending *next = list_entry(p->ring.next, struct pending, ring);
	struct sv key;

	if (p->first) {
		table_del(&m->inflight.by_session, &p->by_session);
		if (next != p) {
			key = request_key_session(next->key, next->n);
			next->first = true;
			table_add(&m->inflight.by_session, &next->by_session, key.p, key.n);
		}
	}
	p->first = false;
	list_del(&p->ring);
}

static void join_exchange(struct mcp *m, struct pending *p)
{
	struct sv key = request_key_exchange(p->key, p->n);

	if (!p->x)
		return;
	list_add(&p->x->pending, &p->in_exchange);
	if (table_peek(&m->inflight.by_exchange, key.p, key.n))
		return; /* the same id twice in one body: the second is found by the session */
	table_add(&m->inflight.by_exchange, &p->by_exchange, key.p, key.n);
	p->in_exchange_table = true;
}

struct pending *pending_new(struct mcp *m, const struct mcp_link *l, const struct request_key *k)
{
	struct pending *p = calloc(1, sizeof(*p) + k->n);

	if (!p)
		return NULL;
	memcpy(p->key, k->b, k->n);
	p->n = (uint16_t)k->n;
	p->s = session_ref(l->s);
	p->asker = l->from;
	p->x = l->from == SIDE_CLIENT ? l->x : NULL;
	p->exchange = l->x ? l->x->id : 0;
	list_init(&p->cancelled);
	list_init(&p->broken.link);
	list_init(&p->twin.link);
	list_init(&p->greeting);
	relay_init(&p->relay);
	list_init(&p->in_exchange);
	list_init(&p->age);
	list_init(&p->in_session);
	list_add(&m->inflight.by_age, &p->age);
	list_add(&l->s->pending, &p->in_session);
	l->s->pendings++;
	join_ring(m, p);
	join_exchange(m, p);
	m->inflight.n++;
	return p;
}

void pending_leave_exchange(struct pending *p)
{
	list_del(&p->in_exchange);
	p->x = NULL;
}

void pending_rejoin(struct mcp *m, struct pending *p, const struct mcp_link *l)
{
	pending_leave_exchange(p);
	if (p->in_exchange_table)
		table_del(&m->inflight.by_exchange, &p->by_exchange);
	p->in_exchange_table = false;
	memcpy(p->key, &l->x->id, sizeof(l->x->id));
	p->x = l->x;
	p->exchange = l->x->id;
	join_exchange(m, p);
}

static void remember(struct mcp *m, struct pending *p)
{
	struct sv key = request_key_session(p->key, p->n);
	struct pending *before = peek(&m->inflight.answered, key);
	struct table_node *out;

	if (before) {
		table_del(&m->inflight.answered, &before->by_session);
		free(before);
	}
	out = table_add(&m->inflight.answered, &p->by_session, key.p, key.n);
	if (out)
		free(table_entry(out, struct pending, by_session));
}

void pending_retire(struct mcp *m, struct pending *p, bool keep)
{
	leave_ring(m, p);
	if (p->in_exchange_table)
		table_del(&m->inflight.by_exchange, &p->by_exchange);
	p->in_exchange_table = false;
	pending_leave_exchange(p);
	list_del(&p->age);
	list_del(&p->cancelled);
	list_del(&p->broken.link);
	list_del(&p->greeting);
	resend_leave(p);
	relay_leave(m, p);
	list_del(&p->in_session);
	p->s->pendings--;
	session_unref(p->s);
	p->s = NULL;
	p->call = NULL;
	m->inflight.n--;
	if (keep)
		remember(m, p);
	else
		free(p);
}

void pending_move(struct mcp *m, struct pending *p, struct session *to)
{
	leave_ring(m, p);
	memcpy(p->key + p->n - sizeof(to->no), &to->no, sizeof(to->no));
	join_ring(m, p);
	list_move(&to->pending, &p->in_session);
	to->pendings++;
	p->s->pendings--;
	session_ref(to);
	session_unref(p->s);
	p->s = to;
}

struct pending *pending_in_exchange(struct mcp *m, const struct request_key *k)
{
	struct sv key = request_key_exchange(k->b, k->n);
	struct table_node *node = table_peek(&m->inflight.by_exchange, key.p, key.n);

	return node ? table_entry(node, struct pending, by_exchange) : NULL;
}

struct pending *pending_in_session(struct mcp *m, const struct request_key *k)
{
	return peek(&m->inflight.by_session, request_key_session(k->b, k->n));
}

struct pending *pending_next(struct pending *p)
{
	struct pending *next = list_entry(p->ring.next, struct pending, ring);

	return next->first ? NULL : next;
}

struct pending *pending_answered(struct mcp *m, const struct request_key *k)
{
	return peek(&m->inflight.answered, request_key_session(k->b, k->n));
}

int early_add(struct mcp *m, const struct mcp_link *l, const struct request_key *k, bool by_exchange)
{
	struct early *e = calloc(1, sizeof(*e) + k->n);
	struct sv key;

	if (!e)
		return -ENOMEM;
	e->h = held_new(l->msg, ++m->held_seq, m->now);
	if (!e->h) {
		free(e);
		return -ENOMEM;
	}
	memcpy(e->key, k->b, k->n);
	e->n = (uint16_t)k->n;
	e->s = session_ref(l->s);
	list_init(&e->in_session);
	list_add(&l->s->early, &e->in_session);
	l->s->earlies++;
	e->from = l->from;
	e->exchange = l->x ? l->x->id : 0;
	key = by_exchange ? request_key_exchange(e->key, e->n) : request_key_session(e->key, e->n);
	table_add(&m->inflight.early, &e->node, key.p, key.n);
	m->inflight.early_bytes += e->h->size;
	return 0;
}

void early_unlink(struct mcp *m, struct early *e)
{
	table_del(&m->inflight.early, &e->node);
	list_del(&e->in_session);
	e->s->earlies--;
	m->inflight.early_bytes -= e->h->size;
}

void early_free(struct early *e)
{
	session_unref(e->s);
	held_free(e->h);
	free(e);
}

struct early *early_take(struct mcp *m, const struct request_key *k)
{
	const struct sv keys[] = { request_key_exchange(k->b, k->n), request_key_session(k->b, k->n) };

	for (int i = 0; i < 2 && m->inflight.early.n > 0; i++) {
		struct table_node *node = table_peek(&m->inflight.early, keys[i].p, keys[i].n);

		if (node) {
			struct early *e = table_entry(node, struct early, node);

			early_unlink(m, e);
			return e;
		}
	}
	return NULL;
}

struct early *early_oldest(struct mcp *m)
{
	struct table_node *node = m->inflight.early.oldest;

	return node ? table_entry(node, struct early, node) : NULL;
}
