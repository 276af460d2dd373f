/* SPDX-License-Identifier: Apache-2.0 */
/* TLS connections: the two ends of one, each of which the kernel side knows by its library's object alone, until their sockets
 * say that they belong together.
 *
 * Plaintext positions are counted at each end. They agree where both ends were seen since their birth, or where both have seen
 * equally much of a direction by the time they are joined (with the first answer, when the request was read). Else one
 * end's records are used for it: those of the end whose bytes are decoded already, or of the one that saw more. The other
 * was inside a call as its probes went on, of which nothing was seen: a server that waits for its next request. */
#include "flow/conn.h"

#include <stdlib.h>

#include "event_tls.h"

bool conn_is_held(const struct flow_conn *c, uint64_t now)
{
	return c->chan == CHAN_TLS && !c->sock[0].known && !c->pump && now < c->since + CONN_HOLD_NS;
}

/* Where a request may have been missed, the order alone says which one an answer is for. */
bool conn_sorts(const struct flow_conn *c)
{
	return c->chan == CHAN_TLS && c->late;
}

struct flow_proc conn_proc(const struct flow_conn *c, const struct flow_stream *s, int end)
{
	/* Direction 0 is written at end 0. */
	return c->proc[(s->dir == 0) == (end == END_WRITE) ? 0 : 1];
}

bool conn_unread(const struct flow_conn *c, const struct flow_stream *s, int end)
{
	bool first = (s->dir == 0) == (end == END_WRITE);

	return c->chan == CHAN_TLS && !first && c->proc[1].pid && !c->tls[1];
}

static void stream_merge(struct flow *f, struct flow_stream *into, struct flow_stream *from)
{
	for (int end = 0; end < 2; end++) {
		segs_move(&into->segs[end], &from->segs[end]);
		for (uint32_t i = 0; i < from->marks[end].n; i++)
			if (marks_add(&into->marks[end], &from->marks[end].v[from->marks[end].from + i]))
				f->stats.marks_full++;
		if (from->cov[end] > into->cov[end])
			into->cov[end] = from->cov[end];
		into->seen[end] |= from->seen[end];
		into->blind[end] &= !from->seen[end];
	}
	if (from->eof && !into->eof) {
		into->eof = true;
		into->eof_pos = from->eof_pos;
		into->eof_ts = from->eof_ts;
		into->reader_gone = from->reader_gone;
	}
}

/* @into goes on with the records of one end alone: its writer's, unless it is decoded from its reader's already. It is left with
 * no others. @return whether those of @from are to be taken. */
static bool stream_choose(struct flow *f, struct flow_stream *into)
{
	int own = into->dir == 0 ? END_WRITE : END_READ;
	int keep = into->fed ? own : END_WRITE;

	conn_only(f, into, keep);
	if (keep == own)
		return false;
	into->started = false;
	return true;
}

/* @from, all of whose records are of one end, is the other end of @into. It is freed. */
static void conn_merge(struct flow *f, struct flow_conn *into, struct flow_conn *from)
{
	bool aligned = !into->tls_late[0] && !from->tls_late[0];

	conn_join_del(f, into);
	into->sock[1] = from->sock[0];
	into->tls[1] = from->tls[0];
	into->tls_late[1] = from->tls_late[0];
	into->proc[1] = from->proc[0];
	into->late |= from->late && !into->pump;
	while (from->nkeys) {
		struct conn_key k = from->keys[--from->nkeys];

		table_del(&f->keys, &from->keys[from->nkeys].node);
		conn_key_add(f, into, &k.key, !k.dir);
	}
	for (int i = 0; i < 2; i++)
		if (aligned || stream_choose(f, &into->s[i]))
			stream_merge(f, &into->s[i], &from->s[!i]);
	conn_free(f, from);
	if (into->other)
		conn_verdict(into, 0xff, into->http ? V_NO_HTTP : V_NO);
	for (int i = 0; i < 2; i++)
		conn_both(into, &into->s[i]);
}

/* Its socket is known. @c, or the connection that it became a part of. */
static struct flow_conn *place(struct flow *f, struct flow_conn *c, const struct ev_open *o)
{
	struct table_node *n = conn_join_find(&f->joins, o->base_rx, o->base_tx);
	struct flow_conn *other = n ? table_entry(n, struct flow_conn, join_node) : NULL;

	conn_sock_set(&c->sock[0], o);
	n = conn_join_find(&f->hellos, o->base_rx, o->base_tx);
	if (n)
		c->proc[1] = table_entry(n, struct conn_hello, node)->who;
	if (other && other->chan == CHAN_TCP) { /* its ciphertext, taken for text */
		conn_verdict(other, 0xff, V_TLS);
		conn_free(f, other);
		other = NULL;
	}
	if (!other || other == c || other->sock[1].known) {
		conn_join_add(f, c, o);
		return c;
	}
	if (c->pump && !other->pump) {
		conn_merge(f, c, other);
		return c;
	}
	conn_merge(f, other, c);
	return other;
}

/* What is known of @who's plaintext, for as long as the table has room. */
static void reader_set(struct flow *f, struct flow_proc who, bool read)
{
	struct table_node *n = table_get(&f->readers, &who, sizeof(who)), *old;
	struct conn_reader *r = n ? table_entry(n, struct conn_reader, node) : calloc(1, sizeof(*r));

	if (!r)
		return;
	r->read = read;
	if (n)
		return;
	r->who = who;
	old = table_add(&f->readers, &r->node, &r->who, sizeof(r->who));
	if (old)
		free(table_entry(old, struct conn_reader, node));
}

void conn_open_tls(struct flow *f, const struct ev_open *o)
{
	uint8_t end; /* what it writes is direction 0 of the first end, 1 of the second */
	struct flow_conn *c = conn_get(f, &o->key, CHAN_TLS, &end);

	if (!c)
		return;
	if (!c->since)
		c->since = o->hdr.ts;
	c->tls[end] = o->tls;
	c->proc[end] = (struct flow_proc){ .pid = o->hdr.pid, .start = o->start };
	reader_set(f, c->proc[end], true);
	if (o->hdr.flags & EV_F_LATE) {
		c->tls_late[end] = true;
		c->late |= !c->pump;
	}
	if (!o->family || c->sock[end].known || end != 0)
		return;
	c = place(f, c, o);
	stream_run(f, &c->s[0], f->now);
	stream_run(f, &c->s[1], f->now);
}

/* The other end of a connection whose plaintext is seen here may be a process of this host that is not read: its sock says
 * who it is. */
void conn_hello(struct flow *f, const struct ev_hello *h)
{
	struct flow_proc who = { .pid = h->hdr.pid, .start = h->start };
	struct table_node *n = conn_join_find(&f->joins, h->base_rx, h->base_tx), *old;
	struct flow_conn *c = n ? table_entry(n, struct flow_conn, join_node) : NULL;
	struct conn_hello *e;

	if (c && c->chan == CHAN_TLS && !c->proc[1].pid)
		c->proc[1] = who;
	e = calloc(1, sizeof(*e));
	if (!e)
		return;
	e->join = (struct conn_join){ h->base_rx, h->base_tx };
	e->who = who;
	if (table_peek(&f->hellos, &e->join, sizeof(e->join))) {
		free(e);
		return;
	}
	old = table_add(&f->hellos, &e->node, &e->join, sizeof(e->join));
	if (old)
		free(table_entry(old, struct conn_hello, node));
}

void conn_hooked(struct flow *f, const struct ev_hooked *h)
{
	reader_set(f, (struct flow_proc){ .pid = h->hdr.pid, .start = h->start }, h->state == HOOKED_YES);
}

bool conn_is_alone(const struct flow_conn *c)
{
	struct table_node *n;

	if (c->chan != CHAN_TLS || c->tls[1] || !c->proc[1].pid)
		return false;
	n = table_peek(&c->flow->readers, &c->proc[1], sizeof(c->proc[1]));
	return n && !table_entry(n, struct conn_reader, node)->read;
}

void conn_tls_free(struct flow *f)
{
	struct table_node *n, *next;

	for (n = f->hellos.oldest; n; n = next) {
		next = n->newer;
		free(table_entry(n, struct conn_hello, node));
	}
	for (n = f->readers.oldest; n; n = next) {
		next = n->newer;
		free(table_entry(n, struct conn_reader, node));
	}
	table_done(&f->hellos);
	table_done(&f->readers);
}
