/* SPDX-License-Identifier: Apache-2.0 */
/* A request is over: its call is complete and told, or is held as an inner hop. */
#ifndef MCPVIGIL_MCP_OUTCOME_H
#define MCPVIGIL_MCP_OUTCOME_H

#include "mcp/inflight.h"

/* @l, whose session may be an older one's, has @p's answer. */
void outcome_answer(struct mcp *m, struct pending *p, const struct mcp_link *l);
void outcome_give_up(struct mcp *m, struct pending *p, enum call_outcome outcome, uint64_t ts);
/* Nothing more can come for @p: cancelled, broken, or unanswered at @ts. */
void outcome_at_end(struct mcp *m, struct pending *p, uint64_t ts);
/* @p's exchange is over, with a status that says that it failed, or none. @end: of the exchange. */
void outcome_http_error(struct mcp *m, struct pending *p, uint16_t status, uint64_t end, uint64_t ts);
/* An answer without a request. */
void outcome_orphan(struct mcp *m, const struct mcp_link *l);
/* Tell a complete call. It passes to the outputs; @f->s stays the caller's. @whole: see logical_part. */
void outcome_tell(struct mcp *m, struct finished *f, struct whole *whole);

#endif
