/* SPDX-License-Identifier: Apache-2.0 */
/* One tracker: ring, rounds, streaks. */
#include "detect/track.h"

#include <string.h>

#include "detect/name_class.h"

#define HOUR_MS	    3600000U
#define VARIES_CALLS 8
#define SLOW_GAP_MS 900000U /* calls further apart have nothing to do with each other */

static uint32_t half(uint64_t h)
{
	return (uint32_t)(h >> 32) | (h != 0);
}

static uint32_t both(uint32_t a, uint32_t b)
{
	return a && b ? (((a ^ (b << 7 | b >> 25)) * 0x9e3779b1U) ^ b) | 1 : 0;
}

/* A tick of a timer is no reaction to the call before it: start over. */
void track_forget(struct track *t)
{
	t->n = t->same = 0;
	memset(t->streak, 0, sizeof(t->streak));
	memset(t->period, 0, sizeof(t->period));
	memset(&t->ok, 0, sizeof(t->ok));
	memset(&t->batch, 0, sizeof(t->batch));
}

static bool time_passes(struct track *t, const struct step *s, const struct loop_opts *o)
{
	bool idle = t->last_end && s->start > t->last_end && s->start - t->last_end > o->idle_ns;

	if (idle)
		track_forget(t);
	if (!t->round || s->start >= t->end + o->round_gap_ns)
		t->round++;
	if (!t->turn || s->start >= t->end)
		t->turn++;
	t->end = s->end;
	if (s->end > t->last_end)
		t->last_end = s->end;
	return idle;
}

/* Places in the ring that have @pair, turned so that they count from the newest. All are compared, several at once:
 * that costs less than a branch for each. */
static uint32_t places_of(const struct track *t, uint32_t pair)
{
	static const uint32_t bit[TRACK_PAIRS] = {
#define B(i) 1U << (i), 1U << ((i) + 1), 1U << ((i) + 2), 1U << ((i) + 3)
		B(0), B(4), B(8), B(12), B(16), B(20),
#undef B
	};
	uint32_t at = 0;

	for (int i = 0; i < TRACK_PAIRS; i++)
		at |= t->pair[i] == pair ? bit[i] : 0;
	return at >> t->newest | at << (TRACK_RING - t->newest);
}

static void remember_pair(struct track *t, uint32_t pair)
{
	t->pair[t->newest] = pair;
	t->same = pair ? places_of(t, pair) & ((1U << track_kept(t)) - 1) & ~1U : 0;
}

static const struct seen *remember(struct track *t, const struct step *s)
{
	struct seen *x;
	bool patient = s->error_class == ERROR_RATE_LIMIT || s->error_class == ERROR_TIMEOUT ||
		       s->error_class == ERROR_UNAVAILABLE;
	uint64_t busy_ms = s->busy_ns / 1000000;

	t->newest = (t->newest ? t->newest : TRACK_RING) - 1;
	t->n++;
	x = &t->ring[t->newest];
	*x = (struct seen){
		.simhash = s->simhash,
		.key = half(s->key),
		.raw = half(s->raw),
		.masked = half(s->masked),
		.tool = half(s->tool),
		.shape = half(s->shape),
		.session = (uint32_t)s->session_no,
		.start_ms = (uint32_t)(s->start / 1000000),
		.busy_ms = busy_ms < UINT32_MAX ? (uint32_t)busy_ms : UINT32_MAX,
		.bytes = s->bytes < UINT32_MAX ? (uint32_t)s->bytes : UINT32_MAX,
		.round = t->round,
		.flags = (s->err ? SEEN_ERR : 0) | (s->class & NAME_POLL ? SEEN_POLL : 0) |
			 ((s->class & (NAME_READ | NAME_POLL)) == NAME_READ ? SEEN_READ : 0) |
			 (s->has_ordinal && !s->ordinal ? SEEN_FIRST : 0) |
			 (s->err && patient ? SEEN_PATIENT : 0),
	};
	remember_pair(t, both(x->key, x->masked));
	return x;
}

/* @id continues the streak, or begins a new one. So does the return to a session that another one followed: sessions
 * side by side that do the same are several agents at work, those one after the other are one that starts over. */
static void streak_step(struct track *t, struct streak *k, uint32_t id, const struct seen *x, uint32_t round)
{
	const struct seen *before;

	if (!id) {
		k->id = k->n = 0;
		return;
	}
	if (k->id != id || (int32_t)(x->session - k->session) < 0) {
		*k = (struct streak){ .id = id, .n = 1, .round = round, .first = t->n - 1, .session = x->session,
				      .reads = (x->flags & SEEN_READ) != 0 };
		return;
	}
	before = t->n > 1 ? track_seen(t, 1) : x;
	k->many |= x->session != k->session;
	k->session = x->session;
	if (round != k->round) {
		k->n++;
		k->round = round;
	}
	k->varied |= x->shape != before->shape;
	k->tools |= x->tool != before->tool;
	k->reads |= (x->flags & SEEN_READ) != 0;
}

static void identity_streaks(struct track *t, const struct seen *x)
{
	bool err = x->flags & SEEN_ERR;
	uint32_t same = err ? 0 : both(x->key, x->raw), pair = track_pair(t, 0);
	struct streak *k = t->streak;

	streak_step(t, &k[STREAK_SAME_ERROR], err ? pair : 0, x, t->round);
	streak_step(t, &k[STREAK_SAME_FAILS], err ? x->key : 0, x, t->round);
	streak_step(t, &k[STREAK_SAME_RESULT], same, x, t->round);
	streak_step(t, &k[STREAK_SAME_TURNS], same, x, t->turn);
	streak_step(t, &k[STREAK_VOLATILE], pair, x, t->round);
	streak_step(t, &k[STREAK_ERROR_TEXT], err ? x->masked : 0, x, t->round);
	streak_step(t, &k[STREAK_CONSTANT], x->masked, x, t->round);
}

/* One of the last calls of this tool is a near-duplicate of @x: where words of a small set are put into one frame, two
 * in a row may differ in more than one of them. */
static bool varies(const struct track *t, const struct seen *x)
{
	uint32_t kept = track_kept(t);

	for (uint32_t back = 1; back < kept && back <= VARIES_CALLS; back++) {
		const struct seen *before = track_seen(t, back);

		if (before->tool == x->tool && seen_near(before->simhash, x->simhash))
			return true;
	}
	return false;
}

/* Streaks that failures neither continue nor end: what fails says nothing of progress. */
static void progress_streaks(struct track *t, const struct seen *x)
{
	struct streak *near = &t->streak[STREAK_NEAR], *churn = &t->streak[STREAK_CHURN];
	bool close = t->ok.tool == x->tool && seen_near(t->ok.simhash, x->simhash);

	if (x->flags & SEEN_ERR) {
		churn->id = churn->n = 0;
		return;
	}
	streak_step(t, &t->streak[STREAK_READ], both(x->tool, x->raw), x, t->round);
	if (!close || t->ok.raw != x->raw)
		near->id = 0;
	if (!close && !(churn->id == x->tool && varies(t, x)))
		churn->id = 0;
	streak_step(t, near, x->simhash && x->raw ? both(x->tool, x->raw) : 0, x, t->round);
	streak_step(t, churn, x->simhash ? x->tool : 0, x, t->round);
	t->ok.simhash = x->simhash;
	t->ok.raw = x->raw;
	t->ok.tool = x->tool;
}

static void periods(struct track *t)
{
	if (!t->same) {
		memset(t->period, 0, sizeof(t->period));
		return;
	}
	for (uint32_t k = 2; k <= CYCLE_MAX; k++) {
		if (!(t->same >> k & 1))
			t->period[k] = 0;
		else if (t->period[k] < UINT16_MAX)
			t->period[k]++;
	}
}

/* Nothing new: @x came at least twice in the ring, with the same result. */
static void stale_step(struct track *t, const struct seen *x)
{
	bool twice = t->same & (t->same - 1);

	if ((x->flags & (SEEN_POLL | SEEN_ERR)) != SEEN_POLL)
		streak_step(t, &t->streak[STREAK_STALE], twice, x, t->round);
}

static void batch_step(struct track *t, const struct seen *x)
{
	struct batch *b = &t->batch, *before = &t->batch_before;
	uint32_t pair = track_pair(t, 0);

	if (t->n == 1 || track_seen(t, 1)->round != x->round) {
		*before = *b;
		*b = (struct batch){ .first = t->n - 1 };
	}
	b->sum += pair;
	b->n += pair != 0;
	b->poll |= (x->flags & (SEEN_POLL | SEEN_ERR)) == SEEN_POLL;
	b->equal = b->n == before->n && b->sum == before->sum ? before->equal + 1 : 1;
	if (b->equal > 1)
		b->first = before->first;
}

static void slow_step(struct slow *w, uint32_t id, const struct seen *x, bool idle)
{
	uint32_t gap = x->start_ms - w->last_ms;

	if (!id || id != w->id || gap > SLOW_GAP_MS) {
		*w = (struct slow){ .id = id, .n = 1, .first_ms = x->start_ms, .last_ms = x->start_ms,
				    .session = x->session };
		return;
	}
	gap /= 100;
	w->n++;
	w->idle += idle;
	w->sum += gap;
	w->squares += (uint64_t)gap * gap;
	w->last_ms = x->start_ms;
	w->many |= w->session != x->session;
}

void track_step(struct track *t, const struct step *s, const struct loop_opts *o)
{
	bool idle = time_passes(t, s, o);
	const struct seen *x = remember(t, s);
	uint32_t pair = track_pair(t, 0);

	t->solo = x->flags & SEEN_FIRST ? t->solo + 1 : 0;
	identity_streaks(t, x);
	progress_streaks(t, x);
	periods(t);
	batch_step(t, x);
	stale_step(t, x);
	slow_step(&t->slow, pair, x, idle);
	t->heavy_n = pair ? heavy_add(&t->heavy, pair, x->start_ms, HOUR_MS, &t->heavy_since_ms) : 0;
	t->sweep = s->err ? NULL : sweep_step(&t->sweeps, s);
	volume_add(&t->volume, x->start_ms);
	if (s->class & NAME_SPAWN)
		volume_add(&t->spawned, x->start_ms);
}
