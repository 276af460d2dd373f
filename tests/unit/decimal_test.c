/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals: value, integers, one text for equal values, what is too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "proto/decimal.h"

static void expect(const char *text, const char *want)
{
	char canon[DECIMAL_CANON];
	struct decimal d;
	size_t n;

	assert_true(decimal_of(sv_of(text), &d));
	n = decimal_canon(&d, canon);
	assert_true(n <= sizeof(canon));
	assert_int_equal(n, strlen(want));
	assert_memory_equal(canon, want, n);
}

static void test_canon(void **state)
{
	static const char *const rows[][2] = {
		{ "1", "1" },	    { "1.0", "1" },	{ "10e-1", "1" },	 { "1E0", "1" },	{ "0.001E+3", "1" },
		{ "-0", "e0" },	    { "0.00e9", "e0" }, { "0", "e0" },		 { "100", "1e2" },	{ "-12.50", "-125e-1" },
		{ "1e15", "1e15" }, { "0.1", "1e-1" },	{ "1e-000007", "1e-7" }, { "105", "105" },	{ "1e123456789012345", "1e123456789012345" },
		{ "-1e-999999999999999", "-1e-999999999999999" },
		{ "1234567890123456789012345678901234567890123456789012345678901.23", "123456789012345678901234567890123456789012345678901234567890123e-2" },
		{ "0.00000000000000000000000000000000000000000000000000000000000001", "1e-62" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(rows[i][0], rows[i][1]);
}

static void test_refused(void **state)
{
	struct decimal d;

	(void)state;
	assert_false(decimal_of(SV("1e1234567890123456"), &d));
	assert_true(decimal_of(SV("1e0000000000000000000000001"), &d));
	assert_true(decimal_of(SV("1234567890123456789012345678901234567890123456789012345678901234"), &d));
	assert_false(decimal_of(SV("12345678901234567890123456789012345678901234567890123456789012345"), &d));
}

static void test_int(void **state)
{
	static const struct {
		const char *text;
		bool whole, fits;
		int64_t v;
	} rows[] = {
		{ "0", true, true, 0 },
		{ "-0.0", true, true, 0 },
		{ "42", true, true, 42 },
		{ "-4.20e2", true, true, -420 },
		{ "999999999999999", true, true, 999999999999999 },
		{ "-999999999999999", true, true, -999999999999999 },
		{ "1000000000000000", true, false, 0 },
		{ "1e14", true, true, 100000000000000 },
		{ "1e15", true, false, 0 },
		{ "1e300", true, false, 0 },
		{ "1.5", false, false, 0 },
		{ "1e-1", false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decimal d;
		int64_t v = 0;

		assert_true(decimal_of(sv_of(rows[i].text), &d));
		assert_int_equal(decimal_whole(&d), rows[i].whole);
		assert_int_equal(decimal_int(&d, &v), rows[i].fits);
		assert_int_equal(v, rows[i].v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canon),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_int),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
