/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are complete and not told yet: perhaps they are a part of another one. */
#ifndef MCPVIGIL_MCP_FINISHED_H
#define MCPVIGIL_MCP_FINISHED_H

#include "mcp/logical.h"
#include "mcp/state.h"

struct pending;

struct finished {
	struct call *c;
	struct session *s; /* a reference */
	struct logical_step step;
};

/* @p's call, which is not @p's any more. NULL: no memory, which is counted. */
struct finished *finished_take(struct mcp *m, struct pending *p);
/* Tell and free it. @whole: see logical_part. */
void finished_tell(struct mcp *m, struct finished *f, struct whole *whole);
/* Free it without a word; NULL is fine. */
void finished_drop(struct finished *f);

#endif
