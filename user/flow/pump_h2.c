/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 frames of one direction, and what becomes of them after a hole.
 *
 * A direction that lost its framing waits for a feed that begins with a frame: inside the bytes, what looks like one may
 * be anything. Of header fields some stay unknown then; bodies tell by themselves what they are. */
#include "flow/pump_h2.h"

#define PREFACE_N (sizeof(HTTP2_PREFACE) - 1)

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

void pump_h2_lost(struct pump_dir *d, uint64_t len)
{
	struct pump_h2_dir *h = d->h2;

	pump_h2_block_lost(d);
	h->block.stream = 0;
	h->state = FRAME_LOST;
	h->head_n = 0;
	h->holed = true;
	pump_stream_lost(d, len);
}

static void malformed(struct pump_dir *d)
{
	pump_h2_malformed(d);
	pump_h2_lost(d, 0);
}

static void frame_end(struct pump_dir *d, uint64_t end)
{
	struct pump_h2_dir *h = d->h2;
	struct http2_frame f = h->f;

	h->state = FRAME_HEAD;
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
	h->state = FRAME_BODY;
	h->body = h->left - pad;
	return pad <= h->left;
}

/* Leave what is over, or empty, behind. @end: the position of the next byte. */
static void advance(struct pump_dir *d, uint64_t end)
{
	struct pump_h2_dir *h = d->h2;

	if (h->state == FRAME_FIX && h->fix_n == h->fix_want && !fix_done(d)) {
		malformed(d);
		return;
	}
	if (h->state == FRAME_BODY && h->body == 0)
		h->state = FRAME_PAD;
	if (h->state == FRAME_PAD && h->left == 0)
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
	h->state = FRAME_FIX;
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
		h->state = FRAME_HEAD;
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

bool pump_h2_at_frame(const struct pump_dir *d, struct sv in)
{
	return http2_begins(in, d->p->h2->payload_max[!d->dir]);
}

static size_t in_lost(struct pump_dir *d, struct sv in, bool at_feed)
{
	if (at_feed && pump_h2_at_frame(d, in)) {
		d->h2->state = FRAME_HEAD;
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
	case FRAME_PREFACE:
		return in_preface(d, in);
	case FRAME_HEAD:
		return in_head(d, in);
	case FRAME_FIX:
		return in_fix(d, in);
	case FRAME_BODY:
		return in_body(d, in);
	case FRAME_PAD:
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
	bool framed = h->state == FRAME_FIX || h->state == FRAME_BODY || h->state == FRAME_PAD;
	uint64_t body;

	h->holed = true;
	if (!framed || len > h->left) {
		if (h->state != FRAME_LOST)
			pump_h2_lost(d, len);
		else
			pump_stream_lost(d, len);
		return;
	}
	body = h->state == FRAME_FIX ? len : len < h->body ? len : h->state == FRAME_BODY ? h->body : 0;
	bytes_lost(d, body);
	h->left -= (uint32_t)len;
	h->body -= h->state == FRAME_BODY ? (uint32_t)body : 0;
	if (h->state == FRAME_FIX) { /* how the rest is to be read was not seen */
		h->state = FRAME_PAD;
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

	if (h->state != FRAME_LOST && (h->head_n || h->state == FRAME_FIX) && h->frame_pos < pos)
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
