/* SPDX-License-Identifier: Apache-2.0 */
/* Random values written in many ways: the same marks whatever the order of keys, the form of numbers and strings and
 * the white space; other marks where something differs. */
#include <setjmp.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "marks_feed.h"

#define NODES 64
#define ROUNDS 3000

/* A value; members of objects have keys by their number. */
struct node {
	enum { NUMBER, STRING, LITERAL, OBJECT, ARRAY } type;
	int v;
	unsigned int n;
	uint8_t child[6];
};

struct tree {
	struct node node[NODES];
	unsigned int n;
};

struct out {
	char p[32768];
	size_t n;
};

static uint32_t seed = 7;

static unsigned int roll(unsigned int n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 12) % n;
}

static uint8_t grow(struct tree *t, unsigned int depth)
{
	unsigned int at = t->n++;
	struct node *n = &t->node[at];

	*n = (struct node){ .type = depth > 4 || t->n > NODES - 8 ? roll(3) : roll(5), .v = (int)roll(3000) - 1000 };
	if (n->type < OBJECT)
		return (uint8_t)at;
	n->n = roll(6);
	for (unsigned int i = 0; i < n->n; i++) {
		if (t->n > NODES - 2) {
			n->n = i;
			break;
		}
		n->child[i] = grow(t, depth + 1);
	}
	return (uint8_t)at;
}

static __attribute__((format(printf, 2, 3))) void put(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	o->n += (size_t)vsnprintf(o->p + o->n, sizeof(o->p) - o->n, fmt, ap);
	va_end(ap);
	assert_true(o->n < sizeof(o->p));
}

static void put_space(struct out *o)
{
	if (roll(4) == 0)
		put(o, "%s", roll(2) ? " " : "\n\t");
}

static void put_number(struct out *o, int v)
{
	switch (roll(5)) {
	case 0:
		put(o, "%d.%0*d", v, 1 + (int)roll(4), 0);
		break;
	case 1:
		put(o, v ? "%d000e-3" : "%de-7", v);
		break;
	case 2:
		put(o, "%s%d.%03dE+%02d", v < 0 ? "-" : "", abs(v) / 1000, abs(v) % 1000, 3);
		break;
	default:
		put(o, "%d", v);
	}
}

static void put_string(struct out *o, const char *s)
{
	put(o, "\"");
	for (; *s; s++) {
		if (roll(6) == 0)
			put(o, roll(2) ? "\\u%04x" : "\\u%04X", (unsigned int)*s);
		else
			put(o, "%c", *s);
	}
	put(o, "\"");
}

static void put_value(struct out *o, const struct tree *t, uint8_t at)
{
	const struct node *n = &t->node[at];
	static const char *const literal[] = { "true", "false", "null" };
	unsigned int from = n->n ? roll(n->n) : 0, back = roll(2);
	char text[64];

	put_space(o);
	if (n->type == NUMBER) {
		put_number(o, n->v);
	} else if (n->type == STRING) {
		snprintf(text, sizeof(text), n->v % 2 ? "item %d of /srv/x" : "%d", n->v);
		put_string(o, text);
	} else if (n->type == LITERAL) {
		put(o, "%s", literal[(n->v + 3000) % 3]);
	} else {
		put(o, n->type == OBJECT ? "{" : "[");
		for (unsigned int i = 0; i < n->n; i++) {
			/* Any rotation, either way round. */
			unsigned int k = n->type == ARRAY ? i : (from + (back ? n->n - i : i)) % n->n;

			put(o, "%s", i ? "," : "");
			put_space(o);
			snprintf(text, sizeof(text), "key_%u", k);
			if (n->type == OBJECT) {
				put_string(o, text);
				put_space(o);
				put(o, ":");
			}
			put_value(o, t, n->child[k]);
		}
		put_space(o);
		put(o, n->type == OBJECT ? "}" : "]");
	}
	put_space(o);
}

/* The members of the message, in any order too. */
static void put_message(struct out *o, const struct tree *t, bool answer)
{
	bool last = roll(2);

	o->n = 0;
	put(o, "{%s", last ? "" : "\"id\":1,\"jsonrpc\":\"2.0\",");
	if (!answer)
		put(o, "\"method\":\"m\",");
	put(o, answer ? "\"result\":{\"v\":" : "\"params\":{\"arguments\":");
	put_value(o, t, 0);
	if (roll(2))
		put(o, ",\"_meta\":{\"n\":%u}", roll(100));
	put(o, "}%s}", last ? ",\"id\":1,\"jsonrpc\":\"2.0\"" : "");
}

static void feed(const struct out *o, struct marked *ret)
{
	assert_int_not_equal(marked_feed((struct sv){ o->p, o->n }, roll(9), 1 + roll(60), ret), -EBADMSG);
	assert_true(ret->n == 1 && ret->has);
}

static void test_forms(void **state)
{
	static struct out o;
	static struct tree t;
	static struct marked want, got;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		bool answer = i % 2;

		t.n = 0;
		grow(&t, 0);
		put_message(&o, &t, answer);
		feed(&o, &want);
		assert_true(fp_is(answer ? &want.marks.result : &want.marks.args));
		assert_false(want.marks.dup_keys);
		for (int k = 0; k < 4; k++) {
			put_message(&o, &t, answer);
			feed(&o, &got);
			/* Which text comes first depends on the order. */
			got.marks.head_n = want.marks.head_n = 0;
			memcpy(got.marks.head, want.marks.head, MARKS_HEAD);
			if (!marked_same(&want, &got))
				fail_msg("round %d.%d: %.*s", i, k, (int)o.n, o.p);
		}
	}
}

/* One number, string or literal of the value is another. */
static void test_changes(void **state)
{
	static struct out o;
	static struct tree t;
	static struct marked want, got;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct node *n;

		t.n = 0;
		grow(&t, 0);
		n = &t.node[roll(t.n)];
		put_message(&o, &t, i % 2);
		feed(&o, &want);
		if (n->type == OBJECT || n->type == ARRAY)
			n->type = n->type == OBJECT ? ARRAY : OBJECT;
		else
			n->v++;
		put_message(&o, &t, i % 2);
		feed(&o, &got);
		assert_false(fp_eq(&want.marks.args, &got.marks.args) && fp_eq(&want.marks.result, &got.marks.result));
	}
}

/* Long strings, of which no chunk holds all; in arguments and in an answer. */
static void long_text(const char *head, const char *tail)
{
	static char text[2][70000];
	struct marked want, got;

	for (size_t len = 3000; len < 60000; len = len * 3 / 2) {
		size_t n = (size_t)(stpcpy(text[0], head) - text[0]);

		for (size_t i = 0; i < len; i++)
			text[0][n++] = "abcdef0123456789 -s.gh"[roll(22)];
		n = (size_t)(stpcpy(text[0] + n, tail) - text[0]);
		assert_int_equal(marked_feed((struct sv){ text[0], n }, 0, n, &want), n);
		for (size_t step = 1; step < n; step = step * 2 + 3) {
			marked_feed((struct sv){ text[0], n }, step / 2, step, &got);
			assert_true(marked_same(&want, &got));
		}
		memcpy(text[1], text[0], n);
		text[1][n - strlen(tail) - 1] ^= 1;
		marked_feed((struct sv){ text[1], n }, 0, n, &got);
		assert_false(fp_eq(&want.marks.args, &got.marks.args) && fp_eq(&want.marks.result, &got.marks.result));
	}
}

static void test_long(void **state)
{
	(void)state;
	long_text("{\"id\":1,\"method\":\"m\",\"params\":{\"arguments\":{\"request_id\":\"", "\"}}}");
	long_text("{\"id\":1,\"result\":{\"content\":[{\"text\":\"", "\"}]}}");
	long_text("{\"id\":1,\"result\":{\"", "\":1}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
