/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON scanner: chunking changes nothing, skipping changes no verdict.
 * Input: one byte of seed for the chunk sizes, then the text. */
#include <stdint.h>
#include <stdlib.h>

#include "proto/json.h"

/* Whole tokens hashed in order; that of an error's open token is left out. */
struct result {
	uint64_t hash, open;
	uint64_t taken;
	int err;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	return (h ^ v) * 0x9e3779b97f4a7c15ULL;
}

static void note(struct result *r, const struct json_token *t)
{
	if (t->first)
		r->open = mix(mix(r->hash, t->type), t->beg);
	for (size_t i = 0; i < t->text.n; i++)
		r->open = mix(r->open, (uint8_t)t->text.p[i]);
	if (t->last)
		r->hash = mix(r->open, t->end);
}

enum policy { ALL, SKIP_OUTER, SKIP_KEYS };

static int feed(struct json *j, struct sv in, enum policy policy, struct result *r)
{
	struct json_token t;
	int got;

	json_feed(j, in);
	for (;;) {
		got = json_next(j, &t);
		if (got <= 0)
			return got;
		note(r, &t);
		if (policy == SKIP_OUTER && (t.type == JSON_OBJECT || t.type == JSON_ARRAY))
			json_skip(j);
		if (policy == SKIP_KEYS && t.type == JSON_KEY && t.last)
			json_skip(j);
	}
}

/* @seed 0: whole. Each chunk is a block of its own size, so that a byte too far is seen. */
static struct result scan(struct sv in, uint32_t seed, enum policy policy)
{
	struct result r = { 0 };
	struct json_token t;
	struct json j;
	size_t n;

	json_init(&j);
	for (size_t at = 0; at < in.n && r.err == 0 && !json_done(&j); at += n) {
		n = in.n - at;
		if (seed) {
			seed = seed * 1664525 + 1013904223;
			n = n < 1 + (seed >> 28) ? n : 1 + (seed >> 28);
		}
		char *copy = malloc(n);

		memcpy(copy, in.p + at, n);
		r.err = feed(&j, (struct sv){ copy, n }, policy, &r);
		free(copy);
	}
	if (r.err == 0) {
		r.err = json_end(&j, &t);
		if (r.err > 0)
			note(&r, &t);
		r.err = r.err < 0 ? r.err : 0;
	}
	if (r.err == 0)
		r.taken = json_taken(&j);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole[3], cut;
	struct sv in;

	if (size == 0)
		return 0;
	in = (struct sv){ (const char *)data + 1, size - 1 };
	for (int p = ALL; p <= SKIP_KEYS; p++) {
		whole[p] = scan(in, 0, (enum policy)p);
		cut = scan(in, 1 + data[0], (enum policy)p);
		if (cut.hash != whole[p].hash || cut.err != whole[p].err ||
		    cut.taken != whole[p].taken)
			abort();
		if (whole[p].err != whole[ALL].err || whole[p].taken != whole[ALL].taken)
			abort();
	}
	return 0;
}
