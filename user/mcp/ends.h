/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions by the processes at their ends: what ends with a process. */
#ifndef MCPVIGIL_MCP_ENDS_H
#define MCPVIGIL_MCP_ENDS_H

#include "mcp/session.h"

int ends_init(struct mcp *m);
void ends_done(struct mcp *m);
/* @s knows its client or server now; @l, which may be NULL, is a message that shows who it was this time. */
void ends_saw(struct mcp *m, struct session *s, const struct mcp_link *l);
void ends_leave(struct mcp *m, struct session *s);
/* @proc is gone: its sessions end after the grace time, but for those that have another process at that end. */
void ends_exit(struct mcp *m, const struct proc_id *proc, uint64_t ts);

#endif
