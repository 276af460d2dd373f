/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON text of a pump: feeds the scanner, keeps track of where its bytes lie on the wire,
 * hands messages out. Lines, bodies and SSE data all end up here. */
#include "flow/pump_int.h"

#include <errno.h>

/* What a text that breaks was: '{' is JSON gone wrong; "[info] started" is no JSON at all. */
enum { SHAPE_OBJECT, SHAPE_BRACKET, SHAPE_BATCH, SHAPE_WORDS };

static uint64_t wire(const struct pump_span *s, uint64_t i)
{
	return s->coded ? s->beg : s->beg + i;
}

/* The scanner tells where objects begin, not other values: those have the position of their
 * text. */
static uint64_t wire_beg(const struct pump_text *t, const struct rpc_msg *m)
{
	if (m->kind == RPC_OTHER)
		return t->beg;
	return m->beg >= t->part ? wire(&t->span, m->beg - t->part) : t->msg_beg;
}

/* A number ends in the part behind it. */
static uint64_t wire_end(const struct pump_text *t, const struct rpc_msg *m)
{
	if (m->end <= t->part)
		return t->part_end;
	return t->span.coded ? t->span.end : wire(&t->span, m->end - t->part - 1) + 1;
}

/* Everything that has to be true once JSON-RPC was seen in @d. */
static void rpc_seen(struct pump_dir *d)
{
	struct pump *p = d->p;

	d->quiet = 0;
	if (d->mode == PUMP_LINES) {
		pump_set_verdict(d, PUMP_RPC);
		return;
	}
	p->quiet = 0;
	p->quiet_x = 0;
	pump_set_verdict(&p->d[0], PUMP_RPC);
	pump_set_verdict(&p->d[1], PUMP_RPC);
}

static void hand_out(struct pump_part *part, const struct rpc_msg *m)
{
	const struct pump_text *t = &part->text;
	struct pump_xchg *x = part->x;
	struct pump *p = part->d->p;
	struct pump_msg out = {
		.rpc = m,
		.dir = part->d->dir,
		.beg = wire_beg(t, m),
		.end = wire_end(t, m),
		.lost = part->lost,
		.http = x ? &x->pub : NULL,
	};

	if (x && part->body.sse) {
		out.sse = true;
		out.sse_event = sse_event(part->body.sse);
		out.sse_id = sse_id(part->body.sse);
	}
	if (x && m->kind != RPC_OTHER)
		x->pub.rpc++;
	part->lost = 0;
	if (p->ops.msg)
		p->ops.msg(p->ops.ctx, &out);
}

static void on_msg(void *ctx, const struct rpc_msg *m)
{
	struct pump_part *part = ((struct pump *)ctx)->speaks;
	struct pump_dir *d = part->d;
	const struct rpc_value *v = &m->f[RPC_F_JSONRPC];

	/* Behind a hole a '{' may be the inside of something else. */
	if (d->mode == PUMP_LINES && d->lines.doubt &&
	    (m->kind == RPC_OTHER || v->type != RPC_STRING || !sv_eq(v->text, SV("2.0"))))
		return;
	if (m->kind != RPC_OTHER)
		rpc_seen(d);
	/* The JSON of programs that speak no JSON-RPC concerns nobody. */
	if (d->verdict == PUMP_RPC)
		hand_out(part, m);
}

static struct rpc *rpc_take(struct pump *p)
{
	struct rpc_opts opts = { .content_max = p->opts.content_max,
				 .text_max = p->opts.message_max,
				 .strict = true,
				 .marks = true,
				 .msg = on_msg,
				 .ctx = p };
	struct rpc *r = p->spare;

	p->spare = NULL;
	if (r)
		rpc_reset(r);
	return r ? r : rpc_new(&opts);
}

/* A pump keeps one decoder: most of the time one text is open, or none. */
void pump_text_drop(struct pump_part *part)
{
	struct pump *p = part->d->p;

	if (p->spare)
		rpc_free(part->text.rpc);
	else
		p->spare = part->text.rpc;
	part->text.rpc = NULL;
	part->text.open = false;
}

void pump_text_begin(struct pump_part *part, uint64_t pos)
{
	struct pump_text *t = &part->text;

	if (t->rpc)
		rpc_reset(t->rpc);
	else
		t->rpc = rpc_take(part->d->p);
	t->open = true;
	t->off = 0;
	t->shape = SHAPE_OBJECT;
	t->beg = pos;
}

/* Look at the first byte of the text, and behind '[' at the first one that is not blank. */
static void look(struct pump_text *t, struct sv in)
{
	size_t i = 0;

	if (t->off == 0 && in.n && in.p[i++] == '[')
		t->shape = SHAPE_BRACKET;
	for (; t->shape == SHAPE_BRACKET && i < in.n; i++)
		if (in.p[i] != ' ' && in.p[i] != '\t' && in.p[i] != '\r' && in.p[i] != '\n')
			t->shape = in.p[i] == '{' ? SHAPE_BATCH : SHAPE_WORDS;
}

ssize_t pump_text_feed(struct pump_part *part, struct sv in, struct pump_span span)
{
	struct pump_text *t = &part->text;
	uint64_t beg;
	ssize_t n;

	look(t, in);
	t->part = t->off;
	t->part_end = t->span.end;
	t->span = span;
	part->d->p->speaks = part;
	n = t->rpc ? rpc_feed(t->rpc, in) : -ENOMEM;
	if (n != 0) {
		pump_text_drop(part);
		return n;
	}
	t->off += in.n;
	if (rpc_open(t->rpc, &beg) && beg >= t->part)
		t->msg_beg = wire(&span, beg - t->part);
	return 0;
}

enum pump_finding pump_text_broken(const struct pump_part *part, ssize_t err)
{
	if (err == -EMSGSIZE)
		return PUMP_F_TOO_LONG;
	if (part->text.shape == SHAPE_OBJECT || part->text.shape == SHAPE_BATCH)
		return PUMP_F_BAD_JSON;
	return PUMP_F_NOISE;
}
