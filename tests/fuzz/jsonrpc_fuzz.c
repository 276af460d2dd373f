/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC extraction: the same messages whole and in chunks.
 * Input: one byte of options, one of seed for the chunk sizes, then texts. */
#include <stdint.h>
#include <stdlib.h>

#include "proto/jsonrpc.h"

struct result {
	uint64_t hash;
	unsigned int n;
	ssize_t err;
};

static void add(struct result *r, const void *p, size_t n)
{
	const uint8_t *b = p;

	r->hash = (r->hash ^ n) * 0x9e3779b97f4a7c15ULL;
	for (size_t i = 0; i < n; i++)
		r->hash = (r->hash ^ b[i]) * 0x100000001b3ULL;
}

static void add_num(struct result *r, uint64_t v)
{
	add(r, &v, sizeof(v));
}

static void note(void *ctx, const struct rpc_msg *m)
{
	struct result *r = ctx;

	if (m->end < m->beg || m->bytes != m->end - m->beg)
		abort();
	r->n++;
	add_num(r, m->kind);
	add_num(r, m->batch);
	add_num(r, m->content_cut);
	add_num(r, m->beg);
	add_num(r, m->end);
	add_num(r, m->dup_keys);
	for (int f = 0; f < RPC_F_N; f++) {
		const struct rpc_value *v = &m->f[f];

		if (v->text.n > RPC_VALUE_MAX || (v->cut && v->text.n != RPC_VALUE_MAX))
			abort();
		add_num(r, (uint64_t)v->type << 1 | v->cut);
		add_num(r, v->hash);
		add(r, v->text.p, v->text.n);
	}
	add(r, m->params.p, m->params.n);
	add(r, m->result.p, m->result.n);
	add(r, m->error.p, m->error.n);
}

/* @seed 0: whole. Each chunk is a block of its own size, so that a byte too far is seen. */
static struct result decode(struct sv in, struct rpc_opts opts, uint32_t seed)
{
	struct result res = { 0 };
	struct rpc *r;
	uint64_t beg;
	ssize_t took;
	size_t n;

	opts.msg = note;
	opts.ctx = &res;
	r = rpc_new(&opts);
	if (!r)
		abort();
	for (size_t at = 0; at < in.n; at += took ? (size_t)took : n) {
		n = in.n - at;
		if (seed) {
			seed = seed * 1664525 + 1013904223;
			n = n < 1 + (seed >> 28) ? n : 1 + (seed >> 28);
		}
		char *copy = malloc(n);

		memcpy(copy, in.p + at, n);
		took = rpc_feed(r, (struct sv){ copy, n });
		free(copy);
		if (took > (ssize_t)n)
			abort();
		if (took < 0)
			break;
	}
	res.err = rpc_end(r);
	if (rpc_open(r, &beg))
		abort();
	rpc_free(r);
	return res;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_opts opts = { 0 };
	struct result whole, cut;
	struct sv in;

	if (size < 2)
		return 0;
	opts.content_max = data[0] & 1 ? 16u << (data[0] >> 2 & 7) : 0;
	opts.text_max = data[0] & 2 ? 64 : 0;
	in = (struct sv){ (const char *)data + 2, size - 2 };
	whole = decode(in, opts, 0);
	cut = decode(in, opts, 1 + data[1]);
	if (whole.hash != cut.hash || whole.n != cut.n || whole.err != cut.err)
		abort();
	return 0;
}
