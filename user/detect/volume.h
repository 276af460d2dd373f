/* SPDX-License-Identifier: Apache-2.0 */
/* How many calls were sent in the last 60 seconds. */
#ifndef MCPVIGIL_DETECT_VOLUME_H
#define MCPVIGIL_DETECT_VOLUME_H

#include <stdint.h>

#define VOLUME_SLOTS 20 /* of 3 s */

struct volume {
	uint32_t slot; /* number of the newest */
	uint32_t total;
	uint16_t n[VOLUME_SLOTS];
};

/* Count one at @ms; what is in the window then. Times may go back a little. */
uint32_t volume_add(struct volume *v, uint32_t ms);

#endif
