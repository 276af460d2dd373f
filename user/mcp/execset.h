/* SPDX-License-Identifier: Apache-2.0 */
/* What was on fd 0 and fd 1 of processes at their exec: stdio sets, of every program on the host. */
#ifndef MCPVIGIL_MCP_EXECSET_H
#define MCPVIGIL_MCP_EXECSET_H

#include "mcp/state.h"

/* The sets that one stream is in. A server's input is in those of its wrapper, of every command that a wrapping
 * script or the server itself runs with its output caught: hence several. */
#define EXECSET_PARTNERS 6

struct execset_partner {
	uint64_t other;
	struct proc_id proc; /* the last one to exec with both */
	bool in;	     /* the stream is what that process reads, @other what it writes */
};

struct execset {
	struct table_node node;
	uint64_t stream;
	uint8_t n, last; /* @last: overwritten last */
	struct execset_partner partner[EXECSET_PARTNERS];
};

void execset_add(struct mcp *m, uint64_t in, uint64_t out, const struct proc_id *proc);
/* NULL where the stream is in none. */
const struct execset *execset_find(struct mcp *m, uint64_t stream);
/* The stream ended: out of all sets. */
void execset_del(struct mcp *m, uint64_t stream);
void execsets_done(struct mcp *m);

#endif
