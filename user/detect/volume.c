/* SPDX-License-Identifier: Apache-2.0 */
/* Calls in a sliding minute. */
#include "detect/volume.h"

#include <stdint.h>
#include <string.h>

#define SLOT_MS 3000

uint32_t volume_add(struct volume *v, uint32_t ms)
{
	uint32_t slot = ms / SLOT_MS;
	int32_t ahead = (int32_t)(slot - v->slot);

	if (ahead >= VOLUME_SLOTS || ahead < -VOLUME_SLOTS) {
		memset(v, 0, sizeof(*v));
		v->slot = slot;
	}
	for (; ahead > 0 && v->slot != slot; v->slot++) {
		uint16_t *oldest = &v->n[(v->slot + 1) % VOLUME_SLOTS];

		v->total -= *oldest;
		*oldest = 0;
	}
	if (v->n[v->slot % VOLUME_SLOTS] < UINT16_MAX) {
		v->n[v->slot % VOLUME_SLOTS]++;
		v->total++;
	}
	return v->total;
}
