/* SPDX-License-Identifier: Apache-2.0 */
/* What a pump is fed, in different cuts: for its tests and its fuzzer. */
#ifndef MCPVIGIL_TESTS_PUMP_SEGS_H
#define MCPVIGIL_TESTS_PUMP_SEGS_H

#include <stdlib.h>

#include "flow/pump.h"

/* Positions of the first bytes of the two directions. */
#define SEGS_ORIGIN(dir) ((dir) ? 5000u : 1000u)

/* A run of bytes in one direction, or a hole, or the end. SEG_BYTES without bytes ends a list. */
struct seg {
	uint8_t dir;
	const char *p;
	size_t n;
	enum { SEG_BYTES, SEG_GAP, SEG_EOF } what;
};

/* Feed @segs: all cut at each multiple of @step bytes (0: never) and once at offset @cut of the
 * whole. */
static inline void segs_run(struct pump *p, const struct seg *segs, size_t step, size_t cut)
{
	uint64_t pos[2] = { SEGS_ORIGIN(0), SEGS_ORIGIN(1) };
	size_t at = 0;

	for (const struct seg *s = segs; s->p || s->what != SEG_BYTES; s++) {
		size_t n = s->n;

		for (size_t i = 0, take; s->what == SEG_BYTES && i < n; i += take, at += take) {
			take = step && step < n - i ? step : n - i;
			if (cut > at && cut - at < take)
				take = cut - at;
			char *copy = malloc(take); /* exact, for the sanitizer */
			memcpy(copy, s->p + i, take);
			pump_feed(p, s->dir, pos[s->dir] + i, (struct sv){ copy, take });
			free(copy);
		}
		if (s->what == SEG_GAP)
			pump_gap(p, s->dir, pos[s->dir], n);
		if (s->what == SEG_EOF)
			pump_eof(p, s->dir);
		else
			pos[s->dir] += n;
	}
}

#endif
