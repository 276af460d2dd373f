/* SPDX-License-Identifier: Apache-2.0 */
/* The values of one message: kept up to RPC_VALUE_MAX bytes each, hashed beyond. For jsonrpc.c
 * only. */
#ifndef MCPVIGIL_PROTO_RPC_TEXT_H
#define MCPVIGIL_PROTO_RPC_TEXT_H

#include <stdint.h>

#include "base/buf.h"
#include "proto/jsonrpc.h"

/* Values lie one behind the other in one buffer, as they come. One is open at a time, the last. A
 * value that is written again leaves its old bytes behind; where that fills the buffer, the live
 * ones move to its front. */
struct rpc_text {
	struct buf bytes;
	struct {
		uint32_t at, n;
	} v[RPC_F_N];
	uint8_t open; /* field being written */
	bool cut;     /* the open value: longer than what is kept */
	uint64_t seed, hash, lane, hashed;
};

void rpc_text_init(struct rpc_text *t);
void rpc_text_done(struct rpc_text *t);
/* Forget all values; little memory is kept. */
void rpc_text_reset(struct rpc_text *t);
/* Begin the value of @field anew. */
void rpc_text_begin(struct rpc_text *t, uint8_t field);
/* Append to the value begun last. */
void rpc_text_add(struct rpc_text *t, struct sv s);
/* The value begun last is whole: set cut and hash of @ret_v. */
void rpc_text_end(struct rpc_text *t, struct rpc_value *ret_v);
/* The kept bytes of @field, until the next add or reset. */
struct sv rpc_text_get(const struct rpc_text *t, uint8_t field);

#endif
