/* SPDX-License-Identifier: Apache-2.0 */
/* SimHash against a plain one, in every split; parts in any order; near texts are near. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ctype.h>
#include <cmocka.h>

#include "proto/simhash.h"

static uint64_t feature(const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3ULL;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	return h ^ h >> 33;
}

static void vote(int counter[64], uint64_t h)
{
	for (int b = 0; b < 64; b++)
		counter[b] += h >> b & 1 ? 1 : -1;
}

/* Tokens of @s written one behind the other with a space between. */
static uint64_t slow(struct sv s)
{
	static char line[70000];
	int counter[64] = { 0 };
	size_t n = 0, last = 0, beg = 0, tokens = 0;
	uint64_t bits = 0;

	assert_true(s.n < sizeof(line) / 2);
	for (size_t i = 0; i <= s.n; i++) {
		unsigned char c = i < s.n ? (unsigned char)s.p[i] : ' ';

		if (c < 0x80 && (isalnum(c) || c == '_')) {
			line[n++] = (char)tolower(c);
			continue;
		}
		if (n == beg)
			continue;
		vote(counter, feature(line + beg, n - beg));
		if (tokens++)
			vote(counter, feature(line + last, n - last));
		last = beg;
		line[n++] = ' ';
		beg = n;
	}
	for (int b = 0; b < 64; b++)
		bits |= (uint64_t)(counter[b] > 0) << b;
	return bits;
}

static uint64_t fast(struct sv s, size_t first, size_t step)
{
	struct simhash h;

	simhash_init(&h);
	for (size_t at = 0, n = first < s.n ? first : s.n; at < s.n || at == 0; at += n, n = step) {
		n = n < s.n - at ? n : s.n - at;
		simhash_add(&h, (struct sv){ s.p + at, n });
		if (at + n == s.n)
			break;
	}
	return simhash_get(&h);
}

static void test_splits(void **state)
{
	static const char *const texts[] = {
		"", "a", " a ", "A b", "a_b-c", "SELECT * FROM users WHERE id = 42 LIMIT 10", "\xc3\xa9t\xc3\xa9 x",
		"{\"path\":\"/srv/data/report.txt\",\"limit\":100}", "---", "a b a b a b",
	};

	(void)state;
	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		struct sv s = sv_of(texts[t]);
		uint64_t want = slow(s);

		for (size_t first = 0; first <= s.n; first++)
			assert_int_equal(fast(s, first, s.n + 1), want);
		assert_int_equal(fast(s, 1, 1), want);
	}
	assert_int_equal(slow(SV("--")), 0);
}

/* More features than fit into one byte of a counter. */
static void test_long(void **state)
{
	static char text[30000];
	uint32_t seed = 3;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		seed = seed * 1664525 + 1013904223;
		text[i] = "abcdefgHIJ_019  -"[(seed >> 16) % 17];
	}
	for (size_t n = 400; n <= sizeof(text); n = n * 2 + 13)
		assert_int_equal(fast((struct sv){ text, n }, 17, 91), slow((struct sv){ text, n }));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? ' ' : 'a';
	for (size_t n = 200; n < 1100; n += 7)
		assert_int_equal(fast((struct sv){ text, n }, 17, 91), slow((struct sv){ text, n }));
	memset(text, 'a', sizeof(text));
	assert_int_equal(fast((struct sv){ text, sizeof(text) }, 5, 7), slow((struct sv){ text, sizeof(text) }));
}

static uint64_t parts(const char *a, const char *b, const char *c)
{
	struct simhash h;

	simhash_init(&h);
	simhash_add(&h, sv_of(a));
	simhash_part(&h);
	simhash_add(&h, sv_of(b));
	simhash_part(&h);
	simhash_add(&h, sv_of(c));
	return simhash_get(&h);
}

static void test_parts(void **state)
{
	struct simhash h;

	(void)state;
	assert_int_equal(parts("path a", "limit 10", "x y z"), parts("x y z", "path a", "limit 10"));
	assert_int_not_equal(parts("path a", "limit 10", ""), fast(SV("path a limit 10"), 1, 1));
	simhash_init(&h);
	simhash_add(&h, SV("path"));
	simhash_break(&h);
	simhash_add(&h, SV("a"));
	assert_int_equal(simhash_get(&h), slow(SV("path a")));
}

static void test_near(void **state)
{
	const char *a = "find src -name '*.c' -exec grep -n TODO -print of all the files that somebody touched this week again";
	const char *b = "find src -name '*.c' -exec grep -n TODO -print of all the files that somebody touched this year again";
	const char *c = "INSERT INTO orders (customer, item, price) VALUES ('Ada', 'punched cards, 80 columns', 12)";

	(void)state;
	assert_in_range(__builtin_popcountll(fast(sv_of(a), 9, 9) ^ fast(sv_of(b), 9, 9)), 1, 12);
	assert_in_range(__builtin_popcountll(fast(sv_of(a), 9, 9) ^ fast(sv_of(c), 9, 9)), 20, 44);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
