/* SPDX-License-Identifier: Apache-2.0 */
/* Pace: too many calls at once, the same for hours, pages over and over. */
#include "detect/name_class.h"
#include "detect/rules.h"

/* A whole agent with all its sessions may do more than one session. */
#define AGENT_FACTOR 2
/* A timer's ticks differ by little. Where the gaps' standard deviation is a fifth of their mean or more, it is none. */
#define IRREGULAR 25
/* The same failure each minute is worth a word even where a timer asks. */
#define FAILURES_MORE 8

static bool storm(struct judge *j, enum loop_rule rule, const struct volume *v, uint32_t factor)
{
	uint32_t limit = rule_limit(j, rule, false);

	if (limit == UINT32_MAX || v->total < limit * factor)
		return false;
	return rule_set(j, rule, v->total, track_kept(j->t) - 1);
}

/* What goes back further than the ring. */
static bool long_set(struct judge *j, enum loop_rule rule, uint32_t count, uint32_t calls, uint32_t since_ms)
{
	rule_set(j, rule, count, track_kept(j->t) - 1);
	j->m.calls = calls;
	j->m.since_ms = since_ms;
	return true;
}

static bool irregular(const struct slow *w)
{
	uint64_t gaps = w->n - 1;

	/* variance * 25 >= mean^2, both times gaps^2 */
	return (gaps * w->squares - w->sum * w->sum) * IRREGULAR >= w->sum * w->sum;
}

static bool slow_same(struct judge *j)
{
	const struct slow *w = &j->t->slow;
	uint32_t limit = rule_limit(j, LOOP_SLOW_SAME, j->s->class & (NAME_POLL | NAME_GESTURE));

	if (limit == UINT32_MAX || w->n < limit || w->idle * 2 < w->n)
		return false;
	if (j->t->agent && !w->many)
		return false;
	if (!irregular(w) && !(j->s->err && w->n >= limit + FAILURES_MORE))
		return false;
	return long_set(j, LOOP_SLOW_SAME, w->n, w->n, w->first_ms);
}

bool rule_pace(struct judge *j)
{
	if (storm(j, LOOP_CALL_STORM, &j->t->volume, j->t->agent ? AGENT_FACTOR : 1))
		return true;
	if ((j->s->class & NAME_SPAWN) && storm(j, LOOP_SPAWN_STORM, &j->t->spawned, 1))
		return true;
	return slow_same(j);
}

bool rule_sweep(struct judge *j)
{
	const struct sweep *w = j->t->sweep;

	if (!w || w->n < SWEEP_LONG || !w->advances || w->wraps < rule_limit(j, LOOP_PAGING, false) ||
	    (j->t->agent && !w->many))
		return false;
	return long_set(j, LOOP_PAGING, w->wraps, w->n, w->since_ms);
}

bool rules_slow_notice(struct judge *j)
{
	if (j->t->heavy_n < rule_limit(j, LOOP_SLOW_LOOP, j->s->class & NAME_POLL) || !rule_windowed(j, 2))
		return false;
	return long_set(j, LOOP_SLOW_LOOP, j->t->heavy_n, j->t->heavy_n, j->t->heavy_since_ms);
}
