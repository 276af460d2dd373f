/* SPDX-License-Identifier: Apache-2.0 */
/* SimHash of text: near-equal texts have hashes that differ in few bits (Charikar 2002).
 *
 * Features are the tokens, runs of [A-Za-z0-9_] in lower case, and each pair of neighbours joined by a space. The text
 * may come in any pieces, and in several parts between which no pairs are formed. */
#ifndef MCPVIGIL_PROTO_SIMHASH_H
#define MCPVIGIL_PROTO_SIMHASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

struct simhash {
	uint64_t token, pair; /* FNV-1a of the token at hand, and of the one before, a space and it */
	uint64_t last;	      /* of the token before */
	bool in_token, has_last;
	uint8_t pending;      /* features in bytes[], at most 255 */
	uint64_t bytes[8];    /* byte k of word i: how often bit 8k + i was set */
	uint32_t ones[64];    /* what was counted before */
	uint64_t n;	      /* features */
};

void simhash_init(struct simhash *s);
void simhash_add(struct simhash *s, struct sv text);
/* The text so far ends a token; the next one is paired with it. */
void simhash_break(struct simhash *s);
/* As simhash_break, and the next one is not. */
void simhash_part(struct simhash *s);
/* Of all so far; 0 where there is no token. Ends the token at hand. */
uint64_t simhash_get(struct simhash *s);

#endif
