/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and their sessions.
 *
 * A server may answer by several processes (workers), and a wrapper may have spoken first: an end at which more than
 * one process was seen outlives each of them. */
#include "mcp/ends.h"

#include <stdlib.h>

struct ends {
	struct table_node node;
	struct proc_id proc;
	struct list sessions[2]; /* where it is the client, the server */
};

int ends_init(struct mcp *m)
{
	/* Two ends a session; one more, since a session is made before the one that it evicts is gone. */
	return table_init(&m->ends, 2 * ((size_t)m->caps.sessions + 1));
}

void ends_done(struct mcp *m)
{
	table_done(&m->ends);
}

static struct ends *find(struct mcp *m, const struct proc_id *proc)
{
	struct table_node *node = table_peek(&m->ends, proc, sizeof(*proc));

	return node ? table_entry(node, struct ends, node) : NULL;
}

static struct ends *open(struct mcp *m, const struct proc_id *proc)
{
	struct ends *e = find(m, proc);

	if (e || m->ends.n >= m->ends.max)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->proc = *proc;
	list_init(&e->sessions[SIDE_CLIENT]);
	list_init(&e->sessions[SIDE_SERVER]);
	table_add(&m->ends, &e->node, &e->proc, sizeof(e->proc));
	return e;
}

static void join(struct mcp *m, struct session *s, uint8_t side)
{
	const struct proc_id *proc = side == SIDE_CLIENT ? &s->route.client : &s->route.server;
	struct end_link *end = &s->end[side];

	if (end->at || !proc->pid || s->ended)
		return;
	end->at = open(m, proc);
	if (end->at)
		list_add(&end->at->sessions[side], &end->link);
}

static void another(struct session *s, uint8_t side, const struct proc_id *proc)
{
	const struct ends *at = s->end[side].at;

	if (!at || !proc->pid || (proc->pid == at->proc.pid && proc->start == at->proc.start))
		return;
	s->end[side].several = true;
	if (!s->by_exit || s->by_exit != 1 + side)
		return;
	/* The process that is gone was not the only one. */
	list_del(&s->ending);
	s->end_at = 0;
	s->by_exit = 0;
	s->server_died = 0;
}

void ends_saw(struct mcp *m, struct session *s, const struct mcp_link *l)
{
	join(m, s, SIDE_CLIENT);
	join(m, s, SIDE_SERVER);
	if (!l)
		return;
	another(s, l->from, &l->msg->writer);
	another(s, l->from == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT, &l->msg->reader);
}

static void leave(struct mcp *m, struct end_link *end)
{
	struct ends *e = end->at;

	if (!e)
		return;
	list_del(&end->link);
	end->at = NULL;
	if (!list_empty(&e->sessions[SIDE_CLIENT]) || !list_empty(&e->sessions[SIDE_SERVER]))
		return;
	table_del(&m->ends, &e->node);
	free(e);
}

void ends_leave(struct mcp *m, struct session *s)
{
	leave(m, &s->end[SIDE_CLIENT]);
	leave(m, &s->end[SIDE_SERVER]);
}

static void gone(struct mcp *m, struct ends *e, uint8_t side, uint64_t ts)
{
	struct list *head = &e->sessions[side];

	for (struct list *l = head->next; l != head; l = l->next) {
		struct end_link *end = list_entry(l, struct end_link, link);
		struct session *s = list_entry(end - side, struct session, end);

		if (end->several || s->end_at)
			continue;
		s->by_exit = (uint8_t)(1 + side);
		s->server_died = side == SIDE_SERVER ? ts : 0;
		session_end_soon(m, s, ts, "exit");
	}
}

void ends_exit(struct mcp *m, const struct proc_id *proc, uint64_t ts)
{
	struct ends *e = find(m, proc);

	if (!e)
		return;
	gone(m, e, SIDE_SERVER, ts);
	gone(m, e, SIDE_CLIENT, ts);
}
