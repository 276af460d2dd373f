/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that a client sends again over HTTP, since the exchange broke before anything came back: one call. */
#ifndef MCPVIGIL_MCP_RESEND_H
#define MCPVIGIL_MCP_RESEND_H

#include "mcp/inflight.h"

/* The request of @l is one whose exchange broke: it goes on here. NULL: it is a new one. */
struct pending *resend_join(struct mcp *m, const struct mcp_link *l, const struct request_key *k);
/* The session of an initialize that broke, of which @msg is the next try; NULL. */
struct session *resend_session(struct mcp *m, const struct mcp_msg *msg);
/* The exchange ended without an answer: what it asked may come again on another one. */
bool resend_may_come(const struct exchange *x);
/* @p's exchange broke without a status, or was redirected. Where it was sent again already that one stands for both, and @p is gone; else
 * it waits for the grace time and is @outcome then. @end: of the exchange; @ts: of the record. */
void resend_wait(struct mcp *m, struct pending *p, enum call_outcome outcome, uint64_t end, uint64_t ts);
void resend_tick(struct mcp *m);
/* @p is answered, while one like it that was sent before is not: it may turn out to be that one, sent again. true: it
 * is held until then, for the grace time at most; @p->call is not the caller's any more. */
bool resend_hold(struct mcp *m, struct pending *p);
/* @p is complete: what it held was another call, and is told. */
void resend_release(struct mcp *m, struct pending *p);
/* @p leaves; what it still holds is freed. */
void resend_leave(struct pending *p);

#endif
