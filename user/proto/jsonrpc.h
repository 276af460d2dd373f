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
#include "proto/marks.h"
#include "proto/rpc_field.h"

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
	/* NULL: not asked for (rpc_opts.marks), RPC_OTHER, no value to mark, or no memory. */
	const struct rpc_marks *marks;
	const struct rpc_tool *tools; /* of result.tools[], with marks; the first RPC_TOOLS_MAX */
	uint32_t n_tools;
	bool tools_cut; /* there were more */
};

struct rpc;

struct rpc_opts {
	size_t content_max; /* bytes kept of each raw member; 0: keep none */
	uint64_t text_max;  /* longest text, 0: no cap; beyond it -EMSGSIZE */
	/* Without "jsonrpc" it is RPC_OTHER: required by JSON-RPC 2.0, and what tells it from other lines that have a
	 * "method", our own records among them. */
	bool strict;
	bool marks; /* fingerprints and marks of params.arguments (else params), result and error */
	void (*msg)(void *ctx, const struct rpc_msg *m);
	void *ctx;
};

/* NULL with errno on failure. Memory: < 8 KiB while idle (where content is kept, up to 64 KiB more
 * for each raw member), within a message at most 4 * RPC_F_N * RPC_VALUE_MAX more, with marks
 * 64 KiB besides. */
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
