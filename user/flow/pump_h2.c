/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 frames of one direction, and what becomes of them after a hole.
 *
 * A direction that lost its framing waits for a feed that begins with a frame: inside the bytes, what looks like one may
 * be anything. Of header fields some stay unknown then; bodies tell by themselves what they are. */
#include "flow/pump_h2.h"

#include <stdlib.h>

enum {
	F_PREFACE, /* in the client's first 24 bytes */
	F_HEAD,
	F_FIX, /* in the part of the payload that says how to read the rest */
	F_BODY,
	F_PAD,
	F_LOST,
};

#define PREFACE_N (sizeof(HTTP2_PREFACE) - 1)

static struct pump_dir *peer(struct pump_dir *d)
{
	return &d->p->d[!d->dir];
}

void pump_h2_flood(struct pump_dir *d)
{
	if (!d->p->h2->flooded)
		pump_find(d, PUMP_F_H2_FLOOD, 1, 0);
	d->p->h2->flooded = true;
}

void pump_h2_malformed(struct pump_dir *d)
{
	if (!d->h2->told)
		pump_find(d, PUMP_F_H2, 1, 0);
	d->h2->told = true;
}

static void framing_lost(struct pump_dir *d, uint64_t len)
{
	struct pump_h2_dir *h = d->h2;

	pump_h2_block_lost(d);
	h->block.stream = 0;
	h->state = F_LOST;
	h->head_n = 0;
	h->holed = true;
	pump_stream_lost(d, len);
}

static void malformed(struct pump_dir *d)
{
	pump_h2_malformed(d);
	framing_lost(d, 0);
}

static void frame_end(struct pump_dir *d, uint64_t end)
{
	struct pump_h2_dir *h = d->h2;
	struct http2_frame f = h->f;

	h->state = F_HEAD;
	h->head_n = 0;
	if (f.type == HTTP2_DATA && f.flags & HTTP2_END_STREAM)
		pump_stream_end(d, f.stream, end);
	else if (f.type == HTTP2_RST_STREAM)
		pump_stream_reset(d, f.stream, end);
	else if (f.type == HTTP2_GOAWAY && h->fix_n == h->fix_want)
		pump_stream_refused(d, http2_u32(h->fix) & 0x7fffffff);
	else if (h->block.stream && f.flags & HTTP2_END_HEADERS)
		pump_h2_block_end(d, end);
	if ((f.type == HTTP2_DATA && f.length) || f.type == HTTP2_HEADERS)
		h->idle = 0;
	else if (++h->idle > PUMP_H2_IDLE_MAX)
		pump_h2_flood(d);
}

static bool has_block(const struct http2_frame *f)
{
	return f->type == HTTP2_HEADERS || f->type == HTTP2_PUSH_PROMISE || f->type == HTTP2_CONTINUATION;
}

/* The first bytes of the payload are there. @return false: they make no sense. */
static bool fix_done(struct pump_dir *d)
{
	struct pump_h2_dir *h = d->h2;
	bool padded = (h->f.type == HTTP2_DATA || has_block(&h->f)) && h->fix_want && h->f.flags & HTTP2_PADDED;
	uint32_t pad = padded ? (uint8_t)h->fix[0] : 0;

	if (h->f.type == HTTP2_SETTINGS && h->fix_want) {
		if (h->fix[0] == 0 && h->fix[1] == HTTP2_MAX_FRAME_SIZE && http2_u32(h->fix + 2) >= HTTP2_PAYLOAD_MAX)
			d->p->h2->payload_max[d->dir] = http2_u32(h->fix + 2);
		h->fix_n = 0;
		if (h->left) {
			h->fix_want = 6;
			return true;
		}
		h->fix_want = 0;
	}
	h->state = F_BODY;
	h->body = h->left - pad;
	return pad <= h->left;
}

/* Leave what is over, or empty, behind. @end: the position of the next byte. */
static void advance(struct pump_dir *d, uint64_t end)
{
	struct pump_h2_dir *h = d->h2;

	if (h->state == F_FIX && h->fix_n == h->fix_want && !fix_done(d)) {
		malformed(d);
		return;
	}
	if (h->state == F_BODY && h->body == 0)
		h->state = F_PAD;
	if (h->state == F_PAD && h->left == 0)
		frame_end(d, end);
}

static uint8_t fix_of(const struct http2_frame *f)
{
	switch (f->type) {
	case HTTP2_SETTINGS:
		return f->length ? 6 : 0;
	case HTTP2_GOAWAY:
		return 8;
	default:
		return (uint8_t)http2_prefix(f);
	}
}

/* A header block lies in frames that follow each other. */
static bool in_order(const struct pump_h2_dir *h)
{
	if (h->f.type == HTTP2_CONTINUATION)
		return h->block.stream ? h->block.stream == h->f.stream : !h->fields;
	return h->block.stream == 0;
}

static void frame_begin(struct pump_dir *d, uint64_t end)
{
	struct pump_h2_dir *h = d->h2;

	h->f = http2_frame(h->head);
	h->fix_n = 0;
	h->fix_want = fix_of(&h->f);
	h->left = h->f.length;
	h->fresh = true;
	if (!http2_frame_fits(&h->f) || !in_order(h) || h->fix_want > h->left) {
		malformed(d);
		return;
	}
	if (h->f.type == HTTP2_HEADERS || h->f.type == HTTP2_PUSH_PROMISE)
		pump_h2_block_begin(d);
	else if (h->block.stream)
		h->block.n += HTTP2_FRAME_HEAD;
	h->state = F_FIX;
	advance(d, end);
}

static size_t in_preface(struct pump_dir *d, struct sv in)
{
	struct pump_h2_dir *h = d->h2;
	size_t n = PREFACE_N - h->head_n;

	if (in.n < n)
		n = in.n;
	if (memcmp(in.p, &HTTP2_PREFACE[h->head_n], n) != 0) {
		malformed(d);
		return 0;
	}
	h->head_n += (uint8_t)n;
	if (h->head_n == PREFACE_N) {
		h->state = F_HEAD;
		h->head_n = 0;
	}
	return n;
}

static size_t in_head(struct pump_dir *d, struct sv in)
{
	struct pump_h2_dir *h = d->h2;
	size_t n = HTTP2_FRAME_HEAD - h->head_n;

	if (h->head_n == 0)
		h->frame_pos = d->pos;
	if (in.n < n)
		n = in.n;
	memcpy(h->head + h->head_n, in.p, n);
	h->head_n += (uint8_t)n;
	if (h->head_n == HTTP2_FRAME_HEAD)
		frame_begin(d, d->pos + n);
	return n;
}

static size_t in_fix(struct pump_dir *d, struct sv in)
{
	struct pump_h2_dir *h = d->h2;
	size_t n = (size_t)h->fix_want - h->fix_n;

	if (in.n < n)
		n = in.n;
	memcpy(h->fix + h->fix_n, in.p, n);
	h->fix_n += (uint8_t)n;
	h->left -= (uint32_t)n;
	advance(d, d->pos + n);
	return n;
}

static size_t in_body(struct pump_dir *d, struct sv in)
{
	struct pump_h2_dir *h = d->h2;

	if (in.n > h->body)
		in.n = h->body;
	if (h->f.type == HTTP2_DATA)
		pump_stream_data(d, h->f.stream, in);
	else if (has_block(&h->f) && h->block.stream)
		pump_h2_block_feed(d, in);
	h->fresh = false;
	h->body -= (uint32_t)in.n;
	h->left -= (uint32_t)in.n;
	advance(d, d->pos + in.n);
	return in.n;
}

static size_t in_pad(struct pump_dir *d, struct sv in)
{
	struct pump_h2_dir *h = d->h2;

	if (in.n > h->left)
		in.n = h->left;
	h->left -= (uint32_t)in.n;
	advance(d, d->pos + in.n);
	return in.n;
}

static bool begins(struct pump_dir *d, struct sv in)
{
	return http2_begins(in, d->p->h2->payload_max[!d->dir]);
}

static size_t in_lost(struct pump_dir *d, struct sv in, bool at_feed)
{
	if (at_feed && begins(d, in)) {
		d->h2->state = F_HEAD;
		return 0;
	}
	d->quiet += in.n;
	if (d->verdict == PUMP_UNDECIDED && d->quiet > d->p->opts.undecided_max)
		pump_set_verdict(d, PUMP_NOTHING);
	return in.n;
}

size_t pump_h2_feed(struct pump_dir *d, struct sv in, bool at_feed)
{
	if (at_feed)
		d->h2->idle = 0;
	switch (d->h2->state) {
	case F_PREFACE:
		return in_preface(d, in);
	case F_HEAD:
		return in_head(d, in);
	case F_FIX:
		return in_fix(d, in);
	case F_BODY:
		return in_body(d, in);
	case F_PAD:
		return in_pad(d, in);
	default:
		return in_lost(d, in, at_feed);
	}
}

/* @len bytes of the frame at hand, not more than are left, of which @body lie in front of the padding. */
static void bytes_lost(struct pump_dir *d, uint64_t body)
{
	struct pump_h2_dir *h = d->h2;

	if (body && h->f.type == HTTP2_DATA)
		pump_stream_gap(d, h->f.stream, body);
	else if (body && has_block(&h->f))
		pump_h2_block_lost(d);
}

void pump_h2_gap(struct pump_dir *d, uint64_t len)
{
	struct pump_h2_dir *h = d->h2;
	bool framed = h->state == F_FIX || h->state == F_BODY || h->state == F_PAD;
	uint64_t body;

	h->holed = true;
	if (!framed || len > h->left) {
		if (h->state != F_LOST)
			framing_lost(d, len);
		else
			pump_stream_lost(d, len);
		return;
	}
	body = h->state == F_FIX ? len : len < h->body ? len : h->state == F_BODY ? h->body : 0;
	bytes_lost(d, body);
	h->left -= (uint32_t)len;
	h->body -= h->state == F_BODY ? (uint32_t)body : 0;
	if (h->state == F_FIX) { /* how the rest is to be read was not seen */
		h->state = F_PAD;
		h->fix_n = 0;
	}
	h->fresh = false;
	advance(d, d->pos + len);
}

void pump_h2_eof(struct pump_dir *d)
{
	if (d->p->h2->sides)
		pump_stream_eof(d);
}

uint64_t pump_h2_needs(const struct pump_dir *d)
{
	const struct pump_h2_dir *h = d->h2;
	uint64_t pos = d->pos;

	if (h->state != F_LOST && (h->head_n || h->state == F_FIX) && h->frame_pos < pos)
		pos = h->frame_pos;
	if (h->block.stream && h->block.beg < pos)
		pos = h->block.beg;
	for (const struct table_node *n = d->p->h2->streams.oldest; n; n = n->newer) {
		const struct pump_text *t = &table_entry(n, const struct pump_stream, node)->part[d->dir].text;

		if (t->open && t->beg < pos)
			pos = t->beg;
	}
	return pos;
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
	if (o->mode == PUMP_LINES && pump_lines_unsure(o) && begin(o, F_LOST))
		framing_lost(o, 0);
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
	framing_lost(d, 0);
	if (begins(d, in))
		d->h2->state = F_HEAD;
}

void pump_h2_begin(struct pump_dir *d, struct sv in, enum sniff s)
{
	bool preface = s == SNIFF_HTTP2 && in.p[0] == 'P';

	if (!begin(d, preface ? F_PREFACE : F_HEAD)) {
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
	if (!begin(d, F_PREFACE))
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
	else if (begin(o, F_LOST))
		join(o, (struct sv){ NULL, 0 });
	buf_done(&held);
}

void pump_h2_upgrade(struct pump_dir *d, struct pump_xchg *x)
{
	if (!begin(d, F_HEAD))
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
