/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 2.0 messages out of one JSON text, in any chunking, without a tree.
 *
 * Built on json.h. Takes a fixed set of small values (enum rpc_field) out of the text in one pass,
 * whatever the key order: TypeScript and .NET peers put "jsonrpc" and "id" last, after 400 KB of
 * result. */
#ifndef MCPVIGIL_PROTO_JSONRPC_H
#define MCPVIGIL_PROTO_JSONRPC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/sv.h"

/* Decided as peers do. A null id beside a method is a notification (go-sdk: an id of nil is no
 * call). A null "result" or "error" beside the other counts as absent (JSON-RPC 1.0 sends both);
 * both filled is RPC_OTHER. */
enum rpc_kind {
	RPC_REQUEST,	  /* method is a string, id a string or number */
	RPC_NOTIFICATION, /* method is a string, id absent or null */
	RPC_RESULT,	  /* result and no method; id a string or number */
	RPC_ERROR, /* error is an object, no method; id may be absent or null (MCP 2025-11-25) */
	RPC_OTHER, /* JSON, but none of the above; arrays in a batch, an empty batch, scalars */
};

enum rpc_type { RPC_ABSENT, RPC_NULL, RPC_BOOL, RPC_NUMBER, RPC_STRING, RPC_OBJECT, RPC_ARRAY };

/* One extracted value. @text: a string unescaped to UTF-8, a number or literal as sent, empty for
 * objects and arrays. Cut at RPC_VALUE_MAX bytes, then @cut is set and @hash still covers it all;
 * equal values have equal hashes within a run. */
struct rpc_value {
	uint8_t type; /* enum rpc_type */
	bool cut;
	struct sv text;
	uint64_t hash; /* of the whole unescaped value; only where @cut */
};

#define RPC_VALUE_MAX 1024 /* bytes kept of one value */

/* X(name, path). '.' separates keys; a key in [] may contain dots and slashes. MCP field names:
 * schema.ts of revisions 2024-11-05 ... 2026-07-28. */
#define RPC_FIELDS(X)                                                                              \
	X(JSONRPC, "jsonrpc")                                                                      \
	X(ID, "id")                                                                                \
	X(METHOD, "method")                                                                        \
	X(NAME, "params.name")                                                                     \
	X(URI, "params.uri")                                                                       \
	X(TASK_ID, "params.taskId")                                                                \
	X(REQUEST_ID, "params.requestId")                                                          \
	X(PROGRESS_TOKEN, "params.progressToken")                                                  \
	X(REQUEST_STATE, "params.requestState")                                                    \
	X(CURSOR, "params.cursor")                                                                 \
	X(VERSION, "params.protocolVersion")                                                       \
	X(CLIENT_NAME, "params.clientInfo.name")                                                   \
	X(CLIENT_VERSION, "params.clientInfo.version")                                             \
	X(META_PROGRESS, "params._meta.progressToken")                                             \
	X(META_TRACEPARENT, "params._meta.traceparent")                                            \
	X(META_VERSION, "params._meta.[io.modelcontextprotocol/protocolVersion]")                  \
	X(META_CLIENT_NAME, "params._meta.[io.modelcontextprotocol/clientInfo].name")              \
	X(META_CLIENT_VER, "params._meta.[io.modelcontextprotocol/clientInfo].version")            \
	X(META_CLIENT_CAPS, "params._meta.[io.modelcontextprotocol/clientCapabilities]")           \
	X(META_SUBSCRIPTION, "params._meta.[io.modelcontextprotocol/subscriptionId]")              \
	X(META_TOOL_USE, "params._meta.[claudecode/toolUseId]")                                    \
	X(META_CALL_ID, "params._meta.callId")                                                     \
	X(IS_ERROR, "result.isError")                                                              \
	X(RESULT_TYPE, "result.resultType")                                                        \
	X(RESULT_VERSION, "result.protocolVersion")                                                \
	X(SERVER_NAME, "result.serverInfo.name")                                                   \
	X(SERVER_VERSION, "result.serverInfo.version")                                             \
	X(META_SERVER_NAME, "result._meta.[io.modelcontextprotocol/serverInfo].name")              \
	X(META_SERVER_VER, "result._meta.[io.modelcontextprotocol/serverInfo].version")            \
	X(RESULT_TASK_ID, "result.taskId")                                                         \
	X(RESULT_TASK_ID1, "result.task.taskId")                                                   \
	X(RESULT_STATUS, "result.status")                                                          \
	X(RESULT_STATE, "result.requestState")                                                     \
	X(NEXT_CURSOR, "result.nextCursor")                                                        \
	X(RESULT_CAPS, "result.capabilities")                                                      \
	X(RESULT_INNER_ERROR, "result.result.isError")                                             \
	X(ERROR_CODE, "error.code")                                                                \
	X(ERROR_MESSAGE, "error.message")                                                          \
	X(PARAMS, "params")                                                                        \
	X(RESULT, "result")                                                                        \
	X(ERROR, "error")

enum rpc_field {
#define X(name, path) RPC_F_##name,
	RPC_FIELDS(X)
#undef X
	RPC_F_N
};

/* One message. Views live until the callback returns, which must not call back into the decoder. */
struct rpc_msg {
	uint8_t kind; /* enum rpc_kind */
	bool batch;   /* element of a batch array */
	struct rpc_value f[RPC_F_N];
	struct sv params, result, error; /* raw JSON of these members; only where content is kept */
	bool content_cut;		 /* the raw JSON was longer than the content cap */
	/* Offsets of '{' and of the byte after '}', counted from the first byte fed of this text:
	 * white space and a byte order mark before the message move @beg. */
	uint64_t beg, end;
	uint64_t bytes; /* end - beg */
	/* Repeated keys at the paths above. The last one wins; what the one before held is gone. */
	uint32_t dup_keys;
};

struct rpc;

struct rpc_opts {
	size_t content_max; /* bytes kept of each raw member; 0: keep none */
	uint64_t text_max;  /* longest text, 0: no cap; beyond it -EMSGSIZE */
	/* Without "jsonrpc" it is RPC_OTHER: required by JSON-RPC 2.0, and what tells it from other lines that have a
	 * "method", our own records among them. */
	bool strict;
	void (*msg)(void *ctx, const struct rpc_msg *m);
	void *ctx;
};

/* NULL with errno on failure. Memory: < 8 KiB while idle (where content is kept, up to 64 KiB more
 * for each raw member), within a message at most 4 * RPC_F_N * RPC_VALUE_MAX more. */
struct rpc *rpc_new(const struct rpc_opts *opts);
void rpc_free(struct rpc *r);
/* Forget everything fed: the next byte begins a new text. */
void rpc_reset(struct rpc *r);
/* Feed the next bytes of one JSON text. @opts.msg runs as each message (each element of a batch)
 * ends.
 * > 0         the text ended after that many bytes of @in (a bare number: after the white space
 *             behind it); the state is reset
 * 0           all of @in is taken, the text goes on
 * -EBADMSG    not JSON, or nested deeper than 128; stays so until rpc_reset or rpc_end
 * -EMSGSIZE   longer than @opts.text_max; likewise */
ssize_t rpc_feed(struct rpc *r, struct sv in);
/* The text ends here (newline, end of body). 0: nothing was open, or a bare number, which is now
 * reported; -EBADMSG: the text is cut off; or what rpc_feed last failed with. The state is reset
 * in any case. */
ssize_t rpc_end(struct rpc *r);
/* true where a message has begun ('{' seen) and not ended; *ret_beg is then its offset in the
 * text. */
bool rpc_open(const struct rpc *r, uint64_t *ret_beg);

#endif
