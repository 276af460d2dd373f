/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 in a pump: it says the same, whole or in pieces, and messages stand where it says. Input: one byte (bit 0:
 * joined late; the rest: size of the pieces), then steps: a byte that says which (see step) and in which direction, a byte
 * for its length or number, and bytes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/h2_wire.h"
#include "../unit/pump_record.h"

#define PING "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}"

struct fuzz {
	struct record r; /* first: it is what the ops get */
	const struct h2_wire *w;
};

/* Take @n bytes, or what there is. */
static struct sv take(struct sv *in, size_t n)
{
	struct sv v = { in->p, n < in->n ? n : in->n };

	in->p += v.n;
	in->n -= v.n;
	return v;
}

static void step(struct h2_wire *w, uint8_t what, uint8_t n, struct sv *in)
{
	uint8_t dir = what >> 7;
	uint32_t stream = 1 + 2 * (n & 7);
	struct sv v;

	switch (what & 7) {
	case 0:
		v = take(in, n);
		h2_seg(w, dir, v.p, v.n);
		break;
	case 1: /* type, flags, stream */
		v = take(in, 3);
		if (v.n == 3)
			h2_frame(w, dir, (struct http2_frame){ 0, v.p[2] & 0x0f, v.p[0] & 0x0f, (uint8_t)v.p[1], false },
				 take(in, n));
		break;
	case 2:
		h2_hole(w, dir, n);
		break;
	case 3:
		h2_eof(w, dir);
		break;
	case 4:
		h2_head(w, 0, stream, n >> 4 | HTTP2_END_HEADERS, ":method: POST\n*:path: /mcp\n");
		break;
	case 5:
		h2_head(w, 1, stream, n >> 4 | HTTP2_END_HEADERS,
			n & 8 ? ":status: 200\ncontent-type: text/event-stream\n" : "*:status: 200\n");
		break;
	case 6:
		h2_data(w, dir, stream, n >> 7, PING);
		break;
	default:
		h2_data(w, dir, stream, n >> 7, "event: message\ndata: " PING "\n\n");
	}
}

static void scene(struct h2_wire *w, struct sv in, bool late)
{
	if (!late)
		h2_hello(w);
	while (in.n >= 2 && w->n < H2_SEGS) {
		struct sv head = take(&in, 2);

		step(w, (uint8_t)head.p[0], (uint8_t)head.p[1], &in);
	}
}

/* The byte at @pos of @dir; of holes, 0. */
static char wire_at(const struct h2_wire *w, uint8_t dir, uint64_t pos)
{
	uint64_t at = SEGS_ORIGIN(dir);

	for (size_t i = 0; i < w->n; i++) {
		const struct seg *s = &w->segs[i];

		if (s->dir != dir)
			continue;
		if (pos < at + s->n)
			return s->p ? s->p[pos - at] : 0;
		at += s->n;
	}
	return 0;
}

static void on_msg(void *ctx, const struct pump_msg *m)
{
	struct fuzz *f = ctx;

	record_msg(&f->r, m);
	if (m->rpc->kind == RPC_OTHER || f->r.loose)
		return;
	if (wire_at(f->w, m->dir, m->beg) != '{' || wire_at(f->w, m->dir, m->end - 1) != '}')
		abort();
}

static void run(const struct h2_wire *w, struct pump_opts opts, size_t size, struct fuzz *f)
{
	struct pump_share share = { .codings_max = 2, .streams_max = 9 };
	struct pump_ops ops = record_ops(&f->r);
	struct pump *p;

	ops.msg = on_msg;
	f->w = w;
	buf_init(&f->r.text, 8 << 20);
	f->r.stop_http = true;
	opts.share = &share;
	p = pump_new(&opts, &ops);
	if (!p)
		abort();
	segs_run(p, w->segs, size, 0);
	if (pump_needs(p, 0) > SEGS_ORIGIN(0) + (1 << 20))
		abort();
	pump_free(p);
	if (share.streams || share.codings)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pump_opts opts = {
		.content_max = 64, .message_max = 4096, .inflate_max = 1 << 20, .streams_max = 12, .undecided_max = 4096
	};
	static struct h2_wire w;
	static struct fuzz f[3];
	struct sv in = { (const char *)data + 1, size - 1 };
	bool varies;

	if (size < 2)
		return 0;
	opts.late = data[0] & 1;
	scene(&w, in, opts.late);
	/* What follows a hole or a late start, and when content that does not decode is noticed, depends on where the pieces
	 * begin. */
	varies = opts.late || sv_ihas(in, SV("content-encoding"));
	for (size_t i = 0; i < w.n; i++)
		varies |= w.segs[i].what == SEG_GAP;
	for (size_t i = 0; i < 3; i++) {
		f[i] = (struct fuzz){ .r.loose = sv_ihas(in, SV("content-encoding")) };
		run(&w, opts, i == 0 ? 0 : i == 1 ? 1 : 1 + data[0] / 2, &f[i]);
	}
	for (size_t i = 1; i < 3 && !varies; i++) {
		if (sv_eq(buf_sv(&f[i].r.text), buf_sv(&f[0].r.text)))
			continue;
		fprintf(stderr, "%.*s-- whole\n%.*s-- in pieces\n", (int)f[0].r.text.n, f[0].r.text.p, (int)f[i].r.text.n,
			f[i].r.text.p);
		abort();
	}
	for (size_t i = 0; i < 3; i++)
		buf_done(&f[i].r.text);
	h2_done(&w);
	return 0;
}
