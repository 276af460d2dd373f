/* SPDX-License-Identifier: Apache-2.0 */
/* One request and what became of it: the record "call" of the output contract. */
#ifndef MCPVIGIL_MODEL_CALL_H
#define MCPVIGIL_MODEL_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fp.h"
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
	uint8_t tls;		    /* enum tls_stack of the asking end, else of the other; 0: not TLS, or not known */
	bool client_unread, server_unread; /* known by its socket alone: none of its bytes were seen */
	struct proc_id client, server; /* pid 0: not on this host, or not seen */
	struct net_addr client_addr, server_addr;
};

/* What the text of an error says, by words that many servers use (error_text.h of mcp/). */
enum error_class {
	ERROR_NONE, /* it does not look like an error */
	ERROR_OTHER,
	ERROR_VALIDATION, /* arguments missing or malformed */
	ERROR_AUTH,
	ERROR_NOT_FOUND,
	ERROR_TIMEOUT,
	ERROR_RATE_LIMIT,
	ERROR_UNAVAILABLE, /* connection refused, 502, 503, server gone */
	ERROR_CLASSES
};
extern const char *const error_class_names[ERROR_CLASSES];

#define CALL_INTS 6

/* What detection needs of the content, and all that is kept of it. */
struct call_marks {
	uint64_t shape, simhash; /* of the arguments, see proto/marks.h; 0: not known */
	struct {
		uint64_t path;
		int64_t v;
	} ints[CALL_INTS];
	uint8_t n_ints;
	uint8_t error_class;	 /* enum error_class, of the answer's text whatever isError says */
	bool read_only;		 /* annotation of the tool in tools/list: readOnlyHint */
	uint64_t cursor, next_cursor; /* hashes of params.cursor and result.nextCursor; 0: absent */
	uint64_t lane;		 /* who in the session asked, by vendor _meta (thread, agent); 0: not told */
	uint64_t text_bytes;	 /* of result.content[].text */
};

/* How requests are parts of one logical call. */
enum call_part {
	PART_NONE,
	PART_INPUT,	/* answered with input_required: the next request with its requestState goes on */
	PART_TASK,	/* answered with a task: its outcome comes by tasks/get, tasks/result or a notification */
	PART_POLL,	/* tasks/get, tasks/result, ... of a task */
	PART_LAST,	/* the last request of several: its answer is the outcome */
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
	uint32_t progress;	/* notifications about its progress */
	uint64_t lost_bytes;
	bool order_uncertain;
	char *session;
	uint64_t agent;		/* who asked: of model/who.h, or of a transcript; 0: unknown */
	uint64_t session_no;	/* of the session, never used again in this run */
	uint32_t ordinal;	/* of this tools/call among those of its session, in order of sending, from 0 */
	bool has_ordinal;
	char *protocol_version;
	char *trace_id, *parent_span_id;
	struct fp args_fp, result_fp, masked_fp; /* absent where any byte is missing */
	struct call_marks marks;
	uint32_t hops;		/* relays that it passed, where it was seen on several; 0: none seen */
	char *logical;		/* "l<N>": the logical call that this request is a part of; NULL: it is one by itself */
	uint8_t part;		/* enum call_part */
	char *client_name, *server_name; /* self-reported, of the session or the request */
	char *params, *result, *error; /* raw JSON, only with --content */
	struct route route;
};

/* Several requests that were one call: what became of it as a whole. Strings owned by its maker. */
struct logical {
	const char *name;	/* "l<N>" */
	const char *joined_by;	/* "request_state", "arguments" (for want of a state), "task" */
	uint64_t ts, start, duration_ns;
	uint32_t requests, polls; /* request-answer pairs, polls of a task among them */
	const struct call *first; /* the tools/call, resources/read or prompts/get that began it; with the true
				   * outcome, duration_ns, error_code, result fingerprints and error class filled in */
	bool open;		/* it was given up: the outcome is not known */
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
