/* SPDX-License-Identifier: Apache-2.0 */
/* One-way byte streams that carried JSON-RPC, and the messages that wait there for a decision. */
#ifndef MCPVIGIL_MCP_WIRE_H
#define MCPVIGIL_MCP_WIRE_H

#include "mcp/held.h"
#include "mcp/state.h"

#define WIRE_PRINTS 16

enum wire_verdict { VERDICT_NONE, VERDICT_MCP, VERDICT_OTHER };

struct wire {
	struct table_node node;
	uint64_t id, reverse;
	struct proc_id writer, reader;
	uint8_t shape;	 /* enum shape: what its messages tell */
	uint8_t sender;	 /* enum method_sender: role of who writes it, by its messages */
	uint8_t verdict; /* enum wire_verdict: last told */
	bool http, late;
	bool carried;	 /* at least one message came */
	bool asked;	 /* ... a request or notification */
	bool judged;	 /* had its grace time to find its other half */
	bool ambiguous;	 /* several streams may be its other half */
	bool copy;	 /* its writer passes on what it reads */
	bool no_set;	 /* what exec told of it was contradicted */
	bool ended;
	uint64_t other;	 /* messages that are not MCP */
	struct duplex *d; /* NULL: unpaired */
	uint8_t side;	 /* d->w[side] is this */
	struct session *s; /* transcript: the session */
	struct held_queue held;
	uint64_t dropped;  /* of those held, not there any more */
	uint64_t held_since, end_ts;
	const char *end_reason;
	struct list holding; /* wires.fresh or wires.stale */
	struct list dirty, ending;
	struct between *between;
	struct list in_between;
	struct reader *read_by;
	struct list in_reader;
	uint64_t print[WIRE_PRINTS]; /* of its first messages */
	uint8_t prints;
	uint64_t noise_lines, noise_bytes; /* not reported yet */
	bool noise_told;
};

int wires_init(struct mcp *m);
/* Frees all without a word. */
void wires_done(struct mcp *m);
/* Made most recently used; NULL where it carried nothing so far. */
struct wire *wire_find(struct mcp *m, uint64_t id);
/* The same without using it. */
struct wire *wire_peek(const struct mcp *m, uint64_t id);
/* Found or new; NULL with ENOMEM. May evict another one. */
struct wire *wire_open(struct mcp *m, uint64_t id);
void wire_free(struct mcp *m, struct wire *w);
/* Who writes and reads it, and what it looks like. */
void wire_saw(struct mcp *m, struct wire *w, const struct mcp_msg *msg);
/* Keep the message until the stream is decided and paired. */
void wire_hold(struct mcp *m, struct wire *w, const struct mcp_msg *msg);
/* The oldest message held, taken out; NULL. */
struct held *wire_take(struct mcp *m, struct wire *w);
/* Forget the messages held; they count as dropped. */
void wire_drop(struct mcp *m, struct wire *w);
void wire_verdict(struct mcp *m, struct wire *w, enum wire_verdict v);
/* It is not MCP: count what it held, say so once. */
void wire_is_other(struct mcp *m, struct wire *w, uint8_t shape);
/* For good without its other half: the finding. */
void wire_report(struct mcp *m, struct wire *w);

#endif
