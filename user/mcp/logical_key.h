/* SPDX-License-Identifier: Apache-2.0 */
/* What the requests of one logical call have in common. */
#ifndef MCPVIGIL_MCP_LOGICAL_KEY_H
#define MCPVIGIL_MCP_LOGICAL_KEY_H

#include "mcp/inflight.h"

/* Of a request in flight, whether it carries the state or its answer does. */
struct session_key logical_key_state(const struct pending *p, const struct rpc_value *state);
/* Of a request that waits for input without a state: the client asks the same again. Of what is no tool's the target
 * alone counts, since its fingerprint covers the input as well. false: its arguments were not seen whole. */
bool logical_key_input(const struct pending *p, struct session_key *ret);
struct session_key logical_key_task(const struct session *s, uint8_t asker, const struct rpc_value *id);

#endif
