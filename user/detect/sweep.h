/* SPDX-License-Identifier: Apache-2.0 */
/* Sweeps over pages: calls of one shape whose integers go up. A sweep that comes back to where it began, and goes on,
 * reads again what it has read.
 *
 * Of several integers the first that changed between the first two calls is the page ("limit" stays as it is). */
#ifndef MCPVIGIL_DETECT_SWEEP_H
#define MCPVIGIL_DETECT_SWEEP_H

#include "detect/step.h"

#define SWEEPS	  4
#define SWEEP_LONG 24 /* calls before a return to the start says anything: people reread short things */

struct sweep {
	uint64_t shape;	     /* 0: free */
	int64_t first[STEP_INTS]; /* integers of the first call; [0] then its page */
	int64_t last;
	uint64_t stride;     /* from the first page to the second */
	uint32_t key;	     /* of the first call */
	uint32_t since_ms, bytes, busy_ms;
	uint32_t session;    /* of the first call */
	uint16_t n, advances;
	uint8_t wraps, page, n_ints;
	uint8_t age;	     /* calls since it went on, of those with integers */
	bool many;	     /* of several sessions */
};

struct sweeps {
	struct sweep at[SWEEPS];
};

/* Take @s in, a call without error. The sweep that it goes on with, NULL: none. */
const struct sweep *sweep_step(struct sweeps *w, const struct step *s);

#endif
