/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked coding: payload, ends and refusals, in every cut. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/chunked.h"

/* Payload of @in, fed up to @cut, then the rest; @step bytes at a time where not 0. -> bytes
 * taken, or < 0. */
static ssize_t decode(struct sv in, size_t cut, size_t step, char *out, size_t *ret_n)
{
	struct chunked c;
	size_t at = 0;

	chunked_init(&c);
	*ret_n = 0;
	while (at < in.n && !chunked_done(&c)) {
		size_t n = (at < cut ? cut : in.n) - at;
		struct sv data;
		ssize_t took;

		if (step && step < n)
			n = step;
		took = chunked_next(&c, (struct sv){ in.p + at, n }, &data);
		if (took <= 0)
			return took ? took : -EIO;
		assert_true(data.n == 0 || ((size_t)took == data.n && data.p == in.p + at));
		memcpy(out + *ret_n, data.p, data.n);
		*ret_n += data.n;
		at += (size_t)took;
	}
	return chunked_done(&c) ? (ssize_t)at : 0;
}

static void sweep(struct sv in, ssize_t want, struct sv payload)
{
	char *out = malloc(in.n + 1);
	size_t n;

	for (size_t cut = 0; cut <= in.n; cut++) {
		assert_int_equal(decode(in, cut, 0, out, &n), want);
		assert_true(sv_eq((struct sv){ out, n }, payload));
	}
	assert_int_equal(decode(in, 0, 1, out, &n), want);
	assert_true(sv_eq((struct sv){ out, n }, payload));
	free(out);
}

static void bodies(void **state)
{
	(void)state;
	sweep(SV("5\r\nhello\r\n0\r\n\r\n"), 15, SV("hello"));
	sweep(SV("5\r\nhello\r\n0\r\n\r\nHTTP/1.1"), 15, SV("hello"));
	sweep(SV("0\r\n\r\n"), 5, SV(""));
	sweep(SV("0A\r\n0123456789\r\n1\r\nx\r\n000\r\n\r\n"), 29, SV("0123456789x"));
	sweep(SV("3;name=\"v;\" ; b\r\nabc\r\n0;last\r\nX-Trailer: a\r\nB: c\r\n\r\nrest"), 52,
	      SV("abc"));
	sweep(SV("3 \nabc\n0\n\n"), 10, SV("abc"));
	sweep(SV("4\r\n\r\n\r\n\r\n0\r\n\r\n"), 14, SV("\r\n\r\n"));
}

static void unfinished(void **state)
{
	(void)state;
	sweep(SV("5\r\nhel"), 0, SV("hel"));
	sweep(SV("5\r\nhello\r\n0\r\n"), 0, SV("hello"));
	sweep(SV("5\r\nhello\r\n0\r\nA: b\r\n"), 0, SV("hello"));
}

static void refusals(void **state)
{
	(void)state;
	sweep(SV("\r\n"), -EBADMSG, SV(""));
	sweep(SV("x\r\n"), -EBADMSG, SV(""));
	sweep(SV("-1\r\n"), -EBADMSG, SV(""));
	sweep(SV("5x\r\n"), -EBADMSG, SV(""));
	sweep(SV("5\rx"), -EBADMSG, SV(""));
	sweep(SV("2\r\nabc\r\n"), -EBADMSG, SV("ab"));
	sweep(SV("2\r\nab\rc"), -EBADMSG, SV("ab"));
	sweep(SV("0\r\n\rx"), -EBADMSG, SV(""));
	sweep(SV("10000000000000000\r\n"), -EBADMSG, SV(""));
	sweep(SV("fffffffffffffffff\r\n"), -EBADMSG, SV(""));
}

/* @c fed with @head, then 'a' until it refuses: how many it took. */
static size_t endless(struct sv head)
{
	struct chunked c;
	struct sv data;
	size_t n = 0;

	chunked_init(&c);
	assert_int_equal(chunked_next(&c, head, &data), head.n);
	while (n < 1 << 20 && chunked_next(&c, SV("a"), &data) == 1)
		n++;
	return n;
}

static void lines_have_caps(void **state)
{
	(void)state;
	assert_int_equal(endless(SV("5;")), CHUNKED_LINE_MAX - 2);
	assert_int_equal(endless(SV("0\r\n")), CHUNKED_TRAILER_MAX);
}

static void holes(void **state)
{
	struct chunked c;
	struct sv data;

	(void)state;
	chunked_init(&c);
	assert_false(chunked_skip(&c, 1));
	assert_int_equal(chunked_next(&c, SV("a\r\n"), &data), 3);
	assert_false(chunked_skip(&c, 11));
	assert_true(chunked_skip(&c, 4));
	assert_int_equal(chunked_next(&c, SV("456789\r\n0\r\n\r\n"), &data), 6);
	assert_true(sv_eq(data, SV("456789")));
	assert_false(chunked_skip(&c, 1));
	assert_int_equal(chunked_next(&c, SV("\r\n0\r\n\r\n"), &data), 7);
	assert_true(chunked_done(&c));
	assert_int_equal(chunked_next(&c, SV("x"), &data), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),   cmocka_unit_test(unfinished),
		cmocka_unit_test(refusals), cmocka_unit_test(lines_have_caps),
		cmocka_unit_test(holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
