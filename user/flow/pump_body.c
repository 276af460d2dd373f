/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP bodies: content coding, then JSON texts, an event stream, or nothing of interest. */
#include "flow/pump_http.h"

#include <errno.h>
#include <stdlib.h>

#define WORD_MAX 4096 /* bytes kept of an "endpoint" event */
#define RATIO	 1000 /* decoded bytes per coded byte */

enum {
	BODY_SKIP,
	BODY_JSON,
	BODY_SSE,
	BODY_ANY,    /* at the first byte of it, and that will tell */
	BODY_EVENTS, /* none, unless a frame begins with an event */
};

/* Where a JSON text or the data of an event stands. */
enum {
	AT_START,
	AT_TEXT, /* in JSON */
	AT_WORD, /* in data that is no JSON */
	AT_REST, /* behind what counts */
};

static struct pump_span plain(const struct pump_part *p, uint64_t n)
{
	return (struct pump_span){ p->d->pos, p->d->pos + n, false };
}

/* The part of @span that @part, a view into @whole, takes. */
static struct pump_span within(struct pump_span span, struct sv whole, struct sv part)
{
	if (span.coded)
		return span;
	span.beg += (size_t)(part.p - whole.p);
	span.end = span.beg + part.n;
	return span;
}

/* Bytes of @in before the first that is not blank; a byte order mark counts as blank. */
static size_t blanks(struct sv in)
{
	size_t i = 0;

	while (i < in.n && in.p[i] && strchr(" \t\r\n\xef\xbb\xbf", in.p[i]))
		i++;
	return i;
}

static void note_broken(struct pump_part *p, ssize_t err)
{
	enum pump_finding f = pump_text_broken(p, err);

	p->body.bad = f == PUMP_F_BAD_JSON;
	p->body.too_long = f == PUMP_F_TOO_LONG;
	p->body.state = AT_REST;
}

static void tell_broken(struct pump_part *p)
{
	if (p->body.bad)
		pump_find(p->d, PUMP_F_BAD_JSON, 1, p->body.bytes);
	if (p->body.too_long)
		pump_find(p->d, PUMP_F_TOO_LONG, 1, p->body.bytes);
	p->body.bad = p->body.too_long = false;
}

/* Feed the open text; bytes taken. */
static size_t in_text(struct pump_part *p, struct sv in, struct pump_span span)
{
	ssize_t n = pump_text_feed(p, in, span);

	if (n < 0)
		note_broken(p, n);
	else if (n > 0)
		p->body.state = AT_START;
	return n > 0 ? (size_t)n : in.n;
}

static void json_bytes(struct pump_part *p, struct sv all, struct pump_span span)
{
	struct sv in = all;

	while (in.n && p->body.kind == BODY_JSON) {
		size_t n;

		if (p->body.state == AT_START) {
			n = blanks(in);
			in.p += n;
			in.n -= n;
			if (in.n == 0)
				return;
			if (in.p[0] != '{' && in.p[0] != '[') {
				p->body.kind = BODY_SKIP;
				return;
			}
			pump_text_begin(p, within(span, all, in).beg);
			p->body.state = AT_TEXT;
		}
		n = in_text(p, in, within(span, all, in));
		if (p->body.state == AT_REST)
			p->body.kind = BODY_SKIP;
		in.p += n;
		in.n -= n;
	}
}

/* Data of an event as it comes. Its name may stand behind it, so that whether it is an
 * "endpoint" is asked at the event's end; JSON does not wait for that. */
static void sse_data(struct pump_part *p, struct sv in, struct pump_span span)
{
	struct pump_body *b = &p->body;
	struct sv all = in;
	size_t n;

	b->bytes += in.n;
	if (b->state == AT_START) {
		n = blanks(in);
		in.p += n;
		in.n -= n;
		if (in.n == 0)
			return;
		b->state = AT_WORD;
		if (in.p[0] == '{' || in.p[0] == '[') {
			pump_text_begin(p, within(span, all, in).beg);
			b->state = AT_TEXT;
		}
	}
	if (b->state == AT_TEXT) {
		in_text(p, in, within(span, all, in));
		if (b->state == AT_START)
			b->state = AT_REST; /* one text an event */
	} else if (b->state == AT_WORD && b->words) {
		n = b->word.max - b->word.n;
		buf_add(&b->word, in.p, in.n < n ? in.n : n);
	}
}

static void sse_end(struct pump_part *p, bool dispatch)
{
	struct pump_body *b = &p->body;
	struct pump_xchg *x = p->x;
	struct pump_ops *ops = &p->d->p->ops;

	if (b->state == AT_TEXT) {
		pump_text_drop(p);
		note_broken(p, -EBADMSG);
	}
	tell_broken(p);
	if (dispatch && b->state == AT_WORD && b->word.n && x && ops->endpoint &&
	    sv_eq(sse_event(b->sse), SV("endpoint")))
		ops->endpoint(ops->ctx, &x->pub, sv_trim(buf_sv(&b->word)));
	if (x && x->pub.rpc == b->rpc)
		p->d->p->quiet += b->bytes;
	b->rpc = x ? x->pub.rpc : 0;
	b->bytes = 0;
	b->blind = false;
	b->state = AT_START;
	buf_done(&b->word);
	pump_http_quiet(p->d->p);
}

static void sse_bytes(struct pump_part *p, struct sv all, struct pump_span span)
{
	struct sv in = all;

	while (in.n) {
		struct sse_part part;
		size_t n = (size_t)sse_next(p->body.sse, in, &part);

		if (part.kind == SSE_DATA)
			sse_data(p, part.data, within(span, all, part.data));
		else if (part.kind == SSE_JOIN)
			sse_data(p, SV("\n"), within(span, all, (struct sv){ in.p, 1 }));
		else if (part.kind == SSE_END)
			sse_end(p, part.dispatch);
		in.p += n;
		in.n -= n;
	}
}

/* The head was not seen: is it JSON? */
static void any_bytes(struct pump_part *p, struct sv in)
{
	size_t n = blanks(in);

	if (n < in.n)
		p->body.kind = in.p[n] == '{' || in.p[n] == '[' ? BODY_JSON : BODY_EVENTS;
}

static void decoded(struct pump_part *p, struct sv in, struct pump_span span)
{
	if (p->body.kind == BODY_ANY)
		any_bytes(p, in);
	if (p->body.kind == BODY_JSON)
		json_bytes(p, in, span);
	else if (p->body.kind == BODY_SSE)
		sse_bytes(p, in, span);
}

static void on_decoded(void *ctx, struct sv in)
{
	struct pump_part *p = ctx;

	decoded(p, in, p->body.span);
}

bool pump_body_feed(struct pump_part *p, struct sv in)
{
	struct pump_body *b = &p->body;
	int err;

	if (b->kind != BODY_SSE) {
		b->bytes += in.n;
		p->d->p->quiet += in.n;
	}
	if (b->kind == BODY_SKIP && !b->series) {
		pump_http_quiet(p->d->p);
		return true;
	}
	b->span = plain(p, in.n);
	if (!b->coding) {
		decoded(p, in, b->span);
		return true;
	}
	b->span.coded = true;
	err = coding_feed(b->coding, in);
	/* Once it is known to hold nothing of interest, how the body goes on does not matter. */
	if (!err || (b->kind == BODY_SKIP && !b->series))
		return true;
	pump_find(p->d, err == -E2BIG ? PUMP_F_BOMB : PUMP_F_CODING, 1, 0);
	pump_text_drop(p);
	b->bad = b->too_long = false;
	b->kind = BODY_SKIP;
	return false;
}

/* Bytes of the body were not seen. An event stream goes on at its next event. */
void pump_body_gap(struct pump_part *p)
{
	struct pump_body *b = &p->body;

	pump_text_drop(p);
	b->bad = b->too_long = false;
	if (b->kind == BODY_ANY || b->kind == BODY_EVENTS) {
		b->kind = BODY_EVENTS;
		return;
	}
	if (b->kind != BODY_SSE || b->coding) {
		b->kind = BODY_SKIP;
		return;
	}
	b->blind = true;
	sse_resync(b->sse);
	b->state = AT_START;
	b->bytes = 0;
	buf_done(&b->word);
}

bool pump_body_is_events(const struct pump_part *p)
{
	return p->body.kind == BODY_SSE && !p->body.coding;
}

/* Behind a hole, an event begins here. */
void pump_body_events(struct pump_part *p)
{
	sse_init(p->body.sse);
}

void pump_body_free(struct pump_part *p)
{
	struct pump_share *share = p->d->p->opts.share;
	struct pump_body *b = &p->body;

	if (b->coding && share)
		share->codings--;
	coding_free(b->coding);
	free(b->sse);
	buf_done(&b->word);
	*b = (struct pump_body){ .kind = BODY_SKIP };
}

void pump_body_end(struct pump_part *p, bool complete)
{
	struct pump_body *b = &p->body;

	/* An event without its blank line does not count, so it cannot be broken either. */
	if (complete && b->kind == BODY_JSON && b->state == AT_TEXT)
		note_broken(p, -EBADMSG);
	if (b->kind != BODY_SSE)
		tell_broken(p);
	pump_text_drop(p);
	pump_body_free(p);
}

/* Content types that cannot hold JSON or events. Others are looked into: peers send JSON as
 * text/plain. */
static bool is_foreign(struct sv type)
{
	static const struct sv not [] = {
		{ "text/html", 9 },   { "image/", 6 },
		{ "audio/", 6 },      { "video/", 6 },
		{ "font/", 5 },	      { "text/css", 8 },
		{ "multipart/", 10 }, { "application/x-www-form-urlencoded", 33 },
		{ "application/grpc", 16 },
	};

	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
		if (type.n >= not [i].n && sv_ieq((struct sv){ type.p, not [i].n }, not [i]))
			return true;
	return false;
}

static uint8_t kind_of(const struct pump_part *p, const struct http1_head *h)
{
	if (!p->x || (!h->response && !sv_eq(h->method, SV("POST"))))
		return BODY_SKIP;
	if (h->response && p->x->pub.sse)
		return BODY_SSE;
	return is_foreign(h->content_type) ? BODY_SKIP : BODY_JSON;
}

static int start_coding(struct pump_part *p, const struct http1_head *h, uint64_t max)
{
	struct coding_opts opts = {
		.out_max = max, .ratio = RATIO, .out = on_decoded, .ctx = p
	};
	struct pump_share *share = p->d->p->opts.share;

	if (h->te_coded || h->encodings)
		return -EPROTONOSUPPORT;
	if (coding_is_identity(h->content_encoding))
		return 0;
	if (share && share->codings_max && share->codings >= share->codings_max) {
		share->codings_full++;
		return -ENOSPC;
	}
	p->body.coding = coding_new(h->content_encoding, &opts);
	if (p->body.coding && share)
		share->codings++;
	return p->body.coding ? 0 : -EPROTONOSUPPORT;
}

static void begin_events(struct pump_body *b)
{
	b->kind = BODY_SSE;
	b->blind = false;
	if (!b->sse)
		b->sse = malloc(sizeof(*b->sse));
	if (b->sse)
		sse_init(b->sse);
	else
		b->kind = BODY_SKIP;
}

static bool words_may_come(const struct pump_http *x)
{
	return x->method.n == 0 || sv_eq(x->method, SV("GET"));
}

void pump_body_begin(struct pump_part *p, const struct http1_head *h)
{
	struct pump_body *b = &p->body;

	pump_body_free(p);
	b->kind = kind_of(p, h);
	b->words = p->x && words_may_come(&p->x->pub);
	b->rpc = p->x ? p->x->pub.rpc : 0;
	buf_init(&b->word, WORD_MAX);
	if (b->kind == BODY_SKIP)
		return;
	if (start_coding(p, h, p->d->p->opts.inflate_max) != 0) {
		pump_find(p->d, PUMP_F_CODING, 1, 0);
		b->kind = BODY_SKIP;
	}
	if (b->kind == BODY_SSE)
		begin_events(b);
}

void pump_body_guess(struct pump_part *p, bool start)
{
	struct pump_body *b = &p->body;

	pump_body_free(p);
	b->kind = start ? BODY_ANY : BODY_EVENTS;
	b->words = words_may_come(&p->x->pub);
	b->rpc = p->x->pub.rpc;
	b->blind = true;
	buf_init(&b->word, WORD_MAX);
}

bool pump_body_unpack(struct pump_part *p)
{
	static const struct http1_head deflate = { .content_encoding = { "deflate", 7 } };

	p->body.series = true;
	if (start_coding(p, &deflate, 0) == 0)
		return true;
	pump_find(p->d, PUMP_F_CODING, 1, 0);
	return false;
}

void pump_body_text(struct pump_part *p, bool json)
{
	p->body.kind = json ? BODY_JSON : BODY_SKIP;
	p->body.state = AT_START;
	p->body.bytes = 0;
}

void pump_body_text_end(struct pump_part *p)
{
	if (p->body.kind == BODY_JSON && p->body.state == AT_TEXT)
		note_broken(p, -EBADMSG);
	tell_broken(p);
	pump_text_drop(p);
	p->body.kind = BODY_SKIP;
}

void pump_body_frame(struct pump_part *p, struct sv in)
{
	struct pump_body *b = &p->body;

	if (!b->blind || p->d->dir == p->x->pub.req_dir || !pump_events(in))
		return;
	if (b->kind == BODY_ANY || b->kind == BODY_EVENTS)
		p->x->pub.sse = true;
	else if (b->kind != BODY_SSE)
		return;
	begin_events(b);
}
