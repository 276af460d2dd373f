/* SPDX-License-Identifier: Apache-2.0 */
/* What the requests of one logical call have in common. */
#include "mcp/logical_key.h"

#include "mcp/record.h"

static void put_value(struct session_parts *parts, const struct rpc_value *v)
{
	session_parts_text(parts, v->text);
	session_parts_num(parts, v->cut ? v->hash : 0);
}

struct session_key logical_key_state(const struct pending *p, const struct rpc_value *state)
{
	struct session_parts parts;

	session_parts_init(&parts, KEY_STATE);
	session_parts_num(&parts, p->s->no);
	session_parts_text(&parts, sv_of(p->call->method));
	session_parts_text(&parts, sv_of(record_target(p->call)));
	put_value(&parts, state);
	return session_parts_key(&parts);
}

bool logical_key_input(const struct pending *p, struct session_key *ret)
{
	const struct call *c = p->call;
	struct session_parts parts;

	if (!record_target(c) || (c->tool && !fp_is(&c->args_fp)))
		return false;
	session_parts_init(&parts, KEY_INPUT);
	session_parts_num(&parts, p->s->no);
	session_parts_text(&parts, sv_of(c->method));
	session_parts_text(&parts, sv_of(record_target(c)));
	session_parts_num(&parts, c->tool ? c->args_fp.w[0] : 0);
	session_parts_num(&parts, c->tool ? c->args_fp.w[1] : 0);
	*ret = session_parts_key(&parts);
	return true;
}

struct session_key logical_key_task(const struct session *s, uint8_t asker, const struct rpc_value *id)
{
	struct session_parts parts;

	session_parts_init(&parts, KEY_TASK);
	session_parts_num(&parts, s->scope);
	session_parts_num(&parts, asker);
	put_value(&parts, id);
	return session_parts_key(&parts);
}
