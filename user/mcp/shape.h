/* SPDX-License-Identifier: Apache-2.0 */
/* Is this JSON-RPC MCP? Decided by shape, not by one method's name. */
#ifndef MCPVIGIL_MCP_SHAPE_H
#define MCPVIGIL_MCP_SHAPE_H

#include "proto/jsonrpc.h"

enum shape {
	SHAPE_UNDECIDED,
	SHAPE_MCP,
	SHAPE_ACP,     /* editors and agents: initialize with an integer protocolVersion */
	SHAPE_A2A,     /* agents among themselves */
	SHAPE_LSP,     /* language servers, here without their Content-Length framing */
	SHAPE_UNKNOWN, /* JSON-RPC that had its chance and showed nothing of MCP */
};

/* What one message tells by itself. */
enum shape shape_of(const struct rpc_msg *rpc);
static inline bool shape_is_other(enum shape s)
{
	return s > SHAPE_MCP;
}
/* "acp", ...; "unknown" */
const char *shape_name(enum shape s);
/* The message belongs to the era of 2026-07-28 and later: its version travels with each request. */
bool shape_is_modern(const struct rpc_msg *rpc);
/* Which role its sender has, as far as the message tells: enum method_sender. */
uint8_t shape_sender(const struct rpc_msg *rpc);
/* "2025-11-25", or a draft's name: what MCP calls a version. */
bool shape_is_version(struct sv text);

#endif
