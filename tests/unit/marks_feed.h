/* SPDX-License-Identifier: Apache-2.0 */
/* Marks of one message, in any chunking. For tests. */
#ifndef MCPVIGIL_TESTS_MARKS_FEED_H
#define MCPVIGIL_TESTS_MARKS_FEED_H

#include <stdlib.h>

#include "proto/jsonrpc.h"

/* What a message left, in which all bytes are defined, copied out of its callback. */
struct marked {
	unsigned int n; /* messages */
	uint8_t kind;
	bool has;
	struct rpc_marks marks;
	struct rpc_tool tools[RPC_TOOLS_MAX];
	uint32_t n_tools;
	bool tools_cut;
};

static void marked_note(void *ctx, const struct rpc_msg *m)
{
	struct marked *to = ctx;

	to->n++;
	to->kind = m->kind;
	to->has = m->marks;
	to->n_tools = m->n_tools;
	to->tools_cut = m->tools_cut;
	memset(&to->marks, 0, sizeof(to->marks));
	memset(to->tools, 0, sizeof(to->tools));
	if (m->n_tools)
		memcpy(to->tools, m->tools, m->n_tools * sizeof(to->tools[0]));
	if (!m->marks)
		return;
	memcpy(&to->marks, m->marks, sizeof(to->marks));
	/* What lies behind the counts is nobody's. */
	memset(to->marks.head + to->marks.head_n, 0, sizeof(to->marks.head) - to->marks.head_n);
	for (uint8_t i = to->marks.n_ints; i < MARKS_INTS; i++)
		memset(&to->marks.ints[i], 0, sizeof(to->marks.ints[i]));
}

/* Cut after @first bytes, then each @step; every chunk is a block of its own size. The rest of rpc_feed's return. */
static ssize_t marked_feed(struct sv in, size_t first, size_t step, struct marked *ret)
{
	const struct rpc_opts opts = { .marks = true, .msg = marked_note, .ctx = ret };
	struct rpc *r = rpc_new(&opts);
	ssize_t got = 0;
	size_t n = first ? first : step;

	memset(ret, 0, sizeof(*ret));
	if (!r)
		abort();
	for (size_t at = 0; at < in.n && got == 0; at += n, n = step) {
		char *copy;

		n = n < in.n - at ? n : in.n - at;
		copy = malloc(n);
		if (!copy)
			abort();
		memcpy(copy, in.p + at, n);
		got = rpc_feed(r, (struct sv){ copy, n });
		free(copy);
	}
	rpc_free(r);
	return got;
}

static bool marked_same(const struct marked *a, const struct marked *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

#endif
