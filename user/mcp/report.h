/* SPDX-License-Identifier: Apache-2.0 */
/* Findings of user/mcp: facts about streams and sessions that are not calls. */
#ifndef MCPVIGIL_MCP_REPORT_H
#define MCPVIGIL_MCP_REPORT_H

#include "mcp/session.h"
#include "mcp/shape.h"

/* A stream that speaks JSON-RPC, but not MCP. */
void report_other(struct mcp *m, enum shape shape, const struct proc_id *proc, uint64_t count);
/* A stream whose @count messages belong to no channel. @ambiguous: more than one stream may be its other half. @copy:
 * its writer passes on what it reads on another one. */
struct report_unpaired {
	struct proc_id writer, reader;
	uint64_t count;
	bool ambiguous, copy;
};
void report_unpaired(struct mcp *m, const struct report_unpaired *u);
/* initialize without an answer for so long. */
void report_unanswered(struct mcp *m, const struct session *s, uint64_t waited_ns);
/* The server is gone, and with it so many calls. */
void report_died(struct mcp *m, const struct session *s, uint32_t calls);
/* An object with the same key twice: who reads the first and who reads the last see different things. */
void report_dup_keys(struct mcp *m, const struct session *s);
/* @lines that are no JSON-RPC on a session's stream, written by @from (enum call_side). */
void report_noise(struct mcp *m, const struct session *s, uint8_t from, uint64_t lines, uint64_t bytes);

#endif
