/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP bodies: content coding, then JSON texts, an event stream, or nothing of interest. */
#include "flow/pump_http.h"

#include <errno.h>
#include <stdlib.h>

#define WORD_MAX 4096 /* bytes kept of an "endpoint" event */
#define RATIO	 1000 /* decoded bytes per coded byte */

enum { BODY_SKIP, BODY_JSON, BODY_SSE };

/* Where a JSON text or the data of an event stands. */
enum {
	AT_START,
	AT_TEXT, /* in JSON */
	AT_WORD, /* in data that is no JSON */
	AT_REST, /* behind what counts */
};

static struct pump_span plain(const struct pump_dir *d, uint64_t n)
{
	return (struct pump_span){ d->pos, d->pos + n, false };
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

static void note_broken(struct pump_dir *d, ssize_t err)
{
	enum pump_finding f = pump_text_broken(d, err);

	d->body.bad = f == PUMP_F_BAD_JSON;
	d->body.too_long = f == PUMP_F_TOO_LONG;
	d->body.state = AT_REST;
}

static void tell_broken(struct pump_dir *d)
{
	if (d->body.bad)
		pump_find(d, PUMP_F_BAD_JSON, 1, d->body.bytes);
	if (d->body.too_long)
		pump_find(d, PUMP_F_TOO_LONG, 1, d->body.bytes);
	d->body.bad = d->body.too_long = false;
}

/* Feed the open text; bytes taken. */
static size_t in_text(struct pump_dir *d, struct sv in, struct pump_span span)
{
	ssize_t n = pump_text_feed(d, in, span);

	if (n < 0)
		note_broken(d, n);
	else if (n > 0)
		d->body.state = AT_START;
	return n > 0 ? (size_t)n : in.n;
}

static void json_bytes(struct pump_dir *d, struct sv all, struct pump_span span)
{
	struct sv in = all;

	while (in.n && d->body.kind == BODY_JSON) {
		size_t n;

		if (d->body.state == AT_START) {
			n = blanks(in);
			in.p += n;
			in.n -= n;
			if (in.n == 0)
				return;
			if (in.p[0] != '{' && in.p[0] != '[') {
				d->body.kind = BODY_SKIP;
				return;
			}
			pump_text_begin(d, within(span, all, in).beg);
			d->body.state = AT_TEXT;
		}
		n = in_text(d, in, within(span, all, in));
		if (d->body.state == AT_REST)
			d->body.kind = BODY_SKIP;
		in.p += n;
		in.n -= n;
	}
}

/* Data of an event as it comes. Its name may stand behind it, so that whether it is an
 * "endpoint" is asked at the event's end; JSON does not wait for that. */
static void sse_data(struct pump_dir *d, struct sv in, struct pump_span span)
{
	struct pump_body *b = &d->body;
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
			pump_text_begin(d, within(span, all, in).beg);
			b->state = AT_TEXT;
		}
	}
	if (b->state == AT_TEXT) {
		in_text(d, in, within(span, all, in));
		if (b->state == AT_START)
			b->state = AT_REST; /* one text an event */
	} else if (b->state == AT_WORD && b->words) {
		n = b->word.max - b->word.n;
		buf_add(&b->word, in.p, in.n < n ? in.n : n);
	}
}

static void sse_end(struct pump_dir *d, bool dispatch)
{
	struct pump_body *b = &d->body;
	struct pump_xchg *x = d->h.x;
	struct pump_ops *ops = &d->p->ops;

	if (b->state == AT_TEXT) {
		pump_text_drop(d);
		note_broken(d, -EBADMSG);
	}
	tell_broken(d);
	if (dispatch && b->state == AT_WORD && b->word.n && x && ops->endpoint &&
	    sv_eq(sse_event(b->sse), SV("endpoint")))
		ops->endpoint(ops->ctx, &x->pub, sv_trim(buf_sv(&b->word)));
	if (x && x->pub.rpc == b->rpc)
		d->p->quiet += b->bytes;
	b->rpc = x ? x->pub.rpc : 0;
	b->bytes = 0;
	b->state = AT_START;
	buf_done(&b->word);
	pump_http_quiet(d->p);
}

static void sse_bytes(struct pump_dir *d, struct sv all, struct pump_span span)
{
	struct sv in = all;

	while (in.n) {
		struct sse_part part;
		size_t n = (size_t)sse_next(d->body.sse, in, &part);

		if (part.kind == SSE_DATA)
			sse_data(d, part.data, within(span, all, part.data));
		else if (part.kind == SSE_JOIN)
			sse_data(d, SV("\n"), within(span, all, (struct sv){ in.p, 1 }));
		else if (part.kind == SSE_END)
			sse_end(d, part.dispatch);
		in.p += n;
		in.n -= n;
	}
}

static void decoded(struct pump_dir *d, struct sv in, struct pump_span span)
{
	if (d->body.kind == BODY_JSON)
		json_bytes(d, in, span);
	else if (d->body.kind == BODY_SSE)
		sse_bytes(d, in, span);
}

static void on_decoded(void *ctx, struct sv in)
{
	struct pump_dir *d = ctx;

	decoded(d, in, d->body.span);
}

void pump_body_feed(struct pump_dir *d, struct sv in)
{
	struct pump_body *b = &d->body;
	int err;

	if (b->kind != BODY_SSE) {
		b->bytes += in.n;
		d->p->quiet += in.n;
	}
	if (b->kind == BODY_SKIP) {
		pump_http_quiet(d->p);
		return;
	}
	b->span = plain(d, in.n);
	if (!b->coding) {
		decoded(d, in, b->span);
		return;
	}
	b->span.coded = true;
	err = coding_feed(b->coding, in);
	/* Once it is known to hold nothing of interest, how the body goes on does not matter. */
	if (!err || b->kind == BODY_SKIP)
		return;
	pump_find(d, err == -E2BIG ? PUMP_F_BOMB : PUMP_F_CODING, 1, 0);
	pump_text_drop(d);
	b->bad = b->too_long = false;
	b->kind = BODY_SKIP;
}

/* Bytes of the body were not seen. An event stream goes on at its next event. */
void pump_body_gap(struct pump_dir *d)
{
	struct pump_body *b = &d->body;

	pump_text_drop(d);
	b->bad = b->too_long = false;
	if (b->kind != BODY_SSE || b->coding) {
		b->kind = BODY_SKIP;
		return;
	}
	sse_resync(b->sse);
	b->state = AT_START;
	b->bytes = 0;
	buf_done(&b->word);
}

bool pump_body_is_events(const struct pump_dir *d)
{
	return d->body.kind == BODY_SSE && !d->body.coding;
}

/* Behind a hole, an event begins here. */
void pump_body_events(struct pump_dir *d)
{
	sse_init(d->body.sse);
}

void pump_body_free(struct pump_dir *d)
{
	struct pump_share *share = d->p->opts.share;
	struct pump_body *b = &d->body;

	if (b->coding && share)
		share->codings--;
	coding_free(b->coding);
	free(b->sse);
	buf_done(&b->word);
	*b = (struct pump_body){ .kind = BODY_SKIP };
}

void pump_body_end(struct pump_dir *d, bool complete)
{
	struct pump_body *b = &d->body;

	/* An event without its blank line does not count, so it cannot be broken either. */
	if (complete && b->kind == BODY_JSON && b->state == AT_TEXT)
		note_broken(d, -EBADMSG);
	if (b->kind != BODY_SSE)
		tell_broken(d);
	pump_text_drop(d);
	pump_body_free(d);
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
	};

	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
		if (type.n >= not [i].n && sv_ieq((struct sv){ type.p, not [i].n }, not [i]))
			return true;
	return false;
}

static uint8_t kind_of(const struct pump_dir *d, const struct http1_head *h)
{
	if (!d->h.x || (!h->response && !sv_eq(h->method, SV("POST"))))
		return BODY_SKIP;
	if (h->response && d->h.x->pub.sse)
		return BODY_SSE;
	return is_foreign(h->content_type) ? BODY_SKIP : BODY_JSON;
}

static int start_coding(struct pump_dir *d, const struct http1_head *h)
{
	struct coding_opts opts = {
		.out_max = d->p->opts.inflate_max, .ratio = RATIO, .out = on_decoded, .ctx = d
	};
	struct pump_share *share = d->p->opts.share;

	if (h->te_coded || h->encodings)
		return -EPROTONOSUPPORT;
	if (coding_is_identity(h->content_encoding))
		return 0;
	if (share && share->codings_max && share->codings >= share->codings_max) {
		share->codings_full++;
		return -ENOSPC;
	}
	d->body.coding = coding_new(h->content_encoding, &opts);
	if (d->body.coding && share)
		share->codings++;
	return d->body.coding ? 0 : -EPROTONOSUPPORT;
}

void pump_body_begin(struct pump_dir *d, const struct http1_head *h)
{
	struct pump_body *b = &d->body;

	pump_body_free(d);
	b->kind = kind_of(d, h);
	b->words = d->h.x && (!d->h.x->pub.has_request || sv_eq(d->h.x->pub.method, SV("GET")));
	b->rpc = d->h.x ? d->h.x->pub.rpc : 0;
	buf_init(&b->word, WORD_MAX);
	if (b->kind == BODY_SKIP)
		return;
	if (start_coding(d, h) != 0) {
		pump_find(d, PUMP_F_CODING, 1, 0);
		b->kind = BODY_SKIP;
	}
	if (b->kind != BODY_SSE)
		return;
	b->sse = malloc(sizeof(*b->sse));
	if (b->sse)
		sse_init(b->sse);
	else
		b->kind = BODY_SKIP;
}
