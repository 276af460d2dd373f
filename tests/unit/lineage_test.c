/* SPDX-License-Identifier: Apache-2.0 */
/* ident/lineage: numbers of agents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ident/lineage.h"

static const struct lineage_key a = { { 100, 10, 0 }, 77, 1000, 0 };

static uint64_t evicted(const struct lineage *l)
{
	uint64_t n, max, dropped;

	lineage_stats(l, &n, &max, &dropped);
	assert_true(n <= max);
	return dropped;
}

static void test_restart(void **state)
{
	struct lineage *l = lineage_new(4);
	struct lineage_key other = a;

	(void)state;
	assert_int_equal(lineage_enter(l, &a, 100), 1);
	assert_int_equal(lineage_enter(l, &a, 101), 2); /* both alive */
	lineage_leave(l, &a, 1, 200);
	other.parent.start++;
	assert_int_equal(lineage_enter(l, &other, 201), 3);
	other = a;
	other.program++;
	assert_int_equal(lineage_enter(l, &other, 201), 4);
	other = a;
	other.uid++;
	assert_int_equal(lineage_enter(l, &other, 201), 5);
	assert_int_equal(lineage_enter(l, &a, 201), 1); /* goes on */
	assert_int_equal(lineage_enter(l, &a, 202), 6); /* one successor only */
	assert_int_equal(evicted(l), 0);
	lineage_free(l);
}

/* What counts is when, not in which order it is told. */
static void test_order(void **state)
{
	struct lineage *l = lineage_new(4);

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(lineage_enter(l, &a, i), i);
	lineage_leave(l, &a, 2, 300);
	lineage_leave(l, &a, 1, 200);
	lineage_leave(l, &a, 3, 250);
	assert_int_equal(lineage_enter(l, &a, 199), 4); /* it lived beside them */
	assert_int_equal(lineage_enter(l, &a, 260), 3);
	assert_int_equal(lineage_enter(l, &a, 260), 1);
	assert_int_equal(lineage_enter(l, &a, 260), 5);
	assert_int_equal(lineage_enter(l, &a, 300), 2);
	assert_int_equal(lineage_enter(l, &a, 300), 6);
	lineage_free(l);
}

static void test_unknown(void **state)
{
	struct lineage *l = lineage_new(4);
	struct lineage_key none = { .uid = 1 };

	(void)state;
	assert_int_equal(lineage_enter(l, &none, 1), 1);
	lineage_leave(l, &none, 1, 2);
	assert_int_equal(lineage_enter(l, &none, 3), 2);
	lineage_free(l);
}

static void test_caps(void **state)
{
	struct lineage *l = lineage_new(4);
	struct lineage_key k = a;

	(void)state;
	for (uint64_t i = 1; i <= 10; i++)
		assert_int_equal(lineage_enter(l, &a, i), i);
	for (uint64_t i = 1; i <= 10; i++)
		lineage_leave(l, &a, i, 20 + i);
	assert_int_equal(evicted(l), 2); /* 8 are kept of one key */
	for (uint64_t i = 10; i > 2; i--)
		assert_int_equal(lineage_enter(l, &a, 40), i);
	assert_int_equal(lineage_enter(l, &a, 40), 11);
	for (uint32_t i = 0; i < 5; i++) {
		k.uid = i;
		assert_int_equal(lineage_enter(l, &k, 40), 12 + i);
		lineage_leave(l, &k, 12 + i, 50);
	}
	assert_int_equal(evicted(l), 3);
	k.uid = 0;
	assert_int_equal(lineage_enter(l, &k, 60), 17);
	k.uid = 4;
	assert_int_equal(lineage_enter(l, &k, 60), 16);
	lineage_free(l);
	lineage_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
