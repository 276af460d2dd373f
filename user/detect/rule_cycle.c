/* SPDX-License-Identifier: Apache-2.0 */
/* Going in circles: sequences that repeat, and nearly equal calls that come back to forms that were left. */
#include "detect/name_class.h"
#include "detect/rules.h"

/* Calls that @times repetitions of a period take; of a long one, two and the begin of the next tell enough. */
static uint32_t calls_of(uint32_t period, uint32_t times)
{
	return period <= 3 ? period * times : period * (times - 1) + 2;
}

struct cycle {
	bool poll, several; /* a polling call in it; more than one call in it */
	bool sessions;	    /* of more than one session */
};

static struct cycle look_at(const struct track *t, uint32_t period)
{
	const struct seen *newest = track_seen(t, 0);
	struct cycle c = { 0 };

	for (uint32_t back = 0; back < period; back++) {
		const struct seen *x = track_seen(t, back);

		c.poll |= (x->flags & (SEEN_POLL | SEEN_ERR)) == SEEN_POLL;
		c.several |= track_pair(t, back) != track_pair(t, 0);
		c.sessions |= x->session != newest->session;
	}
	return c;
}

/* A cycle inside a few parallel answers is a batch, not a loop. */
static bool in_rounds(const struct track *t, uint32_t calls)
{
	uint32_t kept = track_kept(t), n = calls < kept ? calls : kept;

	return seen_rounds(track_seen(t, n - 1), track_seen(t, 0)) >= n / 2;
}

/* The same parallel batch, round after round. */
#define BATCH_MORE 1 /* rounds besides the threshold: there is no other sign than the repetition */

static bool batches(struct judge *j)
{
	const struct batch *b = &j->t->batch;
	uint32_t limit = rule_limit(j, LOOP_CYCLE, b->poll);

	if (b->n < 2 || limit == UINT32_MAX || b->equal < limit + BATCH_MORE || j->t->agent)
		return false;
	rule_set(j, LOOP_CYCLE, b->equal, j->t->n - 1 - b->first);
	j->m.period = b->n < CYCLE_MAX ? (uint8_t)b->n : CYCLE_MAX;
	return true;
}

bool rule_cycle(struct judge *j)
{
	const struct track *t = j->t;

	for (uint32_t k = 2; k <= CYCLE_MAX && t->same; k++) {
		uint32_t calls = t->period[k] + k, limit = rule_least(j, LOOP_CYCLE);
		struct cycle c;

		if (limit == UINT32_MAX || calls < calls_of(k, limit))
			continue;
		c = look_at(t, k);
		limit = rule_limit(j, LOOP_CYCLE, c.poll);
		if (!c.several || (t->agent && !c.sessions) || limit == UINT32_MAX || calls < calls_of(k, limit) ||
		    !in_rounds(t, calls))
			continue;
		rule_set(j, LOOP_CYCLE, calls, calls - 1);
		j->m.period = (uint8_t)k;
		return true;
	}
	return batches(j);
}

struct forms {
	uint32_t calls;	   /* of the streak, in the ring */
	uint32_t changes;  /* calls of another shape than the one before */
	uint32_t distinct; /* shapes */
	uint32_t returns;  /* calls of a shape that was left */
	uint32_t stale;	   /* calls with the result of one before */
};

/* @x, @back calls ago, against those of the streak before it. */
static void compare(const struct track *t, uint32_t back, struct forms *f)
{
	const struct seen *x = track_seen(t, back);
	bool known = false, result = false;

	for (uint32_t i = back + 1; i < f->calls; i++) {
		known |= track_seen(t, i)->shape == x->shape;
		result |= track_seen(t, i)->raw == x->raw;
	}
	f->stale += result;
	if (track_seen(t, back + 1)->shape != x->shape) {
		f->changes++;
		f->returns += known;
	}
	f->distinct += !known;
}

static struct forms forms_of(const struct track *t)
{
	uint32_t kept = track_kept(t), calls = t->n - t->streak[STREAK_CHURN].first;
	struct forms f = { .calls = calls < kept ? calls : kept, .distinct = 1 };

	for (uint32_t back = 0; back + 1 < f.calls; back++)
		compare(t, back, &f);
	return f;
}

/* Who works through a list moves on; who comes back to forms of a call that were left, and finds something else each
 * time, goes in circles. Pages of one thing are one shape, and two things read in turns are two. */
#define FORMS_MIN   3
#define RETURNS_MIN 4

bool rule_circling(struct judge *j)
{
	const struct streak *k = &j->t->streak[STREAK_CHURN];
	bool again = j->s->class & (NAME_POLL | NAME_GESTURE);
	struct forms f;

	if (!k->varied || k->n < rule_limit(j, LOOP_CIRCLING, again) || (j->t->agent && !k->many))
		return false;
	f = forms_of(j->t);
	if (f.distinct < FORMS_MIN || f.returns < RETURNS_MIN || f.stale)
		return false;
	return rule_set(j, LOOP_CIRCLING, k->n, j->t->n - 1 - k->first);
}

bool rules_churn_notice(struct judge *j)
{
	const struct streak *k = &j->t->streak[STREAK_CHURN];
	struct forms f;

	if (!k->varied || k->n < rule_limit(j, LOOP_CHURN, false) || (j->t->agent && !k->many) ||
	    rule_limit(j, LOOP_CHURN, j->s->class & NAME_POLL) == UINT32_MAX)
		return false;
	f = forms_of(j->t);
	if (f.changes + 1 < f.calls || f.distinct < FORMS_MIN || f.stale)
		return false;
	return rule_set(j, LOOP_CHURN, k->n, j->t->n - 1 - k->first);
}
