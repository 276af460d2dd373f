/* SPDX-License-Identifier: Apache-2.0 */
/* The methods and notifications that MCP has: who sends them, in which era, and what they are about. */
#ifndef MCPVIGIL_MCP_METHOD_H
#define MCPVIGIL_MCP_METHOD_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/jsonrpc.h"

enum method_sender { SENT_BY_BOTH, SENT_BY_CLIENT, SENT_BY_SERVER };
enum method_target { TARGET_NONE, TARGET_TOOL, TARGET_PROMPT, TARGET_RESOURCE };
enum method_eras { IN_LEGACY = 1, IN_MODERN = 2, IN_BOTH = 3 };

struct method {
	struct sv name;
	uint8_t sender; /* enum method_sender */
	uint8_t target; /* enum method_target: what params.name or params.uri names */
	uint8_t eras;	/* enum method_eras: where it may be seen on the wire of its own */
	bool mcp_only;	/* no other protocol that we know has it */
};

/* NULL for a method that MCP does not define. It is a method all the same: nothing is dropped for it. */
const struct method *method_find(struct sv name);
/* The name or URI that a request of this method is about; an empty view where there is none. */
struct sv method_target(const struct method *me, const struct rpc_msg *rpc);

#endif
