/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says of itself, gathered. */
#ifndef MCPVIGIL_AGENT_SELF_H
#define MCPVIGIL_AGENT_SELF_H

#include "sink/self.h"

struct agent;
struct facts_opts;

/* Everything of @s but its sinks and the state of the configuration. @o: the caps in force. */
void agent_self(const struct agent *a, const struct facts_opts *o, struct self_stats *s);

#endif
