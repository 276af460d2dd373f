/* SPDX-License-Identifier: Apache-2.0 */
/* The outputs of `mcpvigil run`, made from its configuration. */
#ifndef MCPVIGIL_AGENT_SINKS_H
#define MCPVIGIL_AGENT_SINKS_H

#include "config.h"

/* All borrowed from the struct sink that owns them; NULL where off. */
struct agent_sinks {
	struct prom *prom;
	void *alertlog;
	void *alertmanager[CONFIG_PEERS];
	void *webhook[CONFIG_PEERS];
	unsigned int alertmanagers, webhooks;
};

/* Make what @c asks for and add it to @s. @c outlives them. 0, or -errno after a line on standard error. */
int agent_sinks_new(struct agent_sinks *o, struct sink *s, const struct config *c, int64_t wall_offset);
/* State of each into @ret->sink. */
void agent_sinks_self(const struct agent_sinks *o, struct self_stats *ret);

#endif
