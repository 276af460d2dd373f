/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings: the same bytes in every cut, up to the first error, and limits that hold.
 * Input: which coding, size of the pieces, then the content. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "proto/coding.h"

#define OUT_MAX (3u << 20)

static void collect(void *ctx, struct sv bytes)
{
	if (buf_add_sv(ctx, bytes) != 0)
		abort();
}

static int decode(struct sv name, struct sv in, size_t step, struct buf *out)
{
	struct coding_opts opts = { .out_max = OUT_MAX, .ratio = 1000, .out = collect, .ctx = out };
	struct coding *c = coding_new(name, &opts);
	int err = 0;

	if (!c)
		abort();
	for (size_t at = 0; at < in.n && !err; at += step)
		err = coding_feed(c, (struct sv){ in.p + at, in.n - at < step ? in.n - at : step });
	if (!err)
		err = coding_ended(c) ? 0 : 1;
	coding_free(c);
	return err;
}

static bool one_starts(struct sv a, struct sv b)
{
	return a.n < b.n ? sv_starts(b, a) : sv_starts(a, b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "gzip",	   "deflate",	       "br",
					     "zstd",	   "gzip, br",	       "br, zstd",
					     "zstd, gzip", "deflate, gzip, br" };
	struct sv name, in = { (const char *)data + 2, size - 2 };
	struct buf whole, pieces;
	int a, b;

	if (size < 3)
		return 0;
	name = sv_of(names[data[0] % 8]);
	buf_init(&whole, OUT_MAX + 65536);
	buf_init(&pieces, OUT_MAX + 65536);
	a = decode(name, in, in.n, &whole);
	b = decode(name, in, 1 + data[1], &pieces);
	/* Where exactly a limit stops, what comes out before an error, and whether too few bytes are
	 * one already, depends on the cuts. */
	if (a != -E2BIG && b != -E2BIG && (a == 0) != (b == 0))
		abort();
	if (a == 0 && b == 0 ? !sv_eq(buf_sv(&whole), buf_sv(&pieces))
			     : !one_starts(buf_sv(&whole), buf_sv(&pieces)))
		abort();
	if (whole.n > OUT_MAX || pieces.n > OUT_MAX)
		abort();
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
