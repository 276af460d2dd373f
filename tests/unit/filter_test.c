/* SPDX-License-Identifier: Apache-2.0 */
/* Which records pass. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sink/filter.h"

static struct who client = { .id = { .pid = 10 }, .comm = "claude", .exe = "/opt/claude/bin/claude" };
static struct who server = { .id = { .pid = 20 }, .comm = "mcp-server-file", .exe = "/usr/bin/node" };
static const struct sink_peers both = { &client, &server };

static struct call a_call(void)
{
	return (struct call){
		.outcome = CALL_OK,
		.method = (char *)"tools/call",
		.tool = (char *)"read_file",
		.duration_ns = 500,
		.has_duration = true,
		.route = { .client = { .pid = 10 }, .server = { .pid = 20 } },
	};
}

static bool passes(const struct filter *f)
{
	struct call c = a_call();

	return filter_call(f, &c, &both);
}

static void test_empty(void **state)
{
	struct filter f = { 0 };
	struct call c = { 0 };

	(void)state;
	assert_true(passes(&f));
	assert_true(filter_call(&f, &c, NULL));
	assert_true(filter_note(&f, &(struct note){ 0 }, NULL));
	assert_true(filter_session(&f, &(struct session_event){ 0 }, NULL));
	assert_true(filter_finding(&f, &(struct finding){ 0 }, NULL));
}

static void test_or_within_and_between(void **state)
{
	struct filter f = { 0 };

	(void)state;
	assert_int_equal(filter_add_word(&f.tool, "write_file"), 0);
	assert_false(passes(&f));
	assert_int_equal(filter_add_word(&f.tool, "read_file"), 0);
	assert_true(passes(&f));
	filter_add_word(&f.method, "tools/list");
	assert_false(passes(&f));
	filter_add_word(&f.method, "tools/*");
	assert_true(passes(&f));
	filter_add_pid(&f, 11);
	assert_false(passes(&f));
	filter_add_pid(&f, 20);
	assert_true(passes(&f));
}

static void test_words(void **state)
{
	static const struct {
		const char *word;
		bool pass;
	} t[] = {
		{ "read_file", true }, { "read", false }, { "read*", true }, { "*", true },
		{ "read_files", false }, { "READ_FILE", false }, { "read_file*", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct filter f = { 0 };

		filter_add_word(&f.tool, t[i].word);
		assert_int_equal(passes(&f), t[i].pass);
	}
}

/* What has no tool, or no known process, is not "any". */
static void test_unknown(void **state)
{
	struct filter tool = { 0 }, comm = { 0 }, pid = { 0 };
	struct call c = a_call();

	(void)state;
	filter_add_word(&tool.tool, "*");
	filter_add_word(&comm.comm, "claude");
	filter_add_pid(&pid, 10);
	c.tool = NULL;
	assert_false(filter_call(&tool, &c, &both));
	assert_false(filter_call(&comm, &c, NULL));
	assert_false(filter_call(&comm, &c, &(struct sink_peers){ NULL, &server }));
	c.route = (struct route){ 0 };
	assert_false(filter_call(&pid, &c, &both));
}

static void test_comm(void **state)
{
	static const struct {
		const char *word;
		bool pass;
	} t[] = {
		{ "claude", true },
		{ "mcp-server-file", true },
		{ "mcp-server-filesystem", true }, /* the kernel keeps 15 characters */
		{ "node", false },
		{ "claud", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct filter f = { 0 };

		filter_add_word(&f.comm, t[i].word);
		assert_int_equal(passes(&f), t[i].pass);
	}
}

static void test_server(void **state)
{
	static const struct {
		const char *word;
		bool pass;
	} t[] = {
		{ "node", true }, { "mcp-server-filesystem", true }, { "claude", false },
		{ "/usr/bin/node", false }, { "127.0.0.1:3001", true }, { "127.0.0.1", true },
		{ ":3001", true }, { "3001", false }, { ":300", false }, { "127.0.0.2", false },
	};
	struct call c = a_call();

	(void)state;
	c.route.server_addr = (struct net_addr){ .family = AF_INET, .port = 3001, .ip = { 127, 0, 0, 1 } };
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct filter f = { 0 };

		filter_add_word(&f.server, t[i].word);
		assert_int_equal(filter_call(&f, &c, &both), t[i].pass);
	}
}

static void test_errors(void **state)
{
	static const bool pass[CALL_OUTCOMES] = {
		[CALL_TOOL_ERROR] = true, [CALL_RPC_ERROR] = true,  [CALL_HTTP_ERROR] = true,
		[CALL_CANCELLED] = true,  [CALL_UNANSWERED] = true,
	};
	const struct filter f = { .errors = true };

	(void)state;
	for (uint8_t i = 0; i < CALL_OUTCOMES; i++) {
		struct call c = a_call();

		c.outcome = i;
		assert_int_equal(filter_call(&f, &c, &both), pass[i]);
		c.has_error_code = true;
		assert_int_equal(filter_call(&f, &c, &both), pass[i] || i == CALL_ORPHAN);
	}
}

static void test_slow(void **state)
{
	struct filter f = { .slow_ns = 500 };
	struct call c = a_call();

	(void)state;
	assert_true(filter_call(&f, &c, &both));
	f.slow_ns = 501;
	assert_false(filter_call(&f, &c, &both));
	c.has_duration = false;
	c.start = 100;
	c.ts = 601;
	assert_false(filter_call(&f, &c, &both));
	c.outcome = CALL_UNANSWERED;
	assert_true(filter_call(&f, &c, &both));
	c.ts = 600;
	assert_false(filter_call(&f, &c, &both));
}

static void test_other_records(void **state)
{
	const struct filter errors = { .errors = true }, slow = { .slow_ns = 1 };
	struct filter tool = { 0 }, method = { 0 }, pid = { 0 }, named = { 0 };
	struct note n = { .method = (char *)"notifications/progress", .route = a_call().route };
	struct session_event e = { .route = n.route };
	struct finding x = { .proc = { .pid = 20 } };

	(void)state;
	filter_add_word(&tool.tool, "*");
	filter_add_word(&method.method, "notifications/*");
	filter_add_pid(&pid, 20);
	assert_false(filter_note(&errors, &n, &both));
	assert_false(filter_note(&slow, &n, &both));
	assert_false(filter_note(&tool, &n, &both));
	assert_true(filter_note(&method, &n, &both));
	assert_true(filter_note(&pid, &n, &both));
	assert_false(filter_session(&errors, &e, &both));
	assert_false(filter_session(&method, &e, &both));
	assert_true(filter_session(&pid, &e, &both));
	assert_true(filter_finding(&errors, &x, &both));
	assert_true(filter_finding(&method, &x, &both));
	assert_true(filter_finding(&pid, &x, &both));
	filter_add_word(&named.server, "node");
	assert_true(filter_finding(&named, &x, &(struct sink_peers){ &server, NULL }));
	assert_true(filter_finding(&named, &x, &(struct sink_peers){ NULL, &server }));
	assert_false(filter_finding(&named, &x, &(struct sink_peers){ &client, NULL }));
	x.proc.pid = 21;
	assert_false(filter_finding(&pid, &x, &both));
}

static void test_cap(void **state)
{
	struct filter f = { 0 };

	(void)state;
	for (int i = 0; i < FILTER_VALUES; i++) {
		assert_int_equal(filter_add_pid(&f, 1), 0);
		assert_int_equal(filter_add_word(&f.tool, "a"), 0);
	}
	assert_int_equal(filter_add_pid(&f, 1), -ENOSPC);
	assert_int_equal(filter_add_word(&f.tool, "a"), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	     cmocka_unit_test(test_or_within_and_between),
		cmocka_unit_test(test_words),	     cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_comm),	     cmocka_unit_test(test_server),
		cmocka_unit_test(test_errors),	     cmocka_unit_test(test_slow),
		cmocka_unit_test(test_other_records), cmocka_unit_test(test_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
