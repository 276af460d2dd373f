/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer finds its request by: HTTP exchange or session, who asks, type of the id, id. */
#ifndef MCPVIGIL_MCP_REQUEST_KEY_H
#define MCPVIGIL_MCP_REQUEST_KEY_H

#include "proto/jsonrpc.h"

/* One run of bytes that holds two keys: exchange + id in front, id + session behind. Integer 1 and string "1" differ;
 * a number is compared as sent. An id longer than RPC_VALUE_MAX counts by its beginning and the hash of all. */
struct request_key {
	size_t n;
	uint8_t b[8 + 2 + RPC_VALUE_MAX + 8 + 8];
};

/* @asker: enum call_side. */
void request_key_make(struct request_key *k, uint64_t exchange, uint64_t session, uint8_t asker,
		      const struct rpc_value *id);
/* Both for bytes that were copied elsewhere, too. */
static inline struct sv request_key_exchange(const uint8_t *b, size_t n)
{
	return (struct sv){ (const char *)b, n - 8 };
}
static inline struct sv request_key_session(const uint8_t *b, size_t n)
{
	return (struct sv){ (const char *)b + 8, n - 8 };
}
/* Who asks, and the id. */
static inline struct sv request_key_id(const uint8_t *b, size_t n)
{
	return (struct sv){ (const char *)b + 8, n - 16 };
}

#endif
