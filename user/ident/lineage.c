/* SPDX-License-Identifier: Apache-2.0 */
/* Only numbers that are vacant are kept here; those in use are with their processes. */
#include "ident/lineage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

#define VACANT_MAX 8 /* of one key: so many alike may end before the next one comes */

struct vacancy {
	struct table_node node;
	struct lineage_key key;
	struct {
		uint64_t number, ts;
	} left[VACANT_MAX]; /* in the order that they were told in */
	unsigned int n;
};

struct lineage {
	struct table table;
	uint64_t last; /* number given out */
	uint64_t dropped;
};

struct lineage *lineage_new(uint32_t max)
{
	struct lineage *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	if (table_init(&l->table, max)) {
		free(l);
		errno = ENOMEM;
		return NULL;
	}
	return l;
}

void lineage_free(struct lineage *l)
{
	if (!l)
		return;
	while (l->table.oldest) {
		struct vacancy *v = table_entry(l->table.oldest, struct vacancy, node);

		table_del(&l->table, &v->node);
		free(v);
	}
	table_done(&l->table);
	free(l);
}

static struct vacancy *vacancy_get(struct lineage *l, const struct lineage_key *k)
{
	struct table_node *n = k->parent.pid ? table_get(&l->table, k, sizeof(*k)) : NULL;

	return n ? table_entry(n, struct vacancy, node) : NULL;
}

/* Take out @i. */
static void vacancy_cut(struct vacancy *v, unsigned int i)
{
	v->n--;
	memmove(&v->left[i], &v->left[i + 1], (v->n - i) * sizeof(v->left[0]));
}

uint64_t lineage_enter(struct lineage *l, const struct lineage_key *k, uint64_t start)
{
	struct vacancy *v = vacancy_get(l, k);
	unsigned int best = VACANT_MAX;
	uint64_t number;

	for (unsigned int i = 0; v && i < v->n; i++)
		if (v->left[i].ts <= start && (best == VACANT_MAX || v->left[i].ts >= v->left[best].ts))
			best = i;
	if (best == VACANT_MAX)
		return ++l->last;
	number = v->left[best].number;
	vacancy_cut(v, best);
	if (!v->n) {
		table_del(&l->table, &v->node);
		free(v);
	}
	return number;
}

static struct vacancy *vacancy_add(struct lineage *l, const struct lineage_key *k)
{
	struct vacancy *v = calloc(1, sizeof(*v));
	struct table_node *old;

	if (!v)
		return NULL;
	v->key = *k;
	old = table_add(&l->table, &v->node, &v->key, sizeof(v->key));
	if (old) {
		struct vacancy *x = table_entry(old, struct vacancy, node);

		l->dropped += x->n;
		free(x);
	}
	return v;
}

void lineage_leave(struct lineage *l, const struct lineage_key *k, uint64_t number, uint64_t ts)
{
	struct vacancy *v = vacancy_get(l, k);

	if (!k->parent.pid)
		return;
	if (!v)
		v = vacancy_add(l, k);
	if (!v) {
		l->dropped++;
		return;
	}
	if (v->n == VACANT_MAX) {
		vacancy_cut(v, 0);
		l->dropped++;
	}
	v->left[v->n].number = number;
	v->left[v->n++].ts = ts;
}

void lineage_stats(const struct lineage *l, uint64_t *ret_n, uint64_t *ret_max, uint64_t *ret_evicted)
{
	*ret_n = l->table.n;
	*ret_max = l->table.max;
	*ret_evicted = l->dropped;
}
