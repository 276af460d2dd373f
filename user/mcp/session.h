/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: their names, what the peers say of themselves, beginning and end. */
#ifndef MCPVIGIL_MCP_SESSION_H
#define MCPVIGIL_MCP_SESSION_H

#include "mcp/session_key.h"
#include "mcp/state.h"

struct session {
	struct table_node node;
	struct session_key key;
	uint32_t refs;
	uint64_t no;	      /* scope of its request ids; never used again */
	uint64_t id_hash;     /* of the Mcp-Session-Id; 0: none */
	uint64_t scope;	      /* of its task ids: @no, or in the modern era a digest of the server's endpoint */
	char *name;	      /* NULL until it is sure that this is a session of its own */
	struct route route;
	bool started, ended;
	bool provisional;     /* SESSION_EXCHANGE */
	bool grouped;	      /* SESSION_IDENTITY: requests that belong together, without a beginning or an end */
	bool late, init_seen;
	bool dup_keys, dup_told;
	uint8_t dup_by;	      /* enum call_side */
	bool init_told;	      /* that nobody answered initialize */
	uint32_t streams;     /* transcript: that are open */
	uint64_t begin_ts, last_ts, calls, errors;
	uint32_t tool_calls;  /* tools/call requests of the client: numbers them */
	char *client_name, *client_version, *server_name, *server_version;
	char *version, *requested; /* protocol versions: negotiated, and asked for */
	char *header_version;	   /* MCP-Protocol-Version: for want of an initialize */
	char *modern_version;	   /* of a request that carried it */
	struct list pending, early; /* requests, and answers that wait for theirs */
	uint32_t pendings, earlies; /* how many */
	uint64_t startup_ns;	    /* initialize to its answer; 0: not seen */
	struct list memo, wholes;   /* tools.c, logical.c */
	uint32_t memos, open_wholes;
	struct end_link {	    /* ends.c: sessions of the same process, client and server */
		struct list link;
		struct ends *at;
		bool several;	    /* more than one process was seen at this end */
	} end[2];
	uint8_t by_exit;	    /* it ends since a process did: 1 + enum call_side */
	uint64_t server_died;	    /* when; 0: it did not, or the session was over before */
	struct list ending; /* on sessions.ending: */
	uint64_t end_at;
	const char *end_reason;
};

/* A message within its session: what pairing is about. */
struct mcp_link {
	struct session *s;
	struct exchange *x; /* NULL: not HTTP */
	const struct mcp_msg *msg;
	uint8_t from;	    /* enum call_side of the sender */
};

int sessions_init(struct mcp *m);
/* Frees all without a word. */
void sessions_done(struct mcp *m);

/* The session with this key, made the most recently used; NULL. */
struct session *session_find(struct mcp *m, const struct session_key *key);
/* A new one, after session_find found none. Evicts the least recently used. NULL with ENOMEM. */
struct session *session_open(struct mcp *m, const struct session_key *key, const struct route *route);
/* Give the session another key: @s was provisional and is now known for what it is. */
void session_rekey(struct mcp *m, struct session *s, const struct session_key *key);
/* Who it is called by: @name, or where NULL "s<N>". */
int session_name(struct mcp *m, struct session *s, const char *name);
/* References keep the memory, not the session: look at @ended. */
struct session *session_ref(struct session *s);
void session_unref(struct session *s);

/* Note what a message tells of the peers. */
void session_saw(struct mcp *m, const struct mcp_link *l);
void session_saw_answer(struct session *s, const struct rpc_msg *rpc, bool initialize);
/* A record of the session is about to be made: its start event comes before. */
void session_start(struct mcp *m, struct session *s);
/* What a session has to say of itself once it has a name. */
void session_told(struct mcp *m, struct session *s);
/* Pending calls and the end event; the session leaves the table. @reason is a literal. */
void session_end(struct mcp *m, struct session *s, uint64_t ts, const char *reason);
/* The same after the grace time. */
void session_end_soon(struct mcp *m, struct session *s, uint64_t ts, const char *reason);
void sessions_tick(struct mcp *m);
void sessions_flush(struct mcp *m);

#endif
