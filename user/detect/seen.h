/* SPDX-License-Identifier: Apache-2.0 */
/* What a tracker remembers of one call. */
#ifndef MCPVIGIL_DETECT_SEEN_H
#define MCPVIGIL_DETECT_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#define NEAR_BITS 12 /* Hamming distance of near-duplicate arguments, at most */

enum seen_flag {
	SEEN_ERR = 1 << 0,
	SEEN_POLL = 1 << 1,
	SEEN_READ = 1 << 2, /* and no polling */
	SEEN_FIRST = 1 << 3, /* of its session */
	SEEN_PATIENT = 1 << 4, /* an error that passes by itself: rate limit, timeout, unavailable */
};

/* Halves of the hashes of struct step are enough among so few. */
struct seen {
	uint64_t simhash;
	uint32_t key, raw, masked, tool, shape;
	uint32_t session;
	uint32_t start_ms, busy_ms, bytes;
	uint32_t round : 24; /* the ring never holds so many that two look alike */
	uint32_t flags : 8;
};

/* Rounds from that of @a to that of @b, both of them counted. */
static inline uint32_t seen_rounds(const struct seen *a, const struct seen *b)
{
	return (((uint32_t)b->round - a->round) & 0xffffff) + 1;
}

/* Simhashes of nearly the same arguments. */
static inline bool seen_near(uint64_t a, uint64_t b)
{
	return a && b && __builtin_popcountll(a ^ b) <= NEAR_BITS;
}

#endif
