/* SPDX-License-Identifier: Apache-2.0 */
/* Marks: the same of a message whole and in chunks; masking against the slow one.
 * Input: one byte of options, one of seed for the chunk sizes, then texts. */
#include <stdint.h>

#include "../unit/marks_feed.h"
#include "../unit/mask_slow.c"

static struct marked whole, cut;

static void put(void *ctx, const char *p, size_t n)
{
	struct sv *to = ctx;

	memcpy((char *)to->p + to->n, p, n);
	to->n += n;
}

/* In pieces of their own size, so that a byte too far is seen. */
static void mask_pieces(struct sv in, size_t first, size_t step, struct sv *ret)
{
	const struct mask_out out = { put, ret };
	struct mask m;
	size_t at = 0, end = first < in.n ? first : in.n, took;
	bool last = false;

	mask_init(&m);
	while (!last) {
		size_t n = end - at;
		char *copy = malloc(n);

		if (n)
			memcpy(copy, in.p + at, n);
		last = end == in.n;
		took = mask_run(&m, (struct sv){ copy, n }, last, &out);
		free(copy);
		if (took > n || (!last && n - took > MASK_KEPT) || (last && took != n))
			abort();
		at += took;
		end = in.n - end < step ? in.n : end + step;
	}
}

/* The slow one takes time by the square. */
static void check_mask(struct sv in, uint8_t seed)
{
	char want[1500], got[1500];
	struct sv to = { got, 0 };
	size_t n;

	in.n = in.n < sizeof(want) ? in.n : sizeof(want);
	n = mask_slow(in.p, in.n, want);
	mask_pieces(in, seed, 1 + seed % 37, &to);
	if (!sv_eq(to, (struct sv){ want, n }))
		abort();
	to.n = 0;
	mask_pieces(in, in.n, 1, &to);
	if (!sv_eq(to, (struct sv){ want, n }))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in;

	if (size < 2)
		return 0;
	in = (struct sv){ (const char *)data + 2, size - 2 };
	if (data[0] & 1) {
		check_mask(in, data[1]);
		return 0;
	}
	marked_feed(in, 0, in.n, &whole);
	marked_feed(in, data[1], 1 + data[1] % 29, &cut);
	/* The first message alone: a chunk that ends inside the second one reports neither. */
	if (whole.n == 1 && cut.n == 1 && !marked_same(&whole, &cut))
		abort();
	return 0;
}
