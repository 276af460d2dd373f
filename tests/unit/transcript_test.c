/* SPDX-License-Identifier: Apache-2.0 */
/* Transcripts: one line, and a file of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "model/call.h"
#include "transcript.h"
#include "transcript_line.h"

static void sv_is(struct sv got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

static struct transcript_line line;

static void test_line(void **state)
{
	(void)state;
	assert_null(transcript_line_parse(
		SV("{\"ts_ms\":3000,\"session\":\"a\",\"agent\":\"x\",\"from\":\"client\","
		   "\"msg\":{\"id\":1,\"a\":[{}]}}"), &line));
	assert_int_equal(line.ts, 3000000000);
	assert_int_equal(line.from, SIDE_CLIENT);
	sv_is(line.session, "a");
	sv_is(line.msg, "{\"id\":1,\"a\":[{}]}");
}

static void test_line_odd_but_fine(void **state)
{
	(void)state;
	/* Any order and spacing, unknown members of any shape, escapes in keys and values, a batch. */
	assert_null(transcript_line_parse(
		SV("{ \"msg\" : [ {} ] , \"x\":{\"ts_ms\":1,\"msg\":[]}, \"agent\":[1],"
		   "\"\\u0066rom\":\"ser\\u0076er\", \"session\":\"\\u00e9\\n\\ud83d\\ude00\","
		   " \"ts_ms\" : 0.25 }"), &line));
	assert_int_equal(line.ts, 250000);
	assert_int_equal(line.from, SIDE_SERVER);
	sv_is(line.session, "\xc3\xa9\n\xf0\x9f\x98\x80");
	sv_is(line.msg, "[ {} ]");
	/* A byte order mark, and the last of two equal keys. */
	assert_null(transcript_line_parse(
		SV("\xef\xbb\xbf{\"ts_ms\":1,\"ts_ms\":2,\"session\":\"a\",\"from\":\"client\","
		   "\"msg\":{},\"msg\":{\"b\":1}}"), &line));
	assert_int_equal(line.ts, 2000000);
	sv_is(line.msg, "{\"b\":1}");
}

#define WITH_TS(ts) "{\"ts_ms\":" ts ",\"session\":\"a\",\"from\":\"client\",\"msg\":{}}"
#define WITH_SESSION(s) "{\"ts_ms\":1,\"session\":" s ",\"from\":\"client\",\"msg\":{}}"

static void test_line_malformed(void **state)
{
	static const struct {
		const char *text, *why;
	} t[] = {
		{ "x", "not JSON" },
		{ "1", "not a JSON object" },
		{ "[]", "not a JSON object" },
		{ "{}", "no ts_ms" },
		{ "{\"ts_ms\":1}", "no session" },
		{ "{\"ts_ms\":1,\"session\":\"a\"}", "no from" },
		{ "{\"ts_ms\":1,\"session\":\"a\",\"from\":\"client\"}", "no msg" },
		{ WITH_TS("-1"), "ts_ms is no time" },
		{ WITH_TS("1e3"), "ts_ms is no time" },
		{ WITH_TS("99999999999999999999"), "ts_ms is no time" },
		{ WITH_TS("9223372036855"), "ts_ms is no time" },
		{ WITH_TS("1.1234567"), "ts_ms has more than six" },
		{ WITH_TS("\"1\""), "ts_ms is no number" },
		{ WITH_TS("null"), "ts_ms is no number" },
		{ WITH_TS("{}"), "ts_ms is no number" },
		{ WITH_SESSION("\"\""), "session is empty" },
		{ WITH_SESSION("\"a\\u0000b\""), "session holds a NUL" },
		{ WITH_SESSION("1"), "session, agent or from is no string" },
		{ "{\"ts_ms\":1,\"session\":\"a\",\"from\":\"clients\",\"msg\":{}}", "from is neither" },
		{ "{\"ts_ms\":1,\"session\":\"a\",\"from\":\"client\",\"msg\":1}", "msg is no object" },
		{ "{\"ts_ms\":1,\"session\":\"a\",\"from\":\"client\",\"msg\":\"{}\"}",
		  "msg is no object" },
		{ WITH_TS("1") " {}", "more than one JSON object" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const char *why = transcript_line_parse(sv_of(t[i].text), &line);

		assert_non_null(why);
		assert_ptr_equal(strstr(why, t[i].why), why);
	}
}

/* A line cut anywhere is malformed, and read no further than its end. */
static void test_line_cut(void **state)
{
	const struct sv whole = SV("{\"ts_ms\":12.5,\"session\":\"a\\u00e9\",\"from\":\"client\","
				   "\"x\":[true],\"msg\":{\"a\":\"b\"}}");

	(void)state;
	assert_null(transcript_line_parse(whole, &line));
	for (size_t n = 0; n < whole.n; n++) {
		char *copy = malloc(n ? n : 1);

		memcpy(copy, whole.p, n);
		assert_non_null(transcript_line_parse((struct sv){ copy, n }, &line));
		free(copy);
	}
}

static void test_long_name(void **state)
{
	char text[512], name[TRANSCRIPT_NAME_MAX + 2];

	(void)state;
	for (size_t n = TRANSCRIPT_NAME_MAX; n <= TRANSCRIPT_NAME_MAX + 1; n++) {
		memset(name, 's', n);
		name[n] = '\0';
		snprintf(text, sizeof(text),
			 "{\"ts_ms\":1,\"session\":\"%s\",\"from\":\"client\",\"msg\":{}}", name);
		assert_int_equal(transcript_line_parse(sv_of(text), &line) == NULL,
				 n == TRANSCRIPT_NAME_MAX);
	}
}

static char path[] = "/tmp/transcript_test.XXXXXX";

/* @keep bytes of the file, of -1 all. */
static void write_file(const char *text, bool gz, off_t keep)
{
	gzFile f = gzopen(path, gz ? "wb" : "wbT");

	assert_non_null(f);
	if (text[0])
		assert_int_equal(gzwrite(f, text, (unsigned int)strlen(text)), strlen(text));
	assert_int_equal(gzclose(f), Z_OK);
	if (keep >= 0)
		assert_int_equal(truncate(path, keep), 0);
}

#define L(ts, session, from, id)                                                              \
	"{\"ts_ms\":" #ts ",\"session\":\"" session "\",\"from\":\"" from "\",\"msg\":{\"id\":" #id "}}\n"

static const char sample[] = L(20, "a", "client", 1) "\n" L(10, "b", "client", 2) "bad\n"
			     L(20, "b", "server", 3) L(5, "a", "client", 4) " \r\n"
			     L(20, "a", "server", 5);

static void test_order(void **state)
{
	static const struct {
		const char *session, *json;
		uint32_t line;
		bool last;
	} want[] = {
		{ "a", "{\"id\":4}", 6, false }, { "b", "{\"id\":2}", 3, false },
		{ "a", "{\"id\":1}", 1, false }, { "b", "{\"id\":3}", 5, true },
		{ "a", "{\"id\":5}", 8, true },
	};
	struct transcript t;

	(void)state;
	for (int gz = 0; gz < 2; gz++) {
		write_file(sample, gz, -1);
		assert_int_equal(transcript_load(&t, path), 0);
		assert_int_equal(t.malformed, 1);
		assert_int_equal(t.n, 5);
		for (size_t i = 0; i < t.n; i++) {
			assert_string_equal(t.msg[i].session->name, want[i].session);
			sv_is(t.msg[i].json, want[i].json);
			assert_int_equal(t.msg[i].line, want[i].line);
			assert_int_equal(t.msg[i].last, want[i].last);
		}
		assert_int_equal(t.msg[0].ts, 5000000 + TRANSCRIPT_BIAS_NS);
		transcript_done(&t);
	}
}

static void test_files(void **state)
{
	struct transcript t;

	(void)state;
	write_file("", false, -1);
	assert_int_equal(transcript_load(&t, path), 0);
	assert_int_equal(t.n, 0);
	transcript_done(&t);
	write_file("{\"ts_ms\":1", false, -1);
	assert_int_equal(transcript_load(&t, path), 0);
	assert_int_equal(t.malformed, 1);
	transcript_done(&t);
	write_file(sample, true, 40);
	assert_int_equal(transcript_load(&t, path), -EBADMSG);
	transcript_done(&t);
	assert_int_equal(transcript_load(&t, "/nonexistent/file"), -ENOENT);
	transcript_done(&t);
	assert_int_equal(transcript_load(&t, "/tmp"), -EISDIR);
	transcript_done(&t);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),	       cmocka_unit_test(test_line_odd_but_fine),
		cmocka_unit_test(test_line_malformed), cmocka_unit_test(test_line_cut),
		cmocka_unit_test(test_long_name),      cmocka_unit_test(test_order),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
