/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the rules, and what they share. */
#include "detect/rules.h"

#include "detect/name_class.h"

bool rule_set(struct judge *j, enum loop_rule rule, uint32_t count, uint32_t back)
{
	j->m = (struct match){ .rule = rule, .count = count, .back = back };
	return true;
}

bool rule_streak(struct judge *j, enum loop_rule rule, const struct streak *k, uint32_t limit)
{
	if (k->n < limit || (j->t->agent && !k->many))
		return false;
	return rule_set(j, rule, k->n, j->t->n - 1 - k->first);
}

/* From the end of the call @back + 1 ago to the start of the one @back ago. */
static uint32_t gap_ms(const struct track *t, uint32_t back)
{
	const struct seen *x = track_seen(t, back), *before = track_seen(t, back + 1);
	uint32_t gap = x->start_ms - before->start_ms;

	return gap > before->busy_ms ? gap - before->busy_ms : 0;
}

bool rule_backs_off(const struct judge *j)
{
	uint32_t last, before;

	if (track_kept(j->t) < 3)
		return false;
	for (uint32_t back = 0; back < 3; back++)
		if (!(track_seen(j->t, back)->flags & SEEN_PATIENT))
			return false;
	last = gap_ms(j->t, 0);
	before = gap_ms(j->t, 1);
	return before && last > before + before / 3;
}

bool rule_windowed(const struct judge *j, uint32_t n)
{
	return !j->t->agent || j->t->solo >= n;
}

static bool any_streak(const struct track *t, uint32_t least)
{
	bool any = false;

	for (int i = 0; i < STREAKS; i++)
		any |= t->streak[i].n >= least;
	return any;
}

bool rules_idle(const struct judge *j)
{
	const struct track *t = j->t;
	uint32_t least = j->limits->least;

	if (j->s->err || t->same || t->sweep || (t->batch.n > 1 && t->batch.equal > 1))
		return false;
	if (t->volume.total >= rule_limit(j, LOOP_CALL_STORM, false) || (j->s->class & NAME_SPAWN))
		return false;
	return t->slow.n < least && t->heavy_n < least && !any_streak(t, least);
}

bool rules_high(struct judge *j)
{
	static bool (*const families[])(struct judge *j) = {
		rule_pace, rule_same_call, rule_same_answer, rule_failures, rule_cycle,
		rule_repeats, rule_circling, rule_sweep,
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i](j))
			return true;
	return false;
}
