/* SPDX-License-Identifier: Apache-2.0 */
/* What came most often, by Space-Saving: a fixed number of counters; a newcomer takes over the smallest one, and is
 * known to have come between n - over and n times. */
#ifndef MCPVIGIL_DETECT_HEAVY_H
#define MCPVIGIL_DETECT_HEAVY_H

#include <stdint.h>

#define HEAVY_N 16

struct heavy {
	uint32_t id[HEAVY_N]; /* 0: free */
	uint16_t least, next; /* no counter is below; where to look for one that low */
	struct {
		uint32_t since_ms; /* counting since */
		uint16_t n, over;
	} at[HEAVY_N];
};

/* Count @id (not 0) at @now_ms; how often it came for sure within the last @span_ms, and since when. */
uint32_t heavy_add(struct heavy *h, uint32_t id, uint32_t now_ms, uint32_t span_ms, uint32_t *ret_since_ms);

#endif
