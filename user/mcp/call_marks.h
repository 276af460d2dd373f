/* SPDX-License-Identifier: Apache-2.0 */
/* What a call keeps of its messages' content: fingerprints, marks, hashes of cursors and lanes. */
#ifndef MCPVIGIL_MCP_CALL_MARKS_H
#define MCPVIGIL_MCP_CALL_MARKS_H

#include "mcp/mcp.h"

/* Of a message that lacks bytes nothing is taken. */
void call_marks_request(struct call *c, const struct mcp_msg *msg);
void call_marks_answer(struct call *c, const struct mcp_msg *msg);
/* The arguments are known, which may be that there are none. */
bool call_marks_known(const struct mcp_msg *msg);
/* Of a string or number, cut or not; 0: @v is neither. */
uint64_t call_marks_hash(const struct rpc_value *v);

#endif
