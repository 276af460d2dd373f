/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts about loops.
 *
 * One loop may be seen by the tracker of its session and by that of its agent. Both are one alert: of the rule, session
 * and tool that it is about. Its key is that of the tracker that came first, and it is over when both say so. */
#include "detect/alerts_loop.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

#define TRACKERS 4
/* A tracker that said nothing for so long may be gone without a word; that counts only where its place is needed. */
#define STALE_NS (6 * 3600 * NSEC_PER_SEC)

struct loop_alert {
	struct table_node node;
	uint64_t id[3]; /* hashes of rule, session, tool */
	struct life life;
	uint64_t key;	/* of the alert that is told */
	uint64_t tracker[TRACKERS]; /* keys of the alerts that are one here, and fire */
	unsigned int trackers;
	struct alert last; /* its strings are owned */
};

int loop_alerts_init(struct loop_alerts *l, uint32_t max, const struct loop_alerts_ops *ops)
{
	l->ops = *ops;
	return table_init(&l->table, max);
}

static const char **strings_of(struct alert *a, unsigned int i)
{
	const char **const all[] = { &a->rule,   &a->session,  &a->tool,    &a->server,
				     &a->client, &a->evidence, &a->summary, &a->advice };

	return i < sizeof(all) / sizeof(all[0]) ? all[i] : NULL;
}

static void last_done(struct alert *last)
{
	const char **s;

	for (unsigned int i = 0; (s = strings_of(last, i)) != NULL; i++)
		free((char *)*s);
	memset(last, 0, sizeof(*last));
}

/* Without memory a string is missing, no more. */
static void last_set(struct alert *last, const struct alert *a)
{
	const char **s;

	last_done(last);
	*last = *a;
	for (unsigned int i = 0; (s = strings_of(last, i)) != NULL; i++)
		*s = *s ? strdup(*s) : NULL;
}

static void drop(struct loop_alerts *l, struct loop_alert *e)
{
	table_del(&l->table, &e->node);
	last_done(&e->last);
	free(e);
}

void loop_alerts_done(struct loop_alerts *l)
{
	if (!l->table.buckets)
		return;
	while (l->table.oldest)
		drop(l, table_entry(l->table.oldest, struct loop_alert, node));
	table_done(&l->table);
}

static void tell(struct loop_alerts *l, const struct loop_alert *e, enum life_event ev, const struct alert *a)
{
	struct alert out = *a;

	out.key = e->key;
	out.state = ev == LIFE_RESOLVES ? ALERT_RESOLVED : ALERT_FIRING;
	out.notified = e->life.notified;
	if (ev == LIFE_RESOLVES && !out.ended)
		out.ended = out.ts;
	if (ev != LIFE_NOTHING)
		l->ops.tell(l->ops.ctx, ev, &out);
}

static uint64_t hash_of(const char *s)
{
	return s ? hash_bytes(s, strlen(s)) : 0;
}

/* Room for one more: what is silent for longest, where it only cools down or is stale. */
static bool make_room(struct loop_alerts *l, uint64_t now)
{
	struct loop_alert *e;

	if (l->table.n < l->table.max)
		return true;
	e = table_entry(l->table.oldest, struct loop_alert, node);
	if (e->trackers && now - e->last.ts < STALE_NS)
		return false;
	if (e->life.state == LIFE_FIRING) {
		e->last.ts = now;
		tell(l, e, LIFE_RESOLVES, &e->last);
	}
	drop(l, e);
	return true;
}

static struct loop_alert *get(struct loop_alerts *l, const struct alert *a)
{
	uint64_t id[3] = { hash_of(a->rule), hash_of(a->session), hash_of(a->tool) };
	struct table_node *n = table_get(&l->table, id, sizeof(id));
	struct loop_alert *e;

	if (n)
		return table_entry(n, struct loop_alert, node);
	e = make_room(l, a->ts) ? calloc(1, sizeof(*e)) : NULL;
	if (!e)
		return NULL;
	memcpy(e->id, id, sizeof(e->id));
	table_add(&l->table, &e->node, e->id, sizeof(e->id));
	return e;
}

static unsigned int tracker_of(const struct loop_alert *e, uint64_t key)
{
	unsigned int i = 0;

	while (i < e->trackers && e->tracker[i] != key)
		i++;
	return i;
}

static enum life_event step(struct loop_alerts *l, struct loop_alert *e, uint64_t cooldown_ns, uint64_t count,
			    uint64_t now)
{
	struct life_terms t = { 0, cooldown_ns, l->ops.room(l->ops.ctx) };

	return life_step(&e->life, &t, count, now);
}

static void fire(struct loop_alerts *l, const struct alert *a, uint64_t cooldown_ns)
{
	struct loop_alert *e = get(l, a);
	enum life_event ev;

	if (!e) {
		l->ops.tell(l->ops.ctx, LIFE_SUPPRESSED, a);
		return;
	}
	if (tracker_of(e, a->key) == e->trackers && e->trackers < TRACKERS)
		e->tracker[e->trackers++] = a->key;
	if (!life_is_active(&e->life))
		e->key = a->key;
	ev = step(l, e, cooldown_ns, a->count ? a->count : 1, a->ts);
	last_set(&e->last, a);
	tell(l, e, ev, a);
}

static void resolve(struct loop_alerts *l, const struct alert *a, uint64_t cooldown_ns)
{
	struct loop_alert *e = NULL;
	unsigned int i = 0;

	for (struct table_node *n = l->table.oldest; n; n = n->newer) {
		e = table_entry(n, struct loop_alert, node);
		i = tracker_of(e, a->key);
		if (i < e->trackers)
			break;
		e = NULL;
	}
	if (!e)
		return;
	e->tracker[i] = e->tracker[--e->trackers];
	if (e->trackers)
		return;
	tell(l, e, step(l, e, cooldown_ns, 0, a->ts), a);
	if (e->life.state == LIFE_IDLE)
		drop(l, e);
}

void loop_alerts_feed(struct loop_alerts *l, const struct alert *a, uint64_t cooldown_ns)
{
	if (a->state == ALERT_FIRING)
		fire(l, a, cooldown_ns);
	else if (a->state == ALERT_RESOLVED)
		resolve(l, a, cooldown_ns);
}

void loop_alerts_tick(struct loop_alerts *l, uint64_t cooldown_ns, uint64_t now)
{
	struct table_node *next;

	for (struct table_node *n = l->table.oldest; n; n = next) {
		struct loop_alert *e = table_entry(n, struct loop_alert, node);
		uint64_t count = e->last.count ? e->last.count : 1;
		enum life_event ev;

		next = n->newer;
		if (e->life.state == LIFE_FIRING)
			continue;
		ev = step(l, e, cooldown_ns, e->trackers ? count : 0, now);
		if (ev == LIFE_FIRES) {
			e->last.ts = now;
			tell(l, e, ev, &e->last);
		}
		if (e->life.state == LIFE_IDLE && !e->trackers)
			drop(l, e);
	}
}
