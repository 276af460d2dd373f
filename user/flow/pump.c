/* SPDX-License-Identifier: Apache-2.0 */
/* A pump: finds out what each direction speaks, passes its bytes on, keeps positions, verdicts
 * and findings.
 *
 * pump_lines.c   newline-delimited JSON
 * pump_http.c    HTTP/1 messages
 * pump_xchg.c    which response answers which request
 * pump_h2.c      HTTP/2 frames
 * pump_h2_begin.c, pump_h2_block.c, pump_h2_stream.c   how it begins, header blocks, streams
 * pump_ws.c      WebSocket messages
 * pump_chunk.c   event streams joined in the middle
 * pump_body.c    what is in a body: codings, JSON, events
 * pump_text.c    one JSON text and its messages */
#include "flow/pump_h2.h"
#include "flow/pump_ws.h"

#include <errno.h>
#include <stdlib.h>

struct pump *pump_new(const struct pump_opts *opts, const struct pump_ops *ops)
{
	struct pump *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->opts = *opts;
	p->ops = *ops;
	if (p->opts.message_max == 0)
		p->opts.message_max = 64ULL << 20;
	if (p->opts.inflate_max == 0)
		p->opts.inflate_max = 64ULL << 20;
	if (p->opts.exchanges_max == 0)
		p->opts.exchanges_max = 64;
	if (p->opts.streams_max == 0)
		p->opts.streams_max = 1024;
	if (p->opts.undecided_max == 0)
		p->opts.undecided_max = 64ULL << 10;
	p->ordinal = !opts->late;
	for (uint8_t i = 0; i < 2; i++) {
		p->d[i].p = p;
		p->d[i].dir = i;
		p->d[i].part.d = &p->d[i];
		p->d[i].late = opts->late;
		buf_init(&p->d[i].head, HTTP1_HEAD_MAX);
	}
	return p;
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	pump_h2_free(p);
	pump_xchg_free(p);
	for (int i = 0; i < 2; i++) {
		pump_ws_free(&p->d[i]);
		pump_text_drop(&p->d[i].part);
		pump_body_free(&p->d[i].part);
		buf_done(&p->d[i].head);
	}
	rpc_free(p->spare);
	free(p);
}

/* Text around messages matters only where there are messages. */
void pump_find(struct pump_dir *d, enum pump_finding f, uint64_t n, uint64_t bytes)
{
	if ((f == PUMP_F_NOISE || f == PUMP_F_BAD_JSON) && d->verdict != PUMP_RPC) {
		d->held[f].n += n;
		d->held[f].bytes += bytes;
		return;
	}
	if (d->p->ops.finding)
		d->p->ops.finding(d->p->ops.ctx, d->dir, f, n, bytes);
}

void pump_set_verdict(struct pump_dir *d, enum pump_verdict v)
{
	if (d->verdict == v)
		return;
	d->verdict = (uint8_t)v;
	if (d->p->ops.verdict)
		d->p->ops.verdict(d->p->ops.ctx, d->dir, v);
	for (int f = 0; v == PUMP_RPC && f < PUMP_F_N; f++) {
		if (d->held[f].n)
			pump_find(d, (enum pump_finding)f, d->held[f].n, d->held[f].bytes);
		d->held[f].n = d->held[f].bytes = 0;
	}
}

/* HTTP that goes on and on without JSON-RPC. Silent event streams do not count. */
void pump_http_quiet(struct pump *p)
{
	uint64_t bytes = p->h2 ? PUMP_H2_QUIET_BYTES : PUMP_QUIET_BYTES;
	uint64_t exchanges = p->h2 ? PUMP_H2_QUIET_EXCHANGES : PUMP_QUIET_EXCHANGES;

	if (p->quiet <= bytes && p->quiet_x < exchanges)
		return;
	for (int i = 0; i < 2; i++)
		if (p->d[i].verdict == PUMP_UNDECIDED)
			pump_set_verdict(&p->d[i], PUMP_NOTHING);
}

/* The connection became a tunnel: what it carries is found out anew. */
void pump_restart(struct pump *p)
{
	pump_xchg_abort(p);
	p->http = false;
	for (int i = 0; i < 2; i++) {
		struct pump_dir *d = &p->d[i];

		if (d->mode == PUMP_HTTP && d->h.waited) {
			d->late = true;
			p->ordinal = false;
		}
		d->mode = PUMP_SNIFF;
		d->behind = PUMP_SNIFF;
		d->part.x = NULL;
	}
}

static void dismiss(struct pump_dir *d, enum pump_verdict v)
{
	d->mode = PUMP_OFF;
	pump_set_verdict(d, v);
}

static bool is_head(enum sniff s)
{
	return s == SNIFF_HTTP_REQ || s == SNIFF_HTTP_RESP;
}

/* Looking for a head behind unknown bytes. */
static void decide_again(struct pump_dir *d, enum sniff s)
{
	bool resp = s == SNIFF_HTTP_RESP;

	d->mode = d->behind;
	d->h.fresh = true;
	if (!is_head(s))
		return;
	if (d->mode == PUMP_LINES)
		pump_http_begin(d, resp, false);
	else if (resp == d->h.response)
		pump_http_head(d);
}

/* @in: the bytes that decided, and all in front of them. */
static void decide(struct pump_dir *d, struct sv in, enum sniff s)
{
	if (d->behind != PUMP_HTTP && ((d->p->h2 && !d->p->http) || s == SNIFF_HTTP2)) {
		pump_h2_begin(d, in, s);
	} else if (d->behind != PUMP_SNIFF) {
		decide_again(d, s);
	} else if (d->p->http || is_head(s)) {
		pump_http_begin(d, s == SNIFF_HTTP_RESP, d->late && !is_head(s));
	} else if (s == SNIFF_TLS) {
		dismiss(d, PUMP_TLS);
	} else if (s == SNIFF_LSP) {
		pump_find(d, PUMP_F_LSP, 1, 0);
		dismiss(d, PUMP_NOTHING);
	} else {
		d->mode = PUMP_LINES;
		pump_lines_begin(d, d->late);
	}
}

static size_t step(struct pump_dir *d, struct sv in);

static void run(struct pump_dir *d, struct sv in)
{
	while (in.n) {
		size_t n = step(d, in);

		d->pos += n;
		in.p += n;
		in.n -= n;
	}
}

/* The bytes held back are decoded now, as what @s says. They end where the decision fell, which
 * is before anything could send the direction back to sniffing: no recursion beyond this. */
static void replay(struct pump_dir *d, enum sniff s)
{
	struct buf held = d->head;

	buf_init(&d->head, HTTP1_HEAD_MAX);
	d->pos = d->head_pos;
	decide(d, buf_sv(&held), s);
	run(d, buf_sv(&held));
	buf_done(&held);
}

/* A frame without the start of its connection. */
static bool joins_h2(const struct pump_dir *d, struct sv in)
{
	return d->late && d->behind != PUMP_HTTP && !d->p->http && http2_begins(in, HTTP2_PAYLOAD_MAX);
}

static bool joins_events(const struct pump_dir *d, struct sv in)
{
	if (!d->late || d->behind == PUMP_HTTP || (d->p->http && d->p->req_dir == d->dir))
		return false;
	return pump_chunk_events(in);
}

static size_t sniff_feed(struct pump_dir *d, struct sv in)
{
	enum sniff s = SNIFF_MORE;
	size_t i = 0;

	if (d->head.n == 0) {
		s = sniff(in);
		if (s == SNIFF_TEXT && joins_h2(d, in)) {
			pump_h2_begin(d, in, s);
			return 0;
		}
		if (s == SNIFF_TEXT && joins_events(d, in)) {
			pump_http_join(d);
			return 0;
		}
		if (s != SNIFF_MORE) {
			decide(d, in, s);
			return 0;
		}
		d->head_pos = d->pos;
	}
	while (i < in.n && s == SNIFF_MORE) {
		if (buf_add_ch(&d->head, in.p[i++]) != 0)
			s = SNIFF_TEXT;
		else
			s = sniff(buf_sv(&d->head));
	}
	if (s != SNIFF_MORE) {
		replay(d, s);
		d->pos -= i; /* the caller counts these */
	}
	return i;
}

/* Can these bytes not go on with a text of JSON, wherever it stands? A control byte, or a whole line of a head: neither strings nor
 * anything between them have such. */
static bool ends_json(struct sv in)
{
	const char *nl = memchr(in.p, '\n', in.n);
	unsigned char c = (unsigned char)in.p[0];

	if (c < ' ' && c != '\t' && c != '\r' && c != '\n')
		return true;
	return nl && nl > in.p && nl[-1] == '\r' && is_head(sniff((struct sv){ in.p, (size_t)(nl + 1 - in.p) }));
}

/* true where a feed may begin with an HTTP head although the direction is not known to be at
 * one. */
static bool may_begin(const struct pump_dir *d, struct sv in)
{
	if (!d->at_feed)
		return false;
	if (d->mode == PUMP_HTTP)
		return pump_http_lost(d);
	if (d->mode != PUMP_LINES || !pump_lines_unsure(d))
		return false;
	return !d->part.text.open || ends_json(in);
}

static size_t step(struct pump_dir *d, struct sv in)
{
	bool at_feed = d->at_feed;

	if (may_begin(d, in)) {
		d->behind = d->mode;
		d->mode = PUMP_SNIFF;
	}
	d->at_feed = false;
	switch (d->mode) {
	case PUMP_SNIFF:
		return sniff_feed(d, in);
	case PUMP_LINES:
		pump_lines_feed(d, in);
		return in.n;
	case PUMP_HTTP:
		return pump_http_feed(d, in);
	case PUMP_H2:
		return pump_h2_feed(d, in, at_feed);
	case PUMP_WS:
		return pump_ws_feed(d, in);
	default:
		return in.n;
	}
}

/* Stop sniffing: nothing more comes that could decide. */
static void sniff_end(struct pump_dir *d)
{
	if (d->mode != PUMP_SNIFF)
		return;
	if (d->head.n)
		replay(d, SNIFF_TEXT);
	else if (d->started)
		decide(d, (struct sv){ NULL, 0 }, SNIFF_TEXT);
}

void pump_gap(struct pump *p, uint8_t dir, uint64_t pos, uint64_t len)
{
	struct pump_dir *d = &p->d[dir & 1];
	uint64_t end = pos + len;

	if (!d->started)
		d->pos = pos;
	if (d->eof || end <= d->pos)
		return;
	len = end - d->pos;
	d->started = true;
	sniff_end(d);
	if (d->mode == PUMP_LINES) {
		p->ordinal = false;
		pump_lines_gap(d, len);
	} else if (d->mode == PUMP_HTTP) {
		pump_http_gap(d, len);
	} else if (d->mode == PUMP_H2) {
		pump_h2_gap(d, len);
	} else if (d->mode == PUMP_WS) {
		pump_ws_gap(d, len);
	}
	d->pos = end;
}

void pump_feed(struct pump *p, uint8_t dir, uint64_t pos, struct sv in)
{
	struct pump_dir *d = &p->d[dir & 1];

	if (d->eof || in.n == 0)
		return;
	if (!d->started)
		d->pos = pos;
	d->started = true;
	if (pos > d->pos)
		pump_gap(p, dir, d->pos, pos - d->pos);
	if (pos < d->pos) {
		uint64_t old = d->pos - pos;

		if (old >= in.n)
			return;
		in.p += old;
		in.n -= (size_t)old;
	}
	d->at_feed = true;
	run(d, in);
	d->at_feed = false;
}

void pump_eof(struct pump *p, uint8_t dir)
{
	struct pump_dir *d = &p->d[dir & 1];

	if (d->eof)
		return;
	if (d->head.n)
		sniff_end(d);
	d->eof = true;
	if (d->mode == PUMP_LINES)
		pump_lines_eof(d);
	else if (d->mode == PUMP_HTTP)
		pump_http_eof(d);
	if (p->h2)
		pump_h2_eof(d);
	if (p->http && d->dir != p->req_dir)
		pump_xchg_abort(p);
	pump_xchg_flush(p);
}

uint64_t pump_needs(const struct pump *p, uint8_t dir)
{
	const struct pump_dir *d = &p->d[dir & 1];
	uint64_t pos = d->pos;

	if (d->head.n && d->head_pos < pos)
		pos = d->head_pos;
	if (d->mode == PUMP_H2)
		return pump_h2_needs(d);
	if (d->mode == PUMP_WS)
		return pump_ws_needs(d);
	if (d->part.text.open && d->part.text.beg < pos)
		pos = d->part.text.beg;
	return pos;
}
