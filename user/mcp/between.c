/* SPDX-License-Identifier: Apache-2.0 */
/* Streams by their two processes. */
#include "mcp/between.h"

#include <stdlib.h>

struct between {
	struct table_node node;
	struct proc_id ends[2]; /* writer, reader: the key */
	struct list wires;
	bool orphaned;		/* evicted from the table */
};

static struct between *find(struct mcp *m, const struct proc_id *writer, const struct proc_id *reader)
{
	const struct proc_id key[2] = { *writer, *reader };
	struct table_node *node = table_get(&m->wires.between, key, sizeof(key));

	return node ? table_entry(node, struct between, node) : NULL;
}

static struct between *open(struct mcp *m, const struct wire *w)
{
	struct between *b = find(m, &w->writer, &w->reader);
	struct table_node *out;

	if (b)
		return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->ends[0] = w->writer;
	b->ends[1] = w->reader;
	list_init(&b->wires);
	out = table_add(&m->wires.between, &b->node, b->ends, sizeof(b->ends));
	if (out)
		table_entry(out, struct between, node)->orphaned = true;
	return b;
}

void between_join(struct mcp *m, struct wire *w)
{
	w->between = open(m, w);
	if (w->between)
		list_add(&w->between->wires, &w->in_between);
}

/* One entry at least for each wire that points to it: the last one to leave frees it. */
void between_leave(struct mcp *m, struct wire *w)
{
	struct between *b = w->between;

	if (!b)
		return;
	list_del(&w->in_between);
	w->between = NULL;
	if (!list_empty(&b->wires))
		return;
	if (!b->orphaned)
		table_del(&m->wires.between, &b->node);
	free(b);
}

static bool is_one(const struct list *l)
{
	return !list_empty(l) && l->next == l->prev;
}

struct wire *between_back(struct mcp *m, const struct wire *w, bool *ret_several)
{
	const struct between *there = w->between, *back;

	if (!there)
		return NULL;
	back = find(m, &there->ends[1], &there->ends[0]);
	if (!back || list_empty(&back->wires) || back == there)
		return NULL;
	if (!is_one(&there->wires) || !is_one(&back->wires)) {
		*ret_several = true;
		return NULL;
	}
	return list_entry(back->wires.next, struct wire, in_between);
}
