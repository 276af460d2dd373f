/* SPDX-License-Identifier: Apache-2.0 */
/* Windows: the same again and again with other calls between. */
#include "detect/name_class.h"
#include "detect/rules.h"

#define REPEAT_CALLS  12
#define FAILURE_CALLS 10
#define STORM_ROUNDS  8
#define STORM_TEXTS   3
#define FAR_FACTOR    2

struct tally {
	uint32_t rounds, back;
	bool others, others_poll; /* calls between; all of them ask how far something is */
	bool others_move;	  /* the same call between, with another result each time */
};

/* Rounds among the last @calls in which @same holds with the newest call. */
static inline struct tally count(const struct track *t, uint32_t calls,
				 bool (*same)(const struct seen *a, const struct seen *b))
{
	const struct seen *newest = track_seen(t, 0), *other = newest;
	struct tally n = { .rounds = 1, .others_poll = true };
	uint32_t kept = track_kept(t), round = newest->round;

	for (uint32_t back = 1; back < calls && back < kept; back++) {
		const struct seen *x = track_seen(t, back);

		if (!same(newest, x)) {
			n.others_poll &= (x->flags & (SEEN_POLL | SEEN_ERR)) == SEEN_POLL;
			n.others_move |= n.others && x->key == other->key && x->raw != other->raw && x->key;
			n.others = true;
			other = x;
			continue;
		}
		n.back = back;
		if (x->round != round) {
			n.rounds++;
			round = x->round;
		}
	}
	return n;
}

static bool same_result(const struct seen *a, const struct seen *b)
{
	return a->key && a->key == b->key && a->raw && a->raw == b->raw;
}

static bool same_failure(const struct seen *a, const struct seen *b)
{
	return (b->flags & SEEN_ERR) && a->key && a->key == b->key && a->masked && a->masked == b->masked;
}

static bool windowed(struct judge *j, enum loop_rule rule, const struct tally *n, uint8_t window)
{
	rule_set(j, rule, n->rounds, n->back);
	j->m.window = window;
	return true;
}

static bool standstill(struct judge *j)
{
	bool again = j->s->class & (NAME_POLL | NAME_GESTURE);

	return rule_streak(j, LOOP_STANDSTILL, &j->t->streak[STREAK_STALE], rule_limit(j, LOOP_STANDSTILL, again));
}

bool rule_repeats(struct judge *j)
{
	bool again = j->s->class & (NAME_POLL | NAME_GESTURE);
	struct tally n;

	if (j->s->err || !rule_windowed(j, REPEAT_CALLS) ||
	    track_same(j->t) < rule_least(j, LOOP_SAME_RESULT_WINDOW))
		return standstill(j);
	n = count(j->t, REPEAT_CALLS, same_result);
	/* "sleep 30" and "status" take turns: the sleeping is part of the polling. "next" and "look" do, and what is
	 * looked at changes: it is no standing still, unless what stands still is a reading. */
	again |= n.others && n.others_poll;
	again |= n.others_move && !(j->s->class & NAME_READ);
	if (n.rounds < rule_limit(j, LOOP_SAME_RESULT_WINDOW, again))
		return standstill(j);
	return windowed(j, LOOP_SAME_RESULT_WINDOW, &n, REPEAT_CALLS);
}

/* Of the last rounds, of each the latest call: how many failed, in how few ways? */
static bool storm(struct judge *j)
{
	uint32_t texts[STORM_TEXTS], n_texts = 0, rounds = 0, failed = 0, kept = track_kept(j->t), back, i;
	uint32_t round = 0;

	for (back = 0; back < kept && rounds < STORM_ROUNDS; back++) {
		const struct seen *x = track_seen(j->t, back);

		if (rounds && x->round == round)
			continue;
		round = x->round;
		rounds++;
		if (!(x->flags & SEEN_ERR))
			continue;
		failed++;
		for (i = 0; i < n_texts && texts[i] != x->masked; i++)
			;
		if (i == STORM_TEXTS || !x->masked)
			return false;
		texts[i] = x->masked;
		n_texts += i == n_texts;
	}
	if (rounds < STORM_ROUNDS || failed < rule_limit(j, LOOP_ERROR_STORM, false))
		return false;
	windowed(j, LOOP_ERROR_STORM, &(struct tally){ .rounds = failed, .back = back - 1 }, STORM_ROUNDS);
	return true;
}

bool rule_failures(struct judge *j)
{
	bool poll = j->s->class & NAME_POLL;
	struct tally n;
	uint32_t limit;

	if (!j->s->err || !rule_windowed(j, FAILURE_CALLS))
		return false;
	n = count(j->t, FAILURE_CALLS, same_failure);
	limit = rule_limit(j, LOOP_ERROR_WINDOW, poll);
	if (limit != UINT32_MAX && rule_backs_off(j))
		limit *= 2;
	if (n.rounds >= limit)
		return windowed(j, LOOP_ERROR_WINDOW, &n, FAILURE_CALLS);
	/* Further apart than the window, but again and again, and not by a timer. */
	if (limit != UINT32_MAX && j->t->heavy_n >= limit * FAR_FACTOR && track_kept(j->t) > 1)
		return rule_set(j, LOOP_ERROR_WINDOW, j->t->heavy_n, track_kept(j->t) - 1);
	return storm(j);
}
