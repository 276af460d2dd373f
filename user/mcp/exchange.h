/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP exchanges that carry JSON-RPC, or may. */
#ifndef MCPVIGIL_MCP_EXCHANGE_H
#define MCPVIGIL_MCP_EXCHANGE_H

#include "mcp/held.h"
#include "mcp/session_key.h"
#include "mcp/state.h"

struct session;

struct exchange {
	struct table_node node;
	uint64_t id;
	struct session *s; /* NULL: not decided yet */
	bool other;	   /* decided: not MCP */
	bool get, modern, done, aborted;
	uint64_t gone; /* when the client had closed its side; 0: not before the response ended */
	bool endpoint;	   /* old HTTP+SSE: the stream that announced the endpoint */
	uint16_t status;
	uint64_t last_r, done_at;
	bool asked;	   /* a request came, though it may be held */
	uint32_t requests; /* that were paired, or are pending */
	struct net_addr server;	  /* of the request */
	struct session_key peers; /* where it goes if it gets no session id */
	struct list pending;
	struct list holding, finished; /* on exchanges.holding, exchanges.done */
	uint64_t held_since;
	struct held_queue held;
};

int exchanges_init(struct mcp *m);
void exchanges_done(struct mcp *m);
/* Most recently used from now on; NULL where it is not known. */
struct exchange *exchange_find(struct mcp *m, uint64_t id);
/* Found or new; NULL with ENOMEM. */
struct exchange *exchange_open(struct mcp *m, const struct mcp_http *http);
/* It is a message more of those that wait for a decision. */
void exchange_hold(struct mcp *m, struct exchange *x, const struct mcp_msg *msg);
/* The oldest of them, taken out; NULL. */
struct held *exchange_take(struct mcp *m, struct exchange *x);
/* Forget them; how many there were. */
uint32_t exchange_drop(struct mcp *m, struct exchange *x);
/* Complete: forget it after the grace time. */
void exchange_finish(struct mcp *m, struct exchange *x);
void exchanges_tick(struct mcp *m);

#endif
