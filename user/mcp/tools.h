/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of tools: the hints that a server gave, and calls that failed and may be tried again. */
#ifndef MCPVIGIL_MCP_TOOLS_H
#define MCPVIGIL_MCP_TOOLS_H

#include "mcp/inflight.h"

int tools_init(struct mcp *m);
void tools_done(struct mcp *m);
/* A tool of the server's tools/list; of those without a hint nothing is kept. */
void tools_listed(struct mcp *m, struct session *s, const struct rpc_msg *rpc);
/* @p was just made of @rpc: set the hints of its tool, and which attempt it is. */
void tools_asked(struct mcp *m, struct pending *p, const struct rpc_msg *rpc);
/* @p's call is complete: a failure counts for the next attempt, a success ends the row. */
void tools_answered(struct mcp *m, const struct pending *p);
/* The session ends. */
void tools_forget(struct mcp *m, struct session *s);

#endif
