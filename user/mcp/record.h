/* SPDX-License-Identifier: Apache-2.0 */
/* Calls and notifications out of messages: what the output contract wants to know, and nothing about which belong
 * together. */
#ifndef MCPVIGIL_MCP_RECORD_H
#define MCPVIGIL_MCP_RECORD_H

#include "mcp/session.h"

/* The half of a call that its request tells; NULL with ENOMEM. */
struct call *record_request(const struct mcp_link *l);
/* The half that its answer tells. @begin, @last_r: see struct pending; both 0 for an orphan. */
void record_answer(struct call *c, const struct mcp_link *l, uint64_t begin, uint64_t last_r);
/* A call of which only the answer is known; NULL with ENOMEM. */
struct call *record_orphan(const struct mcp_link *l);
/* What the session adds once the call is complete: its name, version, the ends that no message showed. */
void record_session(struct call *c, const struct session *s);
/* The same for one that goes on: @ret_shown borrows from both. */
void record_show(const struct call *c, const struct session *s, struct call *ret_shown);
/* A copy without raw content; NULL with ENOMEM. */
struct call *record_copy(const struct call *c);
/* The tool, prompt or resource; NULL. */
const char *record_target(const struct call *c);
/* Report a notification. */
void record_note(struct mcp *m, const struct mcp_link *l);

#endif
