/* SPDX-License-Identifier: Apache-2.0 */
/* Hash table with LRU order. At least as many buckets as entries, so chains stay short and nothing is
 * ever rehashed; the seed of hash_bytes keeps a peer from filling one chain. */
#include "base/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

int table_init(struct table *t, size_t max)
{
	size_t buckets = 1;

	*t = (struct table){ .max = max ? max : 1 };
	if (t->max > SIZE_MAX / 2 / sizeof(t->buckets[0]))
		return -ENOMEM;
	while (buckets < t->max)
		buckets *= 2;
	t->buckets = calloc(buckets, sizeof(t->buckets[0]));
	if (!t->buckets)
		return -ENOMEM;
	t->mask = buckets - 1;
	return 0;
}

void table_done(struct table *t)
{
	free(t->buckets);
	*t = (struct table){ 0 };
}

static void order_add(struct table *t, struct table_node *node)
{
	node->newer = NULL;
	node->older = t->newest;
	if (t->newest)
		t->newest->newer = node;
	else
		t->oldest = node;
	t->newest = node;
}

static void order_del(struct table *t, struct table_node *node)
{
	if (node->newer)
		node->newer->older = node->older;
	else
		t->newest = node->older;
	if (node->older)
		node->older->newer = node->newer;
	else
		t->oldest = node->newer;
}

struct table_node *table_peek(const struct table *t, const void *key, size_t key_len)
{
	uint64_t hash;

	if (t->n == 0)
		return NULL;
	hash = hash_bytes(key, key_len);
	for (struct table_node *n = t->buckets[hash & t->mask]; n; n = n->next)
		if (n->hash == hash && n->key_len == key_len && memcmp(n->key, key, key_len) == 0)
			return n;
	return NULL;
}

struct table_node *table_get(struct table *t, const void *key, size_t key_len)
{
	struct table_node *node = table_peek(t, key, key_len);

	if (node && node != t->newest) {
		order_del(t, node);
		order_add(t, node);
	}
	return node;
}

struct table_node *table_add(struct table *t, struct table_node *node, const void *key,
			     size_t key_len)
{
	struct table_node *out = NULL;
	struct table_node **bucket;

	if (t->n >= t->max) {
		out = t->oldest;
		table_del(t, out);
		t->evicted++;
	}
	node->key = key;
	node->key_len = key_len;
	node->hash = hash_bytes(key, key_len);
	bucket = &t->buckets[node->hash & t->mask];
	node->next = *bucket;
	*bucket = node;
	order_add(t, node);
	t->n++;
	return out;
}

void table_del(struct table *t, struct table_node *node)
{
	struct table_node **link = &t->buckets[node->hash & t->mask];

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	order_del(t, node);
	node->next = NULL;
	node->newer = NULL;
	node->older = NULL;
	t->n--;
}
