/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and the keys that lead to them.
 *
 * A pipe has one key, a unix socket pair two (each names a direction at both ends), a TCP connection two for each sock.
 * Two socks are the two ends of one connection where each one's first sequence number sent is the other's first one
 * received: 64 random bits, the same through namespaces and address translation. */
#include "flow/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

static struct flow_conn *conn_new(struct flow *f, uint8_t chan)
{
	struct flow_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->flow = f;
	c->chan = chan;
	for (int i = 0; i < 2; i++) {
		c->s[i].conn = c;
		c->s[i].dir = i;
		c->s[i].id = ++f->next_id;
		table_add(&f->ids, &c->id_node[i], &c->s[i].id, sizeof(c->s[i].id));
	}
	f->stats.conns++;
	return c;
}

static void dead_del(struct flow *f, struct flow_conn *c)
{
	struct flow_conn **at = &f->dead_first, *prev = NULL;

	while (*at && *at != c) {
		prev = *at;
		at = &(*at)->dead_next;
	}
	if (!*at)
		return;
	*at = c->dead_next;
	if (f->dead_last == c)
		f->dead_last = prev;
}

void conn_free(struct flow *f, struct flow_conn *c)
{
	for (int i = 0; i < c->nkeys; i++)
		table_del(&f->keys, &c->keys[i].node);
	conn_join_del(f, c);
	if (c->dead)
		dead_del(f, c);
	pump_free(c->pump);
	c->pump = NULL;
	c->other = true; /* whatever the streams still do, nothing is decoded */
	for (int i = 0; i < 2; i++) {
		stream_done(f, &c->s[i]);
		table_del(&f->ids, &c->id_node[i]);
	}
	f->stats.conns--;
	if (c->rpc)
		f->stats.rpc_conns--;
	free(c);
}

void conn_ended(struct flow *f, struct flow_conn *c, uint64_t now)
{
	if (c->dead || !c->s[0].ended || (c->chan != CHAN_PIPE && !c->s[1].ended))
		return;
	c->dead = true;
	c->dead_ts = now;
	if (f->dead_last)
		f->dead_last->dead_next = c;
	else
		f->dead_first = c;
	f->dead_last = c;
}

void conn_bury(struct flow *f, uint64_t now)
{
	while (f->dead_first && now >= f->dead_first->dead_ts + CONN_LINGER_NS)
		conn_free(f, f->dead_first);
}

/* The table is full: the whole connection of the least recently used key goes. */
static void conn_evict(struct flow *f, struct table_node *old)
{
	struct conn_key *k = table_entry(old, struct conn_key, node);
	struct flow_conn *c = k->conn;
	int i = k - c->keys;

	c->keys[i] = c->keys[c->nkeys - 1]; /* the evicted node is off the table already */
	if (i != c->nkeys - 1) {
		struct table_node *n = &c->keys[c->nkeys - 1].node;

		table_del(&f->keys, n);
		table_add(&f->keys, &c->keys[i].node, &c->keys[i].key, sizeof(c->keys[i].key));
	}
	c->nkeys--;
	f->stats.evicted++;
	conn_free(f, c);
}

void conn_key_add(struct flow *f, struct flow_conn *c, const struct ev_key *key, uint8_t dir)
{
	struct conn_key *k;
	struct table_node *old;

	for (int i = 0; i < c->nkeys; i++) /* what makes room must not be @c itself */
		table_get(&f->keys, &c->keys[i].key, sizeof(c->keys[i].key));
	if (!key->obj || c->nkeys == CONN_KEYS || table_peek(&f->keys, key, sizeof(*key)))
		return;
	k = &c->keys[c->nkeys++];
	k->key = *key;
	k->conn = c;
	k->dir = dir;
	old = table_add(&f->keys, &k->node, &k->key, sizeof(k->key));
	if (old)
		conn_evict(f, old);
	if (c->rpc) /* said of the keys that were known then */
		f->ops.verdict(f->ops.ctx, key, c->sure ? V_YES : V_RPC);
}

static struct conn_key *key_find(struct flow *f, const struct ev_key *key)
{
	struct table_node *n = table_get(&f->keys, key, sizeof(*key));

	return n ? table_entry(n, struct conn_key, node) : NULL;
}

static bool two_named(uint8_t chan)
{
	return chan == CHAN_TCP || chan == CHAN_TTY || chan == CHAN_TLS;
}

struct flow_conn *conn_get(struct flow *f, const struct ev_key *key, uint8_t chan, uint8_t *ret_dir)
{
	struct conn_key *k = key_find(f, key);
	struct flow_conn *c;

	if (k) {
		*ret_dir = k->dir;
		return k->conn;
	}
	c = key->obj ? conn_new(f, chan) : NULL;
	if (!c)
		return NULL;
	/* TCP, terminal, TLS: the other direction has the same name but for the end; direction 0 is what is written. */
	*ret_dir = two_named(chan) && !(key->ino & 1) ? 1 : 0;
	conn_key_add(f, c, key, *ret_dir);
	if (two_named(chan)) {
		struct ev_key rev = { key->obj, key->ino ^ 1 };

		conn_key_add(f, c, &rev, !*ret_dir);
	}
	return c;
}

static void addr_set(struct flow_addr *a, const struct ev_open *o, bool local)
{
	a->family = o->family;
	a->port = local ? o->lport : o->rport;
	a->netns = o->netns;
	memcpy(a->ip, local ? o->laddr : o->raddr, 16);
}

/* On the connecting side base_tx is one lower than what the other end calls its base_rx. */
struct table_node *conn_join_find(struct table *t, uint32_t rx, uint32_t tx)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct conn_join j = { tx + (i & 1), rx - (i >> 1) };
		struct table_node *n = table_get(t, &j, sizeof(j));

		if (n)
			return n;
	}
	return NULL;
}

void conn_sock_set(struct conn_sock *s, const struct ev_open *o)
{
	s->known = true;
	s->base_rx = o->base_rx;
	s->base_tx = o->base_tx;
	addr_set(&s->local, o, true);
	addr_set(&s->remote, o, false);
}

void conn_join_add(struct flow *f, struct flow_conn *c, const struct ev_open *o)
{
	struct table_node *old;

	c->join = (struct conn_join){ o->base_rx, o->base_tx };
	if (table_peek(&f->joins, &c->join, sizeof(c->join)))
		return;
	old = table_add(&f->joins, &c->join_node, &c->join, sizeof(c->join));
	c->joinable = true;
	if (old)
		table_entry(old, struct flow_conn, join_node)->joinable = false;
}

void conn_join_del(struct flow *f, struct flow_conn *c)
{
	if (c->joinable)
		table_del(&f->joins, &c->join_node);
	c->joinable = false;
}

/* A TCP sock is seen for the first time: it is the other end of a connection that is known, or a new one. False: it is neither,
 * but the ciphertext of a TLS connection that was joined in the middle of a record, and looked like text there. */
static bool open_tcp(struct flow *f, const struct ev_open *o)
{
	bool writes = o->end == END_WRITE;
	struct conn_key *k = key_find(f, &o->key);
	struct table_node *n = conn_join_find(&f->joins, o->base_rx, o->base_tx);
	struct flow_conn *c = n ? table_entry(n, struct flow_conn, join_node) : NULL;
	uint8_t dir;

	if (k && k->conn->sock[0].known)
		return true;
	if (c && c->chan == CHAN_TLS) {
		f->ops.verdict(f->ops.ctx, &o->key, V_TLS);
		f->ops.verdict(f->ops.ctx, &o->reverse, V_TLS);
		return false;
	}
	if (c && !k) {
		conn_sock_set(&c->sock[1], o);
		conn_key_add(f, c, &o->key, writes ? 1 : 0);
		conn_key_add(f, c, &o->reverse, writes ? 0 : 1);
		conn_join_del(f, c);
		return true;
	}
	c = conn_get(f, &o->key, CHAN_TCP, &dir);
	if (!c || c->sock[0].known)
		return true;
	conn_sock_set(&c->sock[0], o);
	conn_join_add(f, c, o);
	return true;
}

/* The other direction of a unix socket pair: one connection. Whichever was seen alone before stays as it is. */
static void open_unix(struct flow *f, const struct ev_open *o)
{
	struct conn_key *a = key_find(f, &o->key), *b = NULL;
	struct flow_conn *c;
	uint8_t dir = 0;

	if (o->reverse.ino)
		b = key_find(f, &o->reverse);
	if (a && b)
		return;
	if (b) {
		conn_key_add(f, b->conn, &o->key, !b->dir);
		return;
	}
	c = conn_get(f, &o->key, CHAN_UNIX, &dir);
	if (c && o->reverse.ino)
		conn_key_add(f, c, &o->reverse, !dir);
}

void conn_only(struct flow *f, struct flow_stream *s, int end)
{
	s->only = 1 + end;
	f->stats.pending -= segs_done(&s->segs[!end]);
	marks_done(&s->marks[!end]);
	s->cov[!end] = 0;
}

void conn_open(struct flow *f, const struct ev_open *o)
{
	struct flow_conn *c;
	uint8_t dir;

	if (o->chan == CHAN_TLS) {
		conn_open_tls(f, o);
		return;
	}
	if (o->chan == CHAN_TCP && !open_tcp(f, o))
		return;
	if (o->chan == CHAN_UNIX)
		open_unix(f, o);
	c = conn_get(f, &o->key, o->chan, &dir);
	if (!c)
		return;
	if (o->hdr.flags & EV_F_LATE) {
		c->late = true;
		c->late_ts = o->hdr.ts;
		for (int i = 0; i < 2 && o->hdr.flags & EV_F_RACED; i++)
			conn_only(f, &c->s[i], END_READ);
	}
	if (o->hdr.flags & EV_F_STDIO)
		c->stdio = true;
}

/* Loopback, or the same address at both ends: the other end is on this host. */
static bool sock_is_local(const struct conn_sock *s)
{
	static const uint8_t v6[16] = { [15] = 1 }, mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *ip = s->remote.ip;

	if (!s->known)
		return false;
	if (memcmp(s->local.ip, ip, 16) == 0)
		return true;
	if (s->remote.family == AF_INET)
		return ip[0] == 127;
	return memcmp(ip, v6, 16) == 0 || (memcmp(ip, mapped, 12) == 0 && ip[12] == 127);
}

/* Is stream @s written (read) at sock[0]? Direction 0 is written there. */
static bool at_first_sock(const struct flow_stream *s, int end)
{
	return (s->dir == 0) == (end == END_WRITE);
}

/* For an end of which nothing was seen yet. */
static uint64_t unseen_wait(const struct flow_conn *c, int end, uint64_t ns)
{
	bool tls = c->chan == CHAN_TLS;

	/* Of a TLS connection of this host the other end may be one that is not read. */
	if (sock_is_local(&c->sock[0]))
		return tls && ns > STREAM_OTHER_NS ? STREAM_OTHER_NS : ns;
	/* The other end may be in another network namespace of this host: it would show at once, or, with TLS, as soon as its
	 * socket is known. */
	return end == END_READ || (tls && c->sock[0].known) ? STREAM_HOLE_NS : 0;
}

uint64_t conn_wait(const struct flow_conn *c, const struct flow_stream *s, int end)
{
	uint64_t ns = end == END_READ ? STREAM_READER_NS : STREAM_GRACE_NS;

	if (!at_first_sock(s, end) && conn_is_alone(c))
		return 0;
	if (s->blind[end] || (s->only && s->only != 1 + end) || c->chan == CHAN_TTY)
		return 0;
	if ((c->chan != CHAN_TCP && c->chan != CHAN_TLS) || c->sock[1].known)
		return ns;
	if (at_first_sock(s, end))
		return c->sock[0].known ? ns : 0;
	return unseen_wait(c, end, ns);
}

void conn_verdict(struct flow_conn *c, uint8_t dir, uint8_t code)
{
	for (int i = 0; i < c->nkeys; i++)
		if (dir == 0xff || c->keys[i].dir == dir)
			c->flow->ops.verdict(c->flow->ops.ctx, &c->keys[i].key, code);
}

void conn_both(struct flow_conn *c, const struct flow_stream *s)
{
	if (c->sure && s->seen[END_READ] && s->seen[END_WRITE])
		conn_verdict(c, s->dir, V_BOTH);
}

void conn_reopen(struct flow_conn *c)
{
	if (!c->other)
		return;
	c->other = false;
	c->late = true; /* begin at a line or a head */
	pump_free(c->pump);
	c->pump = NULL;
	for (int i = 0; i < 2; i++) {
		stream_reset(c->flow, &c->s[i]);
		c->s[i].eof = c->s[i].ended = false;
	}
	if (c->dead)
		dead_del(c->flow, c);
	c->dead = false;
	c->dead_next = NULL;
}

void conn_addrs(const struct flow_conn *c, const struct flow_stream *s, struct flow_addr *ret_src,
		struct flow_addr *ret_dst)
{
	struct flow_addr a = {}, b = {};

	if (c->sock[0].known) {
		a = c->sock[0].local;
		b = c->sock[0].remote;
	}
	*ret_src = s->dir == 0 ? a : b;
	*ret_dst = s->dir == 0 ? b : a;
}
