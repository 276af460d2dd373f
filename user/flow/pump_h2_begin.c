/* SPDX-License-Identifier: Apache-2.0 */
/* How HTTP/2 begins: with the preface, with a server's SETTINGS, by upgrade, or in its middle; and what is known of header
 * fields and of sides by that. */
#include "flow/pump_h2.h"

#include <stdlib.h>

static struct pump_dir *peer(struct pump_dir *d)
{
	return &d->p->d[!d->dir];
}

static int conn_begin(struct pump *p)
{
	struct pump_h2 *h2;

	if (p->h2)
		return 0;
	h2 = calloc(1, sizeof(*h2));
	if (!h2 || table_init(&h2->streams, p->opts.streams_max) != 0) {
		free(h2);
		return -1;
	}
	h2->payload_max[0] = h2->payload_max[1] = HTTP2_PAYLOAD_MAX;
	h2->sides = p->http;
	p->h2 = h2;
	return 0;
}

/* @return false: out of memory. */
static bool begin(struct pump_dir *d, uint8_t state)
{
	if (conn_begin(d->p) != 0)
		return false;
	if (!d->h2)
		d->h2 = calloc(1, sizeof(*d->h2));
	if (!d->h2)
		return false;
	pump_body_end(&d->part, false);
	buf_done(&d->head);
	d->part.x = NULL;
	d->mode = PUMP_H2;
	d->h2->state = state;
	return true;
}

/* The other direction was taken for something else, without being sure. */
static void peer_follows(struct pump_dir *o)
{
	if (o->mode == PUMP_LINES && pump_lines_unsure(o) && begin(o, FRAME_LOST))
		pump_h2_lost(o, 0);
}

static bool sides_are(struct pump_dir *d, bool request)
{
	struct pump *p = d->p;

	if (!p->h2->sides)
		p->req_dir = request ? d->dir : !d->dir;
	p->h2->sides = true;
	return request == (p->req_dir == d->dir);
}

/* The preface stands at the start of its connection, and so does what the server has sent so far, if none was missed. */
static void from_the_start(struct pump_dir *d)
{
	struct pump_dir *o = peer(d);

	pump_h2_block_first(d);
	if (o->h2 && !o->h2->heads && !o->h2->holed && !o->h2->whole)
		pump_h2_block_first(o);
	d->p->ordinal = !o->h2 || !o->h2->holed;
	d->p->h2->low = 0;
}

static void begin_server(struct pump_dir *d)
{
	bool start = !d->late || (d->p->h2->sides && peer(d)->h2 && peer(d)->h2->whole);

	/* Later on a client may send SETTINGS as well. */
	if (!d->late && !sides_are(d, false))
		start = false;
	if (start)
		pump_h2_block_first(d);
	else if (!d->p->h2->sides || d->dir == d->p->req_dir)
		d->p->h2->low = UINT32_MAX;
}

/* Not the way that a connection begins. */
static void join(struct pump_dir *d, struct sv in)
{
	if (!d->late)
		pump_h2_malformed(d);
	pump_h2_lost(d, 0);
	if (pump_h2_at_frame(d, in))
		d->h2->state = FRAME_HEAD;
}

void pump_h2_begin(struct pump_dir *d, struct sv in, enum sniff s)
{
	bool preface = s == SNIFF_HTTP2 && in.p[0] == 'P';

	if (!begin(d, preface ? FRAME_PREFACE : FRAME_HEAD)) {
		d->mode = PUMP_OFF;
		pump_set_verdict(d, PUMP_NOTHING);
		return;
	}
	if (preface && sides_are(d, true))
		from_the_start(d);
	else if (s == SNIFF_HTTP2 && !preface)
		begin_server(d);
	else
		join(d, in);
	peer_follows(peer(d));
}

void pump_h2_preface(struct pump_dir *d, size_t n)
{
	if (!begin(d, FRAME_PREFACE))
		return;
	d->h2->head_n = (uint8_t)n;
	pump_h2_block_first(d);
}

/* What the request direction has sent since is the preface, and some of it may be taken for a head already. */
static void upgrade_requests(struct pump_dir *o)
{
	struct buf held = o->head;

	if (o->mode == PUMP_H2 || (o->mode == PUMP_SNIFF && o->behind == PUMP_SNIFF))
		return;
	buf_init(&o->head, HTTP1_HEAD_MAX);
	if (o->mode == PUMP_HTTP && pump_http_between(o) && sv_starts(SV(HTTP2_PREFACE), buf_sv(&held)))
		pump_h2_preface(o, held.n);
	else if (begin(o, FRAME_LOST))
		join(o, (struct sv){ NULL, 0 });
	buf_done(&held);
}

void pump_h2_upgrade(struct pump_dir *d, struct pump_xchg *x)
{
	if (!begin(d, FRAME_HEAD))
		return;
	pump_h2_block_first(d);
	pump_xchg_unlink(d->p, x);
	pump_xchg_abort(d->p);
	pump_stream_adopt(d->p, x);
	upgrade_requests(peer(d));
	d->p->http = false;
}

void pump_h2_free(struct pump *p)
{
	if (p->h2)
		pump_stream_free(p);
	free(p->h2);
	for (int i = 0; i < 2; i++) {
		if (p->d[i].h2)
			http2_fields_free(p->d[i].h2->fields);
		free(p->d[i].h2);
	}
}
