/* SPDX-License-Identifier: Apache-2.0 */
/* Streaks: calls right after one another that bring nothing new. */
#include "detect/name_class.h"
#include "detect/rules.h"

/* Where the calls differ in digits only, or the tool's work is to write, an agent may well be working through a list
 * whose entries all bring the same answer. */
#define LIST_FACTOR  2
#define WRITE_FACTOR 3
/* At the pace of a program it may be a batch that a client works off one by one. Nobody reads the same in a batch. */
#define TURNS_MORE 2
/* Sessions that begin alike may each be the work of somebody else, all behind one gateway. */
#define SESSIONS_MORE 2

static uint32_t times(uint32_t limit, uint32_t factor)
{
	return limit == UINT32_MAX ? limit : limit * factor;
}

static uint32_t more(uint32_t limit, uint32_t by)
{
	return limit == UINT32_MAX ? limit : limit + by;
}

bool rule_same_call(struct judge *j)
{
	const struct streak *k = j->t->streak;
	bool poll = j->s->class & NAME_POLL, again = poll || (j->s->class & NAME_GESTURE);
	uint32_t patience = rule_backs_off(j) ? 2 : 1;

	uint32_t same = more(rule_limit(j, LOOP_SAME_RESULT, again), j->t->agent ? SESSIONS_MORE : 0);

	return rule_streak(j, LOOP_SAME_ERROR, &k[STREAK_SAME_ERROR],
			   times(rule_limit(j, LOOP_SAME_ERROR, poll), patience)) ||
	       rule_streak(j, LOOP_SAME_RESULT, &k[STREAK_SAME_RESULT], same) ||
	       rule_streak(j, LOOP_SAME_RESULT, &k[STREAK_SAME_TURNS],
			   j->s->class & NAME_READ ? same : more(same, TURNS_MORE)) ||
	       rule_streak(j, LOOP_VOLATILE, &k[STREAK_VOLATILE], rule_limit(j, LOOP_VOLATILE, again)) ||
	       rule_streak(j, LOOP_SAME_FAILS, &k[STREAK_SAME_FAILS],
			   times(rule_limit(j, LOOP_SAME_FAILS, poll), patience));
}

static bool near_duplicate(struct judge *j, bool poll)
{
	const struct streak *k = &j->t->streak[STREAK_NEAR];
	uint32_t limit = rule_limit(j, LOOP_NEAR_DUPLICATE, poll);

	if (j->s->class & NAME_WRITE)
		limit = times(limit, WRITE_FACTOR);
	else if (!k->varied)
		limit = times(limit, LIST_FACTOR);
	return rule_streak(j, LOOP_NEAR_DUPLICATE, k, limit);
}

static bool no_progress(struct judge *j, bool poll)
{
	const struct streak *k = &j->t->streak[STREAK_READ];
	uint32_t limit = rule_limit(j, LOOP_NO_PROGRESS, poll);

	if (!(j->s->class & NAME_READ) || j->s->err)
		return false;
	return rule_streak(j, LOOP_NO_PROGRESS, k, k->varied ? limit : times(limit, LIST_FACTOR));
}

/* Tools that change something may all say "ok"; one that reads does not say the same as another. */
static bool constant(struct judge *j, bool poll)
{
	const struct streak *k = &j->t->streak[STREAK_CONSTANT];
	uint32_t limit = rule_limit(j, LOOP_CONSTANT, poll);

	return k->tools && rule_streak(j, LOOP_CONSTANT, k, k->reads ? limit : times(limit, LIST_FACTOR));
}

bool rule_same_answer(struct judge *j)
{
	bool poll = j->s->class & NAME_POLL;
	uint32_t errors = times(rule_limit(j, LOOP_ERROR_STREAK, poll), rule_backs_off(j) ? 2 : 1);

	return constant(j, poll) || rule_streak(j, LOOP_ERROR_STREAK, &j->t->streak[STREAK_ERROR_TEXT], errors) ||
	       near_duplicate(j, poll) || no_progress(j, poll);
}
