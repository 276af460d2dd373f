/* SPDX-License-Identifier: Apache-2.0 */
/* The one keyed container: hash table with a cap and least-recently-used order.
 *
 * Entries are embedded in the caller's struct, so the table allocates only its bucket array, once.
 * Keys are plain bytes inside the caller's struct; zero any padding in them. */
#ifndef MCPVIGIL_BASE_TABLE_H
#define MCPVIGIL_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_node {
	struct table_node *next;	 /* bucket chain */
	struct table_node *newer, *older; /* LRU list */
	uint64_t hash;
	const void *key;
	size_t key_len;
};

struct table {
	struct table_node **buckets;
	size_t mask;
	size_t n, max;
	struct table_node *newest, *oldest;
	uint64_t evicted; /* table_add calls that found the table full */
};

#define table_entry(node, type, member) \
	((type *)((char *)(node) - offsetof(type, member)))

/* Room for @max entries. 0 or -ENOMEM. */
int table_init(struct table *t, size_t max);
/* Frees the bucket array only; the entries are the caller's. */
void table_done(struct table *t);
/* The entry with this key, made the most recently used; NULL if there is none. */
struct table_node *table_get(struct table *t, const void *key, size_t key_len);
/* As table_get, without touching the order. */
struct table_node *table_peek(const struct table *t, const void *key, size_t key_len);
/* Insert; @key must stay valid as long as the entry. Where the table is full, the least recently used
 * entry is unlinked, counted in evicted and returned for the caller to free; else NULL. */
struct table_node *table_add(struct table *t, struct table_node *node, const void *key,
			     size_t key_len);
void table_del(struct table *t, struct table_node *node);
/* Iteration from the oldest: for (n = t->oldest; n; n = next) with next = n->newer taken first. */

#endif
