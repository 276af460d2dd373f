/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/shape and mcp/method: what is MCP, and that nothing else becomes a call. */
#include "mcp_words.h"

#include "mcp/method.h"
#include "mcp/shape.h"

static void test_methods(void **state)
{
	static const struct {
		const char *name;
		uint8_t sender, eras;
	} rows[] = {
		{ "initialize", SENT_BY_CLIENT, IN_LEGACY },
		{ "notifications/initialized", SENT_BY_CLIENT, IN_LEGACY },
		{ "server/discover", SENT_BY_CLIENT, IN_MODERN },
		{ "ping", SENT_BY_BOTH, IN_LEGACY },
		{ "tools/list", SENT_BY_CLIENT, IN_BOTH },
		{ "tools/call", SENT_BY_CLIENT, IN_BOTH },
		{ "resources/list", SENT_BY_CLIENT, IN_BOTH },
		{ "resources/templates/list", SENT_BY_CLIENT, IN_BOTH },
		{ "resources/read", SENT_BY_CLIENT, IN_BOTH },
		{ "resources/subscribe", SENT_BY_CLIENT, IN_LEGACY },
		{ "resources/unsubscribe", SENT_BY_CLIENT, IN_LEGACY },
		{ "prompts/list", SENT_BY_CLIENT, IN_BOTH },
		{ "prompts/get", SENT_BY_CLIENT, IN_BOTH },
		{ "completion/complete", SENT_BY_CLIENT, IN_BOTH },
		{ "logging/setLevel", SENT_BY_CLIENT, IN_LEGACY },
		{ "subscriptions/listen", SENT_BY_CLIENT, IN_MODERN },
		{ "sampling/createMessage", SENT_BY_SERVER, IN_LEGACY },
		{ "roots/list", SENT_BY_SERVER, IN_LEGACY },
		{ "elicitation/create", SENT_BY_SERVER, IN_LEGACY },
		{ "tasks/get", SENT_BY_BOTH, IN_BOTH },
		{ "tasks/result", SENT_BY_BOTH, IN_LEGACY },
		{ "tasks/cancel", SENT_BY_BOTH, IN_BOTH },
		{ "tasks/list", SENT_BY_BOTH, IN_LEGACY },
		{ "tasks/update", SENT_BY_CLIENT, IN_MODERN },
		{ "notifications/cancelled", SENT_BY_BOTH, IN_BOTH },
		{ "notifications/progress", SENT_BY_BOTH, IN_BOTH },
		{ "notifications/message", SENT_BY_SERVER, IN_BOTH },
		{ "notifications/tools/list_changed", SENT_BY_SERVER, IN_BOTH },
		{ "notifications/prompts/list_changed", SENT_BY_SERVER, IN_BOTH },
		{ "notifications/resources/list_changed", SENT_BY_SERVER, IN_BOTH },
		{ "notifications/resources/updated", SENT_BY_SERVER, IN_BOTH },
		{ "notifications/roots/list_changed", SENT_BY_CLIENT, IN_LEGACY },
		{ "notifications/subscriptions/acknowledged", SENT_BY_SERVER, IN_MODERN },
		{ "notifications/elicitation/complete", SENT_BY_SERVER, IN_LEGACY },
		{ "notifications/tasks/status", SENT_BY_BOTH, IN_LEGACY },
		{ "notifications/tasks", SENT_BY_SERVER, IN_MODERN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct method *me = method_find(sv_of(rows[i].name));

		if (!me)
			fail_msg("%s is not in the table", rows[i].name);
		assert_int_equal(me->sender, rows[i].sender);
		assert_int_equal(me->eras, rows[i].eras);
	}
	assert_null(method_find(SV("tools/cal")));
	assert_null(method_find(SV("tools/calls")));
	assert_null(method_find((struct sv){ 0 }));
}

static void test_targets(void **state)
{
	struct rpc_msg r = words_request("1", "tools/call");

	(void)state;
	words_set(&r, RPC_F_URI, "\"file:///x");
	assert_true(sv_eq(method_target(method_find(SV("tools/call")), &r), SV("echo")));
	assert_true(sv_eq(method_target(method_find(SV("prompts/get")), &r), SV("echo")));
	assert_true(sv_eq(method_target(method_find(SV("resources/read")), &r), SV("file:///x")));
	assert_int_equal(method_target(method_find(SV("tools/list")), &r).n, 0);
	assert_int_equal(method_target(NULL, &r).n, 0);
	words_set(&r, RPC_F_NAME, "5");
	assert_int_equal(method_target(method_find(SV("tools/call")), &r).n, 0);
}

static enum shape of_initialize(const char *version)
{
	struct rpc_msg r = words_request("0", "initialize");

	if (version)
		words_set(&r, RPC_F_VERSION, version);
	else
		r.f[RPC_F_VERSION].type = RPC_ABSENT;
	return shape_of(&r);
}

static enum shape of_method(const char *method)
{
	struct rpc_msg r = words_request("1", method);

	return shape_of(&r);
}

static void test_shapes(void **state)
{
	struct rpc_msg r = words_welcome("0");

	(void)state;
	assert_int_equal(of_initialize("\"2024-11-05"), SHAPE_MCP);
	assert_int_equal(of_initialize("\"2099-01-01"), SHAPE_MCP);
	assert_int_equal(of_initialize("1"), SHAPE_ACP);
	assert_int_equal(of_initialize("\"1.0.0"), SHAPE_UNDECIDED);
	assert_int_equal(of_initialize("\"2024-11-0x"), SHAPE_UNDECIDED);
	assert_int_equal(of_initialize(NULL), SHAPE_UNDECIDED);
	assert_int_equal(of_method("tools/call"), SHAPE_MCP);
	assert_int_equal(of_method("ping"), SHAPE_UNDECIDED);
	assert_int_equal(of_method("tasks/get"), SHAPE_UNDECIDED);
	assert_int_equal(of_method("eth_blockNumber"), SHAPE_UNDECIDED);
	assert_int_equal(of_method("session/new"), SHAPE_ACP);
	assert_int_equal(of_method("fs/read_text_file"), SHAPE_ACP);
	assert_int_equal(of_method("message/send"), SHAPE_A2A);
	assert_int_equal(of_method("agent/getAuthenticatedExtendedCard"), SHAPE_A2A);
	assert_int_equal(of_method("textDocument/didOpen"), SHAPE_LSP);
	assert_int_equal(of_method("$/cancelRequest"), SHAPE_LSP);
	assert_int_equal(shape_of(&r), SHAPE_MCP);
	r = words_result("0");
	assert_int_equal(shape_of(&r), SHAPE_UNDECIDED);
	r = words_modern("1", "vendor/own");
	assert_int_equal(shape_of(&r), SHAPE_MCP);
	assert_true(shape_is_modern(&r));
	r = words_request("1", "server/discover");
	assert_true(shape_is_modern(&r));
	r = words_request("1", "tools/call");
	assert_false(shape_is_modern(&r));
}

enum { UP = 1, DOWN = 2 };

static void up(struct peers *p, struct rpc_msg r)
{
	words_say(p, words_line(p, UP, 10, 20), r);
}

static void down(struct peers *p, struct rpc_msg r)
{
	words_say(p, words_line(p, DOWN, 20, 10), r);
}

static void test_acp_beside_mcp(void **state)
{
	struct peers p;
	struct mcp_stats st;
	struct rpc_msg hello = words_request("0", "initialize");

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(20));
	mcp_stdio_set(p.m, 3, 4, words_proc(30));
	words_set(&hello, RPC_F_VERSION, "1");
	up(&p, hello);
	words_say(&p, words_line(&p, 3, 10, 30), words_request("0", "initialize"));
	down(&p, words_result("0"));
	words_say(&p, words_line(&p, 4, 30, 10), words_welcome("0"));
	up(&p, words_request("1", "session/new"));
	down(&p, words_result("1"));
	down(&p, words_request("1", "fs/read_text_file"));
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 1);
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	assert_said(&p, "finding other_protocol - 1 {\"protocol\":\"acp\"}", 2);
	assert_said(&p, "finding", 2);
	assert_said(&p, "verdict 1 other", 1);
	assert_said(&p, "verdict 2 other", 1);
	assert_said(&p, "verdict 3 mcp", 1);
	mcp_stats(p.m, &st);
	assert_int_equal(st.other_jsonrpc, 5);
	peers_done(&p);
}

/* ping and unknown methods say nothing; once decided, all of the channel is MCP, in order. */
static void test_decided_later(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(20));
	up(&p, words_request("1", "ping"));
	down(&p, words_result("1"));
	up(&p, words_request("2", "vendor/own"));
	down(&p, words_result("2"));
	peers_wait(&p, 3000);
	assert_said(&p, "", 0);
	up(&p, words_request("3", "tools/list"));
	assert_said(&p, "call s1 client 1 ping ok", 1);
	assert_said(&p, "call s1 client 2 vendor/own ok", 1);
	down(&p, words_result("3"));
	assert_said(&p, "call s1 client 3 tools/list ok", 1);
	assert_string_equal(p.call[1]->method, "vendor/own");
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 3);
	peers_done(&p);
}

static void test_never_decided(void **state)
{
	struct peers p;
	struct mcp_stats st;
	char id[16];

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(20));
	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof(id), "%d", i);
		up(&p, words_request(id, "subtract"));
		down(&p, words_result(id));
	}
	assert_said(&p, "finding other_protocol - 64 {\"protocol\":\"unknown\"}", 1);
	assert_said(&p, "verdict 1 other", 1);
	assert_said(&p, "verdict 2 other", 1);
	mcp_stats(p.m, &st);
	assert_int_equal(st.other_jsonrpc, 400);
	/* It may still turn out. */
	up(&p, words_request("1", "tools/list"));
	down(&p, words_result("1"));
	assert_said(&p, "verdict 1 mcp", 1);
	assert_said(&p, "call s1 client 1 tools/list ok", 1);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 1);
	peers_done(&p);
}

/* Another program on the same streams: a shell that first ran something else. */
static void test_exec_reopens(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(20));
	up(&p, words_request("1", "textDocument/didOpen"));
	down(&p, words_result("1"));
	up(&p, words_request("2", "tools/list"));
	down(&p, words_result("2"));
	assert_said(&p, "call", 0);
	assert_said(&p, "finding other_protocol - 1 {\"protocol\":\"lsp\"}", 2);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(20));
	up(&p, words_request("3", "tools/list"));
	down(&p, words_result("3"));
	assert_said(&p, "call s1 client 3 tools/list ok", 1);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 1);
	peers_done(&p);
}

static void test_invalid(void **state)
{
	struct peers p;
	struct mcp_stats st;

	(void)state;
	peers_init(&p, NULL);
	up(&p, words_bare(RPC_OTHER, NULL));
	mcp_flush(p.m, p.now);
	mcp_stats(p.m, &st);
	assert_int_equal(st.invalid, 1);
	assert_said(&p, "", 0);
	peers_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_methods),	       cmocka_unit_test(test_targets),
		cmocka_unit_test(test_shapes),	       cmocka_unit_test(test_acp_beside_mcp),
		cmocka_unit_test(test_decided_later),  cmocka_unit_test(test_never_decided),
		cmocka_unit_test(test_exec_reopens),   cmocka_unit_test(test_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
