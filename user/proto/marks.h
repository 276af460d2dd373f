/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of a payload in place of it: fingerprints and marks, made in the one pass over the tokens.
 *
 * Structural: an object's is a sum over its members, so that the order of keys does not matter; that of an array does;
 * numbers are normalised (1, 1.0 and 10e-1 are one); strings count unescaped. "_meta" of params and of result is left
 * out, at the top of each, since tracing and progress tokens change with every call.
 *
 * Of an answer that brings the outcome of a task (objects result.result or result.error, and no result.content) only
 * that counts, as if it had come alone; so does params.result or params.error of a task's notification. */
#ifndef MCPVIGIL_PROTO_MARKS_H
#define MCPVIGIL_PROTO_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fp.h"

#define MARKS_INTS    6
#define MARKS_HEAD    512
#define RPC_TOOLS_MAX 256

struct rpc_marks {
	/* Request: of params.arguments where the method has them, else of params without _meta. */
	struct fp args;
	uint64_t shape;	  /* of the same, each run of digits in strings and numbers as one '#' */
	uint64_t simhash; /* 64 bits over lower-case tokens and pairs of neighbours; 0: no tokens */
	/* Integers of the arguments (numbers, and strings that are one), by hash of their path, ascending. */
	struct {
		uint64_t path;
		int64_t v;
	} ints[MARKS_INTS];
	uint8_t n_ints;
	/* Answer: of result without _meta, or of error. */
	struct fp result;
	struct fp masked; /* the same with ids, times, durations and long hex strings masked (mask.h) */
	/* The first text of it: result.content[0].text, else structuredContent's or error.message; unescaped, cut. */
	char head[MARKS_HEAD];
	uint16_t head_n;
	uint64_t text_bytes; /* of all text in result.content[].text, unescaped: what it costs in context */
	bool dup_keys;	     /* an object in it has a key twice */
};

/* One tool of an answer to tools/list. */
struct rpc_tool {
	uint64_t name_hash; /* hash_bytes of its first RPC_VALUE_MAX bytes; 0: no name, or longer than 4 KiB */
	uint32_t bytes;	    /* of its JSON */
	bool read_only;	    /* annotations.readOnlyHint */
};

#endif
