/* SPDX-License-Identifier: Apache-2.0 */
/* Header blocks of one direction of HTTP/2. Each has to be read, whoever it concerns, since they share their tables. Once one
 * was missed, later ones are read without what the tables had until then. */
#include "flow/pump_h2.h"

void pump_h2_block_first(struct pump_dir *d)
{
	d->h2->fields = http2_fields_new();
	d->h2->whole = d->h2->fields != NULL;
}

void pump_h2_block_lost(struct pump_dir *d)
{
	http2_fields_free(d->h2->fields);
	d->h2->fields = NULL;
	d->h2->whole = false;
}

/* Late tables may be at fault, which are smaller than what some peers agree on. */
static void unread(struct pump_dir *d)
{
	if (d->h2->whole)
		pump_h2_malformed(d);
	pump_h2_block_lost(d);
}

void pump_h2_block_begin(struct pump_dir *d)
{
	struct pump_h2_dir *h = d->h2;

	h->block = (struct pump_h2_block){
		.stream = h->f.stream,
		.beg = h->frame_pos,
		.end_stream = h->f.type == HTTP2_HEADERS && h->f.flags & HTTP2_END_STREAM,
		.push = h->f.type == HTTP2_PUSH_PROMISE,
	};
	h->heads = true;
	if (!h->fields && h->joins < PUMP_H2_JOINS) {
		h->fields = http2_fields_late();
		h->joins++;
	}
}

/* Joined in the middle: who asks, who answers? */
static void side_by_block(struct pump_dir *d, struct sv in)
{
	enum http2_side side = d->h2->block.push ? HTTP2_RESPONSE : http2_block_side(in);

	if (side == HTTP2_UNKNOWN)
		return;
	d->p->h2->sides = true;
	d->p->req_dir = side == HTTP2_REQUEST ? d->dir : !d->dir;
}

void pump_h2_block_feed(struct pump_dir *d, struct sv in)
{
	struct pump_h2_dir *h = d->h2;
	struct http1_head none;

	if (!d->p->h2->sides && h->fresh && h->f.type != HTTP2_CONTINUATION)
		side_by_block(d, in);
	h->block.n += (uint32_t)in.n;
	d->p->quiet += in.n;
	if (h->block.n > PUMP_H2_BLOCK_MAX && h->fields) {
		pump_h2_flood(d);
		pump_h2_block_lost(d);
	}
	if (h->fields && http2_fields_feed(h->fields, in, false, &none) < 0)
		unread(d);
}

void pump_h2_block_end(struct pump_dir *d, uint64_t end)
{
	struct pump_h2_dir *h = d->h2;
	struct pump_h2_block b = h->block;
	struct http1_head head;
	bool read = h->fields && http2_fields_feed(h->fields, (struct sv){ NULL, 0 }, true, &head) == 1;

	if (h->fields && !read)
		unread(d);
	h->block.stream = 0;
	if (!b.push)
		pump_stream_head(d, &b, read ? &head : NULL, end);
	if (read)
		http2_fields_drop(h->fields);
	pump_http_quiet(d->p);
}
