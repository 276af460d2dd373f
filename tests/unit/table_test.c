/* SPDX-License-Identifier: Apache-2.0 */
/* base/table: compared step by step with a naive list. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

struct entry {
	uint32_t key;
	struct table_node node;
};

static struct entry *entry_of(struct table_node *n)
{
	return n ? table_entry(n, struct entry, node) : NULL;
}

static void test_basics(void **state)
{
	struct table t;
	struct entry a = { .key = 1 }, b = { .key = 2 };
	uint32_t one = 1, three = 3;

	(void)state;
	assert_int_equal(table_init(&t, 4), 0);
	assert_null(table_get(&t, &one, 4));
	assert_null(table_add(&t, &a.node, &a.key, 4));
	assert_null(table_add(&t, &b.node, &b.key, 4));
	assert_ptr_equal(entry_of(table_get(&t, &one, 4)), &a);
	assert_null(table_peek(&t, &three, 4));
	assert_null(table_peek(&t, &one, 3)); /* a prefix is another key */
	assert_int_equal(t.n, 2);
	table_del(&t, &a.node);
	assert_null(table_peek(&t, &one, 4));
	assert_int_equal(t.n, 1);
	table_del(&t, &b.node);
	assert_null(t.newest);
	assert_null(t.oldest);
	table_done(&t);
}

static void test_lru(void **state)
{
	struct table t;
	struct entry e[4] = { { .key = 0 }, { .key = 1 }, { .key = 2 }, { .key = 3 } };

	(void)state;
	assert_int_equal(table_init(&t, 3), 0);
	for (int i = 0; i < 3; i++)
		assert_null(table_add(&t, &e[i].node, &e[i].key, 4));
	table_peek(&t, &e[1].key, 4); /* does not count as use */
	table_get(&t, &e[0].key, 4);  /* does */
	assert_ptr_equal(entry_of(table_add(&t, &e[3].node, &e[3].key, 4)), &e[1]);
	assert_int_equal(t.evicted, 1);
	assert_int_equal(t.n, 3);
	assert_null(table_peek(&t, &e[1].key, 4));
	assert_ptr_equal(entry_of(t.oldest), &e[2]);
	assert_ptr_equal(entry_of(t.oldest->newer), &e[0]);
	assert_ptr_equal(entry_of(t.newest), &e[3]);
	table_done(&t);
}

static void test_impossible_size(void **state)
{
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, SIZE_MAX), -ENOMEM);
	table_done(&t);
	assert_int_equal(table_init(&t, (size_t)1 << 60), -ENOMEM);
	table_done(&t);
}

#define KEYS 40
#define CAP  16

/* The model: keys from least to most recently used. */
struct model {
	uint32_t key[CAP];
	int n;
};

static int model_find(const struct model *m, uint32_t key)
{
	for (int i = 0; i < m->n; i++)
		if (m->key[i] == key)
			return i;
	return -1;
}

static void model_del(struct model *m, int i)
{
	memmove(&m->key[i], &m->key[i + 1], (size_t)(m->n - i - 1) * sizeof(m->key[0]));
	m->n--;
}

static void model_add(struct model *m, uint32_t key)
{
	if (m->n == CAP)
		model_del(m, 0);
	m->key[m->n++] = key;
}

static void compare(const struct table *t, const struct model *m)
{
	const struct table_node *node = t->oldest, *last = NULL;

	assert_int_equal(t->n, m->n);
	for (int i = 0; i < m->n; i++, last = node, node = node->newer) {
		assert_non_null(node);
		assert_ptr_equal(node->older, last);
		assert_int_equal(*(const uint32_t *)node->key, m->key[i]);
	}
	assert_null(node);
	assert_ptr_equal(t->newest, last);
}

static void test_random_against_model(void **state)
{
	struct table t;
	struct model m = { .n = 0 };
	struct entry e[KEYS] = { 0 };
	unsigned int seed = 1;

	(void)state;
	assert_int_equal(table_init(&t, CAP), 0);
	for (uint32_t i = 0; i < KEYS; i++)
		e[i].key = i;
	for (int step = 0; step < 20000; step++) {
		uint32_t key = (uint32_t)rand_r(&seed) % KEYS;
		int at = model_find(&m, key);
		struct table_node *node = table_get(&t, &key, sizeof(key));

		assert_ptr_equal(entry_of(node), at < 0 ? NULL : &e[key]);
		if (at >= 0)
			model_del(&m, at);
		if (at >= 0 && rand_r(&seed) % 4 == 0)
			table_del(&t, node);
		else
			model_add(&m, key);
		if (at < 0)
			table_add(&t, &e[key].node, &e[key].key, sizeof(key));
		compare(&t, &m);
	}
	assert_true(t.evicted > 1000);
	table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basics),
		cmocka_unit_test(test_lru),
		cmocka_unit_test(test_impossible_size),
		cmocka_unit_test(test_random_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
