/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that report errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mcp/error_text.h"

static void test_texts(void **state)
{
	static const struct {
		const char *text;
		enum error_class class;
	} cases[] = {
		{ "", ERROR_NONE },
		{ "ok", ERROR_NONE },
		{ "All 3 tests passed, no errors", ERROR_NONE },
		{ "Failover is on", ERROR_NONE },
		{ "timeout = 30", ERROR_NONE },
		{ "Tool list follows", ERROR_NONE },
		{ "{\"status\": 200, \"error\": null}", ERROR_NONE },
		{ "{\"result\": \"fine\"}", ERROR_NONE },
		{ "500 rows", ERROR_NONE },
		{ "404 results for not found", ERROR_NONE },
		{ "Error: boom", ERROR_OTHER },
		{ "  ** ERROR boom", ERROR_OTHER },
		{ "Exception in thread main", ERROR_OTHER },
		{ "Traceback (most recent call last)", ERROR_OTHER },
		{ "Failed to do it", ERROR_OTHER },
		{ "cannot do it", ERROR_OTHER },
		{ "Unable to do it", ERROR_OTHER },
		{ "MCP error -32000: boom", ERROR_OTHER },
		{ "see below: MCP error -32602: bad", ERROR_VALIDATION },
		{ "isError: true", ERROR_OTHER },
		{ "{\"isError\": true, \"x\": 1}", ERROR_OTHER },
		{ "{\\\"isError\\\":true}", ERROR_OTHER },
		{ "{\"object\": \"error\", \"status\": 400}", ERROR_VALIDATION },
		{ "{\"status\":503}", ERROR_UNAVAILABLE },
		{ "{\"status\":5030}", ERROR_NONE },
		{ "Error executing tool execute_sql: 1 validation error", ERROR_VALIDATION },
		{ "[{\"type\":\"text\",\"text\":\"Error: nothing\"}]", ERROR_OTHER },
		{ "{\"content\":[{\"type\":\"text\",\"text\":\"Error: quota\"}]}", ERROR_RATE_LIMIT },
		{ "{\"text\":\"{\\\"text\\\":\\\"failed\\\"}\"}", ERROR_OTHER },
		{ "{\"text\":\"all is well, error-free\"}", ERROR_NONE },
		{ "Invalid arguments: missing q", ERROR_VALIDATION },
		{ "Error: field id is required", ERROR_VALIDATION },
		{ "Unauthorized", ERROR_AUTH },
		{ "Forbidden", ERROR_AUTH },
		{ "Error 403", ERROR_AUTH },
		{ "Error: port 4030 is taken", ERROR_OTHER },
		{ "Not found: a", ERROR_NOT_FOUND },
		{ "Tool frobnicate not found", ERROR_NOT_FOUND },
		{ "ls: /x: No such file or directory", ERROR_NOT_FOUND },
		{ "sh: 1: foo: command not found", ERROR_NOT_FOUND },
		{ "Timed out after 30 s", ERROR_TIMEOUT },
		{ "Timeout: 30 s", ERROR_TIMEOUT },
		{ "timeout exceeded", ERROR_TIMEOUT },
		{ "Error: 429", ERROR_RATE_LIMIT },
		{ "429 Too Many Requests", ERROR_RATE_LIMIT },
		{ "HTTP 503: Service Unavailable", ERROR_UNAVAILABLE },
		{ "HTTP/1.1 502 Bad Gateway", ERROR_UNAVAILABLE },
		{ "Error: connect ECONNREFUSED 127.0.0.1:1", ERROR_UNAVAILABLE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (error_text(sv_of(cases[i].text)) != cases[i].class)
			fail_msg("%s: %d, not %d", cases[i].text, error_text(sv_of(cases[i].text)), cases[i].class);
}

static void test_known_errors(void **state)
{
	(void)state;
	assert_int_equal(error_kind(SV("")), ERROR_OTHER);
	assert_int_equal(error_kind(SV("it went wrong")), ERROR_OTHER);
	assert_int_equal(error_kind(SV("slow down: 429")), ERROR_RATE_LIMIT);
}

/* Any bytes, in a block of exactly their length, cut anywhere. */
static void test_any_bytes(void **state)
{
	static const char alphabet[] = "{}[]\":\\ \nterox45HTPisErr_ \xc3\xff";
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)round % 600;
		char *p = malloc(n ? n : 1);

		for (size_t i = 0; i < n; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			p[i] = alphabet[seed % (sizeof(alphabet) - 1)];
		}
		assert_true(error_text((struct sv){ p, n }) < ERROR_CLASSES);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_known_errors),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
