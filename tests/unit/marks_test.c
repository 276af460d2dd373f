/* SPDX-License-Identifier: Apache-2.0 */
/* Marks of messages: what is equal and what is not, where texts and tools are found, in every split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/hash.h"
#include "marks_feed.h"

/* Marks of @in, after every split of it gave the same. */
static struct marked swept(struct sv in)
{
	struct marked *want = malloc(2 * sizeof(*want)), *got = want + 1, ret;

	assert_non_null(want);
	assert_int_equal(marked_feed(in, 0, in.n, want), in.n);
	assert_int_equal(want->n, 1);
	for (size_t first = 1; first < in.n; first++) {
		marked_feed(in, first, in.n, got);
		assert_true(marked_same(want, got));
	}
	for (size_t step = 1; step < 4; step++) {
		marked_feed(in, 0, step, got);
		assert_true(marked_same(want, got));
	}
	ret = *want;
	free(want);
	return ret;
}

/* Marks of a tools/call with these arguments; of an answer with this result. */
static struct marked of_args(const char *args)
{
	char text[4096];
	int n = snprintf(text, sizeof(text),
			 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"arguments\":%s}}",
			 args);

	return swept((struct sv){ text, (size_t)n });
}

static struct marked of_result(const char *result)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "{\"result\":%s,\"jsonrpc\":\"2.0\",\"id\":1}", result);

	return swept((struct sv){ text, (size_t)n });
}

static void args_equal(const char *a, const char *b)
{
	struct marked x = of_args(a), y = of_args(b);

	assert_true(fp_is(&x.marks.args));
	assert_true(marked_same(&x, &y));
}

static void args_differ(const char *a, const char *b)
{
	struct marked x = of_args(a), y = of_args(b);

	assert_false(fp_eq(&x.marks.args, &y.marks.args));
}

static void test_equal(void **state)
{
	(void)state;
	args_equal("{\"a\":1,\"b\":\"x\"}", "{ \"b\" : \"x\" , \"a\" : 1 }");
	args_equal("{\"a\":{\"c\":[1,2],\"d\":null},\"b\":true}", "{\"b\":true,\"a\":{\"d\":null,\"c\":[1,2]}}");
	args_equal("{\"a\":\"\\u0041\\n\"}", "{\"\\u0061\":\"A\\u000a\"}");
	args_equal("{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\xf0\x9f\x98\x80\"}");
	args_equal("[{\"x\":1,\"y\":2},\"z\"]", "[{\"y\":2,\"x\":1},\"z\"]");
	args_equal("{}", "{ }");
}

static void test_different(void **state)
{
	(void)state;
	args_differ("{\"a\":1}", "{\"a\":\"1\"}");
	args_differ("{\"a\":1}", "{\"b\":1}");
	args_differ("{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}");
	args_differ("[1,2]", "[2,1]");
	args_differ("[1,[2]]", "[[1],2]");
	args_differ("[[]]", "[]");
	args_differ("{}", "[]");
	args_differ("{\"a\":{}}", "{\"a\":[]}");
	args_differ("{\"a\":null}", "{}");
	args_differ("{\"a\":null}", "{\"a\":false}");
	args_differ("{\"a\":\"\"}", "{\"a\":null}");
	args_differ("{\"a\":{\"b\":1}}", "{\"a\":{},\"b\":1}");
	args_differ("{\"a\":\"x\",\"b\":\"y\"}", "{\"a\":\"y\",\"b\":\"x\"}");
	args_differ("{\"a\":\"true\"}", "{\"a\":true}");
	args_differ("[null,null]", "[null]");
}

static void test_numbers(void **state)
{
	static const char *const one[] = { "1", "1.0", "1e0", "10e-1", "1E+00", "0.1e1", "100e-2", "1.000000000000000000000000" };
	static const char *const zero[] = { "0", "-0", "0.0", "0e5", "-0.000E-7" };
	static const char *const other[] = { "2", "-1", "10", "0.1", "1.0000000000000000000000001", "1e2", "0", "11", "1e-2",
					     "100000000000000000000000000000000000000000000000000000000000000001",
					     "1e999999999999999999999999" };
	char a[256], b[256];

	(void)state;
	for (size_t i = 1; i < sizeof(one) / sizeof(one[0]); i++) {
		snprintf(a, sizeof(a), "{\"n\":%s}", one[0]);
		snprintf(b, sizeof(b), "{\"n\":%s}", one[i]);
		args_equal(a, b);
	}
	for (size_t i = 1; i < sizeof(zero) / sizeof(zero[0]); i++) {
		snprintf(a, sizeof(a), "[%s]", zero[0]);
		snprintf(b, sizeof(b), "[%s]", zero[i]);
		args_equal(a, b);
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		for (size_t k = 0; k < i; k++) {
			snprintf(a, sizeof(a), "[%s]", other[i]);
			snprintf(b, sizeof(b), "[%s]", other[k]);
			args_differ(a, b);
		}
		snprintf(a, sizeof(a), "[%s]", other[i]);
		args_differ("[1]", a);
	}
	args_equal("[123456789012345678901234567890]", "[1234567890123456789012345678.90e2]");
	args_differ("[9007199254740993]", "[9007199254740992]");
}

/* The shape: digits do not matter, the rest does. */
static void test_shape(void **state)
{
	struct marked a = of_args("{\"offset\":10,\"file\":\"page-7.txt\"}"), b;

	(void)state;
	b = of_args("{\"file\":\"page-1234.txt\",\"offset\":2000}");
	assert_int_equal(a.marks.shape, b.marks.shape);
	assert_false(fp_eq(&a.marks.args, &b.marks.args));
	b = of_args("{\"offset\":10,\"file\":\"page-x.txt\"}");
	assert_int_not_equal(a.marks.shape, b.marks.shape);
	a = of_args("{\"offset\":10,\"file\":\"page-7.txt\"}");
	assert_int_not_equal(of_args("[\"a1b\"]").marks.shape, of_args("[\"a1b2\"]").marks.shape);
	assert_int_equal(of_args("[\"a1b22\"]").marks.shape, of_args("[\"a11b2\"]").marks.shape);
	b = of_args("{\"offset\":-10,\"file\":\"page-7.txt\"}");
	assert_int_not_equal(a.marks.shape, b.marks.shape);
	b = of_args("{\"offset\":1.5,\"file\":\"page-7.txt\"}");
	assert_int_not_equal(a.marks.shape, b.marks.shape);
	b = of_args("{\"offset\":\"10\",\"file\":\"page-7.txt\"}");
	assert_int_not_equal(a.marks.shape, b.marks.shape);
}

static const struct rpc_marks *ints(const struct marked *m, int n)
{
	assert_int_equal(m->marks.n_ints, n);
	for (int i = 1; i < n; i++)
		assert_true(m->marks.ints[i - 1].path <= m->marks.ints[i].path);
	return &m->marks;
}

static int64_t int_sum(const struct rpc_marks *k)
{
	int64_t sum = 0;

	for (int i = 0; i < k->n_ints; i++)
		sum += k->ints[i].v;
	return sum;
}

static void test_ints(void **state)
{
	struct marked a = of_args("{\"a\":1,\"b\":\"20\",\"c\":-300.0,\"d\":4e3,\"e\":\"x5\",\"f\":1.5,\"g\":true,\"h\":\"\"}"), b;

	(void)state;
	assert_int_equal(int_sum(ints(&a, 4)), 1 + 20 - 300 + 4000);
	a = of_args("{\"a\":999999999999999,\"b\":1000000000000000,\"c\":\"-999999999999999\",\"d\":\"1234567890123456\"}");
	assert_int_equal(int_sum(ints(&a, 2)), 0);
	/* Of more than fit the same remain in any order. */
	a = of_args("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":{\"a\":9}}");
	b = of_args("{\"i\":{\"a\":9},\"h\":8,\"g\":7,\"f\":6,\"e\":5,\"d\":4,\"c\":3,\"b\":2,\"a\":1}");
	assert_true(marked_same(&a, &b));
	ints(&a, MARKS_INTS);
	/* The same key elsewhere is another path; elements of an array share theirs, in order. */
	a = of_args("{\"x\":{\"a\":1},\"y\":{\"a\":2}}");
	assert_true(ints(&a, 2)->ints[0].path != a.marks.ints[1].path);
	a = of_args("{\"x\":[5,6,7]}");
	assert_true(ints(&a, 3)->ints[0].path == a.marks.ints[2].path);
	assert_int_equal(a.marks.ints[0].v, 5);
	assert_int_equal(a.marks.ints[2].v, 7);
	a = of_args("[1,2,3,4,5,6,7,8]");
	assert_int_equal(int_sum(ints(&a, 6)), 21);
}

static struct marked of(const char *text)
{
	return swept(sv_of(text));
}

static bool fp_same(const struct fp *a, const struct fp *b)
{
	return fp_is(a) && fp_eq(a, b);
}

/* Which part of params counts. */
static void test_params(void **state)
{
	struct marked a = of("{\"id\":1,\"method\":\"m\",\"params\":{\"arguments\":{\"q\":7},\"name\":\"n\",\"_meta\":{\"progressToken\":8}}}"), b;

	(void)state;
	b = of("{\"params\":{\"_meta\":{\"progressToken\":9},\"name\":\"other\",\"z\":5,\"arguments\":{\"q\":7}},\"method\":\"m\",\"id\":2}");
	assert_true(marked_same(&a, &b));
	b = of("{\"params\":{\"name\":\"n\",\"arguments\":{\"q\":1},\"arguments\":{\"q\":7}},\"method\":\"m\",\"id\":2}");
	assert_true(fp_same(&a.marks.args, &b.marks.args));
	assert_true(a.marks.simhash == b.marks.simhash && b.marks.dup_keys && !a.marks.dup_keys);
	assert_int_equal(int_sum(ints(&b, 1)), 7);
	b = of("{\"params\":{\"q\":1},\"params\":{\"name\":\"n\",\"arguments\":{\"q\":7}},\"method\":\"m\",\"id\":2}");
	assert_true(marked_same(&a, &b));
	/* Without arguments all of it but _meta. */
	a = of("{\"id\":1,\"method\":\"m\",\"params\":{\"uri\":\"file:///x\",\"n\":3}}");
	b = of("{\"id\":1,\"method\":\"m\",\"params\":{\"n\":3,\"_meta\":{\"a\":[{}]},\"uri\":\"file:///x\"}}");
	assert_true(marked_same(&a, &b));
	assert_int_equal(a.marks.n_ints, 1);
	b = of("{\"id\":1,\"method\":\"m\",\"params\":{\"n\":3,\"_meta\":5,\"uri\":\"file:///x\"}}");
	assert_true(marked_same(&a, &b));
	b = of("{\"id\":1,\"method\":\"m\",\"params\":{\"n\":3,\"meta\":5,\"uri\":\"file:///x\"}}");
	assert_false(fp_eq(&a.marks.args, &b.marks.args));
	/* "_meta" deeper down is data. */
	args_differ("{\"_meta\":1}", "{\"_meta\":2}");
	a = of("{\"id\":1,\"method\":\"m\",\"params\":[1,{\"arguments\":3}]}");
	assert_int_equal(int_sum(ints(&a, 2)), 4);
	a = of("{\"id\":1,\"method\":\"m\"}");
	assert_false(a.has);
	a = of("{\"method\":\"m\",\"params\":{\"arguments\":{\"q\":7}}}");
	assert_true(a.has && a.kind == RPC_NOTIFICATION);
	a = of("{\"id\":1,\"params\":{\"arguments\":{\"q\":7}}}");
	assert_false(a.has);
}

static void test_answers(void **state)
{
	struct marked a = of_result("{\"content\":[{\"type\":\"text\",\"text\":\"hello\"}],\"isError\":false}"), b;

	(void)state;
	b = of_result("{\"isError\":false,\"_meta\":{\"t\":1},\"content\":[{\"text\":\"hello\",\"type\":\"text\"}]}");
	assert_true(marked_same(&a, &b));
	assert_true(fp_is(&a.marks.result) && fp_eq(&a.marks.result, &a.marks.masked) && !fp_is(&a.marks.args));
	/* Which of result and error counts. */
	b = of("{\"id\":1,\"error\":null,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"hello\"}],\"isError\":false}}");
	assert_true(marked_same(&a, &b));
	b = of("{\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"hello\"}],\"isError\":false},\"error\":null}");
	assert_true(marked_same(&a, &b));
	b = of("{\"id\":1,\"result\":{\"content\":[],\"isError\":false},\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"hello\"}],\"isError\":false}}");
	assert_true(marked_same(&a, &b));
	a = of("{\"id\":1,\"error\":{\"code\":-32602,\"message\":\"bad\",\"data\":[1]}}");
	assert_true(a.kind == RPC_ERROR && fp_is(&a.marks.result));
	assert_memory_equal(a.marks.head, "bad", 3);
	b = of("{\"result\":null,\"error\":{\"message\":\"bad\",\"code\":-32602.0,\"data\":[1]},\"id\":1}");
	assert_true(marked_same(&a, &b));
	b = of("{\"error\":{\"message\":\"bad\",\"code\":-32602,\"data\":[1]},\"result\":null,\"id\":1}");
	assert_true(marked_same(&a, &b));
	a = of("{\"id\":1,\"result\":null}");
	assert_true(fp_is(&a.marks.result));
	/* Marks of an error that another null took back are nobody's. */
	a = of("{\"id\":1,\"result\":1,\"error\":{\"message\":\"x\"},\"error\":null}");
	assert_true(a.kind == RPC_RESULT && a.has && !fp_is(&a.marks.result) && a.marks.head_n == 0);
	a = of("{\"id\":1,\"result\":1,\"error\":{\"message\":\"x\"}}");
	assert_false(a.has);
}

static void masked_equal(const char *a, const char *b)
{
	struct marked x = of_result(a), y = of_result(b);

	assert_false(fp_eq(&x.marks.result, &y.marks.result));
	assert_true(fp_same(&x.marks.masked, &y.marks.masked));
}

static void test_masked(void **state)
{
	struct marked a, b;

	(void)state;
	masked_equal("{\"content\":[{\"type\":\"text\",\"text\":\"took 12ms at 2024-05-26T10:11:12Z\"}]}",
		     "{\"content\":[{\"type\":\"text\",\"text\":\"took 1.75ms at 2025-01-02 03:04\"}]}");
	masked_equal("{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"requestId\\\":\\\"a\\\"}\"}]}",
		     "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"requestId\\\":\\\"bcd\\\"}\"}]}");
	masked_equal("{\"structuredContent\":{\"request_id\":\"a\",\"n\":1}}", "{\"structuredContent\":{\"n\":1,\"request_id\":\"b\"}}");
	masked_equal("{\"at\":1712345678}", "{\"at\":1812345678.25}");
	masked_equal("{\"id\":1234567890123456789}", "{\"id\":9234567890123456}");
	masked_equal("{\"x\":0.12345678901234567}", "{\"x\":0.7345678901234567}");
	masked_equal("{\"550e8400-e29b-41d4-a716-446655440000\":1}", "{\"550e8400-e29b-41d4-a716-446655440001\":1}");
	a = of_result("{\"x\":12.34567}");
	b = of_result("{\"x\":12.34568}");
	assert_false(fp_eq(&a.marks.masked, &b.marks.masked));
	a = of_result("{\"request_id\":7}");
	b = of_result("{\"request_id\":8}");
	assert_false(fp_eq(&a.marks.masked, &b.marks.masked));
	a = of_result("{\"request_id\":{\"a\":\"x\"}}");
	b = of_result("{\"request_id\":{\"a\":\"y\"}}");
	assert_false(fp_eq(&a.marks.masked, &b.marks.masked));
}

static void head(const char *text, const char *want, uint64_t bytes)
{
	struct marked m = of(text);

	assert_int_equal(m.marks.head_n, strlen(want));
	assert_memory_equal(m.marks.head, want, strlen(want));
	assert_int_equal(m.marks.text_bytes, bytes);
}

static void test_head(void **state)
{
	(void)state;
	head("{\"id\":1,\"result\":{\"x\":\"any\",\"structuredContent\":{\"a\":[1,{\"b\":\"two\"}],\"c\":\"three\"},\"content\":[{\"type\":\"text\",\"text\":\"on\\u0065\"},{\"type\":\"text\",\"text\":\"more\"}]}}",
	     "one", 7);
	head("{\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"one\"}],\"structuredContent\":\"two\",\"x\":\"any\"}}", "one", 3);
	head("{\"id\":1,\"result\":{\"x\":\"any\",\"content\":[{\"type\":\"image\"},{\"type\":\"text\",\"text\":\"more\"}],\"structuredContent\":[7,\"two\"]}}", "two", 4);
	head("{\"id\":1,\"result\":{\"_meta\":{\"a\":\"no\"},\"x\":[[\"any\"]],\"y\":\"other\"}}", "any", 0);
	head("{\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"\"}],\"x\":\"any\"}}", "", 0);
	head("{\"id\":1,\"result\":\"text\"}", "text", 0);
	head("{\"id\":1,\"error\":{\"data\":\"data\",\"code\":1,\"message\":\"message\"}}", "message", 0);
	head("{\"id\":1,\"error\":{\"data\":{\"why\":\"data\"},\"code\":1}}", "data", 0);
}

/* The outcome of a task is what counts of the message that brings it. */
static void test_tasks(void **state)
{
	struct marked a = of("{\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"done in 5ms\"}]}}"), b;

	(void)state;
	b = of("{\"id\":1,\"result\":{\"taskId\":\"t1\",\"status\":\"completed\",\"result\":{\"_meta\":{},\"content\":[{\"type\":\"text\",\"text\":\"done in 5ms\"}]},\"ttlMs\":5}}");
	assert_true(marked_same(&a, &b));
	b = of("{\"method\":\"notifications/tasks\",\"params\":{\"taskId\":\"t1\",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"done in 5ms\"}]}}}");
	assert_true(fp_same(&a.marks.result, &b.marks.result) && fp_same(&a.marks.masked, &b.marks.masked));
	assert_int_equal(b.marks.head_n, 11);
	assert_int_equal(b.marks.text_bytes, 11);
	a = of("{\"id\":1,\"error\":{\"code\":5,\"message\":\"gone\"}}");
	b = of("{\"id\":1,\"result\":{\"taskId\":\"t1\",\"error\":{\"code\":5,\"message\":\"gone\"},\"status\":\"failed\"}}");
	assert_true(fp_same(&a.marks.result, &b.marks.result));
	assert_memory_equal(b.marks.head, "gone", 4);
	/* Beside content it is data. */
	a = of_result("{\"content\":[{\"type\":\"text\",\"text\":\"a\"}],\"result\":{\"x\":\"1\"}}");
	b = of_result("{\"result\":{\"x\":\"1\"},\"content\":[{\"type\":\"text\",\"text\":\"b\"}]}");
	assert_false(fp_eq(&a.marks.result, &b.marks.result));
	assert_memory_equal(a.marks.head, "a", 1);
	assert_memory_equal(b.marks.head, "b", 1);
}

static void test_tools(void **state)
{
	static const char first[] = "{\"annotations\":{\"readOnlyHint\":true,\"title\":\"x\"},\"name\":\"re\\u0061d\"}";
	static const char second[] = "{ \"name\":\"write\", \"annotations\":{\"idempotentHint\":true,\"readOnlyHint\":false} }";
	char text[512];
	struct marked m;

	(void)state;
	snprintf(text, sizeof(text), "{\"id\":1,\"result\":{\"tools\":[%s,%s,{},7],\"nextCursor\":\"c\"}}", first, second);
	m = of(text);
	assert_int_equal(m.n_tools, 3);
	assert_false(m.tools_cut);
	assert_int_equal(m.tools[0].name_hash, hash_bytes("read", 4));
	assert_true(m.tools[0].read_only);
	assert_int_equal(m.tools[0].bytes, sizeof(first) - 1);
	assert_int_equal(m.tools[1].name_hash, hash_bytes("write", 5));
	assert_true(!m.tools[1].read_only);
	assert_int_equal(m.tools[1].bytes, sizeof(second) - 1);
	assert_int_equal(m.tools[2].name_hash, 0);
	assert_int_equal(m.tools[2].bytes, 2);
	assert_int_equal(of("{\"id\":1,\"result\":{\"tools\":{\"name\":\"x\"}}}").n_tools, 0);
	assert_int_equal(of("{\"id\":1,\"result\":{\"x\":{\"tools\":[{\"name\":\"x\"}]}}}").n_tools, 0);
}

static void test_many_tools(void **state)
{
	static char text[16384];
	struct marked m;

	(void)state;
	for (unsigned int n = RPC_TOOLS_MAX; n <= RPC_TOOLS_MAX + 2; n++) {
		size_t at = (size_t)snprintf(text, sizeof(text), "{\"id\":1,\"result\":{\"tools\":[{}");

		for (unsigned int i = 1; i < n; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, ",{\"name\":\"tool_%u\"}", i);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "]}}");
		assert_true(marked_feed((struct sv){ text, at }, 0, 777, &m) > 0);
		assert_int_equal(m.n_tools, RPC_TOOLS_MAX);
		assert_int_equal(m.tools_cut, n > RPC_TOOLS_MAX);
		assert_int_equal(m.tools[RPC_TOOLS_MAX - 1].name_hash, hash_bytes("tool_255", 8));
	}
}

static void test_dup_keys(void **state)
{
	static char text[32768];
	struct marked m;
	size_t at;

	(void)state;
	assert_true(of_args("{\"a\":1,\"b\":2,\"a\":3}").marks.dup_keys);
	assert_true(of_args("{\"a\":1,\"\\u0061\":1}").marks.dup_keys);
	assert_true(of_args("[{\"x\":{\"b\":{},\"b\":0}}]").marks.dup_keys);
	assert_true(of_args("{\"a\":{\"b\":1},\"c\":{\"d\":1},\"a\":2}").marks.dup_keys);
	assert_false(of_args("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}").marks.dup_keys);
	assert_true(of_result("{\"x\":1,\"x\":2}").marks.dup_keys);
	/* Many objects one after the other use no room up; past the bound nothing is claimed. */
	for (unsigned int far = 250; far <= 260; far++) {
		at = (size_t)snprintf(text, sizeof(text), "{\"id\":1,\"result\":{\"r\":[");
		for (unsigned int i = 0; i < 500; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "{\"k\":1,\"l\":2},");
		at += (size_t)snprintf(text + at, sizeof(text) - at, "{\"k0\":0");
		for (unsigned int i = 1; i < far; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, ",\"k%u\":0", i);
		at += (size_t)snprintf(text + at, sizeof(text) - at, ",\"k%u\":0}]}}", far - 1);
		assert_true(marked_feed((struct sv){ text, at }, 0, 1000, &m) > 0);
		assert_int_equal(m.marks.dup_keys, far <= 255); /* "r" has one place of the 256 */
	}
}

/* The message before, or the batch around, leave nothing behind. */
static void test_alone(void **state)
{
	static const char call[] = "{\"id\":1,\"method\":\"m\",\"params\":{\"arguments\":{\"n\":5,\"s\":\"a b\"}}}";
	static const char answer[] = "{\"id\":1,\"result\":{\"tools\":[{\"name\":\"t\"}],\"x\":\"y\",\"x\":1}}";
	struct marked want = of(call), got;
	char text[512];
	int n;

	(void)state;
	n = snprintf(text, sizeof(text), "[%s,%s,7,%s]", answer, call, call);
	assert_int_equal(marked_feed((struct sv){ text, (size_t)n }, 0, 3, &got), n % 3 ? n % 3 : 3);
	assert_int_equal(got.n, 4);
	got.n = 1;
	assert_true(marked_same(&want, &got));
}

/* Under one key a value has its fingerprints for good: what is on record stays comparable. */
static void test_golden(void **state)
{
	static const uint8_t key[FP_KEY_BYTES] = { 1, 2, 3 };
	struct marked a, b;
	char hex[3][33];

	(void)state;
	fp_key_set(key);
	a = of_args("{\"path\":\"/srv/a.txt\",\"n\":[1,2.5,-3e2,null,true,{}],\"s\":\"\\u00e9\"}");
	b = of_result("{\"content\":[{\"type\":\"text\",\"text\":\"took 12ms, 3 of 4\"}],\"isError\":false,\"at\":1712345678}");
	fp_hex(&a.marks.args, "args", hex[0]);
	fp_hex(&b.marks.result, "result", hex[1]);
	fp_hex(&b.marks.masked, "masked", hex[2]);
	assert_string_equal(hex[0], "644598f39948c61f12552b862a13ac65");
	assert_string_equal(hex[1], "522674d99238139985b293f9c3c359f1");
	assert_string_equal(hex[2], "747685ad7cf021d642179ee2d005ea16");
	assert_int_equal(a.marks.simhash, 0xab01d2b09134fb83);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),	cmocka_unit_test(test_different), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_shape),	cmocka_unit_test(test_ints),	  cmocka_unit_test(test_params),
		cmocka_unit_test(test_answers), cmocka_unit_test(test_masked),	  cmocka_unit_test(test_head),
		cmocka_unit_test(test_tasks),	cmocka_unit_test(test_tools),	  cmocka_unit_test(test_many_tools),
		cmocka_unit_test(test_dup_keys),  cmocka_unit_test(test_alone),
		cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
