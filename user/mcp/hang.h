/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that do not answer: initialize that waits, calls that a process took along with it. */
#ifndef MCPVIGIL_MCP_HANG_H
#define MCPVIGIL_MCP_HANG_H

#include "mcp/inflight.h"

/* @p is an initialize. */
void hang_asked(struct mcp *m, struct pending *p);
void hang_tick(struct mcp *m);
/* @s is about to end; what waits in it is still pending. Returns the client's calls that die with the server. */
uint32_t hang_session_end(struct mcp *m, struct session *s, uint64_t ts, const char *reason);

#endif
