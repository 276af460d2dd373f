/* SPDX-License-Identifier: Apache-2.0 */
/* base/buf: caps hold, appends are all or nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"

static void test_no_memory_before_first(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_null(b.p);
	assert_int_equal(buf_sv(&b).n, 0);
	buf_reset(&b);
	buf_cut(&b, 5);
	assert_int_equal(b.n, 0);
	buf_done(&b);
}

static void test_cap_is_exact(void **state)
{
	struct buf b;

	(void)state;
	for (size_t max = 0; max < 700; max++) {
		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			assert_int_equal(buf_add_ch(&b, (char)i), 0);
		assert_false(b.full);
		assert_int_equal(buf_add_ch(&b, 'x'), -ENOSPC);
		assert_true(b.full);
		assert_int_equal(b.n, max);
		assert_true(b.cap <= max);
		for (size_t i = 0; i < max; i++)
			assert_int_equal(b.p[i], (char)i);
		buf_done(&b);
	}
}

static void test_all_or_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_add_str(&b, "12345"), 0);
	assert_int_equal(buf_add_str(&b, "6789"), -ENOSPC);
	assert_true(sv_eq(buf_sv(&b), SV("12345")));
	assert_int_equal(buf_add_str(&b, "678"), 0);
	assert_true(sv_eq(buf_sv(&b), SV("12345678")));
	assert_true(b.full);
	buf_reset(&b);
	assert_false(b.full);
	assert_int_equal(b.n, 0);
	buf_done(&b);
}

static void test_huge_length(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_add_str(&b, "abc"), 0);
	assert_int_equal(buf_add(&b, "x", SIZE_MAX - 2), -ENOSPC);
	assert_int_equal(buf_add(&b, "x", SIZE_MAX), -ENOSPC);
	assert_true(sv_eq(buf_sv(&b), SV("abc")));
	buf_done(&b);
}

static void test_format(void **state)
{
	struct buf b;
	char want[600];

	(void)state;
	buf_init(&b, 512);
	for (int width = 0; width <= 512; width++) {
		memset(want, ' ', sizeof(want));
		buf_reset(&b);
		want[width ? width - 1 : 0] = '7';
		assert_int_equal(buf_addf(&b, "%*d", width, 7), 0);
		assert_int_equal(b.n, width ? width : 1);
		assert_memory_equal(b.p, want, b.n);
	}
	buf_reset(&b);
	assert_int_equal(buf_addf(&b, "%513d", 7), -ENOSPC);
	assert_int_equal(b.n, 0);
	assert_true(b.full);
	buf_done(&b);
}

static void test_cut(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_add_str(&b, "hello world");
	buf_cut(&b, 6);
	assert_true(sv_eq(buf_sv(&b), SV("world")));
	buf_cut(&b, 0);
	assert_int_equal(b.n, 5);
	buf_cut(&b, 99);
	assert_int_equal(b.n, 0);
	buf_done(&b);
}

static void test_reset_keeps_little(void **state)
{
	struct buf b;
	char *big = calloc(1, 200000);

	(void)state;
	assert_non_null(big);
	buf_init(&b, 1 << 20);
	buf_add(&b, big, 1000);
	buf_reset(&b);
	assert_non_null(b.p);
	buf_add(&b, big, 200000);
	buf_reset(&b);
	assert_null(b.p);
	assert_int_equal(b.cap, 0);
	assert_int_equal(buf_add_str(&b, "again"), 0);
	buf_done(&b);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory_before_first),
		cmocka_unit_test(test_cap_is_exact),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_huge_length),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_reset_keeps_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
