/* SPDX-License-Identifier: Apache-2.0 */
/* Two one-way streams that are one channel: newline-delimited JSON-RPC there and back. */
#ifndef MCPVIGIL_MCP_DUPLEX_H
#define MCPVIGIL_MCP_DUPLEX_H

#include "mcp/wire.h"

enum duplex_how { BY_EXEC, BY_REVERSE, BY_PROCESSES, BY_IDS };

struct duplex {
	struct wire *w[2];
	uint8_t how;
	bool live;	       /* decided: its messages are a session's */
	uint8_t client;	       /* w[client] is what the client writes; once live */
	uint64_t no;
	struct session *s;     /* once live */
	struct proc_id server; /* BY_EXEC: whose fd 0 is w[0] and fd 1 is w[1] */
	struct list young;     /* on wires.young: not live yet */
	uint64_t since;
};

/* Join both, which are unpaired. BY_EXEC: @a is what the server reads. NULL with ENOMEM. */
struct duplex *duplex_new(struct mcp *m, struct wire *a, struct wire *b, enum duplex_how how);
/* Free it alone, without a word. */
void duplex_free(struct duplex *d);
/* A message came on one of its wires and is held there: is it time to go on? true: both wires are as they were, or
 * the channel is live. false: it was none; both wires are unpaired again. */
bool duplex_check(struct mcp *m, struct duplex *d);
/* Its grace time is over (@last: and nothing more will come). As duplex_check. */
bool duplex_judge(struct mcp *m, struct duplex *d, bool last);
/* A message on w[@side]; the channel is live. */
void duplex_feed(struct mcp *m, struct duplex *d, uint8_t side, const struct mcp_msg *msg);
/* The session ends; both wires are unpaired. */
void duplex_end(struct mcp *m, struct duplex *d, uint64_t ts, const char *reason);
/* Lines that were no messages on w[@side]. */
void duplex_noise(struct mcp *m, struct duplex *d, uint8_t side);

#endif
