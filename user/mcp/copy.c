/* SPDX-License-Identifier: Apache-2.0 */
/* Copies by fingerprints of messages.
 *
 * A relay passes messages on as well, but its other side answers, so that it is never asked about here. */
#include "mcp/copy.h"

#include <stdlib.h>

#include "base/hash.h"
#include "mcp/duplex.h"

#define STREAMS_MAX 32 /* that one process reads and that are compared */

struct reader {
	struct table_node node;
	struct proc_id proc;
	struct list wires;
	bool orphaned; /* evicted from the table */
};

static uint64_t print_of(const struct rpc_msg *rpc)
{
	static const uint8_t fields[] = { RPC_F_ID,	      RPC_F_METHOD,	   RPC_F_NAME,
					  RPC_F_URI,	      RPC_F_REQUEST_ID,	   RPC_F_VERSION,
					  RPC_F_CLIENT_NAME,  RPC_F_CLIENT_VERSION, RPC_F_META_PROGRESS,
					  RPC_F_PROGRESS_TOKEN, RPC_F_SERVER_NAME, RPC_F_ERROR_CODE };
	uint64_t h[sizeof(fields) + 2] = { rpc->kind, rpc->bytes };

	for (size_t i = 0; i < sizeof(fields); i++) {
		struct sv text = rpc->f[fields[i]].text;

		if (text.n > 0)
			h[i + 2] = hash_bytes(text.p, text.n);
	}
	return hash_bytes(h, sizeof(h));
}

void copy_saw(struct mcp *m, struct wire *w, const struct rpc_msg *rpc)
{
	if (w->prints < WIRE_PRINTS)
		w->print[w->prints++] = print_of(rpc);
	if (!w->read_by && w->reader.pid && w->d && w->d->live)
		copy_join(m, w);
}

static struct reader *open(struct mcp *m, const struct proc_id *proc)
{
	struct table_node *node = table_get(&m->wires.by_reader, proc, sizeof(*proc));
	struct reader *r;

	if (node)
		return table_entry(node, struct reader, node);
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->proc = *proc;
	list_init(&r->wires);
	node = table_add(&m->wires.by_reader, &r->node, &r->proc, sizeof(r->proc));
	if (node)
		table_entry(node, struct reader, node)->orphaned = true;
	return r;
}

void copy_join(struct mcp *m, struct wire *w)
{
	if (w->read_by || !w->reader.pid)
		return;
	w->read_by = open(m, &w->reader);
	if (w->read_by)
		list_add(&w->read_by->wires, &w->in_reader);
}

void copy_leave(struct mcp *m, struct wire *w)
{
	struct reader *r = w->read_by;

	if (!r)
		return;
	list_del(&w->in_reader);
	w->read_by = NULL;
	if (!list_empty(&r->wires))
		return;
	if (!r->orphaned)
		table_del(&m->wires.by_reader, &r->node);
	free(r);
}

static bool has(const struct wire *w, uint64_t print)
{
	for (uint8_t i = 0; i < w->prints; i++)
		if (w->print[i] == print)
			return true;
	return false;
}

static bool is_copy_of(const struct wire *w, const struct wire *of)
{
	for (uint8_t i = 0; i < w->prints; i++)
		if (!has(of, w->print[i]))
			return false;
	return w->prints > 0 && w != of;
}

bool copy_is(struct mcp *m, const struct wire *w)
{
	struct table_node *node;
	const struct reader *r;
	unsigned int n = 0;

	node = w->writer.pid ? table_peek(&m->wires.by_reader, &w->writer, sizeof(w->writer)) : NULL;
	if (!node)
		return false;
	r = table_entry(node, struct reader, node);
	for (struct list *l = r->wires.next; l != &r->wires && n < STREAMS_MAX; l = l->next, n++)
		if (is_copy_of(w, list_entry(l, struct wire, in_reader)))
			return true;
	return false;
}
