/* SPDX-License-Identifier: Apache-2.0 */
/* Channels of two streams.
 *
 * Messages stay with their streams until both directions have spoken: then this is a channel for certain, and they
 * are released in the order in which they came. A pair known from exec may speak in one direction alone, since a
 * server can hang from its first message on; it gets the grace time, and must not be a mere copy of another stream. */
#include "mcp/duplex.h"

#include <stdlib.h>

#include "mcp/copy.h"
#include "mcp/ends.h"
#include "mcp/method.h"
#include "mcp/pair.h"
#include "mcp/report.h"
#include "mcp/session.h"
#include "mcp/shape.h"

struct duplex *duplex_new(struct mcp *m, struct wire *a, struct wire *b, enum duplex_how how)
{
	struct duplex *d = calloc(1, sizeof(*d));

	if (!d) {
		m->stats.no_memory++;
		return NULL;
	}
	d->w[0] = a;
	d->w[1] = b;
	d->how = (uint8_t)how;
	d->no = ++m->wires.pairs;
	d->since = m->now;
	list_init(&d->young);
	list_add(&m->wires.young, &d->young);
	for (uint8_t i = 0; i < 2; i++) {
		d->w[i]->d = d;
		d->w[i]->side = i;
		list_del(&d->w[i]->dirty);
		list_del(&d->w[i]->ending);
	}
	return d;
}

void duplex_free(struct duplex *d)
{
	d->w[0]->d = NULL;
	d->w[1]->d = NULL;
	list_del(&d->young);
	session_unref(d->s);
	free(d);
}

static enum shape shape_of_both(const struct duplex *d)
{
	enum shape a = d->w[0]->shape, b = d->w[1]->shape;

	if (a == SHAPE_MCP || b == SHAPE_MCP)
		return SHAPE_MCP;
	return a != SHAPE_UNDECIDED ? a : b;
}

/* Who the client is: what the messages show, else what exec said, else who asked first. */
static uint8_t client_of(const struct duplex *d)
{
	for (uint8_t i = 0; i < 2; i++) {
		if (d->w[i]->sender == SENT_BY_CLIENT)
			return i;
		if (d->w[i]->sender == SENT_BY_SERVER)
			return !i;
	}
	return d->how == BY_EXEC || d->w[0]->asked ? 0 : 1;
}

static struct session *session_for(struct mcp *m, struct duplex *d, const struct mcp_msg *msg)
{
	struct route r = { .transport = TRANSPORT_STDIO, .channel = msg->channel, .tls = msg->tls };
	struct session_parts parts;
	struct session_key key;
	struct session *s;

	session_parts_init(&parts, SESSION_LINES);
	session_parts_num(&parts, d->no);
	session_parts_num(&parts, m->sessions.made); /* a second one where the first was evicted */
	key = session_parts_key(&parts);
	s = session_open(m, &key, &r);
	if (s)
		session_name(m, s, NULL);
	return s;
}

void duplex_feed(struct mcp *m, struct duplex *d, uint8_t side, const struct mcp_msg *msg)
{
	struct mcp_link l = { .msg = msg, .from = side == d->client ? SIDE_CLIENT : SIDE_SERVER };

	if (!d->s || d->s->ended || !session_find(m, &d->s->key)) {
		session_unref(d->s);
		d->s = session_for(m, d, msg);
		if (!d->s)
			return;
		session_ref(d->s);
	}
	l.s = d->s;
	pair_feed(m, &l);
}

/* The older of the two first messages held, taken out. */
static struct held *take_next(struct mcp *m, struct duplex *d, uint8_t *ret_side)
{
	const struct held *a = held_queue_first(&d->w[0]->held), *b = held_queue_first(&d->w[1]->held);

	if (!a && !b)
		return NULL;
	*ret_side = !a || (b && b->seq < a->seq);
	return wire_take(m, d->w[*ret_side]);
}

static void go_live(struct mcp *m, struct duplex *d)
{
	struct rpc_msg rpc;
	struct mcp_msg msg;
	struct held *h;
	uint8_t side;

	d->live = true;
	d->client = client_of(d);
	list_del(&d->young);
	for (uint8_t i = 0; i < 2; i++)
		wire_verdict(m, d->w[i], VERDICT_MCP);
	for (h = take_next(m, d, &side); h; h = take_next(m, d, &side)) {
		held_view(h, &msg, &rpc);
		duplex_feed(m, d, side, &msg);
		held_free(h);
	}
	for (uint8_t i = 0; i < 2; i++) {
		if (d->w[i]->carried)
			copy_join(m, d->w[i]);
		duplex_noise(m, d, i);
	}
	if (d->s && !d->s->route.server.pid && d->server.pid && d->client == 0) {
		d->s->route.server = d->server;
		ends_saw(m, d->s, NULL);
	}
}

static void set_other(struct mcp *m, struct duplex *d, enum shape shape)
{
	list_del(&d->young);
	for (uint8_t i = 0; i < 2; i++)
		wire_is_other(m, d->w[i], shape);
}

/* It is no channel: what exec said of these two does not hold. */
static void split(struct duplex *d)
{
	d->w[0]->no_set = true;
	d->w[1]->no_set = true;
	duplex_free(d);
}

static bool contradicts(const struct duplex *d)
{
	uint8_t a = d->w[0]->sender, b = d->w[1]->sender;

	return a != SENT_BY_BOTH && a == b;
}

bool duplex_check(struct mcp *m, struct duplex *d)
{
	bool full = d->w[0]->held.n >= MCP_HELD_MAX || d->w[1]->held.n >= MCP_HELD_MAX;
	bool both = d->w[0]->carried && d->w[1]->carried;
	enum shape shape = shape_of_both(d);

	if (both && contradicts(d)) {
		split(d);
		return false;
	}
	if (shape_is_other(shape))
		set_other(m, d, shape);
	else if (shape == SHAPE_UNDECIDED && full)
		set_other(m, d, SHAPE_UNKNOWN);
	else if (shape == SHAPE_MCP && both)
		go_live(m, d);
	else if (shape == SHAPE_MCP && (full || d->since + MCP_GRACE_NS <= m->now))
		return duplex_judge(m, d, false);
	return true;
}

bool duplex_judge(struct mcp *m, struct duplex *d, bool last)
{
	struct wire *w = d->w[!d->w[0]->carried];
	bool both = d->w[0]->carried && d->w[1]->carried;
	enum shape shape = shape_of_both(d);

	list_del(&d->young);
	if (d->live || shape_is_other(shape))
		return true;
	if (shape == SHAPE_UNDECIDED && !last)
		return true;
	if (!both && (!w->asked || copy_is(m, w))) {
		/* Answers alone make no channel, and a copy is none. */
		if (!last && !w->asked)
			return true;
		w->copy = w->asked;
		split(d);
		return false;
	}
	if (shape == SHAPE_UNDECIDED)
		set_other(m, d, SHAPE_UNKNOWN);
	else
		go_live(m, d);
	return true;
}

void duplex_noise(struct mcp *m, struct duplex *d, uint8_t side)
{
	struct wire *w = d->w[side];

	if (!w->noise_lines || !d->live || !d->s)
		return;
	session_start(m, d->s);
	report_noise(m, d->s, side == d->client ? SIDE_CLIENT : SIDE_SERVER, w->noise_lines,
		     w->noise_bytes);
	w->noise_lines = 0;
	w->noise_bytes = 0;
	w->noise_told = true;
}

void duplex_end(struct mcp *m, struct duplex *d, uint64_t ts, const char *reason)
{
	for (uint8_t i = 0; i < 2; i++)
		duplex_noise(m, d, i);
	if (d->s)
		session_end(m, d->s, ts, reason);
	duplex_free(d);
}
