/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x messages of one direction: heads, body framing, and what becomes of them after a
 * hole.
 *
 * A direction that lost its framing (hole, malformed head) waits for a feed that begins with a
 * head: inside the bytes, text that looks like one may be a body. */
#include "flow/pump_h2.h"
#include "flow/pump_ws.h"

#include <errno.h>

/* What HTTP/2 begins with looks like one. Behind an upgrade it may be fed before the answer that says so. */
#define PREFACE_HEAD "PRI * HTTP/2.0\r\n\r\n"

enum {
	H_HEAD,	  /* in a head, or between messages */
	H_LENGTH, /* in a body of known length */
	H_CHUNKED,
	H_TO_EOF, /* in a body that lasts as long as the connection */
	H_WAIT,	  /* behind CONNECT or an upgrade: the answer decides what these bytes are */
	H_LOST,
	H_EVENTS, /* in an event stream, at an unknown place of its chunks */
};

static void head_reset(struct pump_dir *d)
{
	buf_done(&d->head);
	d->h.scan = (struct http1_scan){ .response = d->h.response };
}

static struct pump_dir *peer(struct pump_dir *d)
{
	return &d->p->d[!d->dir];
}

/* Positions of the message from the head on, which may follow empty lines. */
static uint64_t head_beg(const struct pump_dir *d)
{
	size_t i = 0;

	while (i < d->head.n && (d->head.p[i] == '\r' || d->head.p[i] == '\n'))
		i++;
	return d->head_pos + i;
}

/* The message is over at @end. */
static void message_end(struct pump_dir *d, uint64_t end)
{
	struct pump_xchg *x = d->part.x;

	pump_body_end(&d->part, true);
	if (x && d->h.response) {
		x->pub.resp_end = end;
		x->pub.resp_done = x->resp_over = true;
	} else if (x) {
		x->pub.req_end = end;
		x->pub.req_done = x->req_over = true;
	}
	if (x && x->pub.lost)
		d->part.lost = 0; /* the exchange tells of it */
	d->part.x = NULL;
	d->h.state = H_HEAD;
	head_reset(d);
	pump_xchg_flush(d->p);
	pump_http_quiet(d->p);
}

/* Where the next message begins is unknown. */
static void framing_lost(struct pump_dir *d)
{
	struct pump_xchg *x = d->part.x;

	pump_body_end(&d->part, false);
	d->p->ordinal = false;
	if (x && d->h.response)
		x->pub.aborted = x->resp_over = true;
	else if (x)
		x->req_over = true;
	if (x && x->pub.lost)
		d->part.lost = 0;
	d->h.resynced = d->h.response;
	d->part.x = NULL;
	d->h.state = H_LOST;
	head_reset(d);
	pump_xchg_flush(d->p);
}

static void malformed(struct pump_dir *d)
{
	pump_find(d, PUMP_F_HTTP, 1, 0);
	framing_lost(d);
}

static void body_begin(struct pump_dir *d, const struct http1_head *h, enum http1_framing f)
{
	pump_body_begin(&d->part, h);
	d->h.left = h->length;
	if (f == HTTP1_CHUNKED)
		chunked_init(&d->h.chunked);
	d->h.state = f == HTTP1_LENGTH ? H_LENGTH : f == HTTP1_CHUNKED ? H_CHUNKED : H_TO_EOF;
	head_reset(d);
}

static void request_head(struct pump_dir *d, const struct http1_head *h, uint64_t end)
{
	struct pump_xchg *x = pump_xchg_request(d->p, h, head_beg(d));
	enum http1_framing f = http1_framing(h, (struct sv){ NULL, 0 });
	/* message_end drops what @h points into */
	bool wait = sv_eq(h->method, SV("CONNECT")) || sv_ieq(h->upgrade, SV("websocket"));

	d->part.x = x;
	if (!x)
		pump_find(d, PUMP_F_HTTP, 1, 0);
	if (f != HTTP1_NO_BODY) {
		body_begin(d, h, f);
		return;
	}
	message_end(d, end);
	if (wait)
		d->h.state = H_WAIT;
	d->h.waited = false;
}

/* 101: another protocol from here on. CONNECT: whatever the tunnel carries. */
static void tunnel(struct pump_dir *d, const struct http1_head *h, uint64_t end)
{
	uint16_t status = h->status;
	bool websocket;

	if (h->status == 101 && sv_ieq(h->upgrade, SV("h2c")) && d->part.x) {
		pump_h2_upgrade(d, d->part.x);
		return;
	}
	websocket = sv_ieq(h->upgrade, SV("websocket"));
	message_end(d, end);
	if (status != 101) {
		pump_restart(d->p);
		return;
	}
	if (websocket) {
		pump_ws_upgrade(d);
		return;
	}
	pump_find(d, PUMP_F_UPGRADE, 1, 0);
	for (int i = 0; i < 2; i++) {
		d->p->d[i].mode = PUMP_OFF;
		pump_set_verdict(&d->p->d[i], PUMP_NOTHING);
	}
}

/* CONNECT, or an upgrade, was refused: requests go on, from a place that is known only if nothing came
 * meanwhile. */
static void refused(struct pump_dir *req)
{
	if (req->h.waited)
		framing_lost(req);
	else
		req->h.state = H_HEAD;
}

static void response_head(struct pump_dir *d, const struct http1_head *h, uint64_t end)
{
	struct pump_xchg *x = pump_xchg_peek(d->p);
	enum http1_framing f = http1_framing(h, x ? x->pub.method : (struct sv){ NULL, 0 });

	if (f == HTTP1_INTERIM) {
		head_reset(d);
		return;
	}
	x = pump_xchg_response(d->p, h);
	d->part.x = x;
	if (x)
		x->pub.resp_beg = head_beg(d);
	if (f == HTTP1_TUNNEL) {
		tunnel(d, h, end);
		return;
	}
	if (peer(d)->mode == PUMP_HTTP && peer(d)->h.state == H_WAIT)
		refused(peer(d));
	if (f == HTTP1_NO_BODY)
		message_end(d, end);
	else
		body_begin(d, h, f);
}

static void head_done(struct pump_dir *d, uint64_t end)
{
	struct buf head = d->head;
	struct http1_head h;

	if (http1_parse(head.p, head.n, d->h.response, &h) != 0) {
		if (!d->h.response && sv_eq(buf_sv(&head), SV(PREFACE_HEAD)))
			pump_h2_preface(d, head.n);
		else
			malformed(d);
		return;
	}
	d->p->quiet += head.n;
	if (d->h.response)
		response_head(d, &h, end);
	else
		request_head(d, &h, end);
}

static size_t in_head(struct pump_dir *d, struct sv in)
{
	ssize_t n = http1_scan(&d->h.scan, in);
	size_t take = n > 0 ? (size_t)n : in.n;

	if (d->head.n == 0)
		d->head_pos = d->pos;
	if (n < 0 || buf_add(&d->head, in.p, take) != 0) {
		malformed(d);
		return 0;
	}
	if (n > 0)
		head_done(d, d->pos + take);
	return take;
}

static size_t in_length(struct pump_dir *d, struct sv in)
{
	struct pump_hdir *h = &d->h;

	if (in.n > h->left)
		in.n = (size_t)h->left;
	pump_body_feed(&d->part, in);
	h->left -= in.n;
	if (h->left == 0)
		message_end(d, d->pos + in.n);
	return in.n;
}

static size_t in_chunked(struct pump_dir *d, struct sv in)
{
	struct sv data;
	ssize_t n = chunked_next(&d->h.chunked, in, &data);

	if (n < 0) {
		malformed(d);
		return 0;
	}
	if (data.n)
		pump_body_feed(&d->part, data);
	if (chunked_done(&d->h.chunked))
		message_end(d, d->pos + (size_t)n);
	return (size_t)n;
}

static size_t in_events(struct pump_dir *d, struct sv in)
{
	bool fresh = d->h.fresh;

	d->h.fresh = false;
	if (!fresh || !pump_chunk_events(in))
		return in.n;
	pump_body_events(&d->part);
	chunked_init(&d->h.chunked);
	d->h.state = H_CHUNKED;
	return 0;
}

size_t pump_http_feed(struct pump_dir *d, struct sv in)
{
	switch (d->h.state) {
	case H_HEAD:
		return in_head(d, in);
	case H_LENGTH:
		return in_length(d, in);
	case H_CHUNKED:
		return in_chunked(d, in);
	case H_TO_EOF:
		pump_body_feed(&d->part, in);
		return in.n;
	case H_WAIT:
		d->h.waited = true;
		return in.n;
	case H_EVENTS:
		return in_events(d, in);
	default:
		return in.n;
	}
}

bool pump_http_lost(const struct pump_dir *d)
{
	return d->h.state == H_LOST || d->h.state == H_EVENTS;
}

bool pump_http_waits(const struct pump_dir *d)
{
	return d->h.state == H_WAIT && !d->h.waited;
}

bool pump_http_between(const struct pump_dir *d)
{
	return d->h.state == H_HEAD;
}

void pump_http_head(struct pump_dir *d)
{
	if (d->h.state == H_EVENTS)
		framing_lost(d); /* the stream's end was missed */
	d->h.state = H_HEAD;
	head_reset(d);
}

static void begin(struct pump_dir *d, bool response, bool lost)
{
	pump_text_drop(&d->part);
	d->h = (struct pump_hdir){ .response = response, .state = lost ? H_LOST : H_HEAD };
	d->part.x = NULL;
	d->mode = PUMP_HTTP;
	head_reset(d);
}

void pump_http_begin(struct pump_dir *d, bool response, bool lost)
{
	struct pump *p = d->p;
	struct pump_dir *o = peer(d);

	if (!p->http)
		p->req_dir = response ? !d->dir : d->dir;
	p->http = true;
	begin(d, p->req_dir != d->dir, lost);
	/* The other direction follows: one that is being sniffed by itself, one that was joined
	 * late here. */
	if (o->mode == PUMP_LINES && pump_lines_unsure(o))
		begin(o, p->req_dir != o->dir, true);
}

/* The end of the body is known, wherever the hole ends. */
static void length_gap(struct pump_dir *d, uint64_t len)
{
	uint64_t in = len < d->h.left ? len : d->h.left;

	if (d->part.x)
		d->part.x->pub.lost += in;
	d->part.lost += in;
	pump_body_gap(&d->part);
	d->h.left -= in;
	if (d->h.left == 0)
		message_end(d, d->pos + in);
	if (in < len) {
		framing_lost(d);
		d->part.lost += len - in;
	}
}

void pump_http_join(struct pump_dir *d)
{
	struct http1_head h = { .response = true, .content_type = SV("text/event-stream") };

	pump_http_begin(d, true, false);
	d->part.x = pump_xchg_response(d->p, &h);
	if (d->part.x)
		d->part.x->pub.resp_beg = d->pos;
	body_begin(d, &h, HTTP1_CHUNKED);
}

void pump_http_gap(struct pump_dir *d, uint64_t len)
{
	struct pump_hdir *h = &d->h;

	if (h->state == H_LENGTH) {
		length_gap(d, len);
		return;
	}
	if (d->part.x)
		d->part.x->pub.lost += len;
	d->part.lost += len;
	if (h->state == H_TO_EOF || (h->state == H_CHUNKED && chunked_skip(&h->chunked, len))) {
		pump_body_gap(&d->part);
	} else if (h->state == H_WAIT) {
		h->waited = true;
	} else if ((h->state == H_CHUNKED || h->state == H_EVENTS) && pump_body_is_events(&d->part)) {
		pump_body_gap(&d->part);
		h->state = H_EVENTS;
	} else {
		framing_lost(d);
	}
}

void pump_http_eof(struct pump_dir *d)
{
	struct pump_xchg *x = d->part.x;

	if (d->h.state == H_TO_EOF) {
		message_end(d, d->pos);
	} else {
		pump_body_end(&d->part, false);
		if (x && !d->h.response)
			x->req_over = true;
		d->part.x = NULL;
	}
	pump_xchg_flush(d->p);
}
