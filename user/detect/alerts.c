/* SPDX-License-Identifier: Apache-2.0 */
/* The alert engine.
 *
 *   call, finding -> each rule that fits -> the series of its key: window sums -> above the threshold?
 *                                        -> its life (alerts_life.h) -> firing, doubled, resolved
 *   loop          -> alerts_loop.h        -> the same life
 *
 * A condition begins to hold with a call or a finding, never by time alone: ratios and quantiles are judged as they
 * change, not as old calls leave the window. It ends by either. Time is that of the records. */
#include "detect/alerts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "detect/alerts_key.h"
#include "detect/alerts_known.h"
#include "detect/alerts_loop.h"
#include "detect/alerts_rule.h"
#include "detect/alerts_series.h"
#include "detect/alerts_text.h"

#define WINDOW_NS   (600 * NSEC_PER_SEC)
#define NEWS_MAX    10
#define EVALUATE_NS NSEC_PER_SEC
/* A budget without a window is exceeded for good: its alert is over once nothing happens any more. */
#define BUDGET_IDLE_NS (600 * NSEC_PER_SEC)

struct alerts {
	struct alerts_opts o;
	struct alerts_ops ops;
	uint64_t identity[RULES_MAX];
	struct window news[RULES_MAX]; /* alerts of the rules about new names */
	struct series_table series;
	struct loop_alerts loops;
	struct known known;
	struct rule_text text;
	uint64_t now, evaluated, episodes;
	uint32_t active; /* pending or firing */
	struct alerts_stats stats;
};

/* None of these is seen on a healthy host: a body that unpacks to more than a hundred times its size is made on
 * purpose. What may be healthy (rates, latencies, new servers) is for the operator to ask for. */
static const struct rule default_rules[] = {
	{
		.id = "decompression_bomb",
		.metric = RULE_FINDING,
		.by = RULE_BY_ALL,
		.severity = ALERT_HIGH,
		.finding = "decompression_bomb",
		.cooldown_ns = WINDOW_NS,
	},
};

void alerts_opts_default(struct alerts_opts *o)
{
	memset(o, 0, sizeof(*o));
	o->series = 4096;
	o->active = 1024;
	o->learn_ns = 600 * NSEC_PER_SEC;
	o->rules = sizeof(default_rules) / sizeof(default_rules[0]);
	memcpy(o->rule, default_rules, sizeof(default_rules));
}

/* Out. */

static void tell(struct alerts *a, enum life_event ev, const struct alert *x)
{
	switch (ev) {
	case LIFE_NOTHING:
		return;
	case LIFE_SUPPRESSED:
		a->stats.suppressed++;
		return;
	case LIFE_FIRES:
		a->stats.firing++;
		a->stats.fired++;
		break;
	case LIFE_RESOLVES:
		a->stats.firing--;
		a->stats.resolved++;
		break;
	case LIFE_DOUBLED:
		break;
	}
	if (a->ops.alert)
		a->ops.alert(a->ops.ctx, x);
}

static void on_loop(void *ctx, enum life_event ev, const struct alert *x)
{
	struct alerts *a = ctx;

	if (ev == LIFE_FIRES)
		a->active++;
	else if (ev == LIFE_RESOLVES)
		a->active--;
	tell(a, ev, x);
}

static void tell_series(struct alerts *a, struct series *s, enum life_event ev)
{
	struct alert x = {
		.rule = s->rule->id,
		.severity = s->rule->severity,
		.state = ev == LIFE_RESOLVES ? ALERT_RESOLVED : ALERT_FIRING,
		.notified = s->life.notified,
		.ts = a->now,
		.since = s->life.since,
		.ended = ev == LIFE_RESOLVES ? a->now : 0,
		.count = s->life.told,
		.session = s->session,
		.tool = s->tool,
		.server = s->server,
		.client = s->client,
		.call = s->call,
		.has_call = s->has_call,
		.agent = s->agent,
		.calls = s->told.calls,
		.bytes = s->told.bytes,
		.busy_ns = s->told.busy_ns,
		.route = s->route,
	};
	const uint64_t key[] = { s->id.rule, s->id.key, a->episodes };

	if (ev == LIFE_FIRES) {
		a->episodes++;
		s->alert = hash_bytes(key, sizeof(key));
	}
	x.key = s->alert;
	rule_text_fill(&a->text, s, &s->told, &x);
	tell(a, ev, &x);
}

static bool has_room(void *ctx)
{
	const struct alerts *a = ctx;

	return a->active < a->o.active;
}

/* Sums to life. */

static void evaluate(struct alerts *a, struct series *s)
{
	struct tally sum = window_sum(&s->window, a->now);
	uint64_t count = rule_above(s->rule, &sum);
	struct life_terms t = { s->rule->for_ns, s->rule->cooldown_ns, has_room(a) };
	bool was = life_is_active(&s->life);
	enum life_event ev;

	if (!s->rule->window_ns && a->now - s->last > BUDGET_IDLE_NS)
		count = 0;
	if (count)
		s->told = sum;
	ev = life_step(&s->life, &t, count, a->now);
	a->active += life_is_active(&s->life);
	a->active -= was;
	series_follow(&a->series, s);
	if (ev == LIFE_SUPPRESSED)
		tell(a, ev, NULL);
	else if (ev != LIFE_NOTHING)
		tell_series(a, s, ev);
}

static void on_series_gone(void *ctx, struct series *s)
{
	struct alerts *a = ctx;

	a->active -= life_is_active(&s->life);
	if (s->life.state == LIFE_FIRING)
		tell_series(a, s, LIFE_RESOLVES);
}

/* In. */

static void meet(struct alerts *a, uint64_t ts)
{
	if (ts > a->now)
		a->now = ts;
}

static void add(struct alerts *a, struct series *s, uint64_t ts, const struct tally *t)
{
	window_add(&s->window, ts, t);
	s->last = a->now;
	evaluate(a, s);
}

/* New names come in floods where somebody wants them to. */
static bool news_pass(struct alerts *a, unsigned int i)
{
	const struct rule *r = &a->o.rule[i];
	uint64_t max = r->above >= 1 ? (uint64_t)r->above : NEWS_MAX;

	if (window_sum(&a->news[i], a->now).calls >= max) {
		a->stats.suppressed++;
		return false;
	}
	window_add(&a->news[i], a->now, &(struct tally){ .calls = 1 });
	return true;
}

static struct series *series_of(struct alerts *a, unsigned int i, const struct call *c, const struct rule_names *n)
{
	struct count_key key;
	struct series *s;

	if (!rule_key_of_call(&a->o.rule[i], c, n, &key))
		return NULL;
	s = series_get(&a->series, &(struct series_id){ a->identity[i], key.hash }, &a->o.rule[i], &key.names);
	if (s && key.names.session) {
		s->route = c->route;
		s->agent = c->agent;
		s->call = c->ordinal;
		s->has_call = c->has_ordinal;
	}
	return s;
}

void alerts_asked(struct alerts *a, const struct call *c, const char *client, const char *server)
{
	struct rule_names n = { client, server };

	if (!c->start)
		return;
	meet(a, c->start);
	for (unsigned int i = 0; i < a->o.rules; i++) {
		const struct rule *r = &a->o.rule[i];
		struct series *s;

		if (r->metric != RULE_IN_FLIGHT || !rule_fits_asked(r, c, &n))
			continue;
		s = series_of(a, i, c, &n);
		if (s)
			add(a, s, c->start, &(struct tally){ .open = 1 });
	}
}

/* A request under another name than it was asked under (a server that has introduced itself since) stays open where it
 * was counted, until it leaves the window. */
static void answered(struct alerts *a, unsigned int i, const struct call *c, const struct rule_names *n)
{
	struct count_key key;
	struct series *s;

	if (!c->start || !rule_fits_asked(&a->o.rule[i], c, n) || !rule_key_of_call(&a->o.rule[i], c, n, &key))
		return;
	s = series_find(&a->series, &(struct series_id){ a->identity[i], key.hash });
	if (!s)
		return;
	window_answered(&s->window, c->start);
	evaluate(a, s);
}

struct news {
	bool server, tool;
};

static struct news news_of(struct alerts *a, const struct call *c, const char *server)
{
	struct news n = { 0 };

	if (!server || c->from != SIDE_CLIENT)
		return n;
	n.server = known_new_server(&a->known, server, a->now, a->o.learn_ns);
	n.tool = c->tool && known_new_tool(&a->known, server, c->tool, a->now, a->o.learn_ns);
	return n;
}

static bool is_news(const struct rule *r)
{
	return r->metric == RULE_NEW_SERVER || r->metric == RULE_NEW_TOOL;
}

static bool wanted(struct alerts *a, unsigned int i, const struct news *news)
{
	uint8_t metric = a->o.rule[i].metric;

	if (metric == RULE_FINDING || (metric == RULE_NEW_SERVER && !news->server) ||
	    (metric == RULE_NEW_TOOL && !news->tool))
		return false;
	return !is_news(&a->o.rule[i]) || news_pass(a, i);
}

void alerts_call(struct alerts *a, const struct call *c, const char *client, const char *server)
{
	struct rule_names n = { client, server };
	struct news news;

	meet(a, c->ts);
	news = news_of(a, c, server);
	for (unsigned int i = 0; i < a->o.rules; i++) {
		const struct rule *r = &a->o.rule[i];
		struct tally t;
		struct series *s;

		if (r->metric == RULE_IN_FLIGHT) {
			answered(a, i, c, &n);
			continue;
		}
		if (!rule_fits(r, c, &n) || !wanted(a, i, &news))
			continue;
		t = rule_tally(r, c);
		s = series_of(a, i, c, &n);
		if (s)
			add(a, s, c->ts, &t);
	}
}

void alerts_withdrawn(struct alerts *a, const struct call *c, const char *client, const char *server)
{
	struct rule_names n = { client, server };

	for (unsigned int i = 0; i < a->o.rules; i++)
		if (a->o.rule[i].metric == RULE_IN_FLIGHT)
			answered(a, i, c, &n);
}

void alerts_finding(struct alerts *a, const struct finding *f)
{
	struct tally t = { .calls = f->count ? f->count : 1 };

	meet(a, f->ts);
	for (unsigned int i = 0; i < a->o.rules; i++) {
		const struct rule *r = &a->o.rule[i];
		struct count_key key;
		struct series *s;

		if (!rule_fits_finding(r, f) || !rule_key_of_finding(r, f, &key))
			continue;
		s = series_get(&a->series, &(struct series_id){ a->identity[i], key.hash }, r, &key.names);
		if (s)
			add(a, s, f->ts, &t);
	}
}

void alerts_loop(struct alerts *a, const struct alert *loop)
{
	meet(a, loop->ts);
	loop_alerts_feed(&a->loops, loop, a->o.loop_cooldown_ns);
}

void alerts_tick(struct alerts *a, uint64_t now)
{
	struct series *next;

	meet(a, now);
	if (a->now - a->evaluated < EVALUATE_NS)
		return;
	a->evaluated = a->now;
	for (struct series *s = a->series.live; s; s = next) {
		next = s->live_next;
		evaluate(a, s);
	}
	loop_alerts_tick(&a->loops, a->o.loop_cooldown_ns, a->now);
}

void alerts_stats(const struct alerts *a, struct alerts_stats *ret)
{
	*ret = a->stats;
	ret->pending = a->active - a->stats.firing;
	ret->series_evicted = a->series.table.evicted;
}

/* Rules. */

static unsigned int index_of(const uint64_t *identity, unsigned int n, uint64_t id)
{
	unsigned int i = 0;

	while (i < n && identity[i] != id)
		i++;
	return i;
}

/* The rules of @o, each once, with its defaults filled in. */
static void rules_of(const struct alerts_opts *o, struct alerts_opts *ret, uint64_t ret_identity[RULES_MAX])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < o->rules && i < RULES_MAX; i++) {
		struct rule r = o->rule[i];
		uint64_t id;

		if (!r.window_ns && r.metric != RULE_BUDGET)
			r.window_ns = WINDOW_NS;
		id = rule_identity(&r);
		if (r.metric >= RULE_METRICS || index_of(ret_identity, n, id) < n)
			continue;
		ret->rule[n] = r;
		ret_identity[n++] = id;
	}
	ret->rules = n;
}

static void rules_drop(struct alerts *a, const uint64_t *identity, unsigned int n)
{
	struct table_node *next;

	for (struct table_node *node = a->series.table.oldest; node; node = next) {
		struct series *s = table_entry(node, struct series, node);

		next = node->newer;
		if (index_of(identity, n, s->id.rule) == n)
			series_drop(&a->series, s);
	}
}

static void rules_join(struct alerts *a)
{
	for (struct table_node *node = a->series.table.oldest; node; node = node->newer) {
		struct series *s = table_entry(node, struct series, node);

		s->rule = &a->o.rule[index_of(a->identity, a->o.rules, s->id.rule)];
	}
	for (unsigned int i = 0; i < a->o.rules; i++)
		window_init(&a->news[i], a->o.rule[i].window_ns);
}

void alerts_reload(struct alerts *a, const struct alerts_opts *o)
{
	struct alerts_opts *fresh = malloc(sizeof(*fresh));
	uint64_t identity[RULES_MAX];

	if (!fresh)
		return;
	*fresh = *o;
	rules_of(o, fresh, identity);
	rules_drop(a, identity, fresh->rules);
	fresh->series = a->o.series;
	fresh->active = a->o.active;
	a->o = *fresh;
	memcpy(a->identity, identity, sizeof(identity));
	rules_join(a);
	free(fresh);
}

struct alerts *alerts_new(const struct alerts_opts *o, const struct alerts_ops *ops)
{
	struct alerts *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return NULL;
	a->ops = *ops;
	a->o = *o;
	rules_of(o, &a->o, a->identity);
	rules_join(a);
	rule_text_init(&a->text);
	err = series_init(&a->series, o->series, on_series_gone, a);
	if (!err)
		err = loop_alerts_init(&a->loops, o->active, &(struct loop_alerts_ops){ on_loop, has_room, a });
	if (!err)
		err = known_init(&a->known, o->series);
	if (!err)
		return a;
	alerts_free(a);
	errno = -err;
	return NULL;
}

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	a->ops.alert = NULL;
	series_done(&a->series);
	loop_alerts_done(&a->loops);
	known_done(&a->known);
	rule_text_done(&a->text);
	free(a);
}
