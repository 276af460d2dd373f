/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/record: what a call says. */
#include "mcp_channel.h"

static void test_plain(void **state)
{
	struct peers p;
	struct call *c;

	(void)state;
	channel_begin(&p, NULL);
	assert_string_equal(p.line[2], "start s1 stdio legacy client=agent server=srv version=2025-06-18");
	channel_up(&p, words_request("1", "tools/call"));
	channel_down(&p, words_result("1"));
	c = channel_last(&p);
	assert_string_equal(c->id, "1");
	assert_false(c->id_is_string);
	assert_string_equal(c->tool, "echo");
	assert_string_equal(c->session, "s1");
	assert_string_equal(c->protocol_version, "2025-06-18");
	assert_int_equal(c->seq, 2);
	assert_int_equal(c->outcome, CALL_OK);
	assert_int_equal(c->view, VIEW_BOTH);
	assert_int_equal(c->route.transport, TRANSPORT_STDIO);
	assert_int_equal(c->route.channel, CHANNEL_PIPE);
	assert_int_equal(c->route.era, ERA_LEGACY);
	assert_int_equal(c->route.client.pid, CLIENT);
	assert_int_equal(c->route.server.pid, SERVER);
	assert_int_equal(c->request_bytes, 50);
	assert_int_equal(c->response_bytes, 70);
	assert_int_equal(c->request_seen, 1);
	/* Request at now - 1 ms; its answer is read 150 us after now. */
	assert_int_equal(c->start, p.now - MS);
	assert_int_equal(c->ts, p.now + 150000);
	assert_int_equal(c->duration_ns, MS + 150000);
	assert_int_equal(c->server_ns, MS - 150000);
	mcp_flush(p.m, p.now);
	assert_said(&p, "end s1 shutdown 2 0", 1);
	assert_said(&p, "call", 2);
	peers_done(&p);
}

static void test_outcomes(void **state)
{
	struct peers p;
	struct rpc_msg r = words_result("1");

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	words_set(&r, RPC_F_IS_ERROR, "true");
	channel_down(&p, r);
	assert_int_equal(channel_last(&p)->outcome, CALL_TOOL_ERROR);
	channel_up(&p, words_request("2", "tools/call"));
	channel_down(&p, words_error("2", "-32602"));
	assert_int_equal(channel_last(&p)->outcome, CALL_RPC_ERROR);
	assert_int_equal(channel_last(&p)->error_code, -32602);
	channel_up(&p, words_request("3", "vendor/strange"));
	channel_down(&p, words_result("3"));
	assert_said(&p, "call s1 client 3 vendor/strange ok", 1);
	mcp_stream_end(p.m, UP, p.now, "eof");
	assert_said(&p, "end", 0);
	mcp_stream_end(p.m, DOWN, p.now, "exit");
	assert_said(&p, "end s1 exit 4 2", 1);
	peers_done(&p);
}

static void test_views(void **state)
{
	struct peers p;
	struct mcp_msg msg;

	(void)state;
	channel_begin(&p, NULL);
	words_say(&p, words_line(&p, UP, CLIENT, 0), words_request("1", "tools/call"));
	msg = words_line(&p, DOWN, 0, CLIENT);
	msg.t.first_w = 0;
	msg.t.last_w = 0;
	msg.lost_bytes = 5;
	words_say(&p, msg, words_result("1"));
	assert_int_equal(channel_last(&p)->view, VIEW_ASKER);
	assert_false(channel_last(&p)->has_server_ns);
	assert_int_equal(channel_last(&p)->duration_ns, MS + 150000);
	assert_int_equal(channel_last(&p)->lost_bytes, 5);
	msg = words_line(&p, UP, 0, SERVER);
	msg.t.first_w = 0;
	msg.t.last_w = 0;
	words_say(&p, msg, words_request("2", "tools/call"));
	words_say(&p, words_line(&p, DOWN, SERVER, 0), words_result("2"));
	assert_int_equal(channel_last(&p)->view, VIEW_ANSWERER);
	assert_int_equal(channel_last(&p)->duration_ns, MS + 100000 - 50000); /* to its last write */
	assert_int_equal(channel_last(&p)->server_ns, MS - 150000);
	/* The answer's first byte before the request's last one was read: nothing to say. */
	msg = words_line(&p, UP, CLIENT, SERVER);
	msg.t.last_r += 5 * MS;
	msg.order_uncertain = true;
	words_say(&p, msg, words_request("3", "tools/call"));
	channel_down(&p, words_result("3"));
	assert_false(channel_last(&p)->has_server_ns);
	assert_true(channel_last(&p)->order_uncertain);
	peers_done(&p);
}

/* Times are known, but not whose they are (a transcript). */
static void test_no_processes(void **state)
{
	struct peers p;
	struct mcp_msg msg;

	(void)state;
	peers_init(&p, NULL);
	for (int i = 0; i < 2; i++) {
		msg = words_line(&p, 1 + (uint64_t)i, 0, 0);
		msg.t = (struct mcp_times){ p.now, p.now, p.now, p.now };
		msg.transcript = "t";
		msg.from = i ? SIDE_SERVER : SIDE_CLIENT;
		words_say(&p, msg, i ? words_result("1") : words_request("1", "tools/call"));
	}
	assert_int_equal(channel_last(&p)->view, VIEW_UNKNOWN);
	assert_false(channel_last(&p)->has_server_ns);
	assert_int_equal(channel_last(&p)->duration_ns, MS);
	peers_done(&p);
}

static void test_modern(void **state)
{
	struct peers p;
	struct rpc_msg r = words_modern("1", "tools/call");

	(void)state;
	channel_begin(&p, NULL);
	words_set(&r, RPC_F_META_TRACEPARENT, "\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	channel_up(&p, r);
	channel_down(&p, words_result("1"));
	assert_int_equal(channel_last(&p)->route.era, ERA_MODERN);
	assert_string_equal(channel_last(&p)->protocol_version, "2026-07-28");
	assert_string_equal(channel_last(&p)->trace_id, "0af7651916cd43dd8448eb211c80319c");
	assert_string_equal(channel_last(&p)->parent_span_id, "b7ad6b7169203331");
	channel_up(&p, words_request("2", "tools/call"));
	channel_down(&p, words_result("2"));
	assert_int_equal(channel_last(&p)->route.era, ERA_LEGACY);
	assert_null(channel_last(&p)->trace_id);
	peers_done(&p);
}

static void test_traceparent(void **state)
{
	static const char *const bad[] = {
		"\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
		"\"00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"\"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"\"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
		"\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
		"\"",
	};
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rpc_msg r = words_request("1", "tools/call");

		words_set(&r, RPC_F_META_TRACEPARENT, bad[i]);
		channel_up(&p, r);
		channel_down(&p, words_result("1"));
		assert_null(channel_last(&p)->trace_id);
		assert_null(channel_last(&p)->parent_span_id);
	}
	peers_done(&p);
}

/* The stream was open before us, but its session began after. */
static void test_not_late(void **state)
{
	struct peers p;
	struct mcp_msg msg;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	msg = words_line(&p, UP, CLIENT, SERVER);
	msg.late = true;
	words_say(&p, msg, words_request("0", "initialize"));
	channel_down(&p, words_welcome("0"));
	assert_said(&p, "start s1 stdio legacy client=agent", 1);
	peers_done(&p);
}

/* With --content: raw members are kept, also of an answer that had to wait. */
static void test_content(void **state)
{
	struct peers p;
	struct rpc_msg r = words_request("1", "tools/call"), e = words_error("1", "-5");

	(void)state;
	channel_begin(&p, NULL);
	r.params = SV("{\"name\":\"echo\"}");
	e.error = SV("{\"code\":-5}");
	channel_down(&p, e);
	channel_up(&p, r);
	assert_string_equal(channel_last(&p)->params, "{\"name\":\"echo\"}");
	assert_string_equal(channel_last(&p)->error, "{\"code\":-5}");
	assert_null(channel_last(&p)->result);
	channel_up(&p, words_request("2", "tools/call"));
	e = words_result("2");
	e.result = SV("{}");
	channel_down(&p, e);
	assert_string_equal(channel_last(&p)->result, "{}");
	assert_null(channel_last(&p)->params);
	peers_done(&p);
}

/* A client that tries the modern era first (Python does so in place) and then falls back. */
static void test_both_eras(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	channel_up(&p, words_modern("\"probe", "server/discover"));
	channel_down(&p, words_error("\"probe", "-32601"));
	assert_said(&p, "start s1 stdio modern client=newagent server=- version=2026-07-28", 1);
	assert_int_equal(channel_last(&p)->route.era, ERA_MODERN);
	channel_up(&p, words_request("0", "initialize"));
	channel_down(&p, words_welcome("0"));
	assert_int_equal(channel_last(&p)->route.era, ERA_LEGACY);
	assert_string_equal(channel_last(&p)->protocol_version, "2025-06-18");
	channel_down(&p, words_result("9"));
	peers_wait(&p, 1200);
	assert_int_equal(channel_last(&p)->outcome, CALL_ORPHAN);
	assert_int_equal(channel_last(&p)->route.era, ERA_LEGACY);
	peers_done(&p);
}

/* An initialize whose version is no date; its answer decides. */
static void test_odd_version(void **state)
{
	struct rpc_msg r = words_request("0", "initialize");
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	words_set(&r, RPC_F_VERSION, "\"1.0");
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	channel_up(&p, r);
	channel_down(&p, words_welcome("0"));
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	peers_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	    cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_views),	    cmocka_unit_test(test_no_processes),
		cmocka_unit_test(test_modern),	    cmocka_unit_test(test_traceparent),
		cmocka_unit_test(test_not_late),    cmocka_unit_test(test_content),
		cmocka_unit_test(test_both_eras),
		cmocka_unit_test(test_odd_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
