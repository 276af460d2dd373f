/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/call_marks, mcp/tools: what a call keeps of its content, hints of tools, attempts. */
#include "mcp_channel.h"

#include "base/hash.h"

static void test_ordinals(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	channel_up(&p, words_request("2", "tools/list"));
	channel_up(&p, words_request("3", "tools/call"));
	channel_down(&p, words_result("3"));
	assert_int_equal(channel_last(&p)->ordinal, 1);
	assert_true(channel_last(&p)->has_ordinal);
	channel_down(&p, words_result("2"));
	assert_false(channel_last(&p)->has_ordinal);
	channel_down(&p, words_result("1"));
	assert_int_equal(channel_last(&p)->ordinal, 0);
	assert_true(channel_last(&p)->has_ordinal);
	assert_int_equal(channel_last(&p)->session_no, 1);
	assert_string_equal(channel_last(&p)->client_name, "agent");
	assert_string_equal(channel_last(&p)->server_name, "srv");
	peers_done(&p);
}

/* Who is asked, once for each request; names as far as they are known. */
static void test_asked(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	p.tell_asked = true;
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	channel_up(&p, words_request("0", "initialize"));
	channel_down(&p, words_welcome("0"));
	channel_up(&p, words_request("1", "tools/call"));
	assert_said(&p, "asked s1 0 initialize client=agent", 1);
	assert_said(&p, "asked s1 1 tools/call client=agent", 1);
	channel_down(&p, words_result("1"));
	channel_down(&p, words_result("2"));
	channel_up(&p, words_request("2", "tools/call")); /* after its answer */
	assert_said(&p, "call s1 client 2 tools/call ok", 1);
	assert_said(&p, "asked", 3);
	assert_string_equal(p.line[p.lines - 2], "asked s1 2 tools/call client=agent");
	peers_done(&p);
}

static void test_marks(void **state)
{
	struct rpc_marks up = {
		.args = { { 1, 2 } }, .shape = 3, .simhash = 4, .ints = { { 5, -6 }, { 7, 8 } }, .n_ints = 2
	};
	struct rpc_marks down = {
		.result = { { 9, 10 } }, .masked = { { 11, 12 } }, .head = "ok", .head_n = 2, .text_bytes = 13
	};
	struct rpc_msg r = words_request("1", "tools/call"), a = words_result("1");
	const struct call *c;
	struct peers p;

	(void)state;
	r.marks = &up;
	a.marks = &down;
	channel_begin(&p, NULL);
	channel_up(&p, r);
	channel_down(&p, a);
	c = channel_last(&p);
	assert_memory_equal(&c->args_fp, &up.args, sizeof(up.args));
	assert_memory_equal(&c->result_fp, &down.result, sizeof(down.result));
	assert_memory_equal(&c->masked_fp, &down.masked, sizeof(down.masked));
	assert_int_equal(c->marks.shape, 3);
	assert_int_equal(c->marks.simhash, 4);
	assert_int_equal(c->marks.n_ints, 2);
	assert_int_equal(c->marks.ints[0].path, 5);
	assert_int_equal(c->marks.ints[0].v, -6);
	assert_int_equal(c->marks.ints[1].v, 8);
	assert_int_equal(c->marks.text_bytes, 13);
	peers_done(&p);
}

/* A message with a hole has no fingerprint, whatever was made of the rest. */
static void test_lost(void **state)
{
	struct rpc_msg r = words_request("1", "tools/call"), a = words_result("1");
	struct mcp_msg msg;
	struct peers p;

	(void)state;
	words_marks(&r, 5, 0);
	words_marks(&a, 0, 6);
	channel_begin(&p, NULL);
	for (int lost = 0; lost < 2; lost++) {
		msg = words_line(&p, UP, CLIENT, SERVER);
		msg.lost_bytes = lost == 0;
		words_say(&p, msg, r);
		msg = words_line(&p, DOWN, SERVER, CLIENT);
		msg.lost_bytes = lost == 1;
		words_say(&p, msg, a);
		assert_int_equal(fp_is(&channel_last(&p)->args_fp), lost == 1);
		assert_int_equal(fp_is(&channel_last(&p)->result_fp), lost == 0);
	}
	peers_done(&p);
}

static void test_hashes(void **state)
{
	struct rpc_msg r = words_request("1", "tools/list"), a = words_result("1");
	const struct call *c;
	struct peers p;
	uint64_t lane;

	(void)state;
	channel_begin(&p, NULL);
	words_set(&r, RPC_F_CURSOR, "\"page2");
	words_set(&a, RPC_F_NEXT_CURSOR, "\"page2");
	words_set(&r, RPC_F_META_CODEX_THREAD, "\"t1");
	words_set(&r, RPC_F_META_TRACEPARENT, "\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	channel_up(&p, r);
	channel_down(&p, a);
	c = channel_last(&p);
	assert_int_not_equal(c->marks.cursor, 0);
	assert_true(c->marks.cursor == c->marks.next_cursor);
	lane = c->marks.lane;
	assert_int_not_equal(lane, 0);
	r = words_request("2", "tools/call");
	words_set(&r, RPC_F_META_THREAD, "\"t1");
	words_set(&r, RPC_F_META_SESSION, "\"s");
	channel_up(&p, r);
	channel_down(&p, words_result("2"));
	c = channel_last(&p);
	assert_true(c->marks.lane == lane);
	assert_int_equal(c->marks.cursor, 0);
	assert_int_equal(c->marks.next_cursor, 0);
	channel_up(&p, words_request("3", "tools/call"));
	channel_down(&p, words_result("3"));
	assert_int_equal(channel_last(&p)->marks.lane, 0);
	peers_done(&p);
}

static uint64_t hash_of(const char *name)
{
	return hash_bytes(name, strlen(name));
}

static void list(struct peers *p, const struct rpc_tool *tools, uint32_t n)
{
	struct rpc_msg a = words_result("90");

	a.tools = tools;
	a.n_tools = n;
	channel_up(p, words_request("90", "tools/list"));
	channel_down(p, a);
}

static const struct call *call_tool(struct peers *p, const char *name)
{
	struct rpc_msg r = words_request("91", "tools/call");

	words_set(&r, RPC_F_NAME, name);
	channel_up(p, r);
	channel_down(p, words_result("91"));
	return channel_last(p);
}

static void test_hints(void **state)
{
	struct rpc_tool tools[] = {
		{ .name_hash = hash_of("get"), .read_only = true },
		{ .name_hash = hash_of("put") },
		{ .name_hash = hash_of("do") },
	};
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	assert_false(call_tool(&p, "\"get")->marks.read_only);
	list(&p, tools, 3);
	assert_true(call_tool(&p, "\"get")->marks.read_only);
	assert_false(call_tool(&p, "\"put")->marks.read_only);
	assert_false(call_tool(&p, "\"do")->marks.read_only);
	tools[0].read_only = false; /* the server changed its mind */
	list(&p, tools, 3);
	assert_false(call_tool(&p, "\"get")->marks.read_only);
	tools[0].read_only = true;
	list(&p, tools, 1);
	mcp_stdio_set(p.m, 3, 4, words_proc(300)); /* another session's tool of that name */
	words_say(&p, words_line(&p, 3, CLIENT, 300), words_request("0", "initialize"));
	words_say(&p, words_line(&p, 4, 300, CLIENT), words_welcome("0"));
	words_say(&p, words_line(&p, 3, CLIENT, 300), words_request("1", "tools/call"));
	words_say(&p, words_line(&p, 4, 300, CLIENT), words_result("1"));
	assert_false(channel_last(&p)->marks.read_only);
	peers_done(&p);
}

/* One session with names without end loses its own, not those of another. */
static void test_hints_share(void **state)
{
	const struct mcp_caps caps = { 16, 100, 64, 16, 64, 64 };
	struct rpc_tool good = { .name_hash = hash_of("get"), .read_only = true }, bad = good;
	struct mcp_stats st;
	struct peers p;
	char id[16];

	(void)state;
	channel_begin(&p, &caps);
	list(&p, &good, 1);
	mcp_stdio_set(p.m, 3, 4, words_proc(300));
	words_say(&p, words_line(&p, 3, CLIENT, 300), words_request("0", "initialize"));
	words_say(&p, words_line(&p, 4, 300, CLIENT), words_welcome("0"));
	for (unsigned int i = 0; i < 1000; i++) {
		struct rpc_msg a = words_result(id);

		snprintf(id, sizeof(id), "%u", i + 1);
		a = words_result(id);
		bad.name_hash = i + 1;
		a.tools = &bad;
		a.n_tools = 1;
		words_say(&p, words_line(&p, 3, CLIENT, 300), words_request(id, "tools/list"));
		words_say(&p, words_line(&p, 4, 300, CLIENT), a);
	}
	mcp_stats(p.m, &st);
	assert_int_equal(st.tools_evicted, 1000 - 64 / 4);
	peers_forget(&p);
	assert_true(call_tool(&p, "\"get")->marks.read_only);
	peers_done(&p);
}

static const struct call *try(struct peers *p, uint64_t args, enum call_outcome outcome)
{
	struct rpc_msg r = words_request("92", "tools/call"), a = words_result("92");

	words_marks(&r, args, 0);
	if (outcome == CALL_TOOL_ERROR)
		words_set(&a, RPC_F_IS_ERROR, "true");
	else if (outcome == CALL_RPC_ERROR)
		a = words_error("92", "-32603");
	channel_up(p, r);
	channel_down(p, a);
	assert_int_equal(channel_last(p)->outcome, outcome);
	return channel_last(p);
}

/* "failed 3 times, then ok" */
static void test_attempts(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	assert_int_equal(try(&p, 7, CALL_TOOL_ERROR)->attempt, 1);
	assert_int_equal(try(&p, 7, CALL_RPC_ERROR)->attempt, 2);
	assert_int_equal(try(&p, 8, CALL_TOOL_ERROR)->attempt, 1); /* other arguments */
	assert_int_equal(try(&p, 7, CALL_TOOL_ERROR)->attempt, 3);
	assert_int_equal(try(&p, 7, CALL_OK)->attempt, 4);
	assert_int_equal(try(&p, 7, CALL_OK)->attempt, 1);
	assert_int_equal(try(&p, 7, CALL_TOOL_ERROR)->attempt, 1);
	assert_int_equal(try(&p, 0, CALL_TOOL_ERROR)->attempt, 1); /* no arguments are arguments, too */
	assert_int_equal(try(&p, 0, CALL_OK)->attempt, 2);
	assert_int_equal(try(&p, 8, CALL_OK)->attempt, 2);
	peers_done(&p);
}

/* Sent at once: none of them follows the others' failure. What is sent after them does. */
static void test_attempts_at_once(void **state)
{
	static const char *const ids[] = { "1", "2", "3" };
	struct rpc_msg r, late = words_request("4", "tools/call");
	struct mcp_msg msg;
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	for (int i = 0; i < 3; i++) {
		r = words_request(ids[i], "tools/call");
		words_marks(&r, 7, 0);
		channel_up(&p, r);
	}
	msg = words_line(&p, UP, CLIENT, SERVER); /* sent now, seen after the answers */
	for (int i = 0; i < 3; i++) {
		channel_down(&p, words_error(ids[i], "-1"));
		assert_int_equal(channel_last(&p)->attempt, 1);
	}
	words_marks(&late, 7, 0);
	words_say(&p, msg, late);
	channel_down(&p, words_result("5"));
	channel_down(&p, words_error("4", "-1"));
	assert_int_equal(channel_last(&p)->attempt, 1);
	assert_int_equal(try(&p, 7, CALL_OK)->attempt, 2);
	peers_done(&p);
}

/* Without marks it is not known whether two calls are the same. */
static void test_attempts_unknown(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	for (int i = 0; i < 2; i++) {
		channel_up(&p, words_request("1", "tools/call"));
		channel_down(&p, words_error("1", "-1"));
		assert_int_equal(channel_last(&p)->attempt, 1);
	}
	peers_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinals),	 cmocka_unit_test(test_asked),
		cmocka_unit_test(test_marks),		 cmocka_unit_test(test_lost),
		cmocka_unit_test(test_hashes),		 cmocka_unit_test(test_hints),
		cmocka_unit_test(test_hints_share),	 cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_attempts_at_once), cmocka_unit_test(test_attempts_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
