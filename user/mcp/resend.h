/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that a client sends again over HTTP, since the exchange broke before anything came back: one call. */
#ifndef MCPVIGIL_MCP_RESEND_H
#define MCPVIGIL_MCP_RESEND_H

#include "mcp/inflight.h"

/* The request of @l is one whose exchange broke: it goes on here. NULL: it is a new one. */
struct pending *resend_join(struct mcp *m, const struct mcp_link *l, const struct request_key *k);
/* @p's exchange broke without a status. Where it was sent again already that one stands for both, and @p is gone; else
 * it waits for the grace time and is @outcome then. @end: of the exchange; @ts: of the record. */
void resend_wait(struct mcp *m, struct pending *p, enum call_outcome outcome, uint64_t end, uint64_t ts);
void resend_tick(struct mcp *m);

#endif
