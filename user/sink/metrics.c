/* SPDX-License-Identifier: Apache-2.0 */
/* Series and the caps on them. A value is one string of one label, held by the series that have it and by the event
 * that is being counted; it and its owner's account go away with the last of them. */
#include "sink/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OWNER_SHARE   4	  /* of the series: a quarter for one owner */
#define OTHER_SHARE   8	  /* ... an eighth kept for overflow */
#define CLOSED_VALUES 256 /* of a label of fixed words */
#define EXPIRE_MOST   512 /* series in one go */
#define LABELS_MAX    (METRIC_LABELS * (PROM_VALUE_MAX * 2 + 64))

struct metric_value {
	struct table_node node;
	struct metric_owner *owner;
	uint32_t refs;
	uint8_t label;
	uint8_t n;
	char text[];
};

struct metric_owner {
	struct table_node node;
	uint64_t id;
	uint32_t refs; /* values and series */
	uint32_t series;
	uint32_t values[LABEL_STORED];
};

struct metrics {
	struct metrics_opts opts;
	struct table values[LABEL_STORED];
	struct metric_value *last[LABEL_STORED]; /* the value met last: calls come in runs */
	struct metric_value *other;		 /* of every label; belongs to nobody */
	struct table owners, series;
	struct metric_owner rest;		 /* stands for all once there are too many */
	uint8_t *family;			 /* by slot: enum metric_id, METRIC_N where free */
	struct metric_series **slot;
	uint32_t free_slot;			 /* no slot before it is free */
	bool lasting[METRIC_STORED];
	struct buf text;
	struct metrics_stats stats;
};

static uint32_t at_least(uint32_t v, uint32_t min)
{
	return v > min ? v : min;
}

static int tables_init(struct metrics *m)
{
	int err = table_init(&m->series, m->opts.series);

	if (!err)
		err = table_init(&m->owners, m->opts.series);
	for (int i = 0; i < LABEL_STORED && !err; i++)
		err = table_init(&m->values[i], metric_labels[i].closed ? CLOSED_VALUES : m->opts.label_values);
	return err;
}

static void find_lasting(struct metrics *m)
{
	for (int i = 0; i < METRIC_STORED; i++) {
		m->lasting[i] = true;
		for (const uint8_t *l = metric_table[i].label; *l; l++)
			m->lasting[i] &= metric_labels[*l].closed;
	}
}

struct metrics *metrics_new(const struct metrics_opts *o)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->opts = *o;
	m->opts.series = at_least(o->series, OTHER_SHARE);
	m->opts.label_values = at_least(o->label_values, 1);
	m->opts.owner_values = at_least(o->owner_values, 1);
	m->other = calloc(1, sizeof(*m->other) + sizeof(PROM_OTHER));
	buf_init(&m->text, LABELS_MAX);
	find_lasting(m);
	m->slot = calloc(m->opts.series, sizeof(*m->slot));
	m->family = malloc(m->opts.series);
	if (!m->other || !m->slot || !m->family || tables_init(m)) {
		metrics_free(m);
		errno = ENOMEM;
		return NULL;
	}
	memset(m->family, METRIC_N, m->opts.series);
	m->other->n = sizeof(PROM_OTHER) - 1;
	memcpy(m->other->text, PROM_OTHER, m->other->n);
	return m;
}

/* Owners. */

/* For a value or a series that is about to be made; never NULL. */
static struct metric_owner *owner_get(struct metrics *m, uint64_t id)
{
	struct table_node *node = table_get(&m->owners, &id, sizeof(id));
	struct metric_owner *o;

	if (node)
		return table_entry(node, struct metric_owner, node);
	o = m->owners.n < m->owners.max ? calloc(1, sizeof(*o)) : NULL;
	if (!o)
		return &m->rest;
	o->id = id;
	table_add(&m->owners, &o->node, &o->id, sizeof(o->id));
	return o;
}

/* Give up one reference, or see that there is none. */
static void owner_put(struct metrics *m, struct metric_owner *o, bool held)
{
	if (!o || o == &m->rest)
		return;
	o->refs -= held;
	if (o->refs)
		return;
	table_del(&m->owners, &o->node);
	free(o);
}

/* Values. */

static struct metric_value *value_new(struct metrics *m, enum metric_label label, struct sv text,
				      struct metric_owner *owner)
{
	struct metric_value *v = malloc(sizeof(*v) + text.n);

	if (!v)
		return NULL;
	*v = (struct metric_value){ .owner = owner, .label = (uint8_t)label, .n = (uint8_t)text.n };
	memcpy(v->text, text.p, text.n);
	table_add(&m->values[label], &v->node, v->text, v->n);
	if (owner) {
		owner->refs++;
		owner->values[label]++;
	}
	return v;
}

static void value_put(struct metrics *m, struct metric_value *v)
{
	if (!v || v == m->other || --v->refs)
		return;
	table_del(&m->values[v->label], &v->node);
	if (m->last[v->label] == v)
		m->last[v->label] = NULL;
	if (v->owner)
		v->owner->values[v->label]--;
	owner_put(m, v->owner, true);
	free(v);
}

/* A value not met before: a new one, or "_other_". */
static struct metric_value *value_add(struct metrics *m, uint64_t owner_id, enum metric_label label, struct sv text)
{
	struct metric_value *v = NULL;
	struct metric_owner *o = NULL;

	if (m->values[label].n < m->values[label].max) {
		o = metric_labels[label].closed ? NULL : owner_get(m, owner_id);
		if (!o || o->values[label] < m->opts.owner_values)
			v = value_new(m, label, text, o);
		if (!v)
			owner_put(m, o, false);
	}
	if (v)
		return v;
	m->stats.label_overflow[label]++;
	return m->other;
}

static struct metric_value *value_get(struct metrics *m, uint64_t owner, enum metric_label label, struct sv raw)
{
	char room[PROM_VALUE_MAX];
	struct metric_value *v = m->last[label];
	struct table_node *node;
	struct sv text;

	/* Equal bytes need no look at what is in them: the value kept is harmless. */
	if (v && v->n == raw.n && memcmp(v->text, raw.p, raw.n) == 0)
		return v;
	text = prom_value(raw, room);
	/* Only one value may look like the overflow: the same label set twice would spoil the page. */
	if (sv_eq(text, SV(PROM_OTHER)))
		return m->other;
	node = table_peek(&m->values[label], text.p, text.n);
	v = node ? table_entry(node, struct metric_value, node) : value_add(m, owner, label, text);
	if (v != m->other)
		m->last[label] = v;
	return v;
}

void metrics_begin(struct metric_set *s, uint64_t owner, uint64_t now)
{
	*s = (struct metric_set){ .owner = owner, .now = now };
}

void metrics_label(struct metrics *m, struct metric_set *s, enum metric_label label, struct sv value)
{
	if (!value.n)
		return;
	s->v[label] = value_get(m, s->owner, label, value);
	s->v[label]->refs++;
}

void metrics_end(struct metrics *m, struct metric_set *s)
{
	for (int i = 0; i < LABEL_STORED; i++)
		value_put(m, s->v[i]);
}

/* Series. */

static size_t key_of(const struct metric_set *s, enum metric_id id, const void *key[METRIC_LABELS + 1])
{
	const uint8_t *label = metric_table[id].label;
	size_t n = 0;

	key[n++] = &metric_table[id];
	for (; *label; label++)
		key[n++] = s->v[*label];
	return n;
}

/* The key with what peers chose made "_other_". */
static void key_to_other(struct metrics *m, enum metric_id id, const void *key[METRIC_LABELS + 1])
{
	const uint8_t *label = metric_table[id].label;

	for (size_t i = 0; label[i]; i++)
		if (key[i + 1] && !metric_labels[label[i]].closed)
			key[i + 1] = m->other;
}

static struct metric_series *series_find(struct metrics *m, const void *const *key, size_t n)
{
	struct table_node *node = table_get(&m->series, key, n * sizeof(*key));

	return node ? table_entry(node, struct metric_series, node) : NULL;
}

static struct sv labels_text(struct metrics *m, enum metric_id id, const void *const *key)
{
	const struct metric *family = &metric_table[id];

	buf_reset(&m->text);
	for (size_t i = 0; family->label[i]; i++) {
		const struct metric_value *v = key[i + 1];

		if (v)
			prom_label(&m->text, metric_label_name(family, family->label[i]), (struct sv){ v->text, v->n });
	}
	return buf_sv(&m->text);
}

static struct metric_series *series_add(struct metrics *m, enum metric_id id, const void *const *key, size_t n,
					struct metric_owner *owner)
{
	const struct metric_buckets *b = metric_table[id].buckets;
	size_t size = sizeof(struct metric_series) + (b ? b->n + 1 : 0) * sizeof(uint64_t);
	struct sv labels = labels_text(m, id, key);
	struct metric_series *s = calloc(1, size + labels.n);

	if (!s)
		return NULL;
	memcpy(s->key, key, n * sizeof(*key));
	for (size_t i = 1; i < n; i++)
		if (key[i])
			((struct metric_value *)(uintptr_t)key[i])->refs++;
	s->id = (uint8_t)id;
	s->labels = (struct sv){ (char *)s + size, labels.n };
	if (labels.n)
		memcpy((char *)s + size, labels.p, labels.n);
	s->owner = owner;
	if (owner) {
		owner->refs++;
		owner->series++;
	}
	while (m->family[m->free_slot] != METRIC_N)
		m->free_slot++;
	s->slot = m->free_slot;
	m->family[s->slot] = s->id;
	m->slot[s->slot] = s;
	table_add(&m->series, &s->node, s->key, n * sizeof(*key));
	return s;
}

static void series_free(struct metrics *m, struct metric_series *s)
{
	table_del(&m->series, &s->node);
	m->family[s->slot] = METRIC_N;
	m->slot[s->slot] = NULL;
	if (s->slot < m->free_slot)
		m->free_slot = s->slot;
	for (size_t i = 1; i < s->node.key_len / sizeof(*s->key); i++)
		value_put(m, (struct metric_value *)(uintptr_t)s->key[i]);
	if (s->owner)
		s->owner->series--;
	owner_put(m, s->owner, true);
	free(s->exemplar);
	free(s);
}

static struct metric_series *series_other(struct metrics *m, enum metric_id id, const void **key, size_t n)
{
	struct metric_series *s;

	m->stats.overflow++;
	key_to_other(m, id, key);
	s = series_find(m, key, n);
	if (!s && m->series.n < m->series.max)
		s = series_add(m, id, key, n, NULL);
	m->stats.dropped += !s;
	return s;
}

static struct metric_series *series_get(struct metrics *m, const struct metric_set *set, enum metric_id id)
{
	const void *key[METRIC_LABELS + 1];
	size_t n = key_of(set, id, key);
	struct metric_series *s = series_find(m, key, n);
	struct metric_owner *o;

	if (!s && m->series.n < m->series.max - m->series.max / OTHER_SHARE) {
		o = owner_get(m, set->owner);
		if (o->series < m->series.max / OWNER_SHARE)
			s = series_add(m, id, key, n, o);
		if (!s)
			owner_put(m, o, false);
	}
	if (!s)
		s = series_other(m, id, key, n);
	if (s && set->now > s->changed)
		s->changed = set->now;
	return s;
}

void metrics_count(struct metrics *m, struct metric_set *set, enum metric_id id, uint64_t add)
{
	struct metric_series *s = series_get(m, set, id);

	if (s)
		s->v += add;
}

void metrics_gauge(struct metrics *m, struct metric_set *set, enum metric_id id, uint64_t v)
{
	struct metric_series *s = series_get(m, set, id);

	if (s)
		s->v = v;
}

void metrics_keep(struct metrics *m, struct metric_set *set, enum metric_id id)
{
	const void *key[METRIC_LABELS + 1];
	size_t n = key_of(set, id, key);
	struct metric_series *s = series_find(m, key, n);

	if (s && set->now > s->changed)
		s->changed = set->now;
}

static void exemplar_set(struct metric_series *s, unsigned int i, uint64_t v, const struct prom_exemplar *e)
{
	unsigned int n = metric_table[s->id].buckets->n + 1;

	if (!s->exemplar)
		s->exemplar = calloc(n, sizeof(*s->exemplar));
	if (!s->exemplar)
		return;
	s->exemplar[i] = *e;
	s->exemplar[i].v = v;
}

void metrics_observe(struct metrics *m, struct metric_set *set, enum metric_id id, uint64_t v,
		     const struct prom_exemplar *e)
{
	const struct metric_buckets *b = metric_table[id].buckets;
	struct metric_series *s = series_get(m, set, id);
	unsigned int i = 0;

	if (!s)
		return;
	while (i < b->n && v > b->bound[i])
		i++;
	s->bucket[i]++;
	s->v += v;
	if (e && e->trace_id[0])
		exemplar_set(s, i, v, e);
}

void metrics_expire(struct metrics *m, uint64_t now)
{
	struct metric_series *s;

	for (int i = 0; i < EXPIRE_MOST && m->series.oldest; i++) {
		s = table_entry(m->series.oldest, struct metric_series, node);
		if (now < s->changed || now - s->changed < m->opts.expire_ns)
			return;
		if (m->lasting[s->id]) {
			/* Out of the way of those behind it. */
			table_get(&m->series, s->key, s->node.key_len);
			s->changed = now;
			continue;
		}
		series_free(m, s);
		m->stats.expired++;
	}
}

const struct metric_series *metrics_next(const struct metrics *m, enum metric_id id, uint32_t at)
{
	const uint8_t *hit = at < m->opts.series ? memchr(m->family + at, id, m->opts.series - at) : NULL;

	return hit ? m->slot[hit - m->family] : NULL;
}

void metrics_stats(const struct metrics *m, struct metrics_stats *ret)
{
	*ret = m->stats;
	ret->series = m->series.n;
	ret->capacity = m->series.max;
	for (int i = 0; i < LABEL_STORED; i++)
		ret->values[i] = m->values[i].n;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	while (m->series.oldest)
		series_free(m, table_entry(m->series.oldest, struct metric_series, node));
	for (int i = 0; i < LABEL_STORED; i++)
		table_done(&m->values[i]);
	table_done(&m->owners);
	table_done(&m->series);
	buf_done(&m->text);
	free(m->other);
	free(m->family);
	free(m->slot);
	free(m);
}
