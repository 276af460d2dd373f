/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts of loop detection by themselves: order, volume, heavy hitters, sweeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detect/heavy.h"
#include "detect/order.h"
#include "detect/sweep.h"
#include "detect/volume.h"

static bool ended(struct order_pool *p, struct order *o, uint32_t ordinal)
{
	return order_add(p, o, &(struct step){ .has_ordinal = true, .ordinal = ordinal }, ordinal);
}

static void expect_next(struct order_pool *p, struct order *o, uint32_t ordinal)
{
	struct step s;

	assert_true(order_next(p, o, &s));
	assert_int_equal(s.ordinal, ordinal);
}

static void expect_none(struct order_pool *p, struct order *o)
{
	struct step s;

	assert_false(order_next(p, o, &s));
}

static void test_order(void **state)
{
	struct order_pool p;
	struct order o = { 0 };

	(void)state;
	assert_int_equal(order_pool_init(&p, 8), 0);
	assert_true(ended(&p, &o, 0));
	assert_false(ended(&p, &o, 3));
	assert_false(ended(&p, &o, 2));
	expect_none(&p, &o);
	assert_true(ended(&p, &o, 1));
	expect_next(&p, &o, 2);
	expect_next(&p, &o, 3);
	expect_none(&p, &o);
	/* What is passed over holds nobody up. */
	assert_false(ended(&p, &o, 5));
	assert_false(order_passed(&o, 4));
	order_pass(&o, 4);
	assert_true(order_passed(&o, 4));
	expect_next(&p, &o, 5);
	/* Late ones go ahead at once. */
	assert_false(ended(&p, &o, 7));
	assert_true(order_late(&p, 6) == NULL);
	assert_true(order_late(&p, 7) == &o);
	order_hurry(&p, &o);
	expect_next(&p, &o, 7);
	assert_int_equal(p.hurried, 1);
	assert_true(ended(&p, &o, 6));
	assert_true(order_late(&p, UINT64_MAX) == NULL);
	order_pool_done(&p);
}

static void test_order_caps(void **state)
{
	struct order_pool p;
	struct order o = { 0 }, far = { 0 };
	uint32_t n = 0;
	struct step s;

	(void)state;
	assert_int_equal(order_pool_init(&p, 40), 0);
	for (uint32_t i = 1; i <= ORDER_WAIT; i++)
		assert_false(ended(&p, &o, i));
	expect_none(&p, &o);
	assert_false(ended(&p, &o, ORDER_WAIT + 1));
	while (order_next(&p, &o, &s))
		assert_int_equal(s.ordinal, ++n);
	assert_int_equal(n, ORDER_WAIT + 1);
	/* More than the bits ahead, up to the end of the numbers. */
	assert_false(ended(&p, &far, 1));
	assert_false(ended(&p, &far, 1000));
	expect_next(&p, &far, 1);
	assert_false(ended(&p, &far, UINT32_MAX));
	expect_next(&p, &far, 1000);
	order_clear(&p, &far);
	/* A full pool judges at once. */
	order_pool_done(&p);
	assert_int_equal(order_pool_init(&p, 1), 0);
	o = (struct order){ 0 };
	assert_false(ended(&p, &o, 1));
	assert_true(ended(&p, &o, 2));
	assert_int_equal(p.hurried, 1);
	order_clear(&p, &o);
	assert_null(p.oldest);
	assert_non_null(p.free);
	order_pool_done(&p);
}

static void test_volume(void **state)
{
	struct volume v = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(volume_add(&v, 1000000 + 100 * i), i + 1);
	assert_int_equal(volume_add(&v, 1000000 + 9000), 101); /* a little back */
	assert_int_equal(volume_add(&v, 1000000 + 50000), 102);
	assert_int_equal(volume_add(&v, 1000000 + 80000), 2);
	assert_int_equal(volume_add(&v, 1000000 + 800000), 1);
	assert_int_equal(volume_add(&v, 5), 1);
	/* Over the end of the numbers. */
	volume_add(&v, UINT32_MAX - 500);
	assert_int_equal(volume_add(&v, UINT32_MAX - 400), 2);
}

static void test_heavy(void **state)
{
	struct heavy h = { 0 };
	uint32_t since;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(heavy_add(&h, 7, i, 10000, &since), i + 1);
		assert_int_equal(since, 0);
		assert_int_equal(heavy_add(&h, 100 + i, i, 10000, &since), 1); /* never more than it was */
	}
	assert_int_equal(heavy_add(&h, 7, 10001, 10000, &since), 1); /* the hour is over */
	assert_int_equal(since, 10001);
}

static const struct sweep *page(struct sweeps *w, uint64_t shape, int64_t v, uint64_t key)
{
	return sweep_step(w, &(struct step){ .shape = shape, .key = key << 32, .n_ints = 2, .ints = { 10, v } });
}

static void test_sweep(void **state)
{
	struct sweeps w = { 0 };
	const struct sweep *s;

	(void)state;
	for (int64_t i = 0; i < 10; i++)
		s = page(&w, 1, 100 + 10 * i, (uint64_t)i + 1);
	assert_int_equal(s->n, 10);
	assert_null(page(&w, 1, 100, 99)); /* not the first call */
	for (int64_t i = 1; i < 10; i++)
		s = page(&w, 1, 100 + 10 * i, 99 + (uint64_t)i);
	s = page(&w, 1, 100, 99);
	assert_int_equal(s->wraps, 1);
	assert_int_equal(s->advances, 0);
	s = page(&w, 1, 110, 100);
	assert_int_equal(s->advances, 1);
	/* Back into the middle, the same page, fewer integers: all begin anew. */
	assert_null(page(&w, 1, 105, 3));
	assert_null(page(&w, 1, 105, 3));
	assert_null(sweep_step(&w, &(struct step){ .shape = 1, .n_ints = 1, .ints = { 10 } }));
	/* The least recent of more shapes than there is room for makes room. */
	for (uint64_t shape = 2; shape < 2 + SWEEPS; shape++)
		page(&w, shape, 0, 1);
	assert_null(page(&w, 1, 5, 1));
	assert_non_null(page(&w, 1 + SWEEPS, 1, 1));
	/* Any numbers. */
	page(&w, 50, INT64_MIN, 1);
	for (int64_t v = 1; v < 30; v++)
		s = page(&w, 50, INT64_MAX - 30 + v, 2);
	assert_int_equal(s->n, 30);
	assert_int_equal(page(&w, 50, INT64_MIN, 1)->wraps, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_order_caps), cmocka_unit_test(test_volume),
		cmocka_unit_test(test_heavy), cmocka_unit_test(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
