/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts to Alertmanager.
 *
 * There is no queue of messages: Alertmanager wants states, and only the latest of each alert. So the alerts that fire
 * are kept, each with the time at which it is to be told again, and a request takes all that are due. What failed stays
 * due. A resolved one is forgotten once it was acknowledged. */
#include "sink/alertmanager.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "sink/courier.h"

#define BATCH	  64
#define BODY_MAX  (2UL << 20)
#define RETRY_NS  NSEC_PER_SEC
/* Without a word for resolve_timeout (5 min), Alertmanager has long resolved it by itself. */
#define RESOLVED_NS (900 * NSEC_PER_SEC)

struct entry {
	struct table_node node;
	struct told told;
	uint64_t labels; /* hash */
	uint64_t due;	 /* boot ns of the post's clock */
	bool asked;	 /* in the request under way */
	bool changed;	 /* since that was made */
	bool alone;	 /* a request that held it was refused: it goes by itself, so that it spoils no other's */
};

struct alertmanager {
	struct alertmanager_opts o;
	struct courier courier;
	struct table entries;
	uint64_t dropped;
	struct buf body;
};

void alertmanager_opts_default(struct alertmanager_opts *o)
{
	memset(o, 0, sizeof(*o));
	o->resend_ns = 60 * NSEC_PER_SEC;
	o->timeout_ns = 5 * NSEC_PER_SEC;
	o->active = 1024;
}

static void entry_free(struct entry *e)
{
	told_done(&e->told);
	free(e);
}

static void forget(struct alertmanager *s, struct entry *e)
{
	table_del(&s->entries, &e->node);
	entry_free(e);
}

/* Two alerts at a time with the same labels would be one to Alertmanager. Where the other is over but not yet told, it
 * need not be any more; else the newer gets a label of its own. */
static void make_distinct(struct alertmanager *s, struct entry *e)
{
	struct table_node *next;
	char episode[20];

	for (struct table_node *n = s->entries.oldest; n; n = next) {
		struct entry *other = table_entry(n, struct entry, node);

		next = n->newer;
		if (other->labels != e->labels)
			continue;
		if (other->told.resolved) {
			forget(s, other);
			continue;
		}
		snprintf(episode, sizeof(episode), "%016llx", (unsigned long long)e->told.key);
		if (pairs_add(&e->told.labels, "episode", episode) == 0)
			e->labels = pairs_hash(&e->told.labels);
		return;
	}
}

static struct entry *entry_new(struct alertmanager *s, const struct alert *a)
{
	struct entry *e = calloc(1, sizeof(*e));
	struct table_node *out;

	if (!e || told_init(&e->told, a, s->o.labels) < 0) {
		if (e)
			entry_free(e);
		return NULL;
	}
	e->labels = pairs_hash(&e->told.labels);
	make_distinct(s, e);
	out = table_add(&s->entries, &e->node, &e->told.key, sizeof(e->told.key));
	if (out) {
		entry_free(table_entry(out, struct entry, node));
		s->dropped++;
	}
	return e;
}

static void on_alert(void *self, const struct alert *a, const struct sink_peers *p)
{
	struct alertmanager *s = self;
	struct table_node *n;
	struct entry *e;

	(void)p;
	if (a->state != ALERT_FIRING && a->state != ALERT_RESOLVED)
		return;
	n = table_get(&s->entries, &a->key, sizeof(a->key));
	e = n ? table_entry(n, struct entry, node) : entry_new(s, a);
	if (!e || (n && told_again(&e->told, a) < 0)) {
		s->dropped++;
		return;
	}
	e->due = 0;
	e->changed = true;
}

/* What the answer means for one alert of the request. */
static void settle(struct alertmanager *s, struct entry *e, enum courier_news news, unsigned int batch)
{
	e->asked = false;
	if (news == COURIER_LATER || e->changed)
		return;
	if (news == COURIER_REFUSED && batch > 1) {
		e->alone = true;
		return;
	}
	if (news == COURIER_DELIVERED)
		e->alone = false;
	else if (e->told.resolved)
		s->dropped++;
	if (e->told.resolved)
		forget(s, e);
	else
		e->due = courier_now(&s->courier) + s->o.resend_ns;
}

static void look(struct alertmanager *s)
{
	enum courier_news news = courier_look(&s->courier);
	struct table_node *next;
	unsigned int batch = 0;

	if (news == COURIER_NOTHING)
		return;
	for (struct table_node *n = s->entries.oldest; n; n = n->newer)
		batch += table_entry(n, struct entry, node)->asked;
	for (struct table_node *n = s->entries.oldest; n; n = next) {
		struct entry *e = table_entry(n, struct entry, node);

		next = n->newer;
		if (e->asked)
			settle(s, e, news, batch);
	}
}

static bool is_stale(const struct alertmanager *s, const struct entry *e)
{
	return e->told.resolved && courier_now(&s->courier) > e->told.ended + RESOLVED_NS;
}

/* true where @e went into the body. */
static bool add(struct alertmanager *s, struct entry *e, struct jsonw *w)
{
	size_t before = s->body.n;
	struct jsonw saved = *w;

	jsonw_open(w, NULL, '{');
	told_json(&e->told, w, s->o.wall_offset, false);
	jsonw_close(w, '}');
	if (w->bad) {
		s->body.n = before;
		*w = saved;
		return false;
	}
	e->asked = true;
	e->changed = false;
	return true;
}

/* How many are in the body. One that goes alone waits for the others, or comes first. */
static unsigned int gather(struct alertmanager *s, struct jsonw *w)
{
	uint64_t now = courier_now(&s->courier);
	struct table_node *next;
	unsigned int n = 0;

	for (struct table_node *node = s->entries.oldest; node && n < BATCH; node = next) {
		struct entry *e = table_entry(node, struct entry, node);

		next = node->newer;
		if (is_stale(s, e)) {
			forget(s, e);
			s->dropped++;
			continue;
		}
		if (e->due > now || (e->alone && n))
			continue;
		n += add(s, e, w);
		if (e->alone)
			break;
	}
	return n;
}

static void on_flush(void *self)
{
	struct alertmanager *s = self;
	struct post_req req = { .header = { NULL } };
	struct jsonw w;
	unsigned int n;

	look(s);
	if (!s->entries.n || !courier_ready(&s->courier))
		return;
	buf_reset(&s->body);
	jsonw_init(&w, &s->body);
	jsonw_open(&w, NULL, '[');
	n = gather(s, &w);
	jsonw_close(&w, ']');
	if (!n)
		return;
	req.body = buf_sv(&s->body);
	if (courier_send(&s->courier, &req) == 0)
		return;
	for (struct table_node *node = s->entries.oldest; node; node = node->newer)
		table_entry(node, struct entry, node)->asked = false;
}

static bool waits(const void *self)
{
	const struct alertmanager *s = self;

	for (struct table_node *n = s->entries.oldest; n; n = n->newer) {
		if (!table_entry(n, struct entry, node)->due)
			return true;
	}
	return false;
}

static void on_free(void *self)
{
	struct alertmanager *s = self;

	if (!s)
		return;
	if (s->entries.buckets)
		courier_linger(&s->courier, waits, on_flush, s);
	while (s->entries.oldest)
		forget(s, table_entry(s->entries.oldest, struct entry, node));
	table_done(&s->entries);
	buf_done(&s->body);
	courier_done(&s->courier);
	free(s);
}

const struct sink_ops alertmanager_ops = {
	.alert = on_alert,
	.flush = on_flush,
	.free = on_free,
};

void alertmanager_self(const void *self, struct self_sink *ret)
{
	const struct alertmanager *s = self;

	courier_self(&s->courier, ret);
	ret->dropped = s->dropped;
	for (struct table_node *n = s->entries.oldest; n; n = n->newer)
		ret->queued += table_entry(n, struct entry, node)->due == 0;
}

void *alertmanager_new_over(const struct alertmanager_opts *o, const struct post_ops *ops, void *post)
{
	struct alertmanager *s = calloc(1, sizeof(*s));

	if (!s || table_init(&s->entries, o->active) < 0) {
		free(s);
		ops->free(post);
		errno = ENOMEM;
		return NULL;
	}
	s->o = *o;
	buf_init(&s->body, BODY_MAX);
	courier_init(&s->courier, ops, post);
	courier_name(&s->courier, "alertmanager", o->url, true);
	s->courier.retry_ns = RETRY_NS;
	s->courier.retry_max_ns = o->resend_ns;
	return s;
}

void *alertmanager_new(const struct alertmanager_opts *o)
{
	size_t n = strlen(o->url);
	char url[sizeof(o->url) + 16];
	void *post;

	while (n && o->url[n - 1] == '/')
		n--;
	snprintf(url, sizeof(url), "%.*s/api/v2/alerts", (int)n, o->url);
	post = post_curl_new(url, o->timeout_ns);
	return post ? alertmanager_new_over(o, &post_curl_ops, post) : NULL;
}
