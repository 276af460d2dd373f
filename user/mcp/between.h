/* SPDX-License-Identifier: Apache-2.0 */
/* Which streams go from one process to another: the only pair between two processes is one channel. */
#ifndef MCPVIGIL_MCP_BETWEEN_H
#define MCPVIGIL_MCP_BETWEEN_H

#include "mcp/wire.h"

/* Both processes of @w are known now. */
void between_join(struct mcp *m, struct wire *w);
void between_leave(struct mcp *m, struct wire *w);
/* The only stream from @w's reader back to @w's writer, where @w too is the only one that way; else NULL.
 * *@ret_several: there is a way back, but more than one stream on one of the two. */
struct wire *between_back(struct mcp *m, const struct wire *w, bool *ret_several);

#endif
