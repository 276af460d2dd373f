/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked coding: the same payload, end and verdict in every cut. Input: size of the pieces,
 * then the body. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "proto/chunked.h"

static ssize_t decode(struct sv in, size_t step, struct buf *out)
{
	struct chunked c;
	size_t at = 0;

	chunked_init(&c);
	while (at < in.n && !chunked_done(&c)) {
		struct sv piece = { in.p + at, in.n - at < step ? in.n - at : step }, data;
		ssize_t n = chunked_next(&c, piece, &data);

		if (n < 0)
			return n;
		if (n == 0 || (size_t)n > piece.n || data.n > piece.n)
			abort();
		buf_add_sv(out, data);
		at += (size_t)n;
	}
	return chunked_done(&c) ? (ssize_t)at : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { (const char *)data + 1, size - 1 };
	struct buf out[3];
	ssize_t end[3];

	if (size < 2)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		buf_init(&out[i], 1 << 20);
		end[i] = decode(in, i == 0 ? in.n : i == 1 ? 1 : 1 + data[0], &out[i]);
		if (end[i] != end[0] || !sv_eq(buf_sv(&out[i]), buf_sv(&out[0])))
			abort();
	}
	for (size_t i = 0; i < 3; i++)
		buf_done(&out[i]);
	return 0;
}
