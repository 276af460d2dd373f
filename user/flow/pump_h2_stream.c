/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 streams: an exchange each, with two bodies on their way.
 *
 * A client numbers its streams upwards, which tells of a response without a request whether that one is still to be fed
 * (records of the two directions may overtake each other), or was missed. */
#include "flow/pump_h2.h"

#include <stdlib.h>

static bool is_request(const struct pump_dir *d)
{
	return d->dir == d->p->req_dir;
}

static struct pump_stream *find(struct pump *p, uint32_t id)
{
	struct table_node *n = table_get(&p->h2->streams, &id, sizeof(id));

	return n ? table_entry(n, struct pump_stream, node) : NULL;
}

/* It is off the table. */
static void release(struct pump *p, struct pump_stream *s)
{
	pump_body_end(&s->part[0], false);
	pump_body_end(&s->part[1], false);
	pump_xchg_over(p, s->x);
	free(s);
	if (p->opts.share)
		p->opts.share->streams--;
	pump_http_quiet(p);
}

static void give_up(struct pump *p, struct pump_stream *s)
{
	struct pump_xchg *x = s->x;

	if (!x->pub.resp_done)
		x->pub.aborted = true;
	table_del(&p->h2->streams, &s->node);
	release(p, s);
}

static bool request_may_come(const struct pump *p, const struct pump_stream *s)
{
	return s->at[p->req_dir] == STREAM_NEW && p->ordinal && !p->d[p->req_dir].eof && s->id > p->h2->high;
}

/* Both halves are over: so is the stream. */
static void settle(struct pump *p, struct pump_stream *s)
{
	if (!s->x->resp_over || (!s->x->req_over && (s->x->pub.has_request || request_may_come(p, s))))
		return;
	table_del(&p->h2->streams, &s->node);
	release(p, s);
}

static void settle_all(struct pump *p)
{
	struct table_node *next;

	for (struct table_node *n = p->h2->streams.oldest; n; n = next) {
		next = n->newer;
		settle(p, table_entry(n, struct pump_stream, node));
	}
}

/* A stream more than there is room for. */
static void stream_lacks(struct pump *p)
{
	if (p->opts.share)
		p->opts.share->streams_full++;
}

static struct pump_stream *stream_new(struct pump *p, uint32_t id, struct pump_xchg *x)
{
	struct pump_stream *s = x ? calloc(1, sizeof(*s)) : NULL;
	struct table_node *old;

	if (!s)
		return NULL;
	s->id = id;
	s->x = x;
	for (int i = 0; i < 2; i++)
		s->part[i] = (struct pump_part){ .d = &p->d[i], .x = x };
	old = table_add(&p->h2->streams, &s->node, &s->id, sizeof(s->id));
	if (old) {
		struct pump_stream *o = table_entry(old, struct pump_stream, node);

		if (request_may_come(p, o))
			p->ordinal = false; /* requests never come: stop waiting for them */
		if (!o->x->pub.resp_done)
			o->x->pub.aborted = true;
		release(p, o);
		stream_lacks(p);
	}
	if (p->opts.share)
		p->opts.share->streams++;
	return s;
}

static bool has_room(struct pump *p)
{
	struct pump_share *share = p->opts.share;

	if (!share || !share->streams_max || p->h2->streams.n < PUMP_H2_STREAMS || share->streams < share->streams_max)
		return true;
	stream_lacks(p);
	return false;
}

static struct pump_stream *stream_open(struct pump *p, uint32_t id)
{
	struct pump_xchg *x = has_room(p) ? pump_xchg_new(p, 20) : NULL;
	struct pump_stream *s = stream_new(p, id, x);

	if (!s)
		free(x);
	return s;
}

static bool is_gone(const struct pump_h2 *h2, uint32_t id)
{
	for (size_t i = 0; i < PUMP_H2_GONE; i++)
		if (h2->gone[i] == id)
			return true;
	return false;
}

/* What the server sends on a stream that is not known: its request is to come, or was missed. */
static struct pump_stream *answered(struct pump *p, uint32_t id)
{
	if ((id <= p->h2->high && id >= p->h2->low) || is_gone(p->h2, id))
		return NULL;
	return stream_open(p, id);
}

/* The client opens @id. */
static struct pump_stream *asked(struct pump *p, uint32_t id, struct pump_stream *s)
{
	struct pump_h2 *h2 = p->h2;

	if (id <= h2->high)
		return s;
	h2->high = id;
	h2->asked++;
	if (h2->low == UINT32_MAX) {
		h2->low = id;
		settle_all(p); /* @s has not begun yet: its answer may be complete */
		s = find(p, id);
	}
	return s ? s : stream_open(p, id);
}

/* Pushed streams, which are even, are of no interest. */
static struct pump_stream *stream_of_head(struct pump_dir *d, uint32_t id)
{
	struct pump_stream *s = id & 1 ? find(d->p, id) : NULL;

	if (!(id & 1))
		return NULL;
	if (is_request(d))
		return asked(d->p, id, s);
	return s ? s : answered(d->p, id);
}

static void half_over(struct pump_dir *d, struct pump_stream *s, uint64_t end)
{
	struct pump_http *pub = &s->x->pub;

	if (s->at[d->dir] == STREAM_DONE)
		return;
	s->at[d->dir] = STREAM_DONE;
	pump_body_end(&s->part[d->dir], true);
	if (is_request(d)) {
		pub->req_end = end;
		pub->req_done = s->x->req_over = true;
	} else {
		pub->resp_end = end;
		pub->resp_done = s->x->resp_over = true;
	}
	settle(d->p, s);
}

static bool is_whole(const struct http1_head *h)
{
	return h && !h->partial;
}

static void body_begin(struct pump_part *part, const struct http1_head *h)
{
	if (is_whole(h))
		pump_body_begin(part, h);
	else
		pump_body_guess(part, true);
}

/* What the stream carries is no body of HTTP. WebSocket, which may be MCP, is named (RFC 8441). */
static void tunnel(struct pump_stream *s)
{
	struct pump *p = s->part[0].d->p;

	for (int i = 0; i < 2; i++)
		pump_body_end(&s->part[i], false);
	if (s->websocket && s->x->pub.status / 100 == 2)
		pump_find(&p->d[!p->req_dir], PUMP_F_UPGRADE, 1, 0);
}

static void request_head(struct pump_stream *s, const struct pump_h2_block *b, const struct http1_head *h)
{
	static const struct http1_head unknown;
	struct pump *p = s->part[0].d->p;

	if (s->at[p->req_dir] != STREAM_NEW)
		return; /* trailers */
	pump_xchg_ask(p, s->x, h ? h : &unknown, b->beg);
	s->at[p->req_dir] = STREAM_BODY;
	s->tunnel = h && sv_eq(h->method, SV("CONNECT"));
	s->websocket = s->tunnel && sv_ieq(h->upgrade, SV("websocket"));
	if (s->tunnel)
		tunnel(s);
	else
		body_begin(&s->part[p->req_dir], h);
}

/* Neither an answer nor an interim response. A head behind a head, without the end of the stream or with a status, shows
 * that the first one was an interim response that could not be read. */
static bool is_trailers(const struct pump_stream *s, const struct pump_h2_block *b, const struct http1_head *h)
{
	uint8_t at = s->at[!s->x->pub.req_dir];

	if (at != STREAM_BODY)
		return at == STREAM_DONE;
	if (h && h->status)
		return s->x->pub.status != 0;
	return is_whole(h) || b->end_stream;
}

static void response_head(struct pump_stream *s, const struct pump_h2_block *b, const struct http1_head *h)
{
	struct pump *p = s->part[0].d->p;
	uint8_t dir = !p->req_dir;

	if (is_trailers(s, b, h) || (h && h->status / 100 == 1))
		return;
	if (h && (h->status || h->partial))
		pump_xchg_answer(s->x, h);
	else if (h && p->d[dir].h2->whole) /* else they may be trailers */
		pump_h2_malformed(&p->d[dir]);
	s->x->pub.resp_beg = b->beg;
	s->at[dir] = STREAM_BODY;
	if (s->tunnel)
		tunnel(s);
	else if (!is_whole(h) || h->status)
		body_begin(&s->part[dir], h);
}

void pump_stream_head(struct pump_dir *d, const struct pump_h2_block *b, const struct http1_head *h, uint64_t end)
{
	struct pump_stream *s = d->p->h2->sides ? stream_of_head(d, b->stream) : NULL;

	if (!s)
		return;
	if (is_request(d))
		request_head(s, b, h);
	else
		response_head(s, b, h);
	/* An interim response ends nothing. */
	if (b->end_stream && s->at[d->dir] != STREAM_NEW)
		half_over(d, s, end);
	else if (is_request(d))
		settle(d->p, s);
}

/* Joined in the middle: only a server sends events. */
static void side_by_events(struct pump_dir *d, struct sv in)
{
	if (d->p->h2->sides || !d->h2->fresh || !pump_events(in))
		return;
	d->p->h2->sides = true;
	d->p->req_dir = !d->dir;
}

static struct pump_stream *stream_of_data(struct pump_dir *d, uint32_t id)
{
	struct pump_stream *s;

	if (!d->p->h2->sides || !(id & 1))
		return NULL;
	s = find(d->p, id);
	if (is_request(d))
		return s && s->at[d->dir] == STREAM_BODY ? s : NULL;
	/* Where every head is read, a body without one is none. */
	if (!s && !d->h2->whole)
		s = answered(d->p, id);
	if (s && s->at[d->dir] == STREAM_NEW && !d->h2->whole) {
		s->at[d->dir] = STREAM_BODY;
		s->x->pub.resp_beg = d->h2->frame_pos;
		pump_body_guess(&s->part[d->dir], false);
	}
	return s && s->at[d->dir] == STREAM_BODY ? s : NULL;
}

void pump_stream_data(struct pump_dir *d, uint32_t id, struct sv in)
{
	struct pump_stream *s;

	side_by_events(d, in);
	s = stream_of_data(d, id);
	if (!s) {
		d->p->quiet += in.n;
		pump_http_quiet(d->p);
		return;
	}
	if (d->h2->fresh)
		pump_body_frame(&s->part[d->dir], in);
	pump_body_feed(&s->part[d->dir], in);
}

static void part_gap(struct pump_part *part, uint64_t len)
{
	part->x->pub.lost += len;
	part->lost += len;
	pump_body_gap(part);
}

void pump_stream_gap(struct pump_dir *d, uint32_t id, uint64_t len)
{
	struct pump_stream *s = stream_of_data(d, id);

	if (s)
		part_gap(&s->part[d->dir], len);
}

void pump_stream_end(struct pump_dir *d, uint32_t id, uint64_t end)
{
	struct pump_stream *s = stream_of_data(d, id);

	if (s)
		half_over(d, s, end);
}

/* Three in four requests taken back: nobody asks like that. */
static void count_reset(struct pump_dir *d)
{
	struct pump_h2 *h2 = d->p->h2;

	h2->resets++;
	if (h2->asked < PUMP_H2_RESET_WINDOW)
		return;
	if (h2->resets > h2->asked / 4 * 3)
		pump_h2_flood(d);
	h2->asked = h2->resets = 0;
}

void pump_stream_reset(struct pump_dir *d, uint32_t id, uint64_t end)
{
	struct pump_stream *s = d->p->h2->sides ? find(d->p, id) : NULL;
	struct pump_h2 *h2 = d->p->h2;

	if (!s)
		return;
	h2->gone[h2->n_gone++ % PUMP_H2_GONE] = id;
	if (is_request(d)) {
		count_reset(d);
		s->x->pub.reset_end = end;
	} else if (request_may_come(d->p, s)) {
		s->x->pub.aborted = !s->x->pub.resp_done;
		s->x->resp_over = true;
		s->at[d->dir] = STREAM_DONE;
		pump_body_end(&s->part[d->dir], false);
		return;
	}
	give_up(d->p, s);
}

void pump_stream_refused(struct pump_dir *d, uint32_t last)
{
	struct table_node *next;

	if (!d->p->h2->sides || is_request(d))
		return;
	for (struct table_node *n = d->p->h2->streams.oldest; n; n = next) {
		struct pump_stream *s = table_entry(n, struct pump_stream, node);

		next = n->newer;
		if (s->id > last && s->x->pub.has_request)
			give_up(d->p, s);
	}
}

/* Whether a request ended among the missed bytes is not known; of a response that was not an event stream nothing more
 * can be read. */
static void stream_lost(struct pump_dir *d, struct pump_stream *s, uint64_t len)
{
	struct pump_part *part = &s->part[d->dir];

	if (s->at[d->dir] == STREAM_DONE)
		return;
	if (s->at[d->dir] == STREAM_BODY)
		part_gap(part, len);
	else
		s->x->pub.lost += len;
	if (is_request(d))
		s->x->req_over = true;
	else if (s->at[d->dir] == STREAM_BODY && !pump_body_is_events(part))
		s->x->resp_over = s->x->pub.aborted = true;
	settle(d->p, s);
}

void pump_stream_lost(struct pump_dir *d, uint64_t len)
{
	struct pump *p = d->p;
	struct table_node *next;

	p->ordinal = false;
	if (!p->h2->sides || is_request(d))
		p->h2->low = UINT32_MAX;
	for (struct table_node *n = p->h2->streams.oldest; n; n = next) {
		next = n->newer;
		stream_lost(d, table_entry(n, struct pump_stream, node), len);
	}
}

void pump_stream_eof(struct pump_dir *d)
{
	struct table_node *next;

	for (struct table_node *n = d->p->h2->streams.oldest; n; n = next) {
		struct pump_stream *s = table_entry(n, struct pump_stream, node);

		next = n->newer;
		if (s->at[d->dir] != STREAM_DONE)
			pump_body_end(&s->part[d->dir], false);
		if (is_request(d)) {
			s->x->req_over = true;
			settle(d->p, s);
		} else {
			give_up(d->p, s);
		}
	}
}

void pump_stream_adopt(struct pump *p, struct pump_xchg *x)
{
	struct pump_stream *s = stream_new(p, 1, x);

	if (!s) {
		pump_xchg_over(p, x);
		return;
	}
	x->pub.http_version = 20;
	x->pub.status = 0;
	x->pub.resp_beg = 0;
	x->req_over = true;
	s->at[p->req_dir] = STREAM_DONE;
	if (p->h2->high == 0)
		p->h2->high = 1;
}

void pump_stream_free(struct pump *p)
{
	while (p->h2->streams.oldest)
		give_up(p, table_entry(p->h2->streams.oldest, struct pump_stream, node));
	table_done(&p->h2->streams);
}
