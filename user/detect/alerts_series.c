/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what rules count, by key. */
#include "detect/alerts_series.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 255
#define SHARES_MAX     1024

/* The series of one client, in the order of their making. A client that is forgotten here, because too many others
 * came, keeps its series: they belong to nobody then. */
struct share {
	struct table_node node;
	uint64_t owner;
	uint32_t n;
	struct series *oldest, *newest;
};

int series_init(struct series_table *t, uint32_t max, void (*gone)(void *ctx, struct series *s), void *ctx)
{
	int err;

	memset(t, 0, sizeof(*t));
	t->share_max = max / 4 ? max / 4 : 1;
	t->gone = gone;
	t->ctx = ctx;
	err = table_init(&t->table, max);
	return err ? err : table_init(&t->shares, SHARES_MAX);
}

static void share_leave(struct series *s)
{
	struct share *h = s->share;

	if (!h)
		return;
	if (s->share_prev)
		s->share_prev->share_next = s->share_next;
	else
		h->oldest = s->share_next;
	if (s->share_next)
		s->share_next->share_prev = s->share_prev;
	else
		h->newest = s->share_prev;
	h->n--;
	s->share = NULL;
}

static void share_free(struct share *h)
{
	for (struct series *s = h->oldest; s; s = s->share_next)
		s->share = NULL;
	free(h);
}

static void share_join(struct share *h, struct series *s)
{
	s->share = h;
	s->share_next = NULL;
	s->share_prev = h->newest;
	if (h->newest)
		h->newest->share_next = s;
	else
		h->oldest = s;
	h->newest = s;
	h->n++;
}

/* NULL for nobody, or without memory: then nothing is shared out. */
static struct share *share_of(struct series_table *t, uint64_t owner)
{
	struct table_node *node = owner ? table_get(&t->shares, &owner, sizeof(owner)) : NULL;
	struct share *h;

	if (node || !owner)
		return node ? table_entry(node, struct share, node) : NULL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->owner = owner;
	node = table_add(&t->shares, &h->node, &h->owner, sizeof(h->owner));
	if (node)
		share_free(table_entry(node, struct share, node));
	return h;
}

static void live_leave(struct series_table *t, struct series *s)
{
	if (!s->live)
		return;
	if (s->live_prev)
		s->live_prev->live_next = s->live_next;
	else
		t->live = s->live_next;
	if (s->live_next)
		s->live_next->live_prev = s->live_prev;
	s->live = false;
}

void series_follow(struct series_table *t, struct series *s)
{
	if (s->life.state == LIFE_IDLE) {
		live_leave(t, s);
		return;
	}
	/* What is alive is never the one that was not used for longest. */
	table_get(&t->table, &s->id, sizeof(s->id));
	if (s->live)
		return;
	s->live = true;
	s->live_prev = NULL;
	s->live_next = t->live;
	if (t->live)
		t->live->live_prev = s;
	t->live = s;
}

/* @s is out of the table already. */
static void series_free(struct series_table *t, struct series *s)
{
	t->gone(t->ctx, s);
	live_leave(t, s);
	share_leave(s);
	free(s->session);
	free(s->tool);
	free(s->server);
	free(s->client);
	free(s->finding);
	free(s);
}

void series_drop(struct series_table *t, struct series *s)
{
	table_del(&t->table, &s->node);
	series_free(t, s);
}

static void drop_all(struct table *t, void (*drop)(void *ctx, struct table_node *n), void *ctx)
{
	while (t->oldest) {
		struct table_node *n = t->oldest;

		table_del(t, n);
		drop(ctx, n);
	}
	table_done(t);
}

static void drop_series(void *ctx, struct table_node *n)
{
	series_free(ctx, table_entry(n, struct series, node));
}

static void drop_share(void *ctx, struct table_node *n)
{
	(void)ctx;
	share_free(table_entry(n, struct share, node));
}

void series_done(struct series_table *t)
{
	if (t->table.buckets)
		drop_all(&t->table, drop_series, t);
	if (t->shares.buckets)
		drop_all(&t->shares, drop_share, NULL);
}

struct series *series_find(struct series_table *t, const struct series_id *id)
{
	struct table_node *n = table_get(&t->table, id, sizeof(*id));

	return n ? table_entry(n, struct series, node) : NULL;
}

static char *name_copy(const char *s)
{
	return s ? strndup(s, NAME_MAX_BYTES) : NULL;
}

static struct series *series_new(const struct rule *r, const struct series_names *n)
{
	struct series *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->rule = r;
	s->session = name_copy(n->session);
	s->tool = name_copy(n->tool);
	s->server = name_copy(n->server);
	s->client = name_copy(n->client);
	s->finding = name_copy(n->finding);
	window_init(&s->window, r->window_ns);
	return s;
}

struct series *series_get(struct series_table *t, const struct series_id *id, const struct rule *r,
			  const struct series_names *n)
{
	struct series *s = series_find(t, id);
	struct table_node *out;
	struct share *h;

	if (s)
		return s;
	s = series_new(r, n);
	if (!s)
		return NULL;
	s->id = *id;
	h = share_of(t, n->owner);
	if (h && h->n >= t->share_max) {
		series_drop(t, h->oldest);
		t->table.evicted++;
	}
	out = table_add(&t->table, &s->node, &s->id, sizeof(s->id));
	if (out)
		series_free(t, table_entry(out, struct series, node));
	if (h)
		share_join(h, s);
	return s;
}
