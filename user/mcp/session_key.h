/* SPDX-License-Identifier: Apache-2.0 */
/* What makes two messages belong to one session. */
#ifndef MCPVIGIL_MCP_SESSION_KEY_H
#define MCPVIGIL_MCP_SESSION_KEY_H

#include "base/sv.h"
#include "model/who.h"

enum session_kind {
	SESSION_TRANSCRIPT = 1, /* name */
	SESSION_LINES,		/* pair of streams */
	SESSION_ID,		/* Mcp-Session-Id, server address */
	SESSION_ENDPOINT,	/* old HTTP+SSE: host, request target of the POSTs */
	SESSION_PEERS,		/* legacy HTTP without an id: client process, server address, host, path */
	SESSION_IDENTITY,	/* modern HTTP: client process, host, path, clientInfo */
	SESSION_EXCHANGE,	/* initialize over HTTP, until its answer tells the session id */
	/* Keys of other things that are made of parts as well. */
	KEY_HINTS,		/* tools.c: session, tool */
	KEY_FAILURE,		/* ... session, method, target, arguments */
	KEY_STATE,
	KEY_INPUT,		/* logical.c: session, method, target, requestState */
	KEY_TASK,		/* ... session or endpoint, who asked, taskId */
	KEY_RELAY_TRACE,	/* relay.c: server process, method, trace id */
	KEY_RELAY_VENDOR,	/* ... call id of a vendor */
	KEY_RELAY_ARGS,		/* ... target, arguments */
	KEY_RELAY_PASSED,	/* no process; id, method, target, arguments, bytes */
};

/* Seeded digests of the parts. The parts themselves (a session id may be a credential) are not kept. */
struct session_key {
	uint64_t h[2];
};

/* A key in the making. */
struct session_parts {
	uint64_t part[12];
	unsigned int n;
};

void session_parts_init(struct session_parts *p, enum session_kind kind);
/* At most 10 parts; more are a mistake of ours and do not count. */
void session_parts_num(struct session_parts *p, uint64_t v);
void session_parts_text(struct session_parts *p, struct sv s);
void session_parts_addr(struct session_parts *p, const struct net_addr *a);
/* The process where it is known, else its host's address. */
void session_parts_peer(struct session_parts *p, const struct proc_id *proc, const struct net_addr *a);
struct session_key session_parts_key(const struct session_parts *p);

#endif
