/* SPDX-License-Identifier: Apache-2.0 */
/* base/num: both directions, at the edges. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/num.h"

struct row {
	const char *text;
	int err;
	uint64_t want;
};

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static void check(const struct row *rows, size_t n, int (*parse)(struct sv, uint64_t *))
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v = 4711;
		int err = parse(sv_of(rows[i].text), &v);

		if (err != rows[i].err || v != (err ? 4711 : rows[i].want))
			fail_msg("\"%s\": err %d, value %llu", rows[i].text, err,
				 (unsigned long long)v);
	}
}

static void test_u64(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "00042", 0, 42 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "18446744073709551620", -ERANGE, 0 },
		{ "99999999999999999999999999999999", -ERANGE, 0 },
		{ "99999999999999999999999999x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1:", -EINVAL, 0 },
		{ "1/", -EINVAL, 0 },
	};

	(void)state;
	check(rows, N(rows), num_u64);
	assert_int_equal(num_u64((struct sv){ "12345", 2 }, &(uint64_t){ 0 }), 0);
}

static int parse_i64(struct sv s, uint64_t *ret_v)
{
	return num_i64(s, (int64_t *)ret_v);
}

static void test_i64(void **state)
{
	static const struct row rows[] = {
		{ "-1", 0, (uint64_t)-1 },
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "-9223372036854775808", 0, (uint64_t)INT64_MIN },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "-32601", 0, (uint64_t)-32601 },
		{ "-", -EINVAL, 0 },
		{ "--1", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};

	(void)state;
	check(rows, N(rows), parse_i64);
}

static void test_duration(void **state)
{
	static const struct row rows[] = {
		{ "500ms", 0, 500000000 },
		{ "2s", 0, 2000000000 },
		{ "1.5s", 0, 1500000000 },
		{ "10us", 0, 10000 },
		{ "7ns", 0, 7 },
		{ "3m", 0, 180000000000 },
		{ "1h", 0, 3600000000000 },
		{ "0s", 0, 0 },
		{ "0.25m", 0, 15000000000 },
		{ "1.23456us", 0, 1234 },
		{ "0.000000001s", 0, 1 },
		{ "0.99999999999999999999s", 0, 999999999 },
		{ "5124095h", 0, 18446742000000000000ULL },
		{ "5124096h", -ERANGE, 0 },
		{ "5124095.99h", -ERANGE, 0 },
		{ "99999999999999999999s", -ERANGE, 0 },
		{ "5", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ ".5s", -EINVAL, 0 },
		{ "1.s", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
		{ "1..5s", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ "1S", -EINVAL, 0 },
		{ "1ss", -EINVAL, 0 },
		{ "1d", -EINVAL, 0 },
	};

	(void)state;
	check(rows, N(rows), num_duration);
}

static void test_size(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "1000", 0, 1000 },
		{ "64k", 0, 65536 },
		{ "64K", 0, 65536 },
		{ "8M", 0, 8 << 20 },
		{ "1G", 0, 1 << 30 },
		{ "17179869183G", 0, 17179869183ULL << 30 },
		{ "17179869184G", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "k", -EINVAL, 0 },
		{ "1kB", -EINVAL, 0 },
		{ "1.5M", -EINVAL, 0 },
		{ "1T", -EINVAL, 0 },
	};

	(void)state;
	check(rows, N(rows), num_size);
}

struct shown {
	uint64_t v;
	const char *want;
};

static void check_shown(const struct shown *rows, size_t n, void (*show)(uint64_t, char *))
{
	char s[16];

	for (size_t i = 0; i < n; i++) {
		show(rows[i].v, s);
		assert_string_equal(s, rows[i].want);
	}
}

static void test_show_ns(void **state)
{
	static const struct shown rows[] = {
		{ 0, "0ns" },
		{ 999, "999ns" },
		{ 1000, "1.00us" },
		{ 999999, "999us" },
		{ 1234567, "1.23ms" },
		{ 12345678, "12.3ms" },
		{ 123456789, "123ms" },
		{ 1999999999, "1.99s" },
		{ 59999999999, "59.9s" },
		{ 60000000000, "1m00s" },
		{ 3599999999999, "59m59s" },
		{ 3660000000000, "1h01m" },
		{ 3599999999999999, "999h59m" },
		{ 3600000000000000, "41d" },
		{ UINT64_MAX, "213503d" },
	};

	(void)state;
	check_shown(rows, N(rows), num_show_ns);
}

static void test_show_bytes(void **state)
{
	static const struct shown rows[] = {
		{ 0, "0B" },
		{ 1023, "1023B" },
		{ 1024, "1.0K" },
		{ 1536, "1.5K" },
		{ 10188, "9.9K" },
		{ 10189, "10K" },
		{ 400123, "391K" },
		{ (1 << 20) - 513, "1023K" },
		{ (1 << 20) - 512, "1.0M" },
		{ 5000000, "4.8M" },
		{ 1 << 30, "1.0G" },
		{ 1ULL << 40, "1.0T" },
		{ 1ULL << 50, "1.0P" },
		{ 1ULL << 60, "1.0E" },
		{ UINT64_MAX, "16E" },
	};

	(void)state;
	check_shown(rows, N(rows), num_show_bytes);
}

/* Width of a column: around every power of two and ten. */
static void test_show_width(void **state)
{
	char s[16];

	(void)state;
	for (uint64_t base = 2; base <= 10; base += 8) {
		for (uint64_t v = 1; v < UINT64_MAX / base; v *= base) {
			for (int d = -1; d <= 1; d++) {
				num_show_ns(v + (uint64_t)d, s);
				assert_true(strlen(s) <= 8);
				num_show_bytes(v + (uint64_t)d, s);
				assert_true(strlen(s) <= 5);
			}
		}
	}
}

static void test_hex(void **state)
{
	static const char *const bad[] = { "", "00ff7", "00ff7F", "00ff7g", "00ff7f00", "00ff 7f", "0x00ff" };
	uint8_t v[3] = { 9, 9, 9 };

	(void)state;
	assert_int_equal(num_hex(SV("00ff7a"), v, 3), 0);
	assert_true(v[0] == 0 && v[1] == 0xff && v[2] == 0x7a);
	for (size_t i = 0; i < N(bad); i++)
		assert_int_equal(num_hex(sv_of(bad[i]), v, 3), -EINVAL);
	assert_int_equal(num_hex((struct sv){ "00\0f7a", 6 }, v, 3), -EINVAL);
	assert_int_equal(num_hex((struct sv){ NULL, 0 }, v, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),	   cmocka_unit_test(test_i64),
		cmocka_unit_test(test_duration),   cmocka_unit_test(test_size),
		cmocka_unit_test(test_show_ns),	   cmocka_unit_test(test_show_bytes),
		cmocka_unit_test(test_show_width), cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
