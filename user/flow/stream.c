/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly of one direction.
 *
 * Each end numbers the same bytes alike, so a record says where it belongs and nothing is compared by content. The
 * rules, in order:
 *   - bytes at the next position from the reader's end are decoded, once the writer's record of them is there too, or
 *     STREAM_GRACE_NS later: without it the message's first time and its writer would be missing;
 *   - bytes that only the writer's end has are decoded where no reader can be seen, else STREAM_READER_NS after they
 *     were written: until then the reader's own record may come, and it wins. What a writer shows at the end of its
 *     call may have been changed by another thread since the kernel took it (measured: 2,789 of 5,000);
 *   - a position that no record holds is a hole, STREAM_HOLE_NS after a record behind it came. */
#include "flow/stream.h"

#include <string.h>

#include "flow/conn.h"

static void wait_add(struct flow *f, struct flow_stream *s)
{
	if (s->waiting)
		return;
	s->waiting = true;
	s->wait_prev = NULL;
	s->wait_next = f->waiting;
	if (f->waiting)
		f->waiting->wait_prev = s;
	f->waiting = s;
}

static void wait_del(struct flow *f, struct flow_stream *s)
{
	if (!s->waiting)
		return;
	s->waiting = false;
	if (s->wait_prev)
		s->wait_prev->wait_next = s->wait_next;
	else
		f->waiting = s->wait_next;
	if (s->wait_next)
		s->wait_next->wait_prev = s->wait_prev;
}

/* Where decoding begins: the lowest position that is known when the first bytes can be decoded. */
static void stream_start(struct flow_stream *s)
{
	uint64_t r = s->segs[END_READ].first ? s->segs[END_READ].first->pos : UINT64_MAX;
	uint64_t w = s->segs[END_WRITE].first ? s->segs[END_WRITE].first->pos : UINT64_MAX;

	if (s->started || (r == UINT64_MAX && w == UINT64_MAX))
		return;
	s->fed = r < w ? r : w;
	s->started = true;
}

static void marks_trim(struct flow_stream *s)
{
	uint64_t keep = s->fed;
	uint64_t needs = s->conn->pump ? pump_needs(s->conn->pump, s->dir) : keep;

	if (needs < keep)
		keep = needs;
	marks_drop(&s->marks[END_READ], keep);
	marks_drop(&s->marks[END_WRITE], keep);
}

static void feed(struct flow_stream *s, const char *p, uint64_t n)
{
	struct pump *pump = conn_pump(s->conn);
	uint64_t pos = s->fed;

	s->fed += n;
	if (pump)
		pump_feed(pump, s->dir, pos, (struct sv){ p, n });
	marks_trim(s);
}

/* Under which name the bytes of a record that lacks them are lost. */
static enum flow_gap gap_of(uint16_t flags)
{
	if (flags & EV_F_SPLICE)
		return FLOW_GAP_SPLICED;
	if (flags & EV_F_URING)
		return FLOW_GAP_URING;
	if (flags & EV_F_CUT)
		return FLOW_GAP_CUT;
	return flags & EV_F_FAULT ? FLOW_GAP_FAULT : FLOW_GAP_MISSING;
}

static void hole(struct flow *f, struct flow_stream *s, uint64_t to, uint16_t flags)
{
	struct pump *pump = conn_pump(s->conn);
	uint64_t pos = s->fed, n = to - s->fed;

	s->fed = to;
	if (s->conn->rpc)
		f->stats.gap_bytes[gap_of(flags)] += n;
	if (pump)
		pump_gap(pump, s->dir, pos, n);
	marks_trim(s);
}

/* Decode up to @limit of what @g holds at the next position; a part that it lacks is a hole. */
static void feed_seg(struct flow *f, struct flow_stream *s, const struct seg *g, uint64_t limit)
{
	uint64_t have_end = g->pos + g->have;

	if (have_end > limit)
		have_end = limit;
	if (s->fed < have_end)
		feed(s, g->data + (s->fed - g->pos), have_end - s->fed);
	if (s->fed < limit)
		hole(f, s, limit, g->flags);
}

static bool passed(uint64_t now, uint64_t since, uint64_t ns)
{
	return now >= since + ns;
}

/* The first segment of @end that reaches beyond what is decoded. */
static struct seg *head(struct flow *f, struct flow_stream *s, int end)
{
	f->stats.pending -= segs_drop(&s->segs[end], s->fed);
	return s->segs[end].first;
}

/* When the first bytes that wait in @s passed. */
static uint64_t first_ts(struct flow *f, struct flow_stream *s)
{
	uint64_t ts = UINT64_MAX;

	for (int end = 0; end < 2; end++) {
		const struct seg *g = head(f, s, end);

		if (g && g->first < ts)
			ts = g->first;
	}
	return ts;
}

/* When the last of two records came that begin what waits. */
static uint64_t last_ts(const struct seg *r, const struct seg *w)
{
	return r && (!w || r->ts > w->ts) ? r->ts : w->ts;
}

/* The reader's bytes are next. @return false: wait for the writer's record. */
static bool run_reader(struct flow *f, struct flow_stream *s, struct seg *r, uint64_t now)
{
	struct seg *w = s->segs[END_WRITE].first;
	uint64_t end = r->pos + r->want, known = r->pos + r->have;
	uint64_t wait = conn_wait(s->conn, s, END_WRITE);

	if (wait && s->cov[END_WRITE] < end && s->segs[END_READ].bytes < STREAM_GRACE_BYTES) {
		if (!passed(now, r->ts, wait))
			return false;
		if (!s->seen[END_WRITE])
			s->blind[END_WRITE] = true;
	}
	s->raced = false;
	if (s->fed < known) {
		feed_seg(f, s, r, known);
		return true;
	}
	/* The reader's record lacks the rest: the writer's may have it. */
	if (w && w->pos <= s->fed && w->pos + w->have > s->fed)
		feed_seg(f, s, w, w->pos + w->have < end ? w->pos + w->have : end);
	else
		hole(f, s, end, r->flags);
	return true;
}

/* Did another thread write while this one did, so that either may have been first? Of a system call the beginning is not known. */
static bool writers_raced(struct flow_stream *s, const struct seg *w)
{
	bool other = s->writer_tid && s->writer_tid != w->tid;
	bool behind = s->conn->chan == CHAN_TLS && w->first >= s->writer_ts;

	s->writer_tid = w->tid;
	s->writer_ts = w->ts;
	return w->flags & EV_F_RACED || (other && !behind);
}

/* Only the writer's end has the next bytes. @return false: wait for the reader's record. */
static bool run_writer(struct flow *f, struct flow_stream *s, struct seg *w, const struct seg *r,
		       uint64_t now)
{
	uint64_t limit = w->pos + w->want;
	uint64_t wait = conn_wait(s->conn, s, END_READ);

	if (s->cov[END_READ] > s->fed && wait > STREAM_HOLE_NS)
		wait = STREAM_HOLE_NS; /* it read on: its record of these bytes is missing */
	else if (wait >= STREAM_READER_NS && !w->have && (!w->flags || (w->flags == EV_F_CUT && s->seen[END_READ])))
		wait = STREAM_BYTES_NS; /* the reader alone will have the bytes */
	if (wait && !s->eof) {
		if (!passed(now, w->ts, wait))
			return false;
		if (!s->seen[END_READ])
			s->blind[END_READ] = true;
	}
	if (r && r->pos < limit)
		limit = r->pos;
	s->raced = writers_raced(s, w);
	feed_seg(f, s, w, limit);
	return true;
}

/* Nothing at the next position, something behind it. */
static bool run_hole(struct flow *f, struct flow_stream *s, const struct seg *r, const struct seg *w,
		     uint64_t now)
{
	const struct seg *g = r && (!w || r->pos <= w->pos) ? r : w;

	if (!passed(now, g->ts, STREAM_HOLE_NS))
		return false;
	hole(f, s, g->pos, 0);
	return true;
}

/* @return whether the end is still to come. */
static bool run_eof(struct flow *f, struct flow_stream *s, uint64_t now)
{
	if (!s->eof || s->ended)
		return false;
	if ((s->fed < s->eof_pos || !s->eof_pos) && !passed(now, s->eof_ts, STREAM_HOLE_NS))
		return true;
	s->ended = true;
	if (s->conn->pump)
		pump_eof(s->conn->pump, s->dir);
	f->ops.stream_end(f->ops.ctx, s->id, s->eof_ts, "eof");
	conn_ended(f, s->conn, now);
	return false;
}

/* The next thing that @s can do. @return false: there is nothing, or it has to wait. */
static bool stream_step(struct flow *f, struct flow_stream *s, uint64_t now)
{
	struct seg *r, *w;

	stream_start(s);
	r = head(f, s, END_READ);
	w = head(f, s, END_WRITE);
	if (!r && !w)
		return false;
	if (conn_sorts(s->conn) && !passed(now, last_ts(r, w), STREAM_SORT_NS))
		return false;
	if (r && r->pos <= s->fed)
		return run_reader(f, s, r, now);
	if (w && w->pos <= s->fed)
		return run_writer(f, s, w, r, now);
	return run_hole(f, s, r, w, now);
}

/* On a TLS connection an answer is not decoded before what it answers, also where that waits for its other end while the answer
 * does not: it would be taken for one whose request was missed. Whoever wrote the next bytes of @s can only have answered what
 * it had read; where its own records are missing, or may be, what the other end had written. */
static bool answers_what_waits(struct flow *f, struct flow_stream *s)
{
	struct flow_stream *peer = &s->conn->s[!s->dir];
	uint64_t since = first_ts(f, s);
	const struct seg *w = s->segs[END_WRITE].first, *r = head(f, peer, END_READ);

	if (w && s->started && w->pos <= s->fed && !conn_sorts(s->conn))
		return r && r->first < since;
	return first_ts(f, peer) < since;
}

/* The next thing that can be done on the connection of @s. @return false: there is nothing, or it has to wait. */
static bool conn_step(struct flow *f, struct flow_stream *s, uint64_t now)
{
	struct flow_stream *peer = &s->conn->s[!s->dir];

	if (s->conn->chan != CHAN_TLS)
		return stream_step(f, s, now);
	return (!answers_what_waits(f, s) && stream_step(f, s, now)) ||
	       (!s->conn->other && !answers_what_waits(f, peer) && stream_step(f, peer, now));
}

static void stream_settle(struct flow *f, struct flow_stream *s, uint64_t now)
{
	if (s->segs[END_READ].first || s->segs[END_WRITE].first || run_eof(f, s, now))
		wait_add(f, s);
	else
		wait_del(f, s);
}

void stream_run(struct flow *f, struct flow_stream *s, uint64_t now)
{
	struct flow_stream *peer = &s->conn->s[!s->dir];
	bool held = conn_is_held(s->conn, now);

	while (!held && !s->conn->other && conn_step(f, s, now))
		;
	if (s->conn->other) {
		stream_reset(f, s);
		pump_free(s->conn->pump);
		s->conn->pump = NULL;
	}
	if (s->conn->chan == CHAN_TLS)
		stream_settle(f, peer, now);
	stream_settle(f, s, now);
}

void stream_flush(struct flow *f, struct flow_stream *s, uint64_t now)
{
	stream_run(f, s, now > UINT64_MAX / 2 ? now : now + 10 * STREAM_READER_NS);
}

static void mark_add(struct flow *f, struct flow_stream *s, const struct ev_data *d)
{
	struct mark m = {
		.beg = d->pos,
		.end = d->pos + d->want,
		.first = d->enter ? d->enter : d->hdr.ts,
		.last = d->hdr.ts,
		.who = { .pid = d->hdr.pid, .start = d->start },
	};

	if (marks_add(&s->marks[d->end], &m))
		f->stats.marks_full++;
}

/* Decode straight from the record where nothing has to wait; true: done with it. */
static bool data_direct(struct flow *f, struct flow_stream *s, const struct ev_data *d)
{
	uint64_t end = d->pos + d->want;

	if (d->chan == CHAN_TLS && (conn_sorts(s->conn) || s->only || first_ts(f, &s->conn->s[!s->dir]) != UINT64_MAX))
		return false; /* what passed before waits */
	if (!s->started || d->end != END_READ || d->have != d->want || d->pos > s->fed ||
	    s->segs[END_READ].first)
		return false;
	if (s->cov[END_WRITE] < end && conn_wait(s->conn, s, END_WRITE))
		return false;
	s->raced = false;
	feed(s, (const char *)d->data + (s->fed - d->pos), end - s->fed);
	return true;
}

void stream_data(struct flow *f, struct flow_stream *s, const struct ev_data *d)
{
	uint64_t end = d->pos + d->want;
	uint32_t have = d->have;
	struct seg *g;

	if (!s->seen[d->end]) {
		s->seen[d->end] = true;
		conn_both(s->conn, s);
	}
	s->blind[d->end] = false;
	if (s->started && end <= s->fed)
		return;
	mark_add(f, s, d);
	if (end > s->cov[d->end])
		s->cov[d->end] = end;
	if (!data_direct(f, s, d)) {
		if (s->segs[d->end].bytes + have > f->opts.stream_pending_max ||
		    f->stats.pending + have > f->opts.pending_max) {
			f->stats.pending_full += have;
			have = 0;
		}
		g = segs_add(&s->segs[d->end], d->pos, d->data, have);
		if (!g)
			return;
		g->ts = d->hdr.ts;
		g->first = d->enter ? d->enter : d->hdr.ts;
		g->want = d->want;
		g->tid = d->hdr.tid;
		g->flags = d->hdr.flags;
		f->stats.pending += have;
	}
	stream_run(f, s, f->now);
}

void stream_reset(struct flow *f, struct flow_stream *s)
{
	for (int end = 0; end < 2; end++) {
		f->stats.pending -= segs_done(&s->segs[end]);
		marks_done(&s->marks[end]);
		s->cov[end] = 0;
	}
	s->started = false;
	s->writer_tid = 0;
}

void stream_done(struct flow *f, struct flow_stream *s)
{
	wait_del(f, s);
	stream_reset(f, s);
}
