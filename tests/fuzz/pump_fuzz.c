/* SPDX-License-Identifier: Apache-2.0 */
/* The pump: it says the same, whole or in pieces. Input: one byte (bit 0: joined late; the rest:
 * size of the pieces), then bytes, with 0xff as an escape: 0 and 1 choose the direction, e ends
 * it, g and a byte make a hole, 0xff is itself. */
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>

#include "../unit/pump_record.h"
#include "../unit/pump_segs.h"

#define SEGS_MAX 128

struct script {
	struct seg segs[SEGS_MAX + 1];
	size_t n;
	bool holes;
};

static void add(struct script *s, struct seg seg)
{
	if (s->n < SEGS_MAX && (seg.n || seg.what == SEG_EOF))
		s->segs[s->n++] = seg;
}

static void parse(struct script *s, const char *p, size_t n)
{
	uint8_t dir = 0;
	size_t from = 0, i = 0;

	for (; i + 1 < n; i++) {
		char op = p[i + 1];

		if ((uint8_t)p[i] != 0xff || !strchr("01eg", op) || !op)
			continue;
		add(s, (struct seg){ dir, p + from, i - from, SEG_BYTES });
		if (op == '0' || op == '1')
			dir = op == '1';
		if (op == 'e')
			add(s, (struct seg){ dir, NULL, 0, SEG_EOF });
		i++;
		if (op == 'g' && i + 1 < n) {
			add(s, (struct seg){ dir, NULL, (uint8_t)p[++i], SEG_GAP });
			s->holes = true;
		}
		from = i + 1;
	}
	if (from < n)
		add(s, (struct seg){ dir, p + from, n - from, SEG_BYTES });
}

static void run(const struct script *s, const struct pump_opts *opts, size_t step, struct record *r)
{
	struct pump_ops ops = record_ops(r);
	struct pump *p = pump_new(opts, &ops);

	if (!p)
		abort();
	buf_init(&r->text, 8 << 20);
	r->stop_http = true;
	segs_run(p, s->segs, step, 0);
	if (pump_needs(p, 0) > SEGS_ORIGIN(0) + (1 << 20))
		abort();
	pump_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pump_opts opts = { .content_max = 64,
				  .message_max = 4096,
				  .inflate_max = 1 << 20,
				  .exchanges_max = 4,
				  .undecided_max = 256 };
	struct script s = { .n = 0 };
	struct record r[3] = { 0 };
	struct sv in = { (const char *)data + 1, size - 1 };
	bool varies;

	if (size < 2)
		return 0;
	opts.late = data[0] & 1;
	parse(&s, in.p, in.n);
	/* What follows a hole, a late start, CONNECT or an upgrade, and how much of broken content comes
	 * out, depends on where the pieces begin. */
	varies = s.holes || opts.late || sv_ihas(in, SV("CONNECT ")) || sv_ihas(in, SV("websocket"));
	for (size_t i = 0; i < 3; i++) {
		r[i].loose = sv_ihas(in, SV("content-encoding"));
		run(&s, &opts, i == 0 ? 0 : i == 1 ? 1 : 1 + data[0] / 2, &r[i]);
		varies |= r[i].coding;
	}
	for (size_t i = 1; i < 3 && !varies; i++) {
		if (sv_eq(buf_sv(&r[i].text), buf_sv(&r[0].text)))
			continue;
		fprintf(stderr, "%.*s-- whole\n%.*s-- in pieces\n", (int)r[0].text.n, r[0].text.p,
			(int)r[i].text.n, r[i].text.p);
		abort();
	}
	for (size_t i = 0; i < 3; i++)
		buf_done(&r[i].text);
	return 0;
}
