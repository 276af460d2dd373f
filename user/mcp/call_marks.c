/* SPDX-License-Identifier: Apache-2.0 */
/* Content of messages, reduced to marks. */
#include "mcp/call_marks.h"

#include "base/hash.h"
#include "mcp/error_text.h"

_Static_assert(CALL_INTS == MARKS_INTS, "one list, two layers");

uint64_t call_marks_hash(const struct rpc_value *v)
{
	uint64_t h;

	if (v->type != RPC_STRING && v->type != RPC_NUMBER)
		return 0;
	h = v->cut ? v->hash : hash_bytes(v->text.p, v->text.n);
	return h ? h : 1;
}

/* Codex names the thread, and within it the session. A trace id is none: it changes with each call. */
static uint64_t lane_of(const struct rpc_value *f)
{
	static const uint8_t fields[] = { RPC_F_META_THREAD, RPC_F_META_CODEX_THREAD, RPC_F_META_SESSION,
					  RPC_F_META_CODEX_SESSION };

	for (size_t i = 0; i < sizeof(fields); i++) {
		uint64_t h = call_marks_hash(&f[fields[i]]);

		if (h)
			return h;
	}
	return 0;
}

bool call_marks_known(const struct mcp_msg *msg)
{
	return msg->rpc->marks && !msg->lost_bytes;
}

void call_marks_request(struct call *c, const struct mcp_msg *msg)
{
	const struct rpc_marks *marks = msg->rpc->marks;
	struct call_marks *to = &c->marks;

	to->cursor = call_marks_hash(&msg->rpc->f[RPC_F_CURSOR]);
	to->lane = lane_of(msg->rpc->f);
	if (!call_marks_known(msg))
		return;
	c->args_fp = marks->args;
	to->shape = marks->shape;
	to->simhash = marks->simhash;
	to->n_ints = marks->n_ints;
	for (uint8_t i = 0; i < marks->n_ints; i++) {
		to->ints[i].path = marks->ints[i].path;
		to->ints[i].v = marks->ints[i].v;
	}
}

static bool is_error(const struct rpc_msg *rpc)
{
	const struct rpc_value *v = &rpc->f[RPC_F_IS_ERROR];

	return rpc->kind == RPC_ERROR || (v->type == RPC_BOOL && sv_eq(v->text, SV("true")));
}

void call_marks_answer(struct call *c, const struct mcp_msg *msg)
{
	const struct rpc_marks *marks = msg->rpc->marks;
	struct sv head = marks ? (struct sv){ marks->head, marks->head_n } : (struct sv){ NULL, 0 };

	c->marks.next_cursor = call_marks_hash(&msg->rpc->f[RPC_F_NEXT_CURSOR]);
	if (!call_marks_known(msg))
		return;
	c->result_fp = marks->result;
	c->masked_fp = marks->masked;
	c->marks.text_bytes = marks->text_bytes;
	c->marks.error_class = (uint8_t)error_text(head);
	if (c->marks.error_class == ERROR_NONE && is_error(msg->rpc))
		c->marks.error_class = (uint8_t)error_kind(head);
}
