/* SPDX-License-Identifier: Apache-2.0 */
/* Newline-delimited JSON-RPC: which two one-way streams are one stdio channel. */
#ifndef MCPVIGIL_MCP_STDIO_H
#define MCPVIGIL_MCP_STDIO_H

#include "mcp/wire.h"

void stdio_feed(struct mcp *m, const struct mcp_msg *msg);
void stdio_set(struct mcp *m, uint64_t in, uint64_t out, const struct proc_id *proc);
void stdio_end(struct mcp *m, uint64_t stream, uint64_t ts, const char *reason);
void stdio_noise(struct mcp *m, uint64_t stream, uint64_t lines, uint64_t bytes);
void stdio_tick(struct mcp *m);
/* Everything that waits is decided as it stands; channels end by "shutdown". */
void stdio_flush(struct mcp *m);

#endif
