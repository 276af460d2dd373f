/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of mcp/: struct rpc_msg made by hand, out of words. */
#ifndef MCPVIGIL_TESTS_MCP_WORDS_H
#define MCPVIGIL_TESTS_MCP_WORDS_H

#include "mcp_peers.h"

/* @text as JSON would have it: a string where it begins with '"' (which is dropped), an object where it is "{}", a
 * bool, null, else a number. */
static inline void words_set(struct rpc_msg *r, enum rpc_field f, const char *text)
{
	struct rpc_value *v = &r->f[f];

	v->text = sv_of(text);
	if (text[0] == '"') {
		v->type = RPC_STRING;
		v->text = (struct sv){ text + 1, strlen(text) - 1 };
	} else if (text[0] == '{') {
		v->type = RPC_OBJECT;
		v->text.n = 0;
	} else if (strcmp(text, "null") == 0) {
		v->type = RPC_NULL;
	} else if (text[0] == 't' || text[0] == 'f') {
		v->type = RPC_BOOL;
	} else {
		v->type = RPC_NUMBER;
	}
}

static inline struct rpc_msg words_bare(enum rpc_kind kind, const char *id)
{
	struct rpc_msg r = { .kind = (uint8_t)kind, .bytes = 50 };

	words_set(&r, RPC_F_JSONRPC, "\"2.0");
	if (id)
		words_set(&r, RPC_F_ID, id);
	return r;
}

static inline struct rpc_msg words_request(const char *id, const char *method)
{
	struct rpc_msg r = words_bare(id ? RPC_REQUEST : RPC_NOTIFICATION, id);

	r.f[RPC_F_METHOD] = (struct rpc_value){ .type = RPC_STRING, .text = sv_of(method) };
	if (strcmp(method, "initialize") == 0) {
		words_set(&r, RPC_F_VERSION, "\"2025-11-25");
		words_set(&r, RPC_F_CLIENT_NAME, "\"agent");
		words_set(&r, RPC_F_CLIENT_VERSION, "\"1");
	}
	if (strcmp(method, "tools/call") == 0)
		words_set(&r, RPC_F_NAME, "\"echo");
	return r;
}

static inline struct rpc_msg words_note(const char *method)
{
	return words_request(NULL, method);
}

static inline struct rpc_msg words_modern(const char *id, const char *method)
{
	struct rpc_msg r = words_request(id, method);

	words_set(&r, RPC_F_META_VERSION, "\"2026-07-28");
	words_set(&r, RPC_F_META_CLIENT_NAME, "\"newagent");
	words_set(&r, RPC_F_META_CLIENT_VER, "\"2");
	return r;
}

static inline struct rpc_msg words_result(const char *id)
{
	struct rpc_msg r = words_bare(RPC_RESULT, id);

	words_set(&r, RPC_F_RESULT, "{}");
	r.bytes = 70;
	return r;
}

/* Answer to initialize. */
static inline struct rpc_msg words_welcome(const char *id)
{
	struct rpc_msg r = words_result(id);

	words_set(&r, RPC_F_RESULT_VERSION, "\"2025-06-18");
	words_set(&r, RPC_F_SERVER_NAME, "\"srv");
	words_set(&r, RPC_F_SERVER_VERSION, "\"3");
	return r;
}

static inline struct rpc_msg words_error(const char *id, const char *code)
{
	struct rpc_msg r = words_bare(RPC_ERROR, id);

	words_set(&r, RPC_F_ERROR, "{}");
	words_set(&r, RPC_F_ERROR_CODE, code);
	return r;
}

/* @r carries marks: fingerprints of arguments and result, made of numbers; 0: none. The next 64 calls leave them. */
static inline void words_marks(struct rpc_msg *r, uint64_t args, uint64_t result)
{
	static struct rpc_marks marks[64];
	static unsigned int at;
	struct rpc_marks *x = &marks[at++ % 64];

	*x = (struct rpc_marks){ .args = { { args, args } }, .result = { { result, result } } };
	r->marks = x;
}

/* A process; 0: none. */
static inline struct proc_id words_proc(uint32_t pid)
{
	return (struct proc_id){ pid ? pid * 1000ull : 0, pid, 0 };
}

/* A message on a one-way stream from process @from to @to, 1 ms after the one before. It takes 100 us to write, and
 * is read 50 us after that. */
static inline struct mcp_msg words_line(struct peers *p, uint64_t stream, uint32_t from, uint32_t to)
{
	uint64_t t = p->now += MS;

	return (struct mcp_msg){
		.stream = stream,
		.channel = CHANNEL_PIPE,
		.writer = words_proc(from),
		.reader = words_proc(to),
		.t = { t, t + 100000, to ? t + 50000 : 0, to ? t + 150000 : 0 },
	};
}

static inline void words_say(struct peers *p, struct mcp_msg msg, struct rpc_msg rpc)
{
	msg.rpc = &rpc;
	mcp_feed(p->m, &msg);
}

#endif
