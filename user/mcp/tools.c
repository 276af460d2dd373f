/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of tools: one bounded table for all sessions.
 *
 * Only what makes a difference takes room: tools with a hint, and calls that failed and were not followed by a success.
 * A session that fills its share loses its own oldest entry, so that a flood of names costs nobody else's. */
#include "mcp/tools.h"

#include <stdlib.h>

#include "base/hash.h"
#include "mcp/record.h"

struct memo {
	struct table_node node;
	struct session_key key;
	struct list in_session;
	struct session *s;
	bool read_only;
	uint32_t attempt; /* the one that failed */
	uint64_t failed;  /* when */
};

int tools_init(struct mcp *m)
{
	return table_init(&m->tools, m->caps.tools);
}

static void memo_release(struct memo *o)
{
	list_del(&o->in_session);
	o->s->memos--;
	free(o);
}

static void memo_free(struct mcp *m, struct memo *o)
{
	table_del(&m->tools, &o->node);
	memo_release(o);
}

void tools_done(struct mcp *m)
{
	while (m->tools.oldest)
		memo_free(m, table_entry(m->tools.oldest, struct memo, node));
	table_done(&m->tools);
}

void tools_forget(struct mcp *m, struct session *s)
{
	while (!list_empty(&s->memo))
		memo_free(m, list_entry(s->memo.next, struct memo, in_session));
}

static struct session_key hints_key(const struct session *s, uint64_t tool)
{
	struct session_parts parts;

	session_parts_init(&parts, KEY_HINTS);
	session_parts_num(&parts, s->no);
	session_parts_num(&parts, tool);
	return session_parts_key(&parts);
}

static struct session_key failure_key(const struct pending *p)
{
	const struct call *c = p->call;
	struct session_parts parts;

	session_parts_init(&parts, KEY_FAILURE);
	session_parts_num(&parts, p->s->no);
	session_parts_text(&parts, sv_of(c->method));
	session_parts_text(&parts, sv_of(record_target(c)));
	session_parts_num(&parts, c->args_fp.w[0]);
	session_parts_num(&parts, c->args_fp.w[1]);
	return session_parts_key(&parts);
}

static struct memo *memo_find(struct mcp *m, const struct session_key *key)
{
	struct table_node *node = table_get(&m->tools, key, sizeof(*key));
	struct memo *o = node ? table_entry(node, struct memo, node) : NULL;

	if (o)
		list_move(&o->s->memo, &o->in_session);
	return o;
}

static void make_room(struct mcp *m, struct session *s)
{
	if (s->memos < m->caps.tools / 4)
		return;
	memo_free(m, list_entry(s->memo.next, struct memo, in_session));
	m->stats.tools_evicted++;
}

static struct memo *memo_open(struct mcp *m, struct session *s, const struct session_key *key)
{
	struct memo *o = memo_find(m, key);
	struct table_node *out;

	if (o || s->ended)
		return o;
	make_room(m, s);
	o = calloc(1, sizeof(*o));
	if (!o) {
		m->stats.no_memory++;
		return NULL;
	}
	o->key = *key;
	o->s = s;
	list_init(&o->in_session);
	list_add(&s->memo, &o->in_session);
	s->memos++;
	out = table_add(&m->tools, &o->node, &o->key, sizeof(o->key));
	if (out) {
		memo_release(table_entry(out, struct memo, node));
		m->stats.tools_evicted++;
	}
	return o;
}

static void put_hints(struct mcp *m, struct session *s, const struct rpc_tool *t)
{
	struct session_key key = hints_key(s, t->name_hash);
	struct memo *o = t->read_only ? memo_open(m, s, &key) : memo_find(m, &key);

	if (!o)
		return;
	o->read_only = t->read_only;
}

void tools_listed(struct mcp *m, struct session *s, const struct rpc_msg *rpc)
{
	for (uint32_t i = 0; i < rpc->n_tools; i++)
		put_hints(m, s, &rpc->tools[i]);
}

void tools_asked(struct mcp *m, struct pending *p, const struct rpc_msg *rpc)
{
	struct sv name = rpc->f[RPC_F_NAME].text;
	struct call *c = p->call;
	struct session_key key;
	const struct memo *o;

	if (p->asker != SIDE_CLIENT || !c->method || m->tools.n == 0)
		return;
	if (c->tool) {
		key = hints_key(p->s, hash_bytes(name.p, name.n));
		o = memo_find(m, &key);
		c->marks.read_only = o && o->read_only;
	}
	if (!p->args_known)
		return;
	key = failure_key(p);
	o = memo_find(m, &key);
	/* One that was sent before the failure was known is no reaction to it. */
	if (o && (!c->start || c->start >= o->failed))
		c->attempt = o->attempt + 1;
}

static bool has_failed(const struct call *c)
{
	return c->outcome == CALL_TOOL_ERROR || c->outcome == CALL_RPC_ERROR || c->outcome == CALL_HTTP_ERROR;
}

void tools_answered(struct mcp *m, const struct pending *p)
{
	const struct call *c = p->call;
	struct session_key key;
	struct memo *o;

	if (p->asker != SIDE_CLIENT || !p->args_known || !c->method || !(has_failed(c) || c->outcome == CALL_OK))
		return;
	if (c->outcome == CALL_OK && m->tools.n == 0)
		return;
	key = failure_key(p);
	if (c->outcome == CALL_OK) {
		o = memo_find(m, &key);
		if (o)
			memo_free(m, o);
		return;
	}
	o = memo_open(m, p->s, &key);
	if (!o)
		return;
	if (c->attempt > o->attempt) /* of several at once, what is next follows the last */
		o->attempt = c->attempt;
	o->failed = c->ts;
}
