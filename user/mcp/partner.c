/* SPDX-License-Identifier: Apache-2.0 */
/* Pairing of streams, in this order:
 *
 * 1. At exec, what is on fd 0 and 1 is one stdio set, whoever inherits it. Where a stream is in one set with one
 *    partner they are a pair. Where it is in several (wrapping scripts, pipelines, commands that a server runs), the
 *    messages tell: an answer to what was asked, or the process of the set at its end.
 * 2. The other direction of the same kernel object, if it carries JSON-RPC, too.
 * 3. The only pair of streams between two processes.
 * 4. Ids and methods that agree over more than one exchange.
 *
 * Else the stream is unpaired: its messages are held, and are a finding in the end. */
#include "mcp/partner.h"

#include "mcp/between.h"
#include "mcp/copy.h"
#include "mcp/duplex.h"
#include "mcp/execset.h"
#include "mcp/match.h"
#include "mcp/method.h"

static bool same_proc(const struct proc_id *a, const struct proc_id *b)
{
	return a->pid && a->pid == b->pid && a->start == b->start;
}

static bool join(struct mcp *m, struct wire *a, struct wire *b, enum duplex_how how)
{
	return duplex_new(m, a, b, how) != NULL;
}

static bool join_set(struct mcp *m, struct wire *w, struct wire *o, const struct execset_partner *p)
{
	if (!join(m, p->in ? w : o, p->in ? o : w, BY_EXEC))
		return false;
	w->d->server = p->proc;
	return true;
}

/* The stream @id, which may have carried nothing so far. Making room for it must not cost @w. */
static struct wire *partner(struct mcp *m, const struct wire *w, uint64_t id)
{
	wire_find(m, w->id);
	return wire_open(m, id);
}

/* In one set only, both of them. */
static bool only_set(struct mcp *m, struct wire *w, const struct execset *e)
{
	const struct execset *back;
	struct wire *o;

	if (e->n != 1)
		return false;
	back = execset_find(m, e->partner[0].other);
	if (!back || back->n != 1)
		return false;
	o = partner(m, w, e->partner[0].other);
	return o && !o->d && !o->no_set && join_set(m, w, o, &e->partner[0]);
}

static bool of_process(const struct wire *w, const struct execset_partner *p)
{
	return same_proc(p->in ? &w->reader : &w->writer, &p->proc);
}

static bool at_ends(const struct wire *w, const struct wire *o, const struct execset_partner *p)
{
	return of_process(w, p) && same_proc(p->in ? &o->writer : &o->reader, &p->proc);
}

static bool same_role(const struct wire *a, const struct wire *b)
{
	return a->sender != SENT_BY_BOTH && a->sender == b->sender;
}

/* The one set of @e of which @by_ends or the ids speak; NULL where there is none or more. */
static const struct execset_partner *told_by(struct mcp *m, struct wire *w, const struct execset *e,
					     bool by_ends)
{
	const struct execset_partner *found = NULL;

	for (uint8_t i = 0; i < e->n; i++) {
		const struct execset_partner *p = &e->partner[i];
		const struct wire *o = wire_peek(m, p->other);

		if (!o || o->d || !o->carried || o->no_set || same_role(w, o))
			continue;
		if (by_ends ? !at_ends(w, o, p) : !match_answers(w, o))
			continue;
		if (found) {
			w->ambiguous = true;
			return NULL;
		}
		found = p;
	}
	return found;
}

/* The messages tell which of several sets it is: by who writes and reads them, else by what they answer. */
static bool told_set(struct mcp *m, struct wire *w, const struct execset *e)
{
	const struct execset_partner *p = told_by(m, w, e, true);

	if (!p)
		p = told_by(m, w, e, false);
	return p && join_set(m, w, wire_peek(m, p->other), p);
}

/* Nobody answered in time: the set of the process that is at its end, if that is one. */
static bool late_set(struct mcp *m, struct wire *w, const struct execset *e)
{
	const struct execset_partner *found = NULL;
	struct wire *o;

	for (uint8_t i = 0; i < e->n; i++) {
		o = wire_peek(m, e->partner[i].other);
		if ((o && (o->d || o->no_set)) || !of_process(w, &e->partner[i]))
			continue;
		if (found) {
			w->ambiguous = true;
			return false;
		}
		found = &e->partner[i];
	}
	o = found ? partner(m, w, found->other) : NULL;
	return o && join_set(m, w, o, found);
}

static bool by_set(struct mcp *m, struct wire *w, const struct execset *e, bool late)
{
	if (only_set(m, w, e) || told_set(m, w, e))
		return true;
	return late && w->asked && late_set(m, w, e);
}

static bool by_reverse(struct mcp *m, struct wire *w)
{
	struct wire *o = wire_peek(m, w->reverse);

	return o && !o->d && o->carried && !o->http && join(m, w, o, BY_REVERSE);
}

static bool by_processes(struct mcp *m, struct wire *w)
{
	struct wire *o = between_back(m, w, &w->ambiguous);

	if (!o || o->d || !o->carried || same_role(w, o))
		return false;
	return join(m, w, o, BY_PROCESSES);
}

bool partner_find(struct mcp *m, struct wire *w, bool late)
{
	const struct execset *e = w->no_set ? NULL : execset_find(m, w->id);

	if (e && by_set(m, w, e, late))
		return true;
	if (e && !late)
		return false;
	return by_reverse(m, w) || by_processes(m, w);
}

bool partner_find_by_ids(struct mcp *m, struct wire *w)
{
	bool several = false;
	struct wire *o;

	if (w->copy || w->held.n == 0)
		return false;
	w->copy = copy_is(m, w);
	o = w->copy ? NULL : match_find(m, w, &several);
	w->ambiguous |= several;
	return o && !copy_is(m, o) && join(m, w, o, BY_IDS);
}
