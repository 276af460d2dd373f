/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static void test_boot_runs(void **state)
{
	uint64_t a = clock_boot_ns(), b;
	struct timespec ts;

	(void)state;
	nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
	b = clock_boot_ns();
	assert_true(b - a >= 2000000);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	assert_true((uint64_t)ts.tv_sec - b / NSEC_PER_SEC <= 1);
}

static void test_offset(void **state)
{
	uint64_t wall = clock_boot_ns() + (uint64_t)clock_wall_offset_ns();
	int64_t off = (int64_t)(wall / NSEC_PER_SEC) - (int64_t)time(NULL);

	(void)state;
	assert_true(llabs(off) <= 1);
}

static void test_rfc3339(void **state)
{
	static const struct {
		uint64_t ns;
		const char *want;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ 1, "1970-01-01T00:00:00.000000001Z" },
		{ 951782400000000000, "2000-02-29T00:00:00.000000000Z" },
		{ 1795305599999999999, "2026-11-21T23:59:59.999999999Z" },
		{ 4102444800120000000, "2100-01-01T00:00:00.120000000Z" },
		{ UINT64_MAX, "2554-07-21T23:34:33.709551615Z" },
	};
	char s[32];

	(void)state;
	setenv("TZ", "Asia/Kathmandu", 1); /* must not matter */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		clock_rfc3339(rows[i].ns, s);
		assert_string_equal(s, rows[i].want);
		assert_int_equal(strlen(s), 30);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_runs),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_rfc3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
