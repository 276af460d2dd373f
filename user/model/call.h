/* SPDX-License-Identifier: Apache-2.0 */
/* One request and what became of it: the record "call" of the output contract. */
#ifndef MCPVIGIL_MODEL_CALL_H
#define MCPVIGIL_MODEL_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "model/who.h"

enum call_outcome {
	CALL_OK,
	CALL_TOOL_ERROR,
	CALL_RPC_ERROR,
	CALL_HTTP_ERROR,
	CALL_CANCELLED,
	CALL_UNANSWERED,
	CALL_ORPHAN,
	CALL_OUTCOMES
};
extern const char *const call_outcome_names[CALL_OUTCOMES];

enum call_side { SIDE_CLIENT, SIDE_SERVER };
enum call_era { ERA_UNKNOWN, ERA_LEGACY, ERA_MODERN };
enum call_transport { TRANSPORT_UNKNOWN, TRANSPORT_STDIO, TRANSPORT_HTTP, TRANSPORT_SSE };
enum call_channel { CHANNEL_UNKNOWN, CHANNEL_PIPE, CHANNEL_UNIX, CHANNEL_TCP };
enum call_view { VIEW_UNKNOWN, VIEW_BOTH, VIEW_ASKER, VIEW_ANSWERER };

/* Where the messages of a call, notification or session went. The MCP roles, not who asked. */
struct route {
	uint8_t transport, channel; /* enum call_transport, call_channel */
	uint8_t era;
	uint8_t http_version;	    /* 11, 20; 0: not HTTP */
	struct proc_id client, server; /* pid 0: not on this host, or not seen */
	struct net_addr client_addr, server_addr;
};

/* Strings are owned by the call, NULL where unknown. */
struct call {
	uint64_t seq;		/* made by mcp/, in order of completion; the printed seq is the sink's */
	uint64_t ts;		/* boot ns: complete, or given up */
	uint64_t start;		/* boot ns; 0: unknown */
	uint64_t duration_ns, server_ns;
	bool has_duration, has_server_ns;
	char *id;		/* number as sent, or the string's bytes */
	bool id_is_string, has_id;
	uint8_t from;		/* enum call_side */
	uint8_t view, outcome;	/* enum call_view, call_outcome */
	char *method, *tool, *prompt, *resource;
	int64_t error_code;
	bool has_error_code;
	uint64_t request_bytes, response_bytes;
	bool has_request, has_response;
	uint32_t request_seen, response_seen;
	uint32_t attempt;	/* 1: first try */
	uint64_t lost_bytes;
	bool order_uncertain;
	char *session;
	char *protocol_version;
	char *trace_id, *parent_span_id;
	char *params, *result, *error; /* raw JSON, only with --content */
	struct route route;
};

/* Zeroed call, NULL with ENOMEM. */
struct call *call_new(void);
void call_free(struct call *c);

/* One notification; strings owned. */
struct note {
	uint64_t ts;
	uint8_t from;
	char *method;
	char *session;
	uint64_t bytes;
	uint64_t lost_bytes;
	char *params;
	struct route route;
};

void note_free(struct note *n);

#endif
