/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of lines: held until they are paired and decided, judged when their time is over, ended. */
#include "mcp/stdio.h"

#include "mcp/duplex.h"
#include "mcp/execset.h"
#include "mcp/pair.h"
#include "mcp/partner.h"
#include "mcp/session.h"
#include "mcp/shape.h"

#define MATCHES_PER_TICK 8

static uint64_t ended_at(const struct wire *w)
{
	return w->ended ? w->end_ts : UINT64_MAX;
}

/* Both directions ended; each brought its messages in order, so nothing more comes. */
static void channel_end(struct mcp *m, struct duplex *d, uint64_t ts, const char *reason)
{
	struct wire *w[2] = { d->w[0], d->w[1] };
	uint64_t a = ended_at(w[0]), b = ended_at(w[1]), first = a < b ? a : b;

	/* A process that goes takes its streams along; one that goes since it was told to, by the end of one, is another
	 * matter. */
	if (d->s && d->s->by_exit && first > d->s->end_at)
		reason = d->s->end_reason;
	else if (d->s)
		d->s->server_died = 0;
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
	list_del(&w->dirty);
	if (!w->d && partner_find_by_ids(m, w))
		check(m, w->d);
}

/* A message is held on @w: is it decided now? @w may be gone after. */
static void settle(struct mcp *m, struct wire *w, bool late)
{
	if (!w->d && !shape_is_other(w->shape))
		partner_find(m, w, late);
	if (w->d) {
		if (check(m, w->d))
			return;
		partner_find(m, w, late); /* the set did not hold */
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
		struct wire *w = wire_peek(m, ids[i]);

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
	struct wire *w = wire_peek(m, stream);

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
		const uint64_t ids[2] = { d->w[0]->id, d->w[1]->id };

		if (!last && d->since + MCP_GRACE_NS > m->now)
			return;
		if (duplex_judge(m, d, last))
			continue;
		for (int i = 0; i < 2; i++) {
			struct wire *w = wire_peek(m, ids[i]);

			if (w && w->held.n > 0 && !w->d)
				settle(m, w, true);
		}
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
