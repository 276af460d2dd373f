/* SPDX-License-Identifier: Apache-2.0 */
/* base/sv. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/sv.h"

static void test_eq(void **state)
{
	(void)state;
	assert_true(sv_eq(SV("a"), sv_of("a")));
	assert_false(sv_eq(SV("a"), SV("A")));
	assert_false(sv_eq(SV("a"), SV("ab")));
	assert_true(sv_eq(sv_of(NULL), SV("")));
	assert_true(sv_starts(SV("abc"), SV("ab")));
	assert_true(sv_starts(SV("abc"), SV("")));
	assert_true(sv_starts(sv_of(NULL), sv_of(NULL)));
	assert_false(sv_starts(SV("ab"), SV("abc")));
}

/* Every pair of bytes: only the 26 letters fold. */
static void test_ieq_all_bytes(void **state)
{
	(void)state;
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char x = (char)a, y = (char)b;
			int letter = (a >= 'A' && a <= 'Z' && b == a + 32) ||
				     (b >= 'A' && b <= 'Z' && a == b + 32);

			assert_int_equal(sv_ieq((struct sv){ &x, 1 }, (struct sv){ &y, 1 }),
					 a == b || letter);
		}
	}
	assert_true(sv_ieq(SV("Content-LENGTH"), SV("content-length")));
	assert_false(sv_ieq(SV("content"), SV("content-")));
	assert_true(sv_ieq(SV(""), sv_of(NULL)));
}

static void test_ihas(void **state)
{
	(void)state;
	assert_true(sv_ihas(SV("text/Event-Stream; x"), SV("event-stream")));
	assert_true(sv_ihas(SV("abc"), SV("C")));
	assert_true(sv_ihas(SV("abc"), SV("A")));
	assert_true(sv_ihas(SV("abc"), SV("")));
	assert_true(sv_ihas(SV(""), SV("")));
	assert_false(sv_ihas(SV(""), SV("a")));
	assert_false(sv_ihas(SV("ab"), SV("abc")));
	assert_false(sv_ihas(SV("aab"), SV("abb")));
}

static void test_trim(void **state)
{
	(void)state;
	assert_true(sv_eq(sv_trim(SV(" \t\r\na b\n ")), SV("a b")));
	assert_true(sv_eq(sv_trim(SV("a")), SV("a")));
	assert_int_equal(sv_trim(SV(" \r\n")).n, 0);
	assert_int_equal(sv_trim(SV("")).n, 0);
	assert_int_equal(sv_trim((struct sv){ NULL, 0 }).n, 0);
	assert_true(sv_eq(sv_trim(SV("\va\f")), SV("\va\f")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eq),
		cmocka_unit_test(test_ieq_all_bytes),
		cmocka_unit_test(test_ihas),
		cmocka_unit_test(test_trim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
