/* SPDX-License-Identifier: Apache-2.0 */
/* Runaway loops: calls in, alerts out.
 *
 *	call -> step.c: hashes and marks only -> policy.c: thresholds for this tool
 *	     -> order.c: in order of sending  -> track.c: ring, rounds, streaks, once for the session, once for the agent
 *	     -> rule_*.c: is it a loop?	      -> episode.c: once told, again as it doubles, over
 *
 * What is the same call, the same result? Equal fingerprints of arguments, and of the result both raw and with ids and
 * times masked. A repeated call is a loop only where its result repeats as well; an error only lowers the threshold. */
#include "detect/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "detect/loop_session.h"

const char *const loop_rule_names[LOOP_N] = {
#define X(name, text, severity, threshold, poll, help) [LOOP_##name] = text,
	LOOP_RULES(X)
#undef X
};

struct loops {
	struct loop_table table;
	struct policy policy;
};

void loop_opts_default(struct loop_opts *o)
{
	static const uint16_t threshold[LOOP_N] = {
#define X(name, text, severity, threshold, poll, help) [LOOP_##name] = threshold,
		LOOP_RULES(X)
#undef X
	};
	static const uint16_t poll_threshold[LOOP_N] = {
#define X(name, text, severity, threshold, poll, help) [LOOP_##name] = poll,
		LOOP_RULES(X)
#undef X
	};

	memset(o, 0, sizeof(*o));
	o->sessions = o->agents = o->held = 4096;
	memcpy(o->threshold, threshold, sizeof(threshold));
	memcpy(o->poll_threshold, poll_threshold, sizeof(poll_threshold));
	o->round_gap_ns = 150000000ULL;
	o->idle_ns = 45000000000ULL;
	o->held_ns = 2000000000ULL;
	o->resolve_ns = 600000000000ULL;
}

struct loops *loops_new(const struct loop_opts *o, const struct loop_ops *ops)
{
	struct loops *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	policy_set(&l->policy, o);
	if (!loop_table_init(&l->table, o, ops))
		return l;
	loops_free(l);
	errno = ENOMEM;
	return NULL;
}

void loops_free(struct loops *l)
{
	if (!l)
		return;
	loop_table_done(&l->table);
	free(l);
}

void loops_reload(struct loops *l, const struct loop_opts *o)
{
	policy_set(&l->policy, o);
}

static struct judge judge_of(const struct loops *l, const struct track *t, const struct step *s)
{
	return (struct judge){ .t = t, .s = s, .limits = policy_limits(&l->policy, s) };
}

/* The other tracker, if any, has told of it already, or is told now that this one has. */
static void judge_high(struct loops *l, struct track *t, struct track *other, struct judge *j,
		       const struct loop_names *names)
{
	struct judge twin;
	struct episode **slot = &t->episode[SLOT_HIGH], *told = other ? other->episode[SLOT_HIGH] : NULL;
	bool silent;

	if (*slot) {
		if (!episode_step(&l->table.episodes, *slot, j))
			return;
		track_forget(t);
		memset(&t->heavy, 0, sizeof(t->heavy));
		return;
	}
	if (!rules_high(j))
		return;
	silent = told && (t->agent || episode_covers(told, t));
	if (!episode_open(&l->table.episodes, slot, j, names, silent) || silent || !other || told)
		return;
	/* The match is of this tracker's ring: for the other one only the newest call is known to be of it. */
	twin = *j;
	twin.t = other;
	twin.m.back = 0;
	twin.m.period = 0;
	episode_open(&l->table.episodes, &other->episode[SLOT_HIGH], &twin, names, true);
}

static void judge_notice(struct loops *l, struct track *t, enum slot slot, struct judge *j,
			 const struct loop_names *names)
{
	struct episode *x = t->episode[slot];

	if (x)
		episode_step(&l->table.episodes, x, j);
	else if (!t->episode[SLOT_HIGH] && (slot == SLOT_SLOW ? rules_slow_notice(j) : rules_churn_notice(j)))
		episode_open(&l->table.episodes, &t->episode[slot], j, names, false);
}

static void judge_track(struct loops *l, struct track *t, struct track *other, const struct step *s,
			const struct loop_names *names)
{
	struct judge j = judge_of(l, t, s);

	if (rules_idle(&j) && !t->episode[SLOT_HIGH] && !t->episode[SLOT_SLOW] && !t->episode[SLOT_CHURN])
		return;
	judge_high(l, t, other, &j, names);
	judge_notice(l, t, SLOT_SLOW, &j, names);
	judge_notice(l, t, SLOT_CHURN, &j, names);
}

/* What is counted for a session as a whole. */
static void judge_count(struct loops *l, struct episode **slot, struct judge *j, uint32_t count,
			const struct loop_names *names)
{
	uint32_t limit = rule_limit(j, j->m.rule, false);

	if (*slot)
		episode_grow(&l->table.episodes, *slot, j->s, count);
	else if (count >= limit && count % limit == 0 && rule_set(j, j->m.rule, count, 0))
		episode_open(&l->table.episodes, slot, j, names, false);
}

static void judge(struct loops *l, struct loop_session *n, const struct step *s)
{
	struct track *t = loop_session_track(&l->table, n, s->lane, s->end);
	struct track *a = s->agent ? loop_agent_track(&l->table, s->agent, s->end) : NULL;
	struct judge budget = judge_of(l, NULL, s);

	if (t)
		track_step(t, s, &l->policy.o);
	if (a)
		track_step(a, s, &l->policy.o);
	if (t)
		judge_track(l, t, a, s, n->names);
	if (a)
		judge_track(l, a, t, s, n->names);
	budget.m.rule = LOOP_SESSION_BUDGET;
	judge_count(l, &n->over_budget, &budget, ++n->calls, n->names);
}

static void judge_ready(struct loops *l, struct loop_session *n)
{
	struct step s;

	while (order_next(&l->table.pool, &n->order, &s))
		judge(l, n, &s);
}

static bool is_tool_call(const struct call *c)
{
	return c->from == SIDE_CLIENT && c->session_no && c->method && !strcmp(c->method, "tools/call");
}

void loops_asked(struct loops *l, const struct call *c, const struct loop_who *who)
{
	struct loop_session *n;
	struct step s;
	struct judge j;

	if (!is_tool_call(c))
		return;
	n = loop_session_of(&l->table, c, who);
	if (!n)
		return;
	n->in_flight++;
	if (n->in_flight < l->policy.limits[0].at[0][LOOP_FAN_OUT] && !l->policy.o.overrides)
		return;
	step_of(c, who->agent, &s);
	policy_apply(&l->policy, &s, c, who->server);
	j = judge_of(l, NULL, &s);
	j.m.rule = LOOP_FAN_OUT;
	if (!n->whole || n->whole->rule == LOOP_FAN_OUT)
		judge_count(l, &n->whole, &j, n->in_flight, n->names);
}

/* The end of a logical call comes after that of the request that began it, with the same ordinal. */
static void ended(struct loops *l, struct loop_session *n, const struct call *c)
{
	if (n->in_flight && !(c->has_ordinal && order_passed(&n->order, c->ordinal)))
		n->in_flight--;
	if (n->whole && n->whole->rule == LOOP_FAN_OUT &&
	    n->in_flight < l->policy.limits[0].at[0][LOOP_FAN_OUT] / 2u)
		episode_end(&l->table.episodes, n->whole, c->ts);
}

static bool is_list(const char *method)
{
	size_t n = method ? strlen(method) : 0;

	return n > 5 && !strcmp(method + n - 5, "/list");
}

/* A server whose nextCursor is the cursor that it was sent: its pages never end. */
static void judge_cursor(struct loops *l, struct loop_session *n, const struct call *c, const struct loop_who *who)
{
	uint64_t of = hash_bytes(c->method, strlen(c->method)) ^
		      (c->tool ? hash_bytes(c->tool, strlen(c->tool)) : 0);
	bool stuck = c->marks.cursor && c->marks.cursor == c->marks.next_cursor;
	struct step s;
	struct judge j;

	if (n->cursor_of != of && !stuck)
		return;
	n->stuck = stuck ? (n->cursor_of == of ? n->stuck : 0) + 1 : 0;
	n->cursor_of = of;
	if (!stuck && n->whole && n->whole->rule == LOOP_STUCK_CURSOR)
		episode_end(&l->table.episodes, n->whole, c->ts);
	if (!stuck || (n->whole && n->whole->rule != LOOP_STUCK_CURSOR))
		return;
	step_of(c, who->agent, &s);
	policy_apply(&l->policy, &s, c, who->server);
	j = judge_of(l, NULL, &s);
	j.m.rule = LOOP_STUCK_CURSOR;
	judge_count(l, &n->whole, &j, n->stuck, n->names);
}

/* A part of a logical call: only the end of the whole, which comes as a call without a part, is judged. */
static bool is_part(const struct call *c)
{
	return c->part != PART_NONE;
}

static void take(struct loops *l, struct loop_session *n, const struct call *c, const struct loop_who *who)
{
	struct step s;

	if (!step_answered(c) || is_part(c)) {
		if (c->has_ordinal)
			order_pass(&n->order, c->ordinal);
	} else {
		step_of(c, who->agent, &s);
		policy_apply(&l->policy, &s, c, who->server);
		if (order_add(&l->table.pool, &n->order, &s, c->ts))
			judge(l, n, &s);
	}
	judge_ready(l, n);
}

void loops_call(struct loops *l, const struct call *c, const struct loop_who *who)
{
	bool tool = is_tool_call(c);
	struct loop_session *n;

	if (!tool && !(c->from == SIDE_CLIENT && c->session_no && is_list(c->method)))
		return;
	n = loop_session_of(&l->table, c, who);
	if (!n)
		return;
	if (c->marks.cursor || n->stuck)
		judge_cursor(l, n, c, who);
	if (!tool)
		return;
	if (c->outcome != CALL_ORPHAN)
		ended(l, n, c);
	take(l, n, c, who);
}

void loops_withdrawn(struct loops *l, const struct call *c)
{
	struct loop_session *n = is_tool_call(c) ? loop_session_find(&l->table, c->session_no) : NULL;

	if (!n)
		return;
	ended(l, n, c);
	if (c->has_ordinal)
		order_pass(&n->order, c->ordinal);
	judge_ready(l, n);
}

static void hurry(struct loops *l, struct order *o)
{
	order_hurry(&l->table.pool, o);
	judge_ready(l, o->owner);
}

/* Those that wait since @since or longer. */
static void hurry_all(struct loops *l, uint64_t since)
{
	for (struct order *o = order_late(&l->table.pool, since); o; o = order_late(&l->table.pool, since))
		hurry(l, o);
}

void loops_session_end(struct loops *l, uint64_t session_no, uint64_t ts)
{
	struct loop_session *n = loop_session_find(&l->table, session_no);

	if (!n)
		return;
	while (n->order.first)
		hurry(l, &n->order);
	loop_session_end(&l->table, n, ts);
}

void loops_tick(struct loops *l, uint64_t now)
{
	if (now > l->policy.o.held_ns)
		hurry_all(l, now - l->policy.o.held_ns);
	episodes_tick(&l->table.episodes, now, l->policy.o.resolve_ns);
}

void loops_flush(struct loops *l, uint64_t now)
{
	(void)now;
	hurry_all(l, UINT64_MAX);
}

void loops_stats(const struct loops *l, struct loops_stats *ret)
{
	const struct loop_table *t = &l->table;

	*ret = (struct loops_stats){
		.sessions = t->sessions.n,
		.agents = t->agents.n,
		.held = t->pool.n,
		.sessions_evicted = t->sessions.evicted,
		.agents_evicted = t->agents.evicted,
		.episodes_refused = t->episodes.refused,
		.held_dropped = t->pool.hurried,
		.no_memory = t->no_memory,
		.session_bytes = sizeof(struct loop_session) + sizeof(struct track),
	};
	memcpy(ret->active, t->episodes.active, sizeof(ret->active));
	memcpy(ret->fired, t->episodes.fired, sizeof(ret->fired));
}
