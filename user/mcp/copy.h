/* SPDX-License-Identifier: Apache-2.0 */
/* Copies: what a process reads on one stream and writes, word for word, to another (tee, logging wrappers). */
#ifndef MCPVIGIL_MCP_COPY_H
#define MCPVIGIL_MCP_COPY_H

#include "mcp/wire.h"

/* Remember the first messages of each stream by a fingerprint. */
void copy_saw(struct mcp *m, struct wire *w, const struct rpc_msg *rpc);
/* @w belongs to a channel that was answered: its reader may be passing it on. */
void copy_join(struct mcp *m, struct wire *w);
void copy_leave(struct mcp *m, struct wire *w);
/* Everything @w carried is on a joined stream that its writer reads. */
bool copy_is(struct mcp *m, const struct wire *w);

#endif
