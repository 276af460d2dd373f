/* SPDX-License-Identifier: Apache-2.0 */
/* Requests without an answer, answers without a request, and a memory of what was answered. */
#ifndef MCPVIGIL_MCP_INFLIGHT_H
#define MCPVIGIL_MCP_INFLIGHT_H

#include "mcp/held.h"
#include "mcp/relay.h"
#include "mcp/request_key.h"
#include "mcp/session.h"
#include "mcp/state.h"

struct exchange;

/* A request on its way to become a call; once answered, only its key. */
struct pending {
	struct table_node by_session, by_exchange;
	struct list ring;	/* requests with the same session key, oldest first; the first is in the table */
	struct list age, cancelled;
	struct list greeting;	/* initialize: until it is answered or said to hang */
	struct list in_session, in_exchange;
	bool first, in_exchange_table;
	uint16_t again;		/* answered table: times that the request came once more since */
	bool given_up;		/* answered table: it was reported without an answer */
	struct session *s;
	struct exchange *x;	/* NULL: not HTTP, or gone */
	struct call *call;
	uint64_t asked_at;	/* greeting: when */
	uint64_t token;		/* that its progress is told under; 0: none was asked for */
	uint64_t begin, last_r; /* request: first byte anywhere, last byte read by the answering end */
	uint64_t cancel_at;
	struct broken {		/* its exchange ended without a word: it may be sent again */
		struct list link;
		uint64_t at;	/* 0: it did not */
		uint64_t ts, end;
		uint16_t status; /* a redirection; 0: none came */
		uint8_t outcome;
	} broken;
	struct twin {		/* one like it, sent later and answered: perhaps it is this one, sent again */
		struct list link;
		struct finished *f;
		uint64_t at, begin;
	} twin;
	struct whole *whole;	/* the logical call that it goes on with */
	struct logical_step step;
	struct relay relay;
	uint64_t exchange;	/* id; 0: not HTTP */
	uint8_t asker;
	bool initialize;
	bool args_known;	/* the call's args_fp, which is zero where it has none */
	uint16_t n;
	uint8_t key[];
};

/* An answer whose request has not come. */
struct early {
	struct table_node node;
	struct list in_session;
	struct held *h;
	struct session *s;
	uint64_t exchange;
	uint8_t from;
	uint16_t n;
	uint8_t key[];
};

int inflight_init(struct mcp *m);
void inflight_done(struct mcp *m);

/* A new entry with @call; the oldest of all goes to @evict first where there are too many. NULL with ENOMEM. */
struct pending *pending_new(struct mcp *m, const struct mcp_link *l, const struct request_key *k);
/* Out of all lists. @keep: remember the key as answered; else it is freed. The call is the caller's. */
void pending_retire(struct mcp *m, struct pending *p, bool keep);
void pending_leave_exchange(struct pending *p);
/* It goes on in the exchange of @l. */
void pending_rejoin(struct mcp *m, struct pending *p, const struct mcp_link *l);
/* The same request under another session. */
void pending_move(struct mcp *m, struct pending *p, struct session *to);
/* First of those with the key, in the exchange or in the session; NULL. */
struct pending *pending_in_exchange(struct mcp *m, const struct request_key *k);
struct pending *pending_in_session(struct mcp *m, const struct request_key *k);
/* The one behind @p with the same session key; NULL at the end. */
struct pending *pending_next(struct pending *p);
/* Answered or given up before; NULL. */
struct pending *pending_answered(struct mcp *m, const struct request_key *k);

/* Keep @l's message until its request comes. @by_exchange: only a request in the same exchange will do. */
int early_add(struct mcp *m, const struct mcp_link *l, const struct request_key *k, bool by_exchange);
/* Taken out; NULL where there is none. */
struct early *early_take(struct mcp *m, const struct request_key *k);
struct early *early_oldest(struct mcp *m);
void early_unlink(struct mcp *m, struct early *e);
void early_free(struct early *e);

#endif
