/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON scanner: grammar, tokens, skipping; whole, byte by byte and cut at every position. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/json.h"
#include "proto/json_string.h"

/* The same file once more as it is on machines without SSE2. */
#define JSON_NO_SSE2
#define json_plain	 portable_plain
#define json_passed	 portable_passed
#define json_lone	 portable_lone
#define json_escape_byte portable_escape_byte
#define json_unescape	 portable_unescape
const char *portable_plain(const char *p, const char *e);
const char *portable_passed(const char *p, const char *e);
int portable_lone(struct json *j);
int portable_escape_byte(struct json *j);
size_t portable_unescape(const char **p, const char *e, char *out, size_t room);
#undef JSON_SSE2
#include "proto/json_string.c"
#undef json_plain
#undef json_passed
#undef json_unescape

/* What a scan gave: tokens as text, and how it ended. */
struct trace {
	char p[4096];
	size_t n, whole; /* bytes; up to the last whole token */
	int err;
	uint64_t taken;
};

enum policy { ALL, SKIP_OUTER, SKIP_KEYS };

static void note(struct trace *t, const struct json_token *k)
{
	static const char kinds[] = "?{[}]ksn+-0";
	size_t room = sizeof(t->p) - t->n;

	if (k->first)
		t->n += (size_t)snprintf(t->p + t->n, room, "%c%u:", kinds[k->type],
					 (unsigned int)k->beg);
	assert_true(k->text.n + 64 < sizeof(t->p) - t->n);
	if (k->text.n)
		memcpy(t->p + t->n, k->text.p, k->text.n);
	t->n += k->text.n;
	if (!k->last)
		return;
	t->n += (size_t)snprintf(t->p + t->n, 32, "@%u ", (unsigned int)k->end);
	t->whole = t->n;
}

static int feed(struct json *j, struct sv in, enum policy policy, struct trace *t)
{
	struct json_token k;
	char *copy = malloc(in.n ? in.n : 1); /* exact size: sanitizers see a byte too far */
	int r;

	assert_non_null(copy);
	if (in.n)
		memcpy(copy, in.p, in.n);
	json_feed(j, (struct sv){ copy, in.n });
	for (;;) {
		r = json_next(j, &k);
		if (r <= 0)
			break;
		note(t, &k);
		if (policy == SKIP_OUTER && (k.type == JSON_OBJECT || k.type == JSON_ARRAY))
			json_skip(j);
		if (policy == SKIP_KEYS && k.type == JSON_KEY && k.last)
			json_skip(j);
	}
	free(copy);
	return r;
}

/* Scan @in cut at @a and @b; @a > @b: byte by byte. */
static void scan(struct sv in, size_t a, size_t b, enum policy policy, struct trace *t)
{
	struct json j;
	struct json_token k;
	size_t at = 0, n;

	json_init(&j);
	memset(t, 0, sizeof(*t));
	while (at < in.n && t->err == 0 && !json_done(&j)) {
		n = a > b ? 1 : (at < a ? a : at < b ? b : in.n) - at;
		t->err = feed(&j, (struct sv){ in.p + at, n }, policy, t);
		at += n;
	}
	if (t->err == 0) {
		t->err = json_end(&j, &k);
		if (t->err > 0)
			note(t, &k);
		t->err = t->err > 0 ? 0 : t->err;
	}
	if (t->err == 0 && in.n && !json_done(&j))
		t->err = -ENODATA; /* white space alone */
	t->taken = json_taken(&j);
	t->p[t->whole] = 0;
}

/* Scan in every way; all must agree. */
static void sweep(struct sv in, enum policy policy, struct trace *ret)
{
	struct trace t;

	scan(in, in.n, in.n, policy, ret);
	for (size_t a = 0; a <= in.n + 1; a++) {
		size_t b = a > in.n ? 0 : (a * 7 + 3) % (in.n + 1);

		scan(in, a > in.n ? 1 : a, b > a ? b : a > in.n ? 0 : a, policy, &t);
		assert_string_equal(t.p, ret->p);
		assert_int_equal(t.err, ret->err);
		if (t.err == 0)
			assert_int_equal(t.taken, ret->taken);
	}
}

static int verdict(struct sv in)
{
	struct trace t, quiet;

	sweep(in, ALL, &t);
	for (int policy = SKIP_OUTER; policy <= SKIP_KEYS; policy++) {
		sweep(in, (enum policy)policy, &quiet);
		assert_int_equal(quiet.err, t.err);
		if (t.err == 0)
			assert_int_equal(quiet.taken, t.taken);
	}
	if (t.err == 0 && t.taken < in.n) /* one text, and white space behind it */
		for (size_t i = t.taken; i < in.n; i++)
			if (!memchr(" \t\r\n", in.p[i], 4))
				return -EBADMSG;
	return t.err;
}

static const char *const good[] = {
	"{}",
	"[]",
	"[[]]",
	" [1 ] ",
	"[1,2]",
	"{\"a\":1}",
	"{\"a\":{\"b\":[]},\"c\":[{}]}",
	"true",
	"false",
	"null",
	"0",
	"-0",
	"1",
	"-1",
	"10",
	"1.5",
	"0.1",
	"1e5",
	"1E+5",
	"0e-1",
	"-0.0e00",
	"123456789012345678901234567890",
	"\"\"",
	"\"a\"",
	"[\"\\u0041\"]",
	"[true]",
	"[false,null,true]",
	"{\"\":0}",
	"{\"a\":1,\"a\":2}",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
	"\"\\ud834\\udd1e\"",
	"\"\\ud834\"",
	"\"\\udd1e\\ud834\"",
	"\"\\u0000\"",
	"\"\x7f\"",
	"\"\xff\"",
	"\"\xc3\xa4\"",
	"\xef\xbb\xbf{}",
	"\xef\xbb\xbf \n[1]",
	"\r\n\t {}",
	"[1.0E-10]",
	"[\n{ \"a\" :\t1 ,\r\n\"b\": -2e1 } ]",
	"[0 ,1]",
	"[123]",
	"[-1]",
	"[\"0123456789abcdef0123\"]",
	"[\"0123456789abcd\\\"ef0123456789\\nabcdef\"]",
	"{\"a\":\"\\uD83D\\uDE00\"}",
};

static void test_accept(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (verdict(sv_of(good[i])))
			fail_msg("refused: %s", good[i]);
}

static const char *const bad[] = {
	"{",
	"[",
	"]",
	"}",
	"[}",
	"{]",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\" 1}",
	"{\"a\":1,}",
	"{,}",
	"{a:1}",
	"{1:1}",
	"{'a':1}",
	"{\"a\":1 \"b\":2}",
	"{\"a\"::1}",
	"[,]",
	"[1,]",
	"[1,,2]",
	"[1 2]",
	"[1",
	"[\"a",
	"[\"a]",
	"[\"\\",
	"[\"\\u",
	"[\"\\u00",
	"\"\\x\"",
	"\"\\u00g0\"",
	"\"\\U0041\"",
	"\"\\u004\"",
	"\"\x01\"",
	"\"\n\"",
	"\"\t\"",
	"[\"a\nb\"]",
	"tru",
	"truE",
	"True",
	"nul",
	"nan",
	"NaN",
	"Infinity",
	"[-Infinity]",
	"fals",
	"falsy",
	"[truex]",
	"01",
	"00",
	"-00",
	"-",
	"-a",
	"+1",
	".5",
	"1.",
	"1.e5",
	"1e",
	"1e+",
	"1e+-1",
	"0x10",
	"1_000",
	"--1",
	"1.2.3",
	"[01]",
	"[-]",
	"[1.]",
	"[1e]",
	"[1a]",
	"1a",
	"1}",
	"[1}",
	"'a'",
	"\xef",
	"\xef\xbb{}",
	" \xef\xbb\xbf{}",
	"\xfe\xff",
	"/**/{}",
	"[1/**/]",
	"\v1",
	"\f{}",
	"\xc2\xa0{}",
	"{\"a\":1}}",
	"[1]]",
	"[] []",
	"{}x",
	"\"a\"b",
	"nullx",
	"[\"\\ud834\\u\"]",
	"[\"0123456789abcdef\x1f\"]",
	"[\"0123456789abcde\\q0123456789\"]",
	"{\"a\":tru}",
	"{\"a\":\"b\":\"c\"}",
	"[1:2]",
	"{\"a\",1}",
	",",
	":",
	"[\"a\",\n4\n,1,",
};

static void test_reject(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (verdict(sv_of(bad[i])) == 0)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(verdict(SV("[\"a\0b\"]")), -EBADMSG);
	assert_int_equal(verdict(SV("[1]\0")), -EBADMSG);
	assert_int_equal(verdict(SV("  \n")), -ENODATA);
}

static void test_tokens(void **state)
{
	static const struct {
		const char *text;
		enum policy policy;
		const char *want;
	} row[] = {
		{ "{\"a\":[1,true],\"b\":\"x\"}", ALL,
		  "{0:@1 k1:a@4 [5:@6 n6:1@7 +8:true@12 ]12:@13 k14:b@17 s18:x@21 }21:@22 " },
		{ "{\"a\":[1,true],\"b\":\"x\"}", SKIP_KEYS, "{0:@1 k1:a@4 k14:b@17 }21:@22 " },
		{ " {\"a\":[1,{}],\"b\":{}} ", SKIP_OUTER, "{1:@2 }19:@20 " },
		{ "[[1],{\"a\":2},3]", SKIP_KEYS,
		  "[0:@1 [1:@2 n2:1@3 ]3:@4 {5:@6 k6:a@9 }11:@12 n13:3@14 ]14:@15 " },
		{ "{\"\\u0069d\":\"\\\"\\u00e4\\u20ac\\ud83d\\ude00\"}", ALL,
		  "{0:@1 k1:id@10 s11:\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80@39 }39:@40 " },
		{ "[\"\\ud800\",\"\\udc00x\",\"\\ud800\\ud801\\udc01\",\"\\ud800\\n\"]", ALL,
		  "[0:@1 s1:\xef\xbf\xbd@9 s10:\xef\xbf\xbdx@19 "
		  "s20:\xef\xbf\xbd\xf0\x90\x90\x81@40 "
		  "s41:\xef\xbf\xbd\n@51 ]51:@52 " },
		{ "-1.50e+7 ", ALL, "n0:-1.50e+7@8 " },
		{ "[null,false]", ALL, "[0:@1 01:null@5 -6:false@11 ]11:@12 " },
	};
	struct trace t;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		sweep(sv_of(row[i].text), row[i].policy, &t);
		assert_int_equal(t.err, 0);
		assert_string_equal(t.p, row[i].want);
	}
}

static void test_depth(void **state)
{
	char text[2 * JSON_DEPTH + 4];
	const size_t n = JSON_DEPTH;

	(void)state;
	memset(text, '[', n + 1);
	memset(text + n, ']', n);
	assert_int_equal(verdict((struct sv){ text, 2 * n }), 0);
	memset(text, '[', n + 1);
	memset(text + n + 1, ']', n + 1);
	assert_int_equal(verdict((struct sv){ text, 2 * n + 2 }), -EBADMSG);
}

/* An error stays, and a text's end leaves what follows alone. */
static void test_end(void **state)
{
	struct json j;
	struct json_token k;

	(void)state;
	json_init(&j);
	json_feed(&j, SV("[}"));
	assert_int_equal(json_next(&j, &k), 1);
	assert_int_equal(json_next(&j, &k), -EBADMSG);
	json_feed(&j, SV("1]"));
	assert_int_equal(json_next(&j, &k), -EBADMSG);
	assert_int_equal(json_end(&j, &k), -EBADMSG);
	json_init(&j);
	json_feed(&j, SV("{}{}"));
	assert_int_equal(json_next(&j, &k), 1);
	assert_int_equal(json_next(&j, &k), 1);
	assert_true(json_done(&j));
	assert_int_equal(json_next(&j, &k), 0);
	assert_int_equal(json_taken(&j), 2);
}

/* The wide loops against one byte at a time, and both builds of them. */
static void test_wide(void **state)
{
	char s[200];
	const char *want;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		size_t n = (size_t)rand() % sizeof(s);

		for (size_t i = 0; i < n; i++)
			s[i] = (char)(rand() % 64 ? 0x20 + rand() % 0xe0 : rand());
		for (want = s; want != s + n; want++)
			if ((uint8_t)*want < 0x20 || *want == '"' || *want == '\\')
				break;
		assert_ptr_equal(json_plain(s, s + n), want);
		assert_ptr_equal(portable_plain(s, s + n), want);
		assert_ptr_equal(json_passed(s, s + n), portable_passed(s, s + n));
	}
}

/* Strings full of escapes: whole, where many escapes make one fragment, against one byte at a time. */
static void test_escapes(void **state)
{
	static const char *const parts[] = { "a", "bcd", "\\n", "\\\"", "\\\\", "\\u0041", "\\u00e9", "\\u20AC", "\\ud83d\\ude00",
					     "\\ud83d", "\\ude00", "\xc3\xa9", "lorem ipsum dolor sit amet consectetur ", "\\/" };
	static char in[3000];
	static struct trace want, got;

	(void)state;
	for (unsigned int round = 0; round < 3000; round++) {
		size_t n = 0, max = (size_t)rand() % (sizeof(in) - 50);

		in[n++] = '"';
		while (n < max) {
			const char *part = parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))];

			n = (size_t)(stpcpy(in + n, part) - in);
		}
		n = (size_t)(stpcpy(in + n, round % 5 ? "\"" : round % 2 ? "\\x\"" : "\x01\"") - in);
		scan((struct sv){ in, n }, 1, 0, ALL, &want);
		for (unsigned int k = 0; k < 4; k++) {
			size_t a = k ? (size_t)rand() % n : n;

			scan((struct sv){ in, n }, a, a + (size_t)rand() % (n + 1 - a), ALL, &got);
			assert_string_equal(want.p, got.p);
			assert_int_equal(want.err, got.err);
		}
	}
}

static void test_unescape(void **state)
{
	char s[200], a[64], b[64];

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		size_t n = (size_t)rand() % sizeof(s), room = (size_t)rand() % sizeof(a), na, nb;
		const char *p = s, *q = s;

		for (size_t i = 0; i < n; i++)
			s[i] = rand() % 8 ? "abcdefghnrt/u0019"[rand() % 17] : "\\\\\\\"\n"[rand() % 5];
		na = json_unescape(&p, s + n, a, room);
		nb = portable_unescape(&q, s + n, b, room);
		assert_ptr_equal(p, q);
		assert_int_equal(na, nb);
		assert_true(na <= room);
		assert_memory_equal(a, b, na);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept), cmocka_unit_test(test_reject),
		cmocka_unit_test(test_tokens), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_end),    cmocka_unit_test(test_wide),
		cmocka_unit_test(test_escapes), cmocka_unit_test(test_unescape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
