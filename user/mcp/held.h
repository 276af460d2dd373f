/* SPDX-License-Identifier: Apache-2.0 */
/* A message kept past its callback: what it pointed to is copied, in one piece of memory. */
#ifndef MCPVIGIL_MCP_HELD_H
#define MCPVIGIL_MCP_HELD_H

#include "mcp/list.h"
#include "mcp/mcp.h"

struct held_value {
	struct rpc_value v;
	uint8_t field; /* enum rpc_field */
};

struct held {
	struct list link;
	uint64_t seq; /* order of arrival over all streams */
	uint64_t at;  /* boot ns */
	size_t size;  /* bytes of memory */
	struct mcp_msg msg; /* msg.rpc is NULL: see held_view */
	struct mcp_http http;
	struct rpc_msg_head {
		uint8_t kind;
		bool batch, content_cut;
		uint64_t beg, end, bytes;
		struct sv params, result, error;
		const struct rpc_marks *marks; /* views of what follows the values, as the texts */
		const struct rpc_tool *tools;
		uint32_t n_tools, dup_keys;
		bool tools_cut;
	} rpc;
	size_t n;
	struct held_value values[]; /* those that are not absent; the bytes follow */
};

/* A copy without the transcript's name; NULL with ENOMEM. */
struct held *held_new(const struct mcp_msg *msg, uint64_t seq, uint64_t at);
void held_free(struct held *h);
/* The message again: @ret_msg->rpc is @ret_rpc. Views live as long as @h. */
void held_view(const struct held *h, struct mcp_msg *ret_msg, struct rpc_msg *ret_rpc);
/* One extracted value; one of type RPC_ABSENT where the message had none. */
const struct rpc_value *held_field(const struct held *h, enum rpc_field f);

/* Messages in order of arrival. */
struct held_queue {
	struct list list;
	uint32_t n;
	size_t bytes;
};

void held_queue_init(struct held_queue *q);
void held_queue_add(struct held_queue *q, struct held *h);
/* The oldest, taken out; NULL where there is none. */
struct held *held_queue_take(struct held_queue *q);
static inline struct held *held_queue_first(const struct held_queue *q)
{
	return list_empty(&q->list) ? NULL : list_entry(q->list.next, struct held, link);
}
/* Free all. */
void held_queue_drop(struct held_queue *q);

#endif
