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
#include "mcp/stdio.h"

#include "mcp/between.h"
#include "mcp/copy.h"
#include "mcp/duplex.h"
#include "mcp/execset.h"
#include "mcp/match.h"
#include "mcp/method.h"
#include "mcp/pair.h"
#include "mcp/session.h"
#include "mcp/shape.h"

#define MATCHES_PER_TICK 8

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

static struct wire *peek(struct mcp *m, uint64_t id)
{
	struct table_node *node = id ? table_peek(&m->wires.by_id, &id, sizeof(id)) : NULL;

	return node ? table_entry(node, struct wire, node) : NULL;
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
	o = wire_open(m, e->partner[0].other);
	return o && !o->d && !o->no_set && join_set(m, w, o, &e->partner[0]);
}

static bool of_process(const struct wire *w, const struct execset_partner *p)
{
	return same_proc(p->in ? &w->reader : &w->writer, &p->proc);
}

/* The messages tell which of several sets it is. */
static bool told_set(struct mcp *m, struct wire *w, const struct execset *e)
{
	const struct execset_partner *found = NULL;
	struct wire *with = NULL;

	for (uint8_t i = 0; i < e->n; i++) {
		const struct execset_partner *p = &e->partner[i];
		struct wire *o = peek(m, p->other);
		bool ends;

		if (!o || o->d || !o->carried || o->no_set)
			continue;
		if (w->sender != SENT_BY_BOTH && w->sender == o->sender)
			continue;
		ends = of_process(w, p) && same_proc(p->in ? &o->writer : &o->reader, &p->proc);
		if (!ends && !match_answers(w, o))
			continue;
		if (found) {
			w->ambiguous = true;
			return false;
		}
		found = p;
		with = o;
	}
	return found && join_set(m, w, with, found);
}

/* Nobody answered in time: the set of the process that is at its end, if that is one. */
static bool late_set(struct mcp *m, struct wire *w, const struct execset *e)
{
	const struct execset_partner *found = NULL;
	struct wire *o;

	for (uint8_t i = 0; i < e->n; i++) {
		o = peek(m, e->partner[i].other);
		if ((o && (o->d || o->no_set)) || !of_process(w, &e->partner[i]))
			continue;
		if (found) {
			w->ambiguous = true;
			return false;
		}
		found = &e->partner[i];
	}
	o = found ? wire_open(m, found->other) : NULL;
	return o && join_set(m, w, o, found);
}

static bool by_set(struct mcp *m, struct wire *w, const struct execset *e, bool late)
{
	if (only_set(m, w, e) || told_set(m, w, e))
		return true;
	return late && w->asked && !copy_is(m, w) && late_set(m, w, e);
}

static bool by_reverse(struct mcp *m, struct wire *w)
{
	struct wire *o = peek(m, w->reverse);

	return o && !o->d && o->carried && !o->http && join(m, w, o, BY_REVERSE);
}

static bool by_processes(struct mcp *m, struct wire *w)
{
	struct wire *o = between_back(m, w, &w->ambiguous);

	if (!o || o->d || !o->carried || (w->sender != SENT_BY_BOTH && w->sender == o->sender))
		return false;
	return join(m, w, o, BY_PROCESSES);
}

/* Rules 1 to 3. Sets go first: what they leave open waits for the grace time before other rules may decide. */
static bool pair_up(struct mcp *m, struct wire *w, bool late)
{
	const struct execset *e = w->no_set ? NULL : execset_find(m, w->id);

	if (e && by_set(m, w, e, late))
		return true;
	if (e && !late)
		return false;
	return by_reverse(m, w) || by_processes(m, w);
}

/* Both directions ended; each brought its messages in order, so nothing more comes. */
static void channel_end(struct mcp *m, struct duplex *d, uint64_t ts, const char *reason)
{
	struct wire *w[2] = { d->w[0], d->w[1] };

	if (d->live || duplex_judge(m, d, true))
		duplex_end(m, d, ts, reason);
	for (int i = 0; i < 2; i++) {
		wire_report(m, w[i]);
		wire_free(m, w[i]);
	}
}

/* As duplex_check. Streams that ended before they were a pair end as one: @d and its wires are then gone. */
static bool check(struct mcp *m, struct duplex *d)
{
	const struct wire *a = d->w[0], *b = d->w[1];

	if (!duplex_check(m, d))
		return false;
	if (d->live && a->ended && b->ended)
		channel_end(m, d, a->end_ts > b->end_ts ? a->end_ts : b->end_ts, a->end_reason);
	return true;
}

static void pair_by_ids(struct mcp *m, struct wire *w)
{
	bool several = false;
	struct wire *o;

	list_del(&w->dirty);
	if (w->d || w->copy || w->held.n == 0)
		return;
	w->copy = copy_is(m, w);
	o = w->copy ? NULL : match_find(m, w, &several);
	w->ambiguous |= several;
	if (o && !copy_is(m, o) && join(m, w, o, BY_IDS))
		check(m, w->d);
}

/* A message is held on @w: is it decided now? @w may be gone after. */
static void settle(struct mcp *m, struct wire *w, bool late)
{
	if (!w->d && !shape_is_other(w->shape))
		pair_up(m, w, late);
	if (w->d) {
		if (check(m, w->d))
			return;
		pair_up(m, w, late); /* the set did not hold */
		if (w->d)
			check(m, w->d);
		return;
	}
	if (shape_is_other(w->shape))
		wire_is_other(m, w, w->shape);
	else if (w->shape == SHAPE_UNDECIDED && w->asked && w->held.n >= MCP_HELD_MAX)
		wire_is_other(m, w, SHAPE_UNKNOWN);
}

/* The session of a transcript goes by its name; which direction a message has is told. */
static void transcript_feed(struct mcp *m, struct wire *w, const struct mcp_msg *msg)
{
	struct mcp_link l = { .msg = msg, .from = msg->from };
	struct route r = { .transport = TRANSPORT_STDIO, .channel = msg->channel };
	struct session_parts parts;
	struct session_key key;

	session_parts_init(&parts, SESSION_TRANSCRIPT);
	session_parts_text(&parts, sv_of(msg->transcript));
	key = session_parts_key(&parts);
	l.s = session_find(m, &key);
	if (!l.s) {
		l.s = session_open(m, &key, &r);
		if (!l.s || session_name(m, l.s, msg->transcript))
			return;
	}
	if (w->s != l.s) {
		session_unref(w->s);
		w->s = session_ref(l.s);
		l.s->streams++;
	}
	pair_feed(m, &l);
}

static bool was_other(struct mcp *m, struct wire *w, bool before)
{
	if (shape_is_other(w->shape) && before) {
		w->other++;
		m->stats.other_jsonrpc++;
		return true;
	}
	if (before && w->d) /* a new beginning: what the other direction was does not count */
		w->d->w[!w->side]->shape = SHAPE_UNDECIDED;
	return false;
}

void stdio_feed(struct mcp *m, const struct mcp_msg *msg)
{
	struct wire *w = wire_open(m, msg->stream);
	bool other;

	if (!w)
		return;
	if (msg->transcript) {
		transcript_feed(m, w, msg);
		return;
	}
	other = shape_is_other(w->shape);
	wire_saw(m, w, msg);
	if (w->d && w->d->live) {
		wire_find(m, w->d->w[!w->side]->id); /* as recently used as this one */
		duplex_feed(m, w->d, w->side, msg);
		return;
	}
	if (was_other(m, w, other))
		return;
	wire_hold(m, w, msg);
	settle(m, w, w->judged);
}

void stdio_set(struct mcp *m, uint64_t in, uint64_t out, const struct proc_id *proc)
{
	const uint64_t ids[2] = { in, out };

	execset_add(m, in, out, proc);
	/* Another program takes over: what the streams were before says nothing of it. */
	for (int i = 0; i < 2; i++) {
		struct wire *w = peek(m, ids[i]);

		if (w && shape_is_other(w->shape))
			w->shape = SHAPE_UNDECIDED;
	}
}

static void transcript_end(struct mcp *m, struct wire *w, uint64_t ts, const char *reason)
{
	struct session *s = session_ref(w->s);

	wire_free(m, w);
	if (--s->streams == 0)
		session_end(m, s, ts, reason);
	session_unref(s);
}

/* The words of the output contract, which outlive the caller's. */
static const char *reason_of(const char *reason)
{
	static const char *const words[] = { "eof", "exit", "close", "delete", "idle" };

	for (size_t i = 0; reason && i < sizeof(words) / sizeof(words[0]); i++)
		if (sv_eq(sv_of(words[i]), sv_of(reason)))
			return words[i];
	return "eof";
}

void stdio_end(struct mcp *m, uint64_t stream, uint64_t ts, const char *reason)
{
	struct wire *w = peek(m, stream);

	execset_del(m, stream);
	if (!w || w->ended)
		return;
	w->ended = true;
	w->end_ts = ts;
	w->end_reason = reason_of(reason);
	if (w->s)
		transcript_end(m, w, ts, w->end_reason);
	else if (w->http)
		wire_free(m, w);
	else if (!w->d)
		list_add(&m->wires.ended, &w->ending);
	else if (w->d->w[!w->side]->ended)
		channel_end(m, w->d, ts, w->end_reason);
}

void stdio_noise(struct mcp *m, uint64_t stream, uint64_t lines, uint64_t bytes)
{
	struct wire *w = wire_open(m, stream);

	if (!w)
		return;
	w->noise_lines += lines;
	w->noise_bytes += bytes;
	if (w->d && !w->noise_told)
		duplex_noise(m, w->d, w->side);
}

/* Unpaired streams whose grace time is over. */
static void judge_wires(struct mcp *m, bool last)
{
	struct list *fresh = &m->wires.fresh;

	while (!list_empty(fresh)) {
		struct wire *w = list_entry(fresh->next, struct wire, holding);

		if (!last && w->held_since + MCP_GRACE_NS > m->now)
			return;
		w->judged = true;
		list_move(&m->wires.stale, &w->holding);
		if (!w->d)
			settle(m, w, true);
	}
}

static void judge_pairs(struct mcp *m, bool last)
{
	struct list *young = &m->wires.young;

	while (!list_empty(young)) {
		struct duplex *d = list_entry(young->next, struct duplex, young);
		struct wire *w[2] = { d->w[0], d->w[1] };

		if (!last && d->since + MCP_GRACE_NS > m->now)
			return;
		if (duplex_judge(m, d, last))
			continue;
		for (int i = 0; i < 2; i++)
			if (w[i]->held.n > 0 && !w[i]->d)
				settle(m, w[i], true);
	}
}

static void forget_ended(struct mcp *m, bool last)
{
	struct list *ended = &m->wires.ended;

	while (!list_empty(ended)) {
		struct wire *w = list_entry(ended->next, struct wire, ending);

		if (!last && w->end_ts + MCP_GRACE_NS > m->now)
			return;
		if (!list_empty(&w->dirty)) {
			pair_by_ids(m, w); /* off the list where it finds a partner; off the dirty ones anyway */
			continue;
		}
		wire_report(m, w);
		wire_free(m, w);
	}
}

static void match_some(struct mcp *m, unsigned int max)
{
	struct list *dirty = &m->wires.dirty;

	for (unsigned int i = 0; i < max && !list_empty(dirty); i++)
		pair_by_ids(m, list_entry(dirty->next, struct wire, dirty));
}

void stdio_tick(struct mcp *m)
{
	match_some(m, MATCHES_PER_TICK);
	judge_wires(m, false);
	judge_pairs(m, false);
	forget_ended(m, false);
}

void stdio_flush(struct mcp *m)
{
	match_some(m, m->caps.streams);
	judge_wires(m, true);
	judge_pairs(m, true);
	forget_ended(m, true);
	while (m->wires.by_id.oldest) {
		struct wire *w = table_entry(m->wires.by_id.oldest, struct wire, node);

		if (w->d) {
			channel_end(m, w->d, m->now, "shutdown");
			continue;
		}
		wire_report(m, w);
		wire_free(m, w);
	}
}
