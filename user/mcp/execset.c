/* SPDX-License-Identifier: Apache-2.0 */
/* Stdio sets by stream.
 *
 * Where a stream has too many partners the first one stays (the outermost wrapper's set), the others take turns. */
#include "mcp/execset.h"

#include <stdlib.h>

static struct execset *find(struct mcp *m, uint64_t stream)
{
	struct table_node *node = table_get(&m->wires.members, &stream, sizeof(stream));

	return node ? table_entry(node, struct execset, node) : NULL;
}

const struct execset *execset_find(struct mcp *m, uint64_t stream)
{
	return find(m, stream);
}

static struct execset *open(struct mcp *m, uint64_t stream)
{
	struct execset *e = find(m, stream);
	struct table_node *out;

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e) {
		m->stats.no_memory++;
		return NULL;
	}
	e->stream = stream;
	out = table_add(&m->wires.members, &e->node, &e->stream, sizeof(e->stream));
	if (out)
		free(table_entry(out, struct execset, node));
	return e;
}

static void put(struct mcp *m, uint64_t stream, const struct execset_partner *p)
{
	struct execset *e = open(m, stream);

	if (!e)
		return;
	for (uint8_t i = 0; i < e->n; i++) {
		if (e->partner[i].other != p->other)
			continue;
		if (e->partner[i].in == p->in) /* else both peers' sets are known, and agree */
			e->partner[i].proc = p->proc;
		return;
	}
	if (e->n < EXECSET_PARTNERS) {
		e->partner[e->n++] = *p;
		return;
	}
	e->last = (uint8_t)(e->last % (EXECSET_PARTNERS - 1) + 1);
	e->partner[e->last] = *p;
}

void execset_add(struct mcp *m, uint64_t in, uint64_t out, const struct proc_id *proc)
{
	if (!in || !out || in == out)
		return;
	put(m, in, &(struct execset_partner){ out, *proc, true });
	put(m, out, &(struct execset_partner){ in, *proc, false });
}

static void take_out(struct mcp *m, uint64_t stream, uint64_t other)
{
	struct execset *e = find(m, stream);
	uint8_t n = 0;

	if (!e)
		return;
	for (uint8_t i = 0; i < e->n; i++)
		if (e->partner[i].other != other)
			e->partner[n++] = e->partner[i];
	e->n = n;
	if (n > 0)
		return;
	table_del(&m->wires.members, &e->node);
	free(e);
}

void execset_del(struct mcp *m, uint64_t stream)
{
	struct execset *e = find(m, stream);

	if (!e)
		return;
	for (uint8_t i = 0; i < e->n; i++)
		take_out(m, e->partner[i].other, stream);
	table_del(&m->wires.members, &e->node);
	free(e);
}

void execsets_done(struct mcp *m)
{
	while (m->wires.members.oldest) {
		struct execset *e = table_entry(m->wires.members.oldest, struct execset, node);

		table_del(&m->wires.members, &e->node);
		free(e);
	}
}
