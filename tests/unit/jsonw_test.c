/* SPDX-License-Identifier: Apache-2.0 */
/* base/jsonw: shape, caps, and that nothing from the wire comes out raw. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/jsonw.h"

#define FFFD "\xef\xbf\xbd"

struct row {
	const char *in;
	size_t n;
	const char *want;
};

/* A literal may hold NUL. */
#define ROW(in, want)                                                                              \
	{                                                                                          \
		in,                                                                                \
		sizeof(in) - 1,                                                                    \
		want,                                                                              \
	}

static char *show(struct sv s)
{
	static char hex[512];

	for (size_t i = 0; i < s.n && i < 160; i++)
		snprintf(hex + 3 * i, 4, "%02x ", (unsigned char)s.p[i]);
	return hex;
}

static void expect(const struct buf *b, struct sv want)
{
	if (sv_eq(buf_sv(b), want))
		return;
	print_error("got:  %s\n", show(buf_sv(b)));
	fail_msg("want: %s", show(want));
}

static void check_str(const struct row *rows, size_t n)
{
	struct jsonw w;
	struct buf b, want;

	buf_init(&b, 4096);
	buf_init(&want, 4096);
	for (size_t i = 0; i < n; i++) {
		buf_reset(&b);
		buf_reset(&want);
		jsonw_init(&w, &b);
		jsonw_str(&w, NULL, (struct sv){ rows[i].in, rows[i].n });
		buf_addf(&want, "\"%s\"", rows[i].want);
		assert_false(w.bad);
		expect(&b, buf_sv(&want));
	}
	buf_done(&b);
	buf_done(&want);
}

#define CHECK_STR(rows) check_str(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_plain(void **state)
{
	static const struct row rows[] = {
		ROW("", ""),
		ROW("abc", "abc"),
		ROW("a\"b\\c/", "a\\\"b\\\\c/"),
		ROW("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		ROW("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"),		     /* U+10FFFF */
		ROW("\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"), /* D7FF, E000 */
	};

	(void)state;
	CHECK_STR(rows);
}

static void test_controls(void **state)
{
	static const struct row rows[] = {
		ROW("a\0b", "a\\u0000b"),
		ROW("\n\r\t\b\f", "\\u000a\\u000d\\u0009\\u0008\\u000c"),
		ROW("\x1b[31m", "\\u001b[31m"),
		ROW("\x1f\x20", "\\u001f "),
		ROW("~\x7f", "~\\u007f"),
		ROW("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\u0080\\u009b\\u009f\xc2\xa0"),
	};

	(void)state;
	CHECK_STR(rows);
}

static void test_bidi_and_separators(void **state)
{
	static const struct row rows[] = {
		ROW("\xd8\x9c", "\\u061c"),
		ROW("\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90",
		    "\xe2\x80\x8d\\u200e\\u200f\xe2\x80\x90"),
		ROW("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9", "\xe2\x80\xa7\\u2028\\u2029"),
		ROW("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae\xe2\x80\xaf",
		    "\\u202a\\u202b\\u202c\\u202d\\u202e\xe2\x80\xaf"),
		ROW("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9\xe2\x81\xaa",
		    "\xe2\x81\xa5\\u2066\\u2067\\u2068\\u2069\xe2\x81\xaa"),
	};

	(void)state;
	CHECK_STR(rows);
}

/* One U+FFFD per maximal ill-formed part; the examples of Unicode 3.9 are among them. */
static void test_ill_formed(void **state)
{
	static const struct row rows[] = {
		/* never a byte of UTF-8, or a tail without a lead */
		ROW("\xfe\xff", FFFD FFFD),
		ROW("\xf5\xf8\xfc", FFFD FFFD FFFD),
		ROW("a\x80z", "a" FFFD "z"),
		ROW("\xbf\xbf", FFFD FFFD),
		/* overlong */
		ROW("\xc0\xaf", FFFD FFFD),
		ROW("\xc1\xbf", FFFD FFFD),
		ROW("\xc0\x80", FFFD FFFD),
		ROW("\xe0\x80\xaf", FFFD FFFD FFFD),
		ROW("\xe0\x9f\xbf", FFFD FFFD FFFD),
		ROW("\xf0\x80\x80\xaf", FFFD FFFD FFFD FFFD),
		ROW("\xf0\x8f\xbf\xbf", FFFD FFFD FFFD FFFD),
		/* surrogates, also as a CESU-8 pair */
		ROW("\xed\xa0\x80", FFFD FFFD FFFD),
		ROW("\xed\xbf\xbf", FFFD FFFD FFFD),
		ROW("\xed\xa0\xbd\xed\xb8\x80", FFFD FFFD FFFD FFFD FFFD FFFD),
		/* above U+10FFFF */
		ROW("\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD),
		ROW("\xf5\x80\x80\x80", FFFD FFFD FFFD FFFD),
		/* cut short by the end */
		ROW("\xc3", FFFD),
		ROW("\xe2\x82", FFFD),
		ROW("\xe2", FFFD),
		ROW("\xf0\x9f\x98", FFFD),
		ROW("\xf0\x9f", FFFD),
		ROW("\xf0", FFFD),
		/* cut short by something else, which must survive */
		ROW("\xc3\"", FFFD "\\\""),
		ROW("\xe2\x82(", FFFD "("),
		ROW("\xf0\x9f\x98\n", FFFD "\\u000a"),
		ROW("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", FFFD FFFD FFFD FFFD "A"),
		ROW("\xc3\xc3\xa9", FFFD "\xc3\xa9"),
		ROW("\xf0\x9f\x98\xf0\x9f\x98\x80", FFFD "\xf0\x9f\x98\x80"),
		/* a raw C1 byte is no control, it is ill-formed */
		ROW("\x9b"
		    "31m",
		    FFFD "31m"),
	};

	(void)state;
	CHECK_STR(rows);
}

static size_t encode(uint32_t cp, char *p)
{
	if (cp < 0x80) {
		p[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		p[0] = (char)(0xc0 | cp >> 6);
		p[1] = (char)(0x80 | (cp & 63));
		return 2;
	}
	if (cp < 0x10000) {
		p[0] = (char)(0xe0 | cp >> 12);
		p[1] = (char)(0x80 | (cp >> 6 & 63));
		p[2] = (char)(0x80 | (cp & 63));
		return 3;
	}
	p[0] = (char)(0xf0 | cp >> 18);
	p[1] = (char)(0x80 | (cp >> 12 & 63));
	p[2] = (char)(0x80 | (cp >> 6 & 63));
	p[3] = (char)(0x80 | (cp & 63));
	return 4;
}

static bool must_escape(uint32_t cp)
{
	static const uint32_t marks[] = {
		0x61c,	0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b,
		0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (cp == marks[i])
			return true;
	return cp < 32 || (cp >= 127 && cp <= 159);
}

/* Every code point there is, surrogates included. */
static void test_all_code_points(void **state)
{
	struct jsonw w;
	struct buf b, want;
	char in[4];

	(void)state;
	buf_init(&b, 64);
	buf_init(&want, 64);
	for (uint32_t cp = 0; cp <= 0x110000; cp++) {
		size_t n = encode(cp, in);

		buf_reset(&b);
		buf_reset(&want);
		jsonw_init(&w, &b);
		jsonw_str(&w, NULL, (struct sv){ in, n });
		if ((cp >= 0xd800 && cp < 0xe000) || cp > 0x10ffff)
			for (size_t i = 0; i < n; i++)
				buf_add_str(&want, FFFD);
		else if (must_escape(cp))
			buf_addf(&want, "\\u%04x", cp);
		else if (cp == '"' || cp == '\\')
			buf_addf(&want, "\\%c", (int)cp);
		else
			buf_add(&want, in, n);
		if (b.n < 2 || !sv_eq((struct sv){ b.p + 1, b.n - 2 }, buf_sv(&want)))
			fail_msg("U+%04X: %s", cp, show(buf_sv(&b)));
	}
	buf_done(&b);
	buf_done(&want);
}

static void assert_utf8(iconv_t cd, struct sv s)
{
	static char out[65536];
	char *in = (char *)s.p, *to = out;
	size_t in_left = s.n, out_left = sizeof(out);

	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &in, &in_left, &to, &out_left) == (size_t)-1)
		fail_msg("no UTF-8: %s", show(s));
	assert_int_equal(in_left, 0);
}

/* Random bytes, with leads and tails more often than chance has them; libc is the judge. */
static void test_random_bytes(void **state)
{
	static const unsigned char spice[] = { 0xe0, 0xed, 0xf0, 0xf4, 0x80, 0x9f, 0xa0, 0xbf };
	iconv_t cd = iconv_open("UTF-32LE", "UTF-8");
	unsigned int seed = 7;
	char in[64];
	struct jsonw w;
	struct buf b;

	(void)state;
	assert_true(cd != (iconv_t)-1);
	buf_init(&b, 4096);
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)rand_r(&seed) % sizeof(in);

		for (size_t i = 0; i < n; i++)
			in[i] = (char)(rand_r(&seed) % 2 ? spice[rand_r(&seed) % sizeof(spice)]
							 : rand_r(&seed) % 256);
		buf_reset(&b);
		jsonw_init(&w, &b);
		jsonw_str(&w, NULL, (struct sv){ in, n });
		jsonw_raw(&w, NULL, (struct sv){ in, n });
		text_safe(&b, (struct sv){ in, n }, 1000);
		assert_utf8(cd, buf_sv(&b));
		for (size_t i = 0; i < b.n; i++)
			assert_true((unsigned char)b.p[i] >= 0x20 && b.p[i] != 0x7f);
	}
	buf_done(&b);
	iconv_close(cd);
}

static void test_shape(void **state)
{
	struct jsonw w;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	jsonw_init(&w, &b);
	jsonw_open(&w, NULL, '{');
	jsonw_cstr(&w, "kind", "call");
	jsonw_u64(&w, "max", UINT64_MAX);
	jsonw_i64(&w, "min", INT64_MIN);
	jsonw_bool(&w, "t", true);
	jsonw_bool(&w, "f", false);
	jsonw_open(&w, "a", '[');
	jsonw_u64(&w, NULL, 1);
	jsonw_open(&w, NULL, '{');
	jsonw_bool(&w, "x", true);
	jsonw_close(&w, '}');
	jsonw_open(&w, NULL, '[');
	jsonw_u64(&w, NULL, 2);
	jsonw_u64(&w, NULL, 3);
	jsonw_close(&w, ']');
	jsonw_open(&w, NULL, '{');
	jsonw_close(&w, '}');
	jsonw_close(&w, ']');
	jsonw_raw(&w, "id", SV("1e3"));
	jsonw_key_u64(&w, SV("k\"\n\xff"), 7);
	jsonw_key_u64(&w, (struct sv){ NULL, 0 }, 8);
	jsonw_str(&w, "none", sv_of(NULL));
	jsonw_close(&w, '}');
	assert_false(w.bad);
	assert_int_equal(w.depth, 0);
	expect(&b,
	       SV("{\"kind\":\"call\",\"max\":18446744073709551615,"
		  "\"min\":-9223372036854775808,\"t\":true,\"f\":false,"
		  "\"a\":[1,{\"x\":true},[2,3],{}],\"id\":1e3,\"k\\\"\\u000a" FFFD "\":7,\"\":8,"
		  "\"none\":\"\"}"));
	buf_done(&b);
}

/* A value that is JSON keeps its meaning on one line, with nothing raw in it. */
static void test_raw(void **state)
{
	struct jsonw w;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	jsonw_init(&w, &b);
	jsonw_raw(&w, NULL,
		  SV("{\n\t\"a\\\"\\n\":\r\n \"\xe2\x80\xae\x7f\xc2\x85\xff\xc3\xa9\", \"b\": "
		     "[1,\n2]}"));
	expect(&b,
	       SV("{  \"a\\\"\\n\":   \"\\u202e\\u007f\\u0085" FFFD "\xc3\xa9\", \"b\": [1, 2]}"));
	buf_done(&b);
}

static void test_depth(void **state)
{
	struct jsonw w;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	jsonw_init(&w, &b);
	for (int i = 0; i < JSONW_DEPTH; i++)
		jsonw_open(&w, NULL, '[');
	assert_false(w.bad);
	for (int i = 0; i < 100; i++)
		jsonw_open(&w, NULL, '[');
	assert_true(w.bad);
	jsonw_u64(&w, NULL, 1);
	for (int i = 0; i < JSONW_DEPTH + 100; i++)
		jsonw_close(&w, ']');
	assert_int_equal(w.depth, 0);
	assert_int_equal(b.n, JSONW_DEPTH);
	jsonw_init(&w, &b);
	jsonw_close(&w, ']');
	assert_true(w.bad);
	buf_done(&b);
}

/* Whatever the cap, the output is a prefix of the whole, and bad says whether it is all. */
static void test_every_cap(void **state)
{
	static const char whole[] = "{\"a\":\"x\\u000ay\",\"b\":[12,true]}";
	struct jsonw w;
	struct buf b;

	(void)state;
	for (size_t max = 0; max <= sizeof(whole); max++) {
		buf_init(&b, max);
		jsonw_init(&w, &b);
		jsonw_open(&w, NULL, '{');
		jsonw_cstr(&w, "a", "x\ny");
		jsonw_open(&w, "b", '[');
		jsonw_u64(&w, NULL, 12);
		jsonw_bool(&w, NULL, true);
		jsonw_close(&w, ']');
		jsonw_close(&w, '}');
		assert_int_equal(w.bad, max < sizeof(whole) - 1);
		assert_true(sv_starts(SV(whole), buf_sv(&b)));
		buf_done(&b);
	}
}

static void check_text(struct sv in, size_t cols, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(text_safe(&b, in, cols), 0);
	expect(&b, sv_of(want));
	buf_done(&b);
}

static void test_text_safe(void **state)
{
	struct buf b;

	(void)state;
	check_text(SV("a\\b\"c"), 80, "a\\b\"c");
	check_text(SV("\x1b[31m\n"), 80, "\\x1b[31m\\x0a");
	check_text(SV("a\0b"), 80, "a\\x00b");
	check_text(SV("\x7f\x9b\xc2\x9b"), 80, "\\x7f\\x9b\\u{9b}");
	check_text(SV("\xe2\x80\xae\xe2\x80\xa8\xd8\x9c"), 80, "\\u{202e}\\u{2028}\\u{61c}");
	check_text(SV("\xe2\x82"), 80, "\\xe2\\x82");
	check_text(SV("\xed\xa0\x80"), 80, "\\xed\\xa0\\x80");
	check_text(SV("\xc3\xa9\xf0\x9f\x98\x80"), 2, "\xc3\xa9\xf0\x9f\x98\x80");
	check_text(SV("abcdef"), 6, "abcdef");
	check_text(SV("abcdefg"), 6, "abcdef...");
	check_text(SV("abc\x1b"), 6, "abc..."); /* an escape is never cut */
	check_text(SV("ab\x1b"), 6, "ab\\x1b");
	check_text(SV("a"), 0, "...");
	check_text(SV(""), 0, "");
	buf_init(&b, 3);
	assert_int_equal(text_safe(&b, SV("abcd"), 80), -ENOSPC);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_bidi_and_separators),
		cmocka_unit_test(test_ill_formed),
		cmocka_unit_test(test_all_code_points),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_every_cap),
		cmocka_unit_test(test_text_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
