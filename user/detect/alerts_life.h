/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one alert: idle, pending, firing, cooling. No strings, no clock of its own. */
#ifndef MCPVIGIL_DETECT_ALERTS_LIFE_H
#define MCPVIGIL_DETECT_ALERTS_LIFE_H

#include <stdbool.h>
#include <stdint.h>

enum life_state { LIFE_IDLE, LIFE_PENDING, LIFE_FIRING, LIFE_COOLING };
enum life_event {
	LIFE_NOTHING,
	LIFE_FIRES,
	LIFE_DOUBLED,	 /* it still fires, and what it counts is twice what was told last */
	LIFE_RESOLVES,
	LIFE_SUPPRESSED, /* it would begin, but is still cooling, or there are too many; once an occasion */
};

struct life {
	uint8_t state;
	uint8_t notified; /* messages of this episode, at most 255 */
	bool held;	  /* this occasion was suppressed */
	uint64_t since;	  /* pending, firing: the beginning of the episode */
	uint64_t told;	  /* count of the last message */
	uint64_t until;	  /* cooling */
};

struct life_terms {
	uint64_t for_ns, cooldown_ns;
	bool room; /* one more may begin */
};

/* One step at @now, boot ns. @count: what is counted, 0 where the condition does not hold. What outlasts its
 * suppression fires then. */
enum life_event life_step(struct life *l, const struct life_terms *t, uint64_t count, uint64_t now);

static inline bool life_is_active(const struct life *l)
{
	return l->state == LIFE_PENDING || l->state == LIFE_FIRING;
}

#endif
