/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC extraction: kinds, paths, values, batches, raw members, caps; in every split. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/jsonrpc.h"

static const char *const names[] = {
#define X(name, path) #name,
	RPC_FIELDS(X)
#undef X
};

/* Messages and returns as text. Hashes of cut values are kept: they are constant within a run. */
struct trace {
	char p[8192];
	size_t n;
};

static __attribute__((format(printf, 2, 3))) void put(struct trace *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->n += (size_t)vsnprintf(t->p + t->n, sizeof(t->p) - t->n, fmt, ap);
	va_end(ap);
	assert_true(t->n < sizeof(t->p));
}

static void note(void *ctx, const struct rpc_msg *m)
{
	static const char *const kinds[] = { "request", "notification", "result", "error",
					     "other" };
	struct trace *t = ctx;

	put(t, "%s%s %u-%u", m->batch ? "batch " : "", kinds[m->kind], (unsigned int)m->beg,
	    (unsigned int)m->end);
	assert_int_equal(m->bytes, m->end - m->beg);
	for (int f = 0; f < RPC_F_N; f++) {
		const struct rpc_value *v = &m->f[f];

		if (v->type == RPC_ABSENT)
			assert_true(v->text.n == 0 && !v->cut);
		else if (v->cut)
			put(t, " %s=%c#%zu:%llx", names[f], "?0bnsoa"[v->type], v -> text.n,
			    (unsigned long long)v->hash);
		else
			put(t, " %s=%c%.*s", names[f], "?0bnsoa"[v->type], (int)v -> text.n,
			    v->text.p);
	}
	if (m->params.n || m->result.n || m->error.n)
		put(t, " raw(%.*s|%.*s|%.*s)%s", (int)m->params.n, m->params.p, (int)m->result.n,
		    m->result.p, (int)m->error.n, m->error.p, m->content_cut ? "cut" : "");
	if (m->dup_keys)
		put(t, " dup%u", m->dup_keys);
	put(t, "\n");
}

/* Feed all texts in @in, cut at @a and @b (@a > @b: byte by byte). */
static void split(struct rpc *r, struct sv in, size_t a, size_t b)
{
	size_t at = 0, stop, n;
	ssize_t took = 0;

	while (at < in.n && took >= 0) {
		stop = a > b ? at + 1 : at < a ? a : at < b ? b : in.n;
		n = stop - at;
		char *copy = malloc(n); /* exact size: sanitizers see a byte too far */

		assert_non_null(copy);
		memcpy(copy, in.p + at, n);
		took = rpc_feed(r, (struct sv){ copy, n });
		free(copy);
		assert_true(took <= (ssize_t)n);
		at += took > 0 ? (size_t)took : n;
	}
}

static void run(const struct rpc_opts *base, struct sv in, size_t a, struct trace *t)
{
	struct rpc_opts opts = *base;
	struct rpc *r;
	uint64_t beg;
	ssize_t end;

	t->n = 0;
	opts.msg = note;
	opts.ctx = t;
	r = rpc_new(&opts);
	assert_non_null(r);
	if (a > in.n)
		split(r, in, 1, 0);
	else
		split(r, in, a, in.n < a + 9 ? in.n : a + 9);
	end = rpc_end(r);
	put(t, end == 0 ? "" : end == -EBADMSG ? "bad" : end == -EMSGSIZE ? "long" : "?");
	assert_false(rpc_open(r, &beg));
	rpc_free(r);
}

static void expect(const struct rpc_opts *opts, struct sv in, const char *want)
{
	struct trace *t = malloc(sizeof(*t));

	assert_non_null(t);
	for (size_t a = 0; a <= in.n + 1; a++) {
		run(opts, in, a, t);
		assert_string_equal(t->p, want);
	}
	free(t);
}

static void expect_same(const struct rpc_opts *opts, struct sv in, struct trace *ret)
{
	run(opts, in, in.n, ret);
	expect(opts, in, ret->p);
}

struct row {
	const char *in, *want;
};

static void expect_rows(const struct rpc_opts *opts, const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect(opts, sv_of(row[i].in), row[i].want);
}

#define ROWS(opts, ...)                                                                            \
	do {                                                                                       \
		static const struct row rows_[] = { __VA_ARGS__ };                                 \
		expect_rows(&(opts), rows_, sizeof(rows_) / sizeof(rows_[0]));                     \
	} while (0)

static const struct rpc_opts plain;

static void test_kinds(void **state)
{
	(void)state;
	ROWS(plain, { "{\"id\":1,\"method\":\"a\"}", "request 0-21 ID=n1 METHOD=sa\n" },
	     { "{\"method\":\"a\",\"id\":\"x\"}", "request 0-23 ID=sx METHOD=sa\n" },
	     { "{\"method\":\"a\"}", "notification 0-14 METHOD=sa\n" },
	     { "{\"method\":\"a\",\"id\":null}", "notification 0-24 ID=0null METHOD=sa\n" },
	     { "{\"method\":\"a\",\"id\":true}", "other 0-24 ID=btrue METHOD=sa\n" },
	     { "{\"method\":\"a\",\"id\":{}}", "other 0-22 ID=o METHOD=sa\n" },
	     { "{\"method\":1,\"id\":1}", "other 0-19 ID=n1 METHOD=n1\n" },
	     { "{\"method\":null,\"id\":1,\"result\":1}",
	       "other 0-33 ID=n1 METHOD=0null RESULT=n1\n" },
	     { "{\"id\":1,\"result\":null}", "result 0-22 ID=n1 RESULT=0null\n" },
	     { "{\"id\":1,\"result\":[],\"error\":null}",
	       "result 0-33 ID=n1 RESULT=a ERROR=0null\n" },
	     { "{\"result\":{}}", "other 0-13 RESULT=o\n" },
	     { "{\"id\":null,\"result\":{}}", "other 0-23 ID=0null RESULT=o\n" },
	     { "{\"error\":{\"code\":-32700,\"message\":\"m\"}}",
	       "error 0-39 ERROR_CODE=n-32700 ERROR_MESSAGE=sm ERROR=o\n" },
	     { "{\"error\":{},\"id\":null}", "error 0-22 ID=0null ERROR=o\n" },
	     { "{\"error\":{},\"result\":null,\"id\":1}",
	       "error 0-33 ID=n1 RESULT=0null ERROR=o\n" },
	     { "{\"error\":{},\"result\":1,\"id\":1}", "other 0-30 ID=n1 RESULT=n1 ERROR=o\n" },
	     { "{\"error\":\"e\",\"id\":1}", "other 0-20 ID=n1 ERROR=se\n" },
	     { "{\"id\":1,\"method\":\"a\",\"result\":0}",
	       "request 0-32 ID=n1 METHOD=sa RESULT=n0\n" },
	     { "{}", "other 0-2\n" }, { "{\"x\":{\"id\":1}}", "other 0-14\n" });
}

static void test_texts(void **state)
{
	(void)state;
	ROWS(plain, { " \r\n{}", "other 3-5\n" }, { "\xef\xbb\xbf {}", "other 4-6\n" }, { "", "" },
	     { " \n", "" }, { "12", "other 0-2\n" }, { " -1.5e3 ", "other 1-7\n" },
	     { "1 2\n3", "other 0-1\nother 0-1\nother 0-1\n" }, { "\"id\"", "other 0-4\n" },
	     { "true", "other 0-4\n" }, { "null{}", "other 0-4\nother 0-2\n" },
	     { "{}{}", "other 0-2\nother 0-2\n" }, { "{}\n{}", "other 0-2\nother 1-3\n" },
	     { "{", "bad" }, { "[", "bad" }, { "-", "bad" }, { "1x", "bad" }, { "\"a", "bad" },
	     { "tru", "bad" }, { "\xef\xbb", "bad" }, { "{}x", "other 0-2\nbad" },
	     { "{\"id\":1,}", "bad" }, { "nope", "bad" }, { "{\"a\":[1,{\"b\":tru}]}", "bad" },
	     { "[{},x]", "batch other 1-3\nbad" });
}

/* Lines with a "method" are many; JSON-RPC says that it is. */
static void test_strict(void **state)
{
	static const struct rpc_opts strict = { .strict = true };

	(void)state;
	ROWS(strict, { "{\"id\":1,\"method\":\"a\"}", "other 0-21 ID=n1 METHOD=sa\n" },
	     { "{\"id\":1,\"method\":\"a\",\"jsonrpc\":\"2.0\"}",
	       "request 0-37 JSONRPC=s2.0 ID=n1 METHOD=sa\n" },
	     { "{\"jsonrpc\":2,\"id\":1,\"method\":\"a\"}",
	       "other 0-33 JSONRPC=n2 ID=n1 METHOD=sa\n" });
}

static void test_batches(void **state)
{
	(void)state;
	ROWS(plain, { " []", "batch other 1-3\n" }, { "[ ]{}", "batch other 0-3\nother 0-2\n" },
	     { "[{\"id\":1,\"method\":\"a\"}, {\"method\":\"b\"}]",
	       "batch request 1-22 ID=n1 METHOD=sa\nbatch notification 24-38 METHOD=sb\n" },
	     { "[{}]", "batch other 1-3\n" }, { "[[{}],{}]", "batch other 1-5\nbatch other 6-8\n" },
	     { "[1, \"a\",null,[],-2]", "batch other 1-2\nbatch other 4-7\nbatch other 8-12\nbatch "
					"other 13-15\nbatch other 16-18\n" });
}

static void test_paths(void **state)
{
	(void)state;
	ROWS(plain,
	     { "{\"params\":{\"_meta\":{\"io.modelcontextprotocol/"
	       "clientInfo\":{\"version\":\"2\",\"name\":\"c\"},"
	       "\"io.modelcontextprotocol/"
	       "protocolVersion\":\"2026-07-28\",\"progressToken\":7},\"name\":\"t\"}}",
	       "other 0-170 NAME=st META_PROGRESS=n7 META_VERSION=s2026-07-28 META_CLIENT_NAME=sc "
	       "META_CLIENT_VER=s2 PARAMS=o\n" },
	     { "{\"result\":{\"name\":\"x\",\"isError\":true,\"content\":[{\"isError\":false}],"
	       "\"result\":{\"isError\":1}}}",
	       "other 0-91 IS_ERROR=btrue RESULT_INNER=o RESULT_INNER_ERROR=n1 RESULT=o\n" },
	     { "{\"params\":[{\"name\":\"x\"}],\"id\":[]}", "other 0-33 ID=a PARAMS=a\n" },
	     { "{\"params\":\"p\",\"name\":\"n\",\"params.name\":\"q\"}",
	       "other 0-43 PARAMS=sp\n" },
	     { "{\"\\u0069d\":1,\"m\\u0065thod\":\"\\u00e9\\ud83d\\ude00\\ud800\"}",
	       "request 0-54 ID=n1 METHOD=s\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd\n" },
	     { "{\"i\\u0064AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\":"
	       "1}",
	       "other 0-80\n" },
	     { "{\"idx\":1,\"i\":2,\"\":3,\"ID\":4,\"id\\u0000\":5}", "other 0-40\n" },
	     { "{\"params\":{\"clientInfo\":\"x\",\"name\":{\"name\":1},\"uri\":[\"u\"]}}",
	       "other 0-59 NAME=o URI=a PARAMS=o\n" },
	     { "{\"params\":{\"_meta\":{}, \"_meta.callId\":1,\"_meta\":{\"callId\":\"c\"}}}",
	       "other 0-64 META_CALL_ID=sc PARAMS=o dup1\n" });
}

static void test_duplicates(void **state)
{
	(void)state;
	ROWS(plain, { "{\"id\":1,\"id\":\"b\",\"x\":0,\"x\":0}", "other 0-29 ID=sb dup1\n" },
	     { "{\"params\":{\"name\":\"a\",\"uri\":\"u\"},\"params\":{\"name\":\"b\"}}",
	       "other 0-55 NAME=sb PARAMS=o dup1\n" },
	     { "{\"params\":{\"name\":\"a\"},\"params\":1}", "other 0-34 PARAMS=n1 dup1\n" },
	     { "{\"method\":\"a\",\"method\":[],\"id\":1,\"id\":1,\"id\":2}",
	       "other 0-47 ID=n2 METHOD=a dup3\n" });
}

static void test_content(void **state)
{
	static const struct rpc_opts kept = { .content_max = 20 };

	(void)state;
	ROWS(kept,
	     { "{\"params\": {\"a\" : [ 1 ]} ,\"id\":1}",
	       "other 0-33 ID=n1 PARAMS=o raw({\"a\" : [ 1 ]}||)\n" },
	     { "{\"result\":\"\\u0041\",\"error\":-1}",
	       "other 0-30 RESULT=sA ERROR=n-1 raw(|\"\\u0041\"|-1)\n" },
	     { "{\"result\":[\"01234567890123456789\"],\"params\":null}",
	       "other 0-49 PARAMS=0null RESULT=a raw(null|[\"012345678901234567|)cut\n" },
	     { "{\"params\":{\"long\":\"01234567890\"},\"params\":[]}",
	       "other 0-45 PARAMS=a raw([]||) dup1\n" },
	     { "{\"params\":{\"name\":\"a\",\"b\":1}}",
	       "other 0-29 NAME=sa PARAMS=o raw({\"name\":\"a\",\"b\":1}||)\n" },
	     { "{\"params\":[12345678901234567]}",
	       "other 0-30 PARAMS=a raw([12345678901234567]||)\n" },
	     { "[{\"params\":{}},{\"result\":{}}]",
	       "batch other 1-14 PARAMS=o raw({}||)\nbatch other 15-28 RESULT=o raw(|{}|)\n" });
}

static void test_text_max(void **state)
{
	static const struct rpc_opts small = { .text_max = 10 };

	(void)state;
	ROWS(small, { "{\"id\":\"x\"}", "other 0-10 ID=sx\n" }, { "{\"id\":\"xy\"}", "long" },
	     { "  {\"id\":1}{}", "other 2-10 ID=n1\nother 0-2\n" },
	     { "[{},{},{},{}]", "batch other 1-3\nbatch other "
				"4-6\nbatch other 7-9\nlong" },
	     { "{}          {}", "other 0-2\nlong" }, { "{\"id\":x        }", "bad" });
}

/* Last message's method, and the number of messages. */
struct last {
	struct rpc_value method;
	unsigned int n;
	uint8_t types[RPC_F_N];
	uint32_t dups;
};

static void keep(void *ctx, const struct rpc_msg *m)
{
	struct last *l = ctx;

	l->method = m->f[RPC_F_METHOD];
	l->n++;
	l->dups = m->dup_keys;
	for (int f = 0; f < RPC_F_N; f++)
		l->types[f] = m->f[f].type;
}

static struct rpc *keeper(struct last *l)
{
	struct rpc_opts opts = { .msg = keep, .ctx = l };
	struct rpc *r = rpc_new(&opts);

	assert_non_null(r);
	memset(l, 0, sizeof(*l));
	return r;
}

/* Feed {"method":"aaa..."} of @n letters, the one at @odd a 'b', in chunks of @chunk. */
static void feed_method(struct rpc *r, size_t n, size_t odd, size_t chunk)
{
	static const char head[] = "{\"method\":\"";
	const size_t at = sizeof(head) - 1, all = at + n + 2;
	char *p = malloc(all);
	ssize_t took = 0;

	assert_non_null(p);
	memcpy(p, head, at);
	memset(p + at, 'a', n);
	p[at + odd] = 'b';
	memcpy(p + at + n, "\"}", 2);
	for (size_t i = 0; i < all; i += chunk) {
		assert_int_equal(took, 0);
		took = rpc_feed(r, (struct sv){ p + i, all - i < chunk ? all - i : chunk });
	}
	assert_true(took > 0);
	free(p);
}

static void test_value_max(void **state)
{
	struct last l, other;
	struct rpc *r = keeper(&l), *s = keeper(&other);
	uint64_t hash[5];

	(void)state;
	feed_method(r, RPC_VALUE_MAX, 9, 50);
	assert_false(l.method.cut);
	assert_int_equal(l.method.text.n, RPC_VALUE_MAX);
	assert_int_equal(l.method.hash, 0);
	for (size_t len = RPC_VALUE_MAX + 1; len < RPC_VALUE_MAX + 90; len += 4) {
		feed_method(s, len, len - 1, 1 << 20);
		for (size_t chunk = 1; chunk < 40; chunk++) {
			feed_method(r, len, len - 1, chunk);
			assert_true(l.method.cut);
			assert_int_equal(l.method.text.n, RPC_VALUE_MAX);
			assert_true(l.method.hash == other.method.hash);
		}
	}
	for (size_t i = 0; i < 5; i++) {
		static const size_t odd[] = { 0, 5, 1500, 4999, 4999 };

		feed_method(r, 5000 + (i == 4), odd[i], 4096);
		hash[i] = l.method.hash;
		for (size_t k = 0; k < i; k++)
			assert_true(hash[i] != hash[k]);
	}
	rpc_free(r);
	rpc_free(s);
}

/* A value written again and again fills the buffer behind; the other values survive it. */
static void test_value_flood(void **state)
{
	struct trace *t = malloc(sizeof(*t));
	struct rpc_opts opts = { .msg = note, .ctx = t };
	struct rpc *r = rpc_new(&opts);
	char item[1100];

	(void)state;
	assert_non_null(t);
	assert_non_null(r);
	t->n = 0;
	memset(item, 'x', sizeof(item));
	memcpy(item, ",\"method\":\"", 11);
	item[1001] = '"';
	assert_int_equal(rpc_feed(r, SV("{\"jsonrpc\":\"2.0\"")), 0);
	assert_int_equal(rpc_feed(r, (struct sv){ item, 1002 }), 0);
	assert_int_equal(rpc_feed(r, SV(",\"id\":17")), 0);
	for (int i = 0; i < 999; i++)
		assert_int_equal(rpc_feed(r, (struct sv){ item, 1002 }), 0);
	assert_int_equal(rpc_feed(r, SV(",\"method\":\"m\",\"params\":{\"name\":\"n\"}}")), 36);
	assert_string_equal(
		t->p, "request 0-1002060 JSONRPC=s2.0 ID=n17 METHOD=sm NAME=sn PARAMS=o dup1000\n");
	rpc_free(r);
	free(t);
}

/* Each path of the table by itself: found, with its containers and nothing else. */
static void test_every_path(void **state)
{
	static const char *const paths[] = {
#define X(name, path) path,
		RPC_FIELDS(X)
#undef X
	};
	struct last l;
	struct rpc *r = keeper(&l);
	char text[512];

	(void)state;
	for (int f = 0; f < RPC_F_N; f++) {
		size_t n = 0;
		int depth = 1;
		const char *p = paths[f];

		n += (size_t)snprintf(text, sizeof(text), "{\"");
		for (bool in = false; *p; p++) {
			if (*p == '[' || *p == ']')
				in = *p == '[';
			else if (*p == '.' && !in)
				n += (size_t)snprintf(text + n, sizeof(text) - n, "\":{\""),
					depth++;
			else
				text[n++] = *p;
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\":false%.*s", depth, "}}}}}}");
		assert_int_equal(rpc_feed(r, (struct sv){ text, n }), n);
		for (int g = 0; g < RPC_F_N; g++) {
			size_t len = strlen(paths[g]);
			bool above = strncmp(paths[f], paths[g], len) == 0 && paths[f][len] == '.';

			assert_int_equal(l.types[g], g == f  ? RPC_BOOL
						     : above ? RPC_OBJECT
							     : RPC_ABSENT);
		}
	}
	assert_int_equal(l.n, RPC_F_N);
	rpc_free(r);
}

static void test_open(void **state)
{
	struct last l;
	struct rpc *r = keeper(&l);
	uint64_t beg = 99;

	(void)state;
	assert_false(rpc_open(r, &beg));
	assert_int_equal(rpc_feed(r, SV(" [ ")), 0);
	assert_false(rpc_open(r, &beg));
	assert_int_equal(beg, 99);
	assert_int_equal(rpc_feed(r, SV("{\"a\":{")), 0);
	assert_true(rpc_open(r, &beg));
	assert_int_equal(beg, 3);
	assert_int_equal(rpc_feed(r, SV("}}")), 0);
	assert_false(rpc_open(r, &beg));
	assert_int_equal(rpc_feed(r, SV("]x")), 1);
	assert_int_equal(l.n, 1);
	assert_int_equal(rpc_feed(r, SV("x")), -EBADMSG);
	assert_int_equal(rpc_feed(r, SV("{}")), -EBADMSG);
	rpc_reset(r);
	assert_int_equal(rpc_feed(r, SV("{}")), 2);
	assert_int_equal(rpc_feed(r, SV("{\"method\":\"a")), 0);
	rpc_reset(r);
	assert_int_equal(rpc_feed(r, SV("{}")), 2);
	assert_int_equal(l.method.type, RPC_ABSENT);
	assert_int_equal(rpc_feed(r, SV("7")), 0);
	assert_int_equal(rpc_feed(r, SV("\n{}")), 1);
	assert_int_equal(l.n, 4);
	rpc_free(r);
	rpc_free(NULL);
}

/* A long message with trailing id, as TypeScript peers send it, cut everywhere. */
static void test_trailing_id(void **state)
{
	static const struct rpc_opts kept = { .content_max = 4096 };
	struct trace *t = malloc(sizeof(*t));

	(void)state;
	assert_non_null(t);
	expect_same(&kept,
		    SV("{\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"a\\nb\\\"c\\u00e4 "
		       "{\\\"id\\\":9}"
		       "\"}],\"structuredContent\":{\"id\":5,\"deep\":[[{\"x\":[1.5e3,null]}]]},"
		       "\"isError\":false},\"jsonrpc\":\"2.0\",\"id\":2}\n"),
		    t);
	assert_non_null(
		strstr(t->p, "result 0-172 JSONRPC=s2.0 ID=n2 IS_ERROR=bfalse RESULT=o raw(|{"));
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	    cmocka_unit_test(test_texts),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_batches),	    cmocka_unit_test(test_paths),
		cmocka_unit_test(test_duplicates),  cmocka_unit_test(test_content),
		cmocka_unit_test(test_text_max),    cmocka_unit_test(test_value_max),
		cmocka_unit_test(test_value_flood), cmocka_unit_test(test_every_path),
		cmocka_unit_test(test_open),	    cmocka_unit_test(test_trailing_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
