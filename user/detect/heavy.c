/* SPDX-License-Identifier: Apache-2.0 */
/* Space-Saving counters that start over after a while. */
#include "detect/heavy.h"

#include <stdint.h>

static unsigned int slot_of(struct heavy *h, uint32_t id)
{
	uint32_t any = 0;

	/* Most are new: they are compared several at once, without a branch. */
	for (unsigned int i = 0; i < HEAVY_N; i++)
		any |= h->id[i] == id;
	for (unsigned int i = 0; any && i < HEAVY_N; i++)
		if (h->id[i] == id)
			return i;
	for (;; h->least++)
		for (unsigned int n = 0; n < HEAVY_N; n++) {
			h->next = (h->next + 1) % HEAVY_N;
			if (h->at[h->next].n <= h->least)
				return h->next;
		}
}

uint32_t heavy_add(struct heavy *h, uint32_t id, uint32_t now_ms, uint32_t span_ms, uint32_t *ret_since_ms)
{
	unsigned int i = slot_of(h, id);

	if (h->id[i] != id) {
		h->at[i].over = h->at[i].n;
		h->id[i] = id;
		h->at[i].since_ms = now_ms;
	} else if (now_ms - h->at[i].since_ms > span_ms) {
		h->at[i].n = h->at[i].over = 0;
		h->least = 0;
		h->at[i].since_ms = now_ms;
	}
	if (h->at[i].n < UINT16_MAX)
		h->at[i].n++;
	*ret_since_ms = h->at[i].since_ms;
	return h->at[i].n - h->at[i].over;
}
