/* SPDX-License-Identifier: Apache-2.0 */
/* Records in, messages out: joins connections, reassembly and the pumps. */
#include "flow/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow/conn.h"
#include "flow/stream.h"
#include "proto/http2.h"

#define MESSAGE_MAX (64ull << 20)
#define CODINGS_MAX 64 /* of up to 9 MiB a layer each */
#define H2_STREAMS_MAX 4096 /* of HTTP/2, of up to 9 KiB each and 37 KiB of what the peers say in their heads */

struct flow *flow_new(const struct flow_opts *opts, const struct flow_ops *ops)
{
	struct flow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->opts = *opts;
	f->share.codings_max = CODINGS_MAX;
	f->share.streams_max = H2_STREAMS_MAX;
	f->ops = *ops;
	if (table_init(&f->keys, opts->conns_max * 2) || table_init(&f->joins, opts->conns_max) ||
	    table_init(&f->ids, opts->conns_max * 4 + 8) || table_init(&f->hellos, CONN_HELLOS) ||
	    table_init(&f->readers, CONN_HELLOS) || parts_init(&f->parts)) {
		flow_free(f);
		errno = ENOMEM;
		return NULL;
	}
	return f;
}

void flow_free(struct flow *f)
{
	if (!f)
		return;
	while (f->keys.oldest)
		conn_free(f, table_entry(f->keys.oldest, struct conn_key, node)->conn);
	table_done(&f->keys);
	table_done(&f->joins);
	table_done(&f->ids);
	conn_tls_free(f);
	parts_done(&f->parts);
	free(f);
}

static uint64_t mark_first(const struct flow_stream *s, int end, uint64_t pos)
{
	const struct mark *m = marks_at(&s->marks[end], pos);

	return m ? m->first : 0;
}

static uint64_t mark_last(const struct flow_stream *s, int end, uint64_t pos)
{
	const struct mark *m = marks_at(&s->marks[end], pos);

	return m ? m->last : 0;
}

/* When byte @pos was written. A write ends after its reader went on; where the reader's own times are not used, it counts from
 * its beginning. */
static uint64_t last_written(const struct flow_stream *s, uint64_t pos)
{
	return s->only == 1 + END_WRITE && s->conn->sock[1].known ? mark_first(s, END_WRITE, pos) :
								    mark_last(s, END_WRITE, pos);
}

static struct flow_proc mark_who(const struct flow_stream *s, int end, uint64_t pos)
{
	const struct mark *m = marks_at(&s->marks[end], pos);

	return m ? m->who : conn_proc(s->conn, s, end);
}

/* An answer may take hours, and with HTTP/2 other requests come meanwhile. */
static void on_http_begin(void *ctx, struct pump_http *x)
{
	struct flow_conn *c = ctx;
	const struct flow_stream *req = &c->s[x->req_dir];

	for (int end = 0; end < 2; end++) {
		struct flow_proc who = mark_who(req, end, x->req_beg);

		x->asked.end[end].first = mark_first(req, end, x->req_beg);
		x->asked.end[end].start = who.start;
		x->asked.end[end].pid = who.pid;
	}
}

/* Times of an exchange as far as its parts are known. */
static void http_times(struct flow_conn *c, const struct pump_http *x, uint64_t *ret_first,
		       uint64_t *ret_last)
{
	const struct flow_stream *resp = &c->s[!x->req_dir];
	uint64_t w = x->asked.end[END_WRITE].first, r = x->asked.end[END_READ].first;

	*ret_first = w && (!r || w < r) ? w : r;
	*ret_last = 0;
	if (x->resp_end) {
		r = mark_last(resp, END_READ, x->resp_end - 1);
		*ret_last = r ? r : last_written(resp, x->resp_end - 1);
	}
}

/* Named once; echo and line editing change the bytes, so calls would be guesses. */
static void on_terminal(struct flow_conn *c, const struct pump_msg *m)
{
	struct flow_stream *s = &c->s[m->dir];
	struct flow_proc who = mark_who(s, END_WRITE, m->beg);

	if (c->other || m->rpc->kind == RPC_OTHER)
		return;
	c->other = true;
	conn_verdict(c, 0xff, V_NO);
	c->flow->ops.terminal(c->flow->ops.ctx, who.pid ? who : mark_who(s, END_READ, m->beg),
			      c->flow->now);
}

/* enum tls_stack of the end that asks in direction @req_dir, else of the other one. */
static uint8_t tls_of(const struct flow_conn *c, uint8_t req_dir)
{
	return c->tls[req_dir] ? c->tls[req_dir] : c->tls[!req_dir];
}

static uint8_t req_dir_of(const struct pump_msg *m)
{
	bool answer = m->rpc->kind == RPC_RESULT || m->rpc->kind == RPC_ERROR;

	return m->http ? m->http->req_dir : answer ? !m->dir : m->dir;
}

/* When the client was seen to have closed its side; 0: not. What it reads after it closed the connection it hands to nobody; after
 * it closed its half, it may wait for the answer, read at @last_r. */
static uint64_t client_gone(const struct flow_conn *c, uint8_t req_dir, uint64_t last_r)
{
	const struct flow_stream *req = &c->s[req_dir], *resp = &c->s[!req_dir];

	if (resp->eof && resp->reader_gone)
		return resp->eof_ts;
	return req->eof && !last_r ? req->eof_ts : 0;
}

static void on_msg(void *ctx, const struct pump_msg *m)
{
	struct flow_conn *c = ctx;
	struct flow *f = c->flow;
	struct flow_stream *s = &c->s[m->dir];
	struct flow_msg out = {
		.pump = m,
		.stream = s->id,
		.reverse = c->chan == CHAN_PIPE ? 0 : c->s[!m->dir].id,
		.chan = c->chan,
		.tls = tls_of(c, req_dir_of(m)),
		.writer = mark_who(s, END_WRITE, m->beg),
		.reader = mark_who(s, END_READ, m->end - 1),
		.writer_unread = conn_unread(c, s, END_WRITE),
		.reader_unread = conn_unread(c, s, END_READ),
		.uncertain = s->raced,
		.late = c->late,
	};

	if (c->chan == CHAN_TTY) {
		on_terminal(c, m);
		return;
	}
	out.t.first_w = mark_first(s, END_WRITE, m->beg);
	out.t.last_w = last_written(s, m->end - 1);
	out.t.first_r = mark_first(s, END_READ, m->beg);
	out.t.last_r = mark_last(s, END_READ, m->end - 1);
	conn_addrs(c, s, &out.src, &out.dst);
	if (m->http) {
		http_times(c, m->http, &out.http_first_w, &out.http_last_r);
		out.http_client_gone = client_gone(c, m->http->req_dir, out.t.last_r);
	}
	f->ops.msg(f->ops.ctx, &out);
}

static struct flow_proc asked_who(const struct flow_conn *c, const struct pump_http *x, int end)
{
	struct flow_proc who = { .pid = x->asked.end[end].pid, .start = x->asked.end[end].start };

	return who.pid ? who : conn_proc(c, &c->s[x->req_dir], end);
}

/* When the client took its request back. */
static uint64_t reset_ts(const struct flow_conn *c, const struct pump_http *x)
{
	const struct flow_stream *req = &c->s[x->req_dir];
	uint64_t w = mark_last(req, END_WRITE, x->reset_end - 1);

	return w ? w : mark_last(req, END_READ, x->reset_end - 1);
}

static void http_fill(struct flow_conn *c, const struct pump_http *x, struct flow_http *out)
{
	struct flow_stream *req = &c->s[x->req_dir], *resp = &c->s[!x->req_dir];

	memset(out, 0, sizeof(*out));
	out->http = x;
	out->req_stream = req->id;
	out->resp_stream = resp->id;
	out->chan = c->chan;
	out->tls = tls_of(c, x->req_dir);
	conn_addrs(c, req, &out->client_addr, &out->server_addr);
	http_times(c, x, &out->first_w, &out->last_r);
	if (x->has_request) {
		out->client = asked_who(c, x, END_WRITE);
		out->server = asked_who(c, x, END_READ);
	}
	if (!out->last_r)
		out->last_r = c->flow->now;
	out->client_gone = client_gone(c, x->req_dir, 0);
	if (x->reset_end)
		out->client_gone = reset_ts(c, x);
}

static void on_http_done(void *ctx, const struct pump_http *x)
{
	struct flow_conn *c = ctx;
	struct flow_http out;

	http_fill(c, x, &out);
	c->flow->ops.http_done(c->flow->ops.ctx, &out);
}

static void on_endpoint(void *ctx, const struct pump_http *x, struct sv uri)
{
	struct flow_conn *c = ctx;
	struct flow_http out;

	http_fill(c, x, &out);
	c->flow->ops.endpoint(c->flow->ops.ctx, &out, uri);
}

static void on_finding(void *ctx, uint8_t dir, enum pump_finding w, uint64_t n, uint64_t bytes)
{
	struct flow_conn *c = ctx;

	c->flow->ops.finding(c->flow->ops.ctx, c->s[dir].id, w, n, bytes);
}

/* JSON-RPC in one direction: the other one carries the answers. */
static void on_verdict(void *ctx, uint8_t dir, enum pump_verdict v)
{
	struct flow_conn *c = ctx;

	switch (v) {
	case PUMP_RPC:
		if (!c->rpc) {
			c->rpc = true;
			c->flow->stats.rpc_conns++;
		}
		if (c->chan != CHAN_TTY)
			conn_verdict(c, 0xff, c->sure ? V_YES : V_RPC);
		break;
	case PUMP_NOTHING:
		if (c->rpc)
			break;
		c->http = c->chan != CHAN_PIPE;
		c->other = true;
		conn_verdict(c, 0xff, c->http ? V_NO_HTTP : V_NO);
		break;
	case PUMP_TLS:
		c->other = true;
		conn_verdict(c, 0xff, V_NO);
		break;
	default:
		(void)dir;
		break;
	}
}

struct pump *conn_pump(struct flow_conn *c)
{
	struct pump_ops ops = { on_msg,	     on_http_begin, on_http_done, on_endpoint,
				on_verdict, on_finding,	   c };
	struct pump_opts opts = {
		.content_max = c->flow->opts.content_max,
		.message_max = MESSAGE_MAX,
		.inflate_max = MESSAGE_MAX,
		.exchanges_max = 512,
		.undecided_max = c->stdio || c->late ? STDIO_BYTES : UNDECIDED_BYTES,
		.late = c->late,
		.share = &c->flow->share,
	};

	if (!c->pump && !c->other)
		c->pump = pump_new(&opts, &ops);
	return c->pump;
}

/* TCP: the first record does not begin where the connection does. */
static bool joined_late(const struct flow_conn *c, const struct flow_stream *s, uint64_t pos)
{
	uint32_t base = s->dir == 0 ? c->sock[0].base_tx : c->sock[0].base_rx;

	return !s->started && c->sock[0].known && !c->pump && (uint32_t)pos - base > 1;
}

/* A FIFO was read to its end, and now somebody opened it again: not the same stream. */
static bool begun_anew(const struct flow_conn *c, const struct ev_data *d)
{
	return c->dead && d->chan == CHAN_PIPE && d->pos >= c->s[0].eof_pos &&
	       d->hdr.ts > c->s[0].eof_ts;
}

/* @in came on a connection that was given up as HTTP. The rest of it is shown again once there is JSON-RPC: with HTTP/1 in
 * @in itself, with HTTP/2 perhaps not until the next head. */
static bool reopen(struct flow_conn *c, struct sv in)
{
	bool h2 = http2_asks(in);

	if (!h2 && !sv_starts(in, SV("POST ")))
		return false;
	conn_reopen(c);
	if (h2)
		conn_verdict(c, 0xff, V_NONE);
	return true;
}

static void feed_data(struct flow *f, const struct ev_data *d)
{
	uint8_t dir;
	struct flow_conn *c = conn_get(f, &d->key, d->chan, &dir);

	if (c && begun_anew(c, d)) {
		conn_free(f, c);
		c = conn_get(f, &d->key, d->chan, &dir);
	}
	if (!c || d->hdr.ts <= c->late_ts || (c->s[dir].only && c->s[dir].only != 1 + d->end))
		return;
	if (c->other) {
		if (!c->http || !reopen(c, (struct sv){ (const char *)d->data, d->have }))
			return;
	}
	if (d->chan == CHAN_TCP && joined_late(c, &c->s[dir], d->pos))
		c->late = true;
	stream_data(f, &c->s[dir], d);
}

static void feed_part(void *ctx, const struct ev_data *d)
{
	feed_data(ctx, d);
}

static void feed_close(struct flow *f, const struct ev_close *e)
{
	struct table_node *n = table_peek(&f->keys, &e->key, sizeof(e->key));
	struct conn_key *k = n ? table_entry(n, struct conn_key, node) : NULL;
	struct flow_stream *s;

	if (!k)
		return;
	s = &k->conn->s[k->dir];
	/* The writer is gone, but its reader is on this host and may have bytes to read: it will tell. */
	if (s->eof || (e->hdr.flags & EV_F_DONE && e->end == END_WRITE && k->conn->sock[1].known))
		return;
	s->eof = true;
	s->eof_pos = e->chan == CHAN_TLS ? 0 : e->pos; /* what was received may still be decrypted */
	s->eof_ts = e->hdr.ts;
	s->reader_gone = e->end == END_READ && e->hdr.flags & EV_F_DONE;
	stream_run(f, s, f->now);
}

/* fd 0 and 1 of a new program: one stdio set, and its streams are looked at anew. */
static void feed_exec(struct flow *f, const struct ev_exec *e)
{
	struct flow_proc p = { .pid = e->hdr.pid, .start = e->start };
	struct flow_conn *in, *out;
	uint8_t in_dir, out_dir;

	if (!e->in.obj || !e->out.obj)
		return;
	in = conn_get(f, &e->in, e->in_chan, &in_dir);
	if (!in)
		return;
	conn_reopen(in);
	in->stdio = true;
	out = conn_get(f, &e->out, e->out_chan, &out_dir);
	if (!out)
		return;
	conn_reopen(out);
	out->stdio = true;
	in = conn_get(f, &e->in, e->in_chan, &in_dir); /* the second may have evicted the first */
	if (in)
		f->ops.stdio_set(f->ops.ctx, in->s[in_dir].id, out->s[out_dir].id, p);
}

void flow_feed(struct flow *f, const struct ev_hdr *h)
{
	if (h->ts > f->now)
		f->now = h->ts;
	switch (h->kind) {
	case EV_DATA:
		if (h->flags & EV_F_PART)
			parts_add(&f->parts, (const struct ev_data *)h, h->ts);
		else
			feed_data(f, (const struct ev_data *)h);
		break;
	case EV_JOIN:
		parts_join(&f->parts, (const struct ev_join *)h, feed_part, f);
		break;
	case EV_OPEN:
		conn_open(f, (const struct ev_open *)h);
		break;
	case EV_CLOSE:
		feed_close(f, (const struct ev_close *)h);
		break;
	case EV_HOOKED:
		conn_hooked(f, (const struct ev_hooked *)h);
		break;
	case EV_HELLO:
		conn_hello(f, (const struct ev_hello *)h);
		break;
	case EV_EXEC:
		feed_exec(f, (const struct ev_exec *)h);
		break;
	default:
		break;
	}
}

void flow_tick(struct flow *f, uint64_t now)
{
	struct flow_stream *s = f->waiting, *next;

	if (now > f->now)
		f->now = now;
	for (; s; s = next) {
		next = s->wait_next;
		stream_run(f, s, f->now);
	}
	conn_bury(f, f->now);
	parts_tick(&f->parts, f->now);
}

void flow_flush(struct flow *f, uint64_t now)
{
	struct flow_stream *s, *next;

	if (now > f->now)
		f->now = now;
	for (s = f->waiting; s; s = next) {
		next = s->wait_next;
		stream_flush(f, s, f->now);
	}
}

void flow_verdict(struct flow *f, uint64_t stream, bool is_mcp)
{
	struct table_node *n = table_peek(&f->ids, &stream, sizeof(stream));
	const uint64_t *id;
	struct flow_conn *c;

	if (!n)
		return;
	id = n->key;
	c = table_entry(id, struct flow_stream, id)->conn;
	if (is_mcp) {
		c->sure = true;
		conn_verdict(c, 0xff, V_YES);
		for (int i = 0; i < 2; i++)
			conn_both(c, &c->s[i]);
	} else if (!c->sure) {
		c->other = true;
		conn_verdict(c, 0xff, V_NO);
	}
}

void flow_stats(const struct flow *f, struct flow_stats *ret)
{
	*ret = f->stats;
	ret->codings_full = f->share.codings_full;
	ret->h2_streams_full = f->share.streams_full;
	ret->parts_dropped = f->parts.dropped;
}
