/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/pair: requests and their answers become calls, on one stdio channel. */
#include "mcp_channel.h"

/* An integer and a string are different ids, and each direction has its own. */
static void test_id_spaces(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	channel_up(&p, words_request("\"1", "tools/list"));
	channel_down(&p, words_request("1", "sampling/createMessage"));
	channel_down(&p, words_result("\"1"));
	assert_said(&p, "call s1 client 1 tools/list ok", 1);
	assert_true(channel_last(&p)->id_is_string);
	channel_up(&p, words_result("1"));
	assert_said(&p, "call s1 server 1 sampling/createMessage ok", 1);
	assert_int_equal(channel_last(&p)->route.client.pid, CLIENT);
	channel_down(&p, words_result("1"));
	assert_said(&p, "call s1 client 1 tools/call ok", 1);
	channel_up(&p, words_request("1.0", "ping"));
	channel_down(&p, words_result("1"));
	assert_said(&p, "call s1 client 1.0", 0); /* as sent, not as a number */
	peers_done(&p);
}

static void test_same_id_twice(void **state)
{
	static const char *const methods[] = { "tools/call", "tools/list", "prompts/list" };
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	for (int i = 0; i < 3; i++)
		channel_up(&p, words_request("5", methods[i]));
	for (int i = 0; i < 3; i++) {
		channel_down(&p, words_result("5"));
		assert_string_equal(channel_last(&p)->method, methods[i]);
	}
	assert_said(&p, "call", 4);
	peers_done(&p);
}

static void test_answer_first(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_down(&p, words_result("7"));
	assert_said(&p, "call s1 client 7", 0);
	channel_up(&p, words_request("7", "tools/call"));
	assert_said(&p, "call s1 client 7 tools/call ok", 1);
	/* No request within a second: an orphan. */
	channel_down(&p, words_error("8", "-1"));
	peers_wait(&p, 900);
	assert_said(&p, "call s1 client 8", 0);
	peers_wait(&p, 200);
	assert_said(&p, "call s1 client 8 - orphan", 1);
	assert_int_equal(channel_last(&p)->error_code, -1);
	assert_false(channel_last(&p)->has_request);
	assert_false(channel_last(&p)->has_duration);
	channel_up(&p, words_request("8", "tools/call")); /* too late */
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client 8 tools/call unanswered", 1);
	peers_done(&p);
}

/* Nobody comes any more: what waits for a request is an orphan at once. */
static void test_early_at_end(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_down(&p, words_result("7"));
	mcp_stream_end(p.m, UP, p.now, "eof");
	mcp_stream_end(p.m, DOWN, p.now, "eof");
	assert_said(&p, "call s1 client 7 - orphan", 1);
	assert_said(&p, "end s1 eof 2 0", 1);
	peers_done(&p);
}

static void cancel(struct peers *p, const char *id)
{
	struct rpc_msg r = words_note("notifications/cancelled");

	words_set(&r, RPC_F_REQUEST_ID, id);
	channel_up(p, r);
}

static void test_cancel(void **state)
{
	struct peers p;
	struct mcp_stats st;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	cancel(&p, "1");
	channel_down(&p, words_result("1")); /* the asker has to ignore it */
	assert_said(&p, "call s1 client 1 tools/call cancelled", 1);
	cancel(&p, "1"); /* opencode does that: answered already */
	channel_up(&p, words_request("2", "tools/call"));
	cancel(&p, "\"2"); /* not that one */
	peers_wait(&p, 2000);
	assert_said(&p, "call s1 client 2", 0);
	cancel(&p, "2");
	peers_wait(&p, 900);
	assert_said(&p, "call s1 client 2", 0);
	peers_wait(&p, 200);
	assert_said(&p, "call s1 client 2 tools/call cancelled", 1);
	assert_false(channel_last(&p)->has_response);
	channel_down(&p, words_result("2")); /* after all: not an orphan */
	peers_wait(&p, 2000);
	channel_up(&p, words_request("3", "tools/call"));
	cancel(&p, "3");
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client 3 tools/call cancelled", 1);
	assert_said(&p, "call", 4);
	assert_said(&p, "note s1 client notifications/cancelled", 5);
	mcp_stats(p.m, &st);
	assert_int_equal(st.late_answers, 1);
	peers_done(&p);
}

/* One id twice in flight, and both taken back. */
static void test_cancel_twice(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	channel_up(&p, words_request("1", "tools/list"));
	for (int i = 0; i < 3; i++)
		cancel(&p, "1");
	peers_wait(&p, 1200);
	assert_said(&p, "call s1 client 1 tools/call cancelled", 1);
	assert_said(&p, "call s1 client 1 tools/list cancelled", 1);
	peers_done(&p);
}

/* Only who asked can take it back. */
static void test_cancel_by_server(void **state)
{
	struct rpc_msg r = words_note("notifications/cancelled");
	struct peers p;

	(void)state;
	words_set(&r, RPC_F_REQUEST_ID, "1");
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	channel_down(&p, words_request("1", "roots/list"));
	channel_down(&p, r);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client 1 tools/call unanswered", 1);
	assert_said(&p, "call s1 server 1 roots/list cancelled", 1);
	peers_done(&p);
}

/* Two sessions whose ids clash. */
static void test_two_sessions(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	mcp_stdio_set(p.m, 3, 4, words_proc(300));
	words_say(&p, words_line(&p, 3, CLIENT, 300), words_request("0", "initialize"));
	words_say(&p, words_line(&p, 4, 300, CLIENT), words_welcome("0"));
	channel_up(&p, words_request("1", "tools/call"));
	words_say(&p, words_line(&p, 3, CLIENT, 300), words_request("1", "tools/list"));
	words_say(&p, words_line(&p, 4, 300, CLIENT), words_result("1"));
	assert_said(&p, "call s2 client 1 tools/list ok", 1);
	channel_down(&p, words_result("1"));
	assert_said(&p, "call s1 client 1 tools/call ok", 1);
	peers_done(&p);
}

/* An error without an id names no request: said at once, without one. */
static void test_error_without_id(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	channel_down(&p, words_error("null", "-32700"));
	assert_said(&p, "call s1 client - - orphan", 1);
	assert_false(channel_last(&p)->has_id);
	channel_down(&p, words_result("1"));
	assert_said(&p, "call s1 client 1 tools/call ok", 1);
	peers_done(&p);
}

static void test_in_flight_cap(void **state)
{
	const struct mcp_caps caps = { 16, 20, 16, 16, 64, 64 };
	struct mcp_stats st;
	struct peers p;
	char id[16];

	(void)state;
	channel_begin(&p, &caps);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "%d", 1000 + i / 2);
		channel_up(&p, words_request(id, "tools/call"));
	}
	assert_said(&p, "call s1 client", 1 + 80);
	assert_said(&p, "call s1 client 1000 tools/call unanswered", 2);
	mcp_stats(p.m, &st);
	assert_int_equal(st.in_flight, 20);
	assert_int_equal(st.in_flight_evicted, 80);
	channel_down(&p, words_result("1049"));
	assert_said(&p, "call s1 client 1049 tools/call ok", 1);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client", 101);
	mcp_stats(p.m, &st);
	assert_int_equal(st.in_flight, 0);
	peers_done(&p);
}

/* Requests that nobody answers and answers that nobody asked for: memory stays bounded. */
static void test_hostile_flood(void **state)
{
	const struct mcp_caps caps = { 16, 500, 16, 16, 64, 64 };
	struct mcp_stats st;
	struct peers p;
	char id[64];

	(void)state;
	channel_begin(&p, &caps);
	for (unsigned int i = 0; i < 100000; i++) {
		snprintf(id, sizeof(id), "\"x%u", i);
		channel_up(&p, words_request(id, "tools/call"));
		snprintf(id, sizeof(id), "\"x%u", i + 1000000);
		channel_down(&p, words_result(id));
	}
	mcp_stats(p.m, &st);
	assert_int_equal(st.in_flight, 500);
	assert_int_equal(st.in_flight_evicted, 100000 - 500);
	mcp_flush(p.m, p.now);
	peers_done(&p);
}

/* Ids are cut at RPC_VALUE_MAX: what is behind counts by its hash. */
static void test_long_ids(void **state)
{
	static char long_id[RPC_VALUE_MAX + 1];
	struct rpc_msg a = words_request("\"x", "tools/call"), b = words_request("\"x", "tools/list");
	struct rpc_msg ra = words_result("\"x"), rb = words_result("\"x");
	struct rpc_msg *const all[] = { &a, &b, &ra, &rb };
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	memset(long_id, 'i', RPC_VALUE_MAX);
	for (int i = 0; i < 4; i++) {
		all[i]->f[RPC_F_ID] = (struct rpc_value){
			.type = RPC_STRING, .cut = true, .text = sv_of(long_id), .hash = 77 + i % 2
		};
	}
	channel_up(&p, a);
	channel_up(&p, b);
	channel_down(&p, rb);
	assert_string_equal(channel_last(&p)->method, "tools/list");
	channel_down(&p, ra);
	assert_string_equal(channel_last(&p)->method, "tools/call");
	peers_done(&p);
}

/* One session that asks and answers without end does not cost another one its requests. */
static void test_shares(void **state)
{
	const struct mcp_caps caps = { 16, 2000, 64, 16, 64, 64 };
	struct mcp_stats st;
	struct peers p;
	char id[32];

	(void)state;
	channel_begin(&p, &caps);
	mcp_stdio_set(p.m, 3, 4, words_proc(300));
	words_say(&p, words_line(&p, 3, CLIENT, 300), words_request("0", "initialize"));
	words_say(&p, words_line(&p, 4, 300, CLIENT), words_welcome("0"));
	channel_up(&p, words_request("1", "tools/call"));
	channel_down(&p, words_result("2"));
	for (unsigned int i = 0; i < 5000; i++) {
		snprintf(id, sizeof(id), "%u", i);
		words_say(&p, words_line(&p, 3, CLIENT, 300), words_request(id, "tools/call"));
		snprintf(id, sizeof(id), "\"%u", i);
		p.now -= 2 * MS; /* all within the grace time */
		words_say(&p, words_line(&p, 4, 300, CLIENT), words_result(id));
	}
	mcp_stats(p.m, &st);
	assert_int_equal(st.in_flight, 1024 + 1);
	peers_forget(&p);
	channel_down(&p, words_result("1"));
	assert_said(&p, "call s1 client 1 tools/call ok", 1);
	channel_up(&p, words_request("2", "tools/call"));
	assert_said(&p, "call s1 client 2 tools/call ok", 1);
	peers_done(&p);
}

/* Progress counts for the request with its token; a number is not the string of its digits. */
static void test_progress(void **state)
{
	static const char *const tokens[] = { "\"7", "7", "\"7", "\"8" };
	struct rpc_msg r;
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	for (int i = 0; i < 2; i++) {
		r = words_request(i ? "2" : "1", "tools/call");
		words_set(&r, RPC_F_META_PROGRESS, tokens[i]);
		channel_up(&p, r);
	}
	channel_up(&p, words_request("3", "tools/call"));
	for (int i = 0; i < 4; i++) {
		r = words_note("notifications/progress");
		words_set(&r, RPC_F_PROGRESS_TOKEN, tokens[i]);
		channel_down(&p, r);
	}
	r = words_note("notifications/progress");
	words_set(&r, RPC_F_PROGRESS_TOKEN, tokens[1]);
	channel_up(&p, r); /* the asker itself says nothing of it */
	for (int i = 0; i < 3; i++) {
		static const uint32_t progress[] = { 2, 1, 0 };
		char id[2] = { (char)('1' + i), 0 };

		channel_down(&p, words_result(id));
		assert_int_equal(channel_last(&p)->progress, progress[i]);
	}
	peers_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_id_spaces),
		cmocka_unit_test(test_same_id_twice),
		cmocka_unit_test(test_answer_first),
		cmocka_unit_test(test_early_at_end),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_twice),
		cmocka_unit_test(test_cancel_by_server),
		cmocka_unit_test(test_two_sessions),
		cmocka_unit_test(test_error_without_id),
		cmocka_unit_test(test_in_flight_cap),
		cmocka_unit_test(test_hostile_flood),
		cmocka_unit_test(test_long_ids),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
