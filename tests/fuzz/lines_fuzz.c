/* SPDX-License-Identifier: Apache-2.0 */
/* Newline framing against the obvious splitter over the whole input.
 * Input: one byte of seed for the chunk sizes, then the stream. */
#include <stdint.h>
#include <stdlib.h>

#include "proto/lines.h"

struct check {
	struct sv in; /* the stream */
	size_t line;  /* where the current line begins in it */
	size_t have;  /* bytes of it handed out */
	bool open;
};

/* The fragment continues the line; at its end, the line is exactly what lies before the next LF. */
static void check(struct check *c, const struct line_frag *f, bool last)
{
	const char *beg = c->in.p + c->line, *lf;
	size_t n = c->in.n - c->line, next;

	if (f->begin == c->open || n < c->have + f->text.n)
		abort();
	if (f->text.n && memcmp(beg + c->have, f->text.p, f->text.n) != 0)
		abort();
	c->have += f->text.n;
	c->open = !f->end;
	if (!f->end)
		return;
	lf = n ? memchr(beg, '\n', n) : NULL;
	if (!lf != last)
		abort();
	n = lf ? (size_t)(lf - beg) : n;
	next = c->line + n + 1;
	if (lf && n && beg[n - 1] == '\r')
		n--;
	if (c->have != n)
		abort();
	c->line = next;
	c->have = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct check c = { 0 };
	struct lines l = { 0 };
	struct line_frag f;
	uint32_t seed;
	size_t n;

	if (size == 0)
		return 0;
	seed = data[0];
	c.in = (struct sv){ (const char *)data + 1, size - 1 };
	for (size_t at = 0; at < c.in.n; at += n) {
		seed = seed * 1664525 + 1013904223;
		n = c.in.n - at < 1 + (seed >> 28) ? c.in.n - at : 1 + (seed >> 28);
		char *copy = malloc(n);
		struct sv rest = { copy, n };

		memcpy(copy, c.in.p + at, n);
		while (lines_next(&l, &rest, &f))
			check(&c, &f, false);
		if (rest.n)
			abort();
		free(copy);
	}
	if (lines_end(&l, &f))
		check(&c, &f, true);
	if (c.open || c.line < c.in.n || lines_end(&l, &f))
		abort();
	return 0;
}
