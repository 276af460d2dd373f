/* SPDX-License-Identifier: Apache-2.0 */
/* A pump's tests: feed segments in every cut and compare the record with a text. Include cmocka
 * first. */
#ifndef MCPVIGIL_TESTS_PUMP_EXPECT_H
#define MCPVIGIL_TESTS_PUMP_EXPECT_H

#include "pump_record.h"
#include "pump_segs.h"

#define TO(text)                                                                                   \
	{                                                                                          \
		0, text, sizeof(text) - 1, SEG_BYTES                                               \
	} /* to the server */
#define FROM(text)                                                                                 \
	{                                                                                          \
		1, text, sizeof(text) - 1, SEG_BYTES                                               \
	} /* from it */
#define GAP(dir, n)                                                                                \
	{                                                                                          \
		dir, NULL, n, SEG_GAP                                                              \
	}
#define EOF_OF(dir)                                                                                \
	{                                                                                          \
		dir, NULL, 0, SEG_EOF                                                              \
	}
#define END                                                                                        \
	{                                                                                          \
		0, NULL, 0, SEG_BYTES                                                              \
	}

static struct pump_opts expect_opts; /* set before each test by expect_setup */
static bool expect_loose;

static inline int expect_setup(void **state)
{
	(void)state;
	expect_loose = false;
	expect_opts = (struct pump_opts){ .undecided_max = 65536 };
	return 0;
}

/* The record, and all that was fed in each direction, holes as zeros. */
struct expect {
	struct record r;
	struct buf wire[2];
};

/* Messages stand where they say. */
static inline void expect_msg(void *ctx, const struct pump_msg *m)
{
	struct expect *e = ctx;
	const struct buf *w = &e->wire[m->dir];
	uint64_t origin = SEGS_ORIGIN(m->dir);

	record_msg(&e->r, m);
	if (m->rpc->kind == RPC_OTHER || e->r.loose)
		return;
	assert_in_range(m->beg, origin, origin + w->n - 2);
	assert_in_range(m->end, m->beg + 2, origin + w->n);
	assert_int_equal(w->p[m->beg - origin], '{');
	assert_int_equal(w->p[m->end - 1 - origin], '}');
}

static inline void expect_wire(struct expect *e, const struct seg *segs)
{
	buf_init(&e->wire[0], 1 << 23);
	buf_init(&e->wire[1], 1 << 23);
	for (const struct seg *s = segs; s->p || s->what != SEG_BYTES; s++)
		for (size_t i = 0; i < s->n; i++)
			buf_add_ch(&e->wire[s->dir], s->p ? s->p[i] : 0);
}

static inline void expect_once(const struct seg *segs, size_t step, size_t cut, const char *want)
{
	struct expect e = { 0 };
	struct record *r = &e.r;
	struct pump_ops ops = record_ops(r);
	struct pump *p;

	ops.msg = expect_msg; /* the record comes first in struct expect */
	r->loose = expect_loose;
	expect_wire(&e, segs);
	buf_init(&r->text, 1 << 22);
	p = pump_new(&expect_opts, &ops);
	assert_non_null(p);
	segs_run(p, segs, step, cut);
	pump_free(p);
	buf_add_ch(&r->text, 0);
	if (strcmp(r->text.p, want) != 0)
		print_error("step %zu, cut %zu:\n%s-- instead of\n%s--\n", step, cut, r->text.p,
			    want);
	assert_string_equal(r->text.p, want);
	buf_done(&r->text);
	buf_done(&e.wire[0]);
	buf_done(&e.wire[1]);
}

/* Whole, in pieces of 1, 2, 7 bytes, and cut at every position. */
static inline void expect(const struct seg *segs, const char *want)
{
	size_t total = 0;

	for (const struct seg *s = segs; s->p || s->what != SEG_BYTES; s++)
		total += s->what == SEG_BYTES ? s->n : 0;
	expect_once(segs, 0, 0, want);
	expect_once(segs, 1, 0, want);
	expect_once(segs, 2, 0, want);
	expect_once(segs, 7, 0, want);
	for (size_t cut = 1; cut < total; cut++)
		expect_once(segs, 0, cut, want);
}

#endif
