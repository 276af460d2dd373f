/* SPDX-License-Identifier: Apache-2.0 */
/* Which streams answer each other, judged by the messages that are held on them. */
#ifndef MCPVIGIL_MCP_MATCH_H
#define MCPVIGIL_MCP_MATCH_H

#include "mcp/wire.h"

/* One of them holds an answer to a request that the other holds. */
bool match_answers(const struct wire *a, const struct wire *b);
/* Ids and methods agree over more than one exchange, and nothing speaks against it. */
bool match_agrees(const struct wire *a, const struct wire *b);
/* The only unpaired stream that @w agrees with, and which agrees with @w only; else NULL. *@ret_several: there are
 * more. */
struct wire *match_find(struct mcp *m, const struct wire *w, bool *ret_several);

#endif
