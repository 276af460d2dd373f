/* SPDX-License-Identifier: Apache-2.0 */
/* Newline framing: lines, their ends, and every way to cut the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "proto/lines.h"

/* Lines as text: each in [], the last fragment of an unended one in []!. */
struct trace {
	char p[512];
	size_t n;
	bool open;
};

static void put(struct trace *t, const char *p, size_t n)
{
	assert_true(t->n + n < sizeof(t->p));
	memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = 0;
}

static void note(struct trace *t, const struct line_frag *f)
{
	assert_true(f->begin == !t->open);
	if (f->begin)
		put(t, "[", 1);
	if (f->text.n)
		put(t, f->text.p, f->text.n);
	if (f->end)
		put(t, "]", 1);
	t->open = !f->end;
}

static void feed(struct lines *l, struct sv in, struct trace *t)
{
	struct line_frag f;

	while (lines_next(l, &in, &f))
		note(t, &f);
	assert_int_equal(in.n, 0);
}

/* Cut at @a and @b; @a > @b: byte by byte. */
static void split(struct sv in, size_t a, size_t b, struct trace *t)
{
	struct lines l = { 0 };
	struct line_frag f;
	size_t at = 0, n;

	memset(t, 0, sizeof(*t));
	while (at < in.n) {
		n = a > b ? 1 : (at < a ? a : at < b ? b : in.n) - at;
		feed(&l, (struct sv){ in.p + at, n }, t);
		at += n;
	}
	if (lines_end(&l, &f)) {
		assert_true(f.end);
		note(t, &f);
		put(t, "!", 1);
	}
	assert_false(lines_end(&l, &f));
}

static void test_sweep(void **state)
{
	static const struct {
		const char *in, *want;
	} row[] = {
		{ "", "" },
		{ "a\n", "[a]" },
		{ "\n\n", "[][]" },
		{ "ab\r\ncd\n", "[ab][cd]" },
		{ "\r\n\r\n", "[][]" },
		{ "a\rb\n", "[a\rb]" },
		{ "a\r\r\nb\r\r\r\n", "[a\r][b\r\r]" },
		{ "\ra\n\r\r\n", "[\ra][\r]" },
		{ "abc\ndef", "[abc][def]!" },
		{ "abc\r", "[abc\r]!" },
		{ "\r", "[\r]!" },
		{ "a\n\r\r", "[a][\r\r]!" },
		{ "{\"a\":1}\n{\"b\":2}\r\nnoise", "[{\"a\":1}][{\"b\":2}][noise]!" },
	};
	struct trace t;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct sv in = sv_of(row[i].in);

		split(in, 1, 0, &t);
		assert_string_equal(t.p, row[i].want);
		for (size_t a = 0; a <= in.n; a++) {
			for (size_t b = a; b <= in.n; b++) {
				split(in, a, b, &t);
				assert_string_equal(t.p, row[i].want);
			}
		}
	}
}

/* A line in one chunk comes as one fragment, without a copy. */
static void test_whole(void **state)
{
	struct sv in = SV("one\r\ntwo\n"), rest = in;
	struct lines l = { 0 };
	struct line_frag f;

	(void)state;
	assert_true(lines_next(&l, &rest, &f));
	assert_true(f.begin && f.end && f.text.p == in.p && f.text.n == 3);
	assert_ptr_equal(rest.p, in.p + 5);
	assert_true(lines_next(&l, &rest, &f));
	assert_true(f.begin && f.end && f.text.p == in.p + 5 && f.text.n == 3);
	assert_false(lines_next(&l, &rest, &f));
}

/* After lines_end the next byte begins a line. */
static void test_cut(void **state)
{
	struct lines l = { 0 };
	struct line_frag f;
	struct sv in = SV("half");

	(void)state;
	assert_true(lines_next(&l, &in, &f));
	assert_true(f.begin && !f.end);
	assert_true(lines_end(&l, &f));
	assert_true(!f.begin && f.end && f.text.n == 0);
	in = SV("x\n");
	assert_true(lines_next(&l, &in, &f));
	assert_true(f.begin && f.end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
