/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and their answers become calls. */
#ifndef MCPVIGIL_MCP_PAIR_H
#define MCPVIGIL_MCP_PAIR_H

#include "mcp/session.h"

int pair_init(struct mcp *m);
/* Frees all without a word. */
void pair_done(struct mcp *m);
/* One message of a session: request, notification, result or error. */
void pair_feed(struct mcp *m, const struct mcp_link *l);
/* The exchange's answer is complete or will never be: what becomes of its requests. */
void pair_exchange_done(struct mcp *m, struct exchange *x, uint64_t ts);
/* The exchange is forgotten. */
void pair_exchange_gone(struct exchange *x);
/* @from turned out to be @to: its requests go on there. */
void pair_session_moved(struct mcp *m, struct session *from, struct session *to);
/* What is still pending will not be answered. */
void pair_session_end(struct mcp *m, struct session *s, uint64_t ts);
void pair_tick(struct mcp *m);
/* See mcp_in_flight. */
void pair_in_flight(struct mcp *m, bool (*fn)(void *ctx, const struct call *c), void *ctx);
/* Answers whose request has not come by now. */
void pair_flush(struct mcp *m);

#endif
