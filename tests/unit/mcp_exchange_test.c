/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/http, mcp/exchange: is an exchange MCP, and how many are kept. */
#include "mcp_web.h"

static void test_others(void **state)
{
	struct web w;
	struct mcp_http x;
	struct mcp_stats st;

	(void)state;
	web_begin(&w);
	web_hello(&w, NULL);
	x = web_post(&w, "/rpc");
	web_ask(&w, &x, words_request("1", "eth_blockNumber"));
	web_tell(&w, &x, words_result("1"));
	web_over(&w, &x);
	web_ask(&w, &x, words_request("2", "eth_blockNumber"));
	x = web_post(&w, "/a2a");
	web_ask(&w, &x, words_request("1", "message/send"));
	web_tell(&w, &x, words_result("1"));
	web_over(&w, &x);
	x.id = ++w.exchanges;
	x.done = false;
	struct mcp_msg again = words_line(&w.p, 2 * x.id - 2, w.client, 20); /* the same stream once more */

	again.http = &x;
	x.in_response = false;
	words_say(&w.p, again, words_request("2", "message/send"));
	peers_wait(&w.p, 1500);
	assert_said(&w.p, "call", 1);
	assert_said(&w.p, "finding other_protocol - 3 {\"protocol\":\"unknown\"}", 1);
	assert_said(&w.p, "finding other_protocol - 1 {\"protocol\":\"a2a\"}", 1);
	assert_said(&w.p, "finding", 2);
	assert_said(&w.p, "verdict 4", 0); /* a connection carries all kinds */
	mcp_stats(w.p.m, &st);
	assert_int_equal(st.other_jsonrpc, 6);
	web_done(&w);
}

static void test_headers_decide(void **state)
{
	struct web w;
	struct mcp_http x;

	(void)state;
	web_begin(&w);
	x = web_post(&w, "/mcp");
	x.version = SV("2025-06-18");
	web_ask(&w, &x, words_request("1", "vendor/own"));
	web_tell(&w, &x, words_result("1"));
	assert_said(&w.p, "call s1 client 1 vendor/own ok", 1);
	assert_string_equal(web_last(&w)->protocol_version, "2025-06-18");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, words_request("1", "ping"));
	assert_said(&w.p, "start s2", 1);
	web_done(&w);
}

static void test_decided_by_answer(void **state)
{
	struct rpc_msg r = words_request("0", "initialize");
	struct web w;
	struct mcp_http x;

	(void)state;
	web_begin(&w);
	words_set(&r, RPC_F_VERSION, "\"1.0");
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, r);
	web_tell(&w, &x, words_welcome("0"));
	assert_said(&w.p, "call s1 client 0 initialize ok", 1);
	web_done(&w);
}

static void test_held(void **state)
{
	static char big[100000];
	struct rpc_msg r = words_request("1", "vendor/own");
	struct mcp_stats st;
	struct mcp_http x;
	struct web w;

	(void)state;
	memset(big, ' ', sizeof(big));
	web_begin(&w);
	x = web_post(&w, "/x");
	for (int i = 0; i < 100; i++)
		web_ask(&w, &x, r);
	mcp_stats(w.p.m, &st);
	assert_int_equal(st.held_dropped, 100 - 64);
	r.params = (struct sv){ big, sizeof(big) };
	for (int i = 0; i < 300; i++) {
		x = web_post(&w, "/x");
		web_ask(&w, &x, r);
	}
	mcp_stats(w.p.m, &st);
	assert_in_range(st.held_dropped, 36 + 64 + 100, 36 + 64 + 200);
	web_done(&w);
}

static void test_long_exchange(void **state)
{
	const struct mcp_caps caps = { 16, 1000, 64, 16, 64, 64 };
	struct mcp_stats st;
	struct mcp_http x, y;
	struct web w;

	(void)state;
	memset(&w, 0, sizeof(w));
	peers_init(&w.p, &caps);
	w.client = 10;
	web_hello(&w, "A");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, words_request("1", "tools/call"));
	for (int i = 0; i < 100; i++) {
		y = web_in_session(&w, "A");
		web_ask(&w, &y, words_request("2", "ping"));
		web_tell(&w, &y, words_result("2"));
		web_over(&w, &y);
	}
	web_tell(&w, &x, words_result("1"));
	assert_said(&w.p, "call s1 client 1 tools/call ok", 1);
	mcp_stats(w.p.m, &st);
	assert_int_equal(st.exchanges_evicted, 0);
	web_done(&w);
}

static void test_caps(void **state)
{
	const struct mcp_caps caps = { 16, 1000, 64, 16, 64, 64 };
	struct mcp_stats st;
	struct mcp_http x;
	struct web w;
	char id[16];

	(void)state;
	memset(&w, 0, sizeof(w));
	peers_init(&w.p, &caps);
	for (unsigned int i = 0; i < 300; i++) {
		snprintf(id, sizeof(id), "%u", i);
		x = web_in_session(&w, id);
		web_ask(&w, &x, words_request("1", "tools/call"));
	}
	mcp_stats(w.p.m, &st);
	assert_int_equal(st.sessions, 16);
	assert_int_equal(st.sessions_evicted, 284);
	assert_int_equal(st.exchanges_evicted, 284);
	assert_said(&w.p, "end s1 idle 1 0", 1);
	for (unsigned int i = 0; i < 5000; i++) { /* held, undecided */
		x = web_post(&w, "/x");
		web_ask(&w, &x, words_request("1", "vendor/own"));
	}
	mcp_stats(w.p.m, &st);
	assert_true(st.exchanges_evicted > 4900);
	web_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_headers_decide),
		cmocka_unit_test(test_decided_by_answer),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_long_exchange),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
