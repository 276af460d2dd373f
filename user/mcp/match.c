/* SPDX-License-Identifier: Apache-2.0 */
/* Streams by what they say.
 *
 * Small ids are the same in every session: one answer proves little, and where two streams would do, none does. */
#include "mcp/match.h"

#include "mcp/shape.h"

#define STREAMS_MAX 128 /* looked at for one stream */

static bool is_answer(const struct held *h)
{
	return h->rpc.kind == RPC_RESULT || h->rpc.kind == RPC_ERROR;
}

static bool same_id(const struct rpc_value *a, const struct rpc_value *b)
{
	return a->type == b->type && a->hash == b->hash && sv_eq(a->text, b->text);
}

/* The answer has what only an answer to the request's method has. */
static bool fits(const struct held *request, const struct held *reply)
{
	struct sv method = held_field(request, RPC_F_METHOD)->text;
	bool initialize = sv_eq(method, SV("initialize"));

	if (reply->rpc.kind == RPC_ERROR)
		return true;
	if (initialize != (held_field(reply, RPC_F_RESULT_VERSION)->type == RPC_STRING))
		return false;
	return held_field(reply, RPC_F_IS_ERROR)->type == RPC_ABSENT || sv_eq(method, SV("tools/call"));
}

static bool answered_in(const struct wire *asking, const struct held *reply)
{
	const struct rpc_value *id = held_field(reply, RPC_F_ID);
	const struct list *head = &asking->held.list;

	if (id->type == RPC_ABSENT || id->type == RPC_NULL)
		return false;
	for (const struct list *l = head->next; l != head; l = l->next) {
		const struct held *h = list_entry(l, struct held, link);

		if (h->rpc.kind == RPC_REQUEST && same_id(held_field(h, RPC_F_ID), id) && fits(h, reply))
			return true;
	}
	return false;
}

/* Answers on @from to requests on @asking; *@ret_strange: those that answer nothing there. */
static unsigned int count(const struct wire *asking, const struct wire *from, unsigned int *ret_strange)
{
	const struct list *head = &from->held.list;
	unsigned int n = 0;

	for (const struct list *l = head->next; l != head; l = l->next) {
		const struct held *h = list_entry(l, struct held, link);

		if (!is_answer(h))
			continue;
		if (answered_in(asking, h))
			n++;
		else
			(*ret_strange)++;
	}
	return n;
}

bool match_answers(const struct wire *a, const struct wire *b)
{
	unsigned int strange = 0;

	return count(a, b, &strange) + count(b, a, &strange) > 0;
}

/* What one process asks, the same process hears. */
static bool may_be(const struct wire *a, const struct wire *b)
{
	const struct proc_id *asks = a->asked ? &a->writer : &b->writer;
	const struct proc_id *hears = a->asked ? &b->reader : &a->reader;

	if (a == b || b->d || a->copy || b->copy || shape_is_other(b->shape) || a->http || b->http)
		return false;
	return !asks->pid || !hears->pid || (asks->pid == hears->pid && asks->start == hears->start);
}

bool match_agrees(const struct wire *a, const struct wire *b)
{
	unsigned int strange = 0, n;

	if (!may_be(a, b))
		return false;
	n = count(a, b, &strange) + count(b, a, &strange);
	/* The first answer after a late start has lost its request. */
	return n > 1 && strange <= (a->late || b->late);
}

static struct wire *only(struct mcp *m, const struct wire *w, bool *ret_several)
{
	struct list *const heads[] = { &m->wires.fresh, &m->wires.stale };
	struct wire *found = NULL;
	unsigned int n = 0;

	for (int i = 0; i < 2; i++) {
		/* From the newest: streams of one session begin together. */
		for (struct list *l = heads[i]->prev; l != heads[i] && n < STREAMS_MAX; l = l->prev, n++) {
			struct wire *o = list_entry(l, struct wire, holding);

			if (!match_agrees(w, o))
				continue;
			if (found) {
				*ret_several = true;
				return NULL;
			}
			found = o;
		}
	}
	return found;
}

struct wire *match_find(struct mcp *m, const struct wire *w, bool *ret_several)
{
	struct wire *o = only(m, w, ret_several);

	return o && only(m, o, ret_several) == w ? o : NULL;
}
