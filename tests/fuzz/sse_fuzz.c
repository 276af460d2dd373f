/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams: the same events in every cut. Input: size of the pieces, where to lose bytes,
 * the stream. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "proto/sse.h"

static void note(struct sse *s, const struct sse_part *part, struct buf *out)
{
	if (part->kind == SSE_DATA)
		buf_add_sv(out, part->data);
	if (part->kind == SSE_JOIN)
		buf_add_ch(out, '\n');
	if (part->kind != SSE_END)
		return;
	buf_add_str(out, part->dispatch ? "\nevent " : "\nnone ");
	buf_add_sv(out, sse_event(s));
	buf_add_ch(out, ' ');
	buf_add_sv(out, sse_id(s));
	buf_add_ch(out, '\n');
}

static void decode(struct sv in, size_t step, size_t lost, struct buf *out)
{
	struct sse_part part;
	struct sse s;

	sse_init(&s);
	for (size_t at = 0; at < in.n;) {
		struct sv piece = { in.p + at, in.n - at < step ? in.n - at : step };
		ssize_t n;

		if (at < lost && piece.n > lost - at)
			piece.n = lost - at;
		if (at == lost)
			sse_resync(&s);
		n = sse_next(&s, piece, &part);
		if (n <= 0 || (size_t)n > piece.n)
			abort();
		note(&s, &part, out);
		at += (size_t)n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { (const char *)data + 2, size - 2 };
	size_t lost;
	struct buf out[3];

	if (size < 3)
		return 0;
	lost = data[1] ? data[1] : SIZE_MAX;
	for (size_t i = 0; i < 3; i++) {
		buf_init(&out[i], 1 << 22);
		decode(in, i == 0 ? in.n : i == 1 ? 1 : 1 + data[0], lost, &out[i]);
		if (!sv_eq(buf_sv(&out[i]), buf_sv(&out[0])))
			abort();
	}
	for (size_t i = 0; i < 3; i++)
		buf_done(&out[i]);
	return 0;
}
