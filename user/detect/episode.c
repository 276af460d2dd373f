/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an alert about a loop. */
#include "detect/episode.h"

#include <stdlib.h>
#include <string.h>

#include "detect/loop_text.h"

#define PRODUCTIVE_ROUNDS 3
#define TEXT_MAX	  1024
#define SLOW_FACTOR	  3 /* how much longer a slow loop may be silent */

/* What makes a call one of the loop. */
enum likeness {
	LIKE_PAIR,   /* the same call with the same result */
	LIKE_FAILURE, /* the same call fails */
	LIKE_RESULT, /* the same result */
	LIKE_ERROR,  /* any failure */
	LIKE_STALE,  /* what came twice before */
	LIKE_NEAR,   /* nearly the same arguments as the call before */
	LIKE_SHAPE,  /* another page of the same */
	LIKE_PACE,   /* as long as the pace is half of what is too much */
};

static enum likeness likeness_of(enum loop_rule rule)
{
	switch (rule) {
	case LOOP_SAME_FAILS:
		return LIKE_FAILURE;
	case LOOP_ERROR_STREAK:
	case LOOP_NO_PROGRESS:
	case LOOP_CONSTANT:
		return LIKE_RESULT;
	case LOOP_ERROR_STORM:
		return LIKE_ERROR;
	case LOOP_STANDSTILL:
		return LIKE_STALE;
	case LOOP_NEAR_DUPLICATE:
	case LOOP_CIRCLING:
	case LOOP_CHURN:
		return LIKE_NEAR;
	case LOOP_PAGING:
		return LIKE_SHAPE;
	case LOOP_CALL_STORM:
	case LOOP_SPAWN_STORM:
		return LIKE_PACE;
	default:
		return LIKE_PAIR;
	}
}

static bool has_pair(const struct episode *x, uint32_t pair)
{
	for (uint32_t i = 0; pair && i < x->n_pairs; i++)
		if (x->pairs[i] == pair)
			return true;
	return false;
}

bool episode_covers(const struct episode *x, const struct track *t)
{
	const struct seen *c = track_seen(t, 0);
	bool err = c->flags & SEEN_ERR;

	if (has_pair(x, track_pair(t, 0)))
		return true;
	switch (likeness_of(x->rule)) {
	case LIKE_FAILURE:
		return err && c->key == x->key32;
	case LIKE_RESULT:
		return c->masked && c->masked == x->masked;
	case LIKE_ERROR:
		return err;
	case LIKE_NEAR:
		return c->tool == x->tool32 && (t->streak[STREAK_CHURN].n > 1 || c->masked == x->masked);
	case LIKE_STALE:
		return t->streak[STREAK_STALE].id != 0;
	case LIKE_SHAPE:
		return c->shape == x->shape;
	default:
		return false;
	}
}

static bool keeps_pace(const struct episode *x, const struct judge *j)
{
	const struct volume *v = x->rule == LOOP_SPAWN_STORM ? &j->t->spawned : &j->t->volume;
	uint32_t limit = rule_limit(j, x->rule, false);

	return likeness_of(x->rule) == LIKE_PACE && limit != UINT32_MAX && v->total >= limit / 2;
}

static void tell(struct episodes *e, const struct episode *x, uint64_t ts, uint8_t state)
{
	struct buf summary, evidence;
	struct alert a = {
		.key = x->key,
		.rule = loop_rule_names[x->rule],
		.severity = loop_severity(x->rule),
		.state = state,
		.notified = x->notified,
		.ts = ts,
		.since = x->since,
		.ended = state == ALERT_RESOLVED ? ts : 0,
		.count = x->count,
		.session = x->names.session,
		.call = x->call,
		.has_call = x->has_call,
		.tool = x->tool[0] ? x->tool : NULL,
		.server = x->names.server,
		.client = x->names.client,
		.agent = x->agent,
		.calls = x->calls,
		.bytes = x->bytes,
		.busy_ns = x->busy_ns,
		.advice = loop_advice(x),
		.route = x->names.route,
	};

	buf_init(&summary, TEXT_MAX);
	buf_init(&evidence, TEXT_MAX);
	loop_summary(x, &summary);
	loop_evidence(x, &evidence);
	a.summary = buf_add_ch(&summary, '\0') ? NULL : summary.p;
	a.evidence = buf_add_ch(&evidence, '\0') ? NULL : evidence.p;
	e->ops.alert(e->ops.ctx, &a);
	buf_done(&summary);
	buf_done(&evidence);
}

static void unlink_episode(struct episodes *e, struct episode *x)
{
	*(x->older ? &x->older->newer : &e->oldest) = x->newer;
	*(x->newer ? &x->newer->older : &e->newest) = x->older;
}

static void link_newest(struct episodes *e, struct episode *x)
{
	x->newer = NULL;
	x->older = e->newest;
	*(e->newest ? &e->newest->newer : &e->oldest) = x;
	e->newest = x;
}

static void drop(struct episodes *e, struct episode *x)
{
	unlink_episode(e, x);
	e->n--;
	if (!x->silent)
		e->active[x->rule]--;
	*x->slot = NULL;
	free(x->names.session);
	free(x->names.server);
	free(x->names.client);
	free(x);
}

void episode_end(struct episodes *e, struct episode *x, uint64_t ts)
{
	if (!x->silent)
		tell(e, x, ts, ALERT_RESOLVED);
	drop(e, x);
}

void episode_hand_over(struct episodes *e, struct episode *from, struct episode *to)
{
	const struct loop_names names = to->names;

	to->silent = false;
	to->key = from->key;
	to->rule = from->rule;
	to->notified = from->notified;
	to->notified_count = from->notified_count;
	to->since = from->since;
	if (to->count < from->count)
		to->count = from->count;
	to->names = from->names;
	from->names = names; /* freed with it */
	e->active[to->rule]++;
	drop(e, from);
}

static char *copied(const char *s)
{
	return s ? strdup(s) : NULL;
}

/* The calls of the match that are still in the ring: what they cost, and of how many sessions they are. */
static void sum_up(struct episode *x, const struct judge *j)
{
	uint32_t kept = track_kept(j->t), n = j->m.back < kept ? j->m.back + 1 : kept;

	for (uint32_t back = 0; back < n; back++) {
		const struct seen *c = track_seen(j->t, back);
		uint32_t i = 0;

		x->calls++;
		x->bytes += c->bytes;
		x->busy_ns += c->busy_ms * 1000000ULL;
		while (i < back && track_seen(j->t, i)->session != c->session)
			i++;
		x->sessions += i == back;
	}
	if (x->calls < j->m.calls)
		x->calls = j->m.calls;
}

static uint64_t since(const struct judge *j)
{
	uint32_t now_ms = (uint32_t)(j->s->start / 1000000), kept = track_kept(j->t), first;

	if (j->m.calls)
		first = j->m.since_ms;
	else if (!kept) /* just emptied */
		first = now_ms;
	else
		first = track_seen(j->t, j->m.back < kept ? j->m.back : kept - 1)->start_ms;
	return j->s->start - (now_ms - first) * 1000000ULL;
}

/* What its streak counts. */
static uint32_t round_of(const struct episode *x, const struct track *t)
{
	return x->rule == LOOP_SAME_RESULT ? t->turn : t->round;
}

static void identify(struct episode *x, const struct judge *j)
{
	const struct seen *c = track_seen(j->t, 0);

	x->key32 = c->key;
	x->masked = c->masked;
	x->tool32 = c->tool;
	x->shape = c->shape;
	x->round = round_of(x, j->t);
	x->agent_scope = j->t->agent;
	x->n_pairs = j->m.period ? j->m.period : 1;
	for (uint32_t i = 0; i < x->n_pairs; i++)
		x->pairs[i] = track_pair(j->t, i);
	sum_up(x, j);
	x->since = since(j);
}

struct episode *episode_open(struct episodes *e, struct episode **slot, const struct judge *j,
			     const struct loop_names *names, bool silent)
{
	uint32_t max = loop_severity(j->m.rule) == ALERT_HIGH ? EPISODES_MAX : EPISODES_MAX / 2;
	struct episode *x = e->n < max ? calloc(1, sizeof(*x)) : NULL;
	const struct step *s = j->s;

	if (!x) {
		e->refused++;
		return NULL;
	}
	x->slot = slot;
	x->key = ++e->next_key;
	x->rule = (uint8_t)j->m.rule;
	x->period = j->m.period;
	x->window = j->m.window;
	x->silent = silent;
	x->count = x->notified_count = j->m.count;
	x->notified = 1;
	x->last = s->end;
	x->since = s->start;
	x->error_class = s->err && s->error_class == ERROR_NONE ? ERROR_OTHER : s->error_class;
	x->call = s->ordinal;
	x->has_call = s->has_ordinal;
	x->agent = s->agent;
	x->args_fp = s->args_fp;
	x->result_fp = s->result_fp;
	memcpy(x->tool, s->name, strnlen(s->name, sizeof(x->tool) - 1));
	x->names.session = copied(names->session);
	x->names.server = copied(names->server);
	x->names.client = copied(names->client);
	x->names.route = names->route;
	if (j->t)
		identify(x, j);
	else
		x->calls = j->m.count;
	link_newest(e, x);
	e->n++;
	*slot = x;
	if (!silent) {
		e->active[x->rule]++;
		e->fired[x->rule]++;
		tell(e, x, s->end, ALERT_FIRING);
	}
	return x;
}

void episode_grow(struct episodes *e, struct episode *x, const struct step *s, uint64_t count)
{
	x->count = count;
	x->last = s->end;
	unlink_episode(e, x);
	link_newest(e, x);
	if (count < 2 * x->notified_count)
		return;
	x->notified_count = count;
	if (x->notified < UINT8_MAX)
		x->notified++;
	x->call = s->ordinal;
	x->has_call = s->has_ordinal;
	if (!x->silent)
		tell(e, x, s->end, ALERT_FIRING);
}

/* A failure that comes again between many good calls: only its own success ends it, or silence. */
static bool is_far(const struct episode *x)
{
	return x->rule == LOOP_ERROR_WINDOW && !x->window;
}

/* @pair has not come up in the productive rounds so far, and is in another round than those. */
static void productive(struct episode *x, uint32_t pair, uint32_t round)
{
	for (uint32_t i = 0; i < x->n_fresh; i++)
		if (x->fresh[i] == pair)
			return;
	if (x->n_fresh && round == x->fresh_round)
		return;
	if (x->n_fresh < 2)
		x->fresh[x->n_fresh] = pair;
	x->n_fresh++;
	x->fresh_round = round;
}

bool episode_step(struct episodes *e, struct episode *x, const struct judge *j)
{
	const struct seen *c = track_seen(j->t, 0);
	uint64_t grown;

	if (episode_covers(x, j->t) || keeps_pace(x, j)) {
		x->n_fresh = 0;
		x->calls++;
		x->bytes += j->s->bytes;
		x->busy_ns += j->s->busy_ns;
		/* A wrapped sweep counts wraps. */
		grown = x->rule == LOOP_PAGING ? (j->t->sweep ? j->t->sweep->wraps : x->count) :
						 x->count + (round_of(x, j->t) != x->round);
		x->round = round_of(x, j->t);
		episode_grow(e, x, j->s, grown);
		return false;
	}
	if ((c->flags & SEEN_ERR) || j->t->streak[STREAK_STALE].id)
		return false;
	if (is_far(x) && c->key != x->key32)
		return false;
	productive(x, track_pair(j->t, 0), c->round);
	if (x->n_fresh < PRODUCTIVE_ROUNDS && !is_far(x))
		return false;
	episode_end(e, x, j->s->end);
	return true;
}

void episodes_tick(struct episodes *e, uint64_t now, uint64_t quiet_ns)
{
	struct episode *next;

	for (struct episode *x = e->oldest; x && now > x->last && now - x->last >= quiet_ns; x = next) {
		bool slow = x->rule == LOOP_SLOW_SAME || x->rule == LOOP_SLOW_LOOP;

		next = x->newer;
		if (!slow || now - x->last >= SLOW_FACTOR * quiet_ns)
			episode_end(e, x, now);
	}
}

void episodes_done(struct episodes *e)
{
	while (e->oldest)
		drop(e, e->oldest);
}
