/* SPDX-License-Identifier: Apache-2.0 */
/* Which thresholds hold for a call: those of the options, changed by the first override that fits its server and tool,
 * in the column for polling or for the rest. What names say is remembered, since the same few come again. */
#ifndef MCPVIGIL_DETECT_POLICY_H
#define MCPVIGIL_DETECT_POLICY_H

#include "detect/loop.h"
#include "detect/step.h"

#define POLICY_NAMES 256

struct limits {
	uint16_t at[2][LOOP_N]; /* [1]: polling; 0: off */
	uint16_t least;		/* of the rules that count what comes again without failing; 0xffff: all are off */
};

struct policy {
	struct loop_opts o;
	struct limits limits[LOOP_OVERRIDES + 1]; /* row 0: no override */
	struct {
		uint64_t key;
		uint8_t class, row;
	} names[POLICY_NAMES]; /* by hash of server and tool; the newer one wins */
};

void policy_set(struct policy *p, const struct loop_opts *o);
/* Class and row of @s, a call of @c to @server (NULL: unknown). */
void policy_apply(struct policy *p, struct step *s, const struct call *c, const char *server);
static inline const struct limits *policy_limits(const struct policy *p, const struct step *s)
{
	return &p->limits[s->row];
}

#endif
