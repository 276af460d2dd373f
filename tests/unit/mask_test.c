/* SPDX-License-Identifier: Apache-2.0 */
/* Masking: each pattern, its borders, every split, and random texts against the slow one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mask_slow.c"

#define TEXT_MAX 2048

struct text {
	char p[TEXT_MAX + 64];
	size_t n;
};

static void put(void *ctx, const char *p, size_t n)
{
	struct text *t = ctx;

	assert_true(t->n + n <= sizeof(t->p));
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

/* Mask @in in pieces of @first, then @step bytes. */
static void masked(struct sv in, size_t first, size_t step, struct text *ret)
{
	const struct mask_out out = { put, ret };
	struct mask m;
	size_t at = 0, end = first < in.n ? first : in.n, took;

	ret->n = 0;
	mask_init(&m);
	for (;;) {
		char *copy = malloc(end - at + 1); /* exact size: sanitizers see a byte too far */
		bool last = end == in.n;

		assert_non_null(copy);
		memcpy(copy + 1, in.p + at, end - at);
		took = mask_run(&m, (struct sv){ copy + 1, end - at }, last, &out);
		free(copy);
		assert_true(took <= end - at);
		at += took;
		if (last)
			break;
		assert_true(end - at <= MASK_KEPT);
		end = in.n - end < step ? in.n : end + step;
	}
	assert_int_equal(at, in.n);
}

static void expect_text(struct sv in, struct sv want)
{
	struct text got;

	masked(in, in.n, 1, &got);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
	for (size_t first = 0; first <= in.n; first++) {
		masked(in, first, in.n + 1, &got);
		assert_int_equal(got.n, want.n);
		assert_memory_equal(got.p, want.p, want.n);
	}
	masked(in, 1, 1, &got);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
}

/* @in alone and far from either end of a text. */
static void expect(const char *in, const char *want)
{
	static const char far[] = " lorem ipsum dolor sit amet consectetur lorem ipsum dolor sit amet consectetur lorem "
				  "ipsum dolor sit amet consectetur lorem ipsum dolor sit amet consectetur lorem ipsum "
				  "dolor sit amet consectetur lorem ipsum dolor sit amet consectetur lorem ipsum dolor ";
	char wide[TEXT_MAX], wide_want[TEXT_MAX];

	expect_text(sv_of(in), sv_of(want));
	snprintf(wide, sizeof(wide), "%s%s%s", far, in, far);
	snprintf(wide_want, sizeof(wide_want), "%s%s%s", far, want, far);
	expect_text(sv_of(wide), sv_of(wide_want));
}

#define ROWS(...)                                                                                  \
	do {                                                                                       \
		static const char *const rows_[][2] = { __VA_ARGS__ };                             \
		for (size_t i_ = 0; i_ < sizeof(rows_) / sizeof(rows_[0]); i_++)                   \
			expect(rows_[i_][0], rows_[i_][1]);                                        \
	} while (0)

static void test_plain(void **state)
{
	(void)state;
	ROWS({ "", "" }, { "hello", "hello" }, { "quick question", "quick question" }, { "v1.2.3", "v1.2.3" },
	     { "port 8080, line 12", "port 8080, line 12" }, { "2024-05-26", "2024-05-26" },
	     { "deadbeefdeadbeefdeadbeef", "deadbeefdeadbeefdeadbeef" }, { "12345", "12345" });
}

static void test_uuid(void **state)
{
	(void)state;
	ROWS({ "550e8400-e29b-41d4-a716-446655440000", "U" }, { "550E8400-E29B-41D4-A716-446655440000", "U" },
	     { "x550e8400-e29b-41d4-a716-446655440000y", "xUy" }, { "abcdefab-cdef-4abc-abcd-abcdefabcdef", "U" },
	     { "abcdefab-cdef-abcd-9bcd-abcdefabcdef", "U" }, { "abcdefab-cdef-abcd-abcd-abcdefabcde9", "U" },
	     { "abcdefab-cdef-abcd-abcd-abcdefabcdef", "abcdefab-cdef-abcd-abcd-abcdefabcdef" },
	     { "ab550e8400-e29b-41d4-a716-446655440000", "abU" }, { "550e8400-e29b-41d4-a716-446655440000a1", "Ua1" },
	     { "550e8400-e29b-41d4-a716-44665544000", "550e8400-e29b-41d4-a716-44665544000" },
	     { "550e8400-e29b-41d4-a716-446655440000550e8400-e29b-41d4-a716-446655440000", "UU" },
	     { "abcdefab-cdef-abcd-abcd-abcdefabcdef1", "abcdefab-cdef-abcd-abcd-abcdefabcdef1" },
	     { "1-abcdefab-cdef-4abc-abcd-abcdefabcdef", "1-U" });
}

static void test_time(void **state)
{
	(void)state;
	ROWS({ "2024-05-26T10:11", "T" }, { "2024-05-26 10:11:12", "T" }, { "2024-05-26T10:11:12Z", "T" },
	     { "2024-05-26T10:11:12.123456789Z", "T" }, { "2024-05-26T10:11:12+02:00", "T" },
	     { "2024-05-26T10:11:12.5-0200", "T" }, { "2024-05-26T10:11Z", "T" }, { "2024-05-26T10:11+2", "T+2" },
	     { "x12024-05-26T10:11:12", "x1T" }, { "2024-05-26x10:11", "2024-05-26x10:11" },
	     { "2024-05-26T10:11:1", "T:1" }, { "2024-05-26T10:11:12.", "T." }, { "2024-05-26T10:11:12-ab", "T-ab" },
	     { "2024-05-26T10:11:12.1234567890123", "T3" }, { "at 2024-5-26T10:11", "at 2024-5-26T10:11" });
}

static void test_duration(void **state)
{
	(void)state;
	ROWS({ "12ms", "D" }, { "took 1.5 seconds.", "took D." }, { "0.25s", "D" }, { "3 secs", "D" },
	     { "17 milliseconds", "D" }, { "5 s", "D" }, { "5  s", "5  s" }, { "5 sec", "5 sec" }, { "5 min", "5 min" },
	     { "5second", "5second" }, { "v1.5s", "v1.D" }, { "x5s", "x5s" }, { "5s_", "5s_" }, { "1.2.3s", "1.D" },
	     { "5.s", "5.s" }, { "1234567890123456789s", "1234567890123456789s" }, { "5ms/7ms", "D/D" },
	     { "\xc3\xa9" "5ms", "\xc3\xa9" "D" });
}

static void test_epoch(void **state)
{
	(void)state;
	ROWS({ "1712345678", "E" }, { "1712345678901", "E" }, { "1712345678.123", "E" }, { "at=1512345678,", "at=E," },
	     { "1412345678", "1412345678" }, { "2012345678", "2012345678" }, { "x1712345678", "x1712345678" },
	     { "1712345678x", "1712345678x" }, { "171234567", "171234567" }, { "17123456789", "17123456789" },
	     { "1712345678 ms", "D" }, { "-1712345678-", "-E-" });
}

static void test_hex(void **state)
{
	char in[400], want[400];

	(void)state;
	ROWS({ "0123456789abcdef", "H" }, { "abcdefabcdefabc1", "H" }, { "0123456789abcde", "0123456789abcde" },
	     { "x0123456789abcdef", "x0123456789abcdef" }, { "0123456789abcdefg", "0123456789abcdefg" },
	     { "sha 9F86D081884C7D659A2FEAA0C55AD015 ok", "sha H ok" }, { "1234567890123456", "H" },
	     { "0123456789abcdef-1", "H-1" });
	/* Digits behind the letters: up to MASK_LETTERS of them. */
	for (int n = MASK_LETTERS - 1; n <= MASK_LETTERS + 1; n++) {
		snprintf(in, sizeof(in), "%.*s1", n, "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffaaaaaaaabbbbbbbbcc");
		expect(in, n <= MASK_LETTERS ? "H" : in);
	}
	/* So long a word is one, whatever follows. */
	for (int n = MASK_LONG - 1; n <= MASK_LONG + 2; n++) {
		memset(in, '7', (size_t)n);
		snprintf(in + n, sizeof(in) - (size_t)n, "zz");
		expect(in, n >= MASK_LONG ? "Hzz" : in);
		snprintf(in + n, sizeof(in) - (size_t)n, "-");
		expect(in, "H-");
	}
	memset(in, '7', 200);
	snprintf(in + 200, sizeof(in) - 200, "550e8400-e29b-41d4-a716-446655440000");
	expect(in, "H-e29b-41d4-a716-446655440000");
	in[0] = 'z';
	snprintf(want, sizeof(want), "%.200sU", in);
	expect(in, want);
	for (int n = MASK_LONG - 10; n < MASK_LONG + 20; n++) {
		snprintf(in + n, sizeof(in) - (size_t)n, "12345678-abcd-abcd-abcd-abcdefabcdef");
		snprintf(want, sizeof(want), "%.*sU", n, in);
		expect(in, want);
		memset(in + n, '7', 40);
	}
}

static void test_request_id(void **state)
{
	(void)state;
	ROWS({ "{\"request_id\":\"a1\",\"b\":1}", "{\"request_id\":\"R\",\"b\":1}" },
	     { "{\"requestId\" : \"\"}", "{\"requestId\" : \"R\"}" },
	     { "{\\\"REQUEST_ID\\\":\\\"a1\\\",1}", "{\\\"REQUEST_ID\\\":\\\"R\",1}" },
	     { "{\"request_id\":7}", "{\"request_id\":7}" }, { "{\"request__id\":\"a\"}", "{\"request__id\":\"a\"}" },
	     { "{\"xrequest_id\":\"a\"}", "{\"xrequest_id\":\"a\"}" }, { "{\"request_id\"", "{\"request_id\"" },
	     { "\"requestid\":\"a \"requestid\":\"b\"", "\"requestid\":\"R\"requestid\":\"R\"" });
	/* No end in sight. */
	expect_text(sv_of("\"requestid\":\"abc 12ms"), sv_of("\"requestid\":\"R"));
	expect_text(sv_of("\"requestid\":\""), sv_of("\"requestid\":\"R"));
}

/* Texts of what patterns are made of, so that they nearly match all the time. */
static size_t random_text(uint32_t *seed, char *p, size_t max)
{
	static const char *const parts[] = {
		"550e8400-e29b-41d4-a716-446655440000", "abcdefab-cdef-4abc-abcd-abcdefabcdef", "2024-05-26T10:11:12.5Z",
		"2024-05-26 10:11", "+02:00", "12ms", " s", "seconds", "1712345678", "1712345678901", "0123456789abcdef",
		"\"request_id\":\"", "\"requestId\" : \\\"", "request", "\"", "-", ".", " ", "_", "a", "f1", "7", "zz", "e-",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "77777777777777777777777777777777777777777777777777777777", "q", "\xc3\xa9",
	};
	size_t n = 0;

	for (;;) {
		const char *part;
		size_t len, cut;

		*seed = *seed * 1664525 + 1013904223;
		part = parts[(*seed >> 16) % (sizeof(parts) / sizeof(parts[0]))];
		len = strlen(part);
		cut = *seed >> 8 & 3 ? 0 : (*seed >> 12) % len;
		if (n + len > max)
			return n;
		memcpy(p + n, part + cut, len - cut);
		n += len - cut;
	}
}

static void test_random(void **state)
{
	char in[TEXT_MAX], want[TEXT_MAX];
	struct text got;
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t n = random_text(&seed, in, 40 + seed % (i % 10 ? 300 : TEXT_MAX - 40));
		struct sv text = { in, n }, expected = { want, mask_slow(in, n, want) };

		for (int k = 0; k < 4; k++) {
			masked(text, k ? (seed >> 7) % (n + 1) : n, k == 2 ? 1 : 1 + (seed >> 3) % 300, &got);
			if (!sv_eq((struct sv){ got.p, got.n }, expected))
				fail_msg("round %d.%d: \"%.*s\" gives \"%.*s\", not \"%.*s\"", i, k, (int)n, in,
					 (int)got.n, got.p, (int)expected.n, want);
			seed = seed * 1664525 + 1013904223;
		}
	}
}

static void test_keys(void **state)
{
	(void)state;
	assert_true(mask_key(SV("request_id")) && mask_key(SV("requestId")) && mask_key(SV("REQUESTID")));
	assert_false(mask_key(SV("request-id")) || mask_key(SV("id")) || mask_key(SV("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	 cmocka_unit_test(test_uuid),  cmocka_unit_test(test_time),
		cmocka_unit_test(test_duration), cmocka_unit_test(test_epoch), cmocka_unit_test(test_hex),
		cmocka_unit_test(test_request_id), cmocka_unit_test(test_random), cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
