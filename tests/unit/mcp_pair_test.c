/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/pair: requests and their answers become calls, on one stdio channel. */
#include "mcp_words.h"

enum { UP = 11, DOWN = 12, CLIENT = 100, SERVER = 200 };

static void up(struct peers *p, struct rpc_msg r)
{
	words_say(p, words_line(p, UP, CLIENT, SERVER), r);
}

static void down(struct peers *p, struct rpc_msg r)
{
	words_say(p, words_line(p, DOWN, SERVER, CLIENT), r);
}

static void begin(struct peers *p, const struct mcp_caps *caps)
{
	peers_init(p, caps);
	mcp_stdio_set(p->m, UP, DOWN, words_proc(SERVER));
	up(p, words_request("0", "initialize"));
	down(p, words_welcome("0"));
	up(p, words_note("notifications/initialized"));
	assert_said(p, "call s1 client 0 initialize ok", 1);
}

static struct call *last(struct peers *p)
{
	assert_true(p->calls > 0);
	return p->call[p->calls - 1];
}

static void test_plain(void **state)
{
	struct peers p;
	struct call *c;

	(void)state;
	begin(&p, NULL);
	assert_string_equal(p.line[2], "start s1 stdio legacy client=agent server=srv version=2025-06-18");
	up(&p, words_request("1", "tools/call"));
	down(&p, words_result("1"));
	c = last(&p);
	assert_string_equal(c->id, "1");
	assert_false(c->id_is_string);
	assert_string_equal(c->tool, "echo");
	assert_string_equal(c->session, "s1");
	assert_string_equal(c->protocol_version, "2025-06-18");
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
	begin(&p, NULL);
	up(&p, words_request("1", "tools/call"));
	words_set(&r, RPC_F_IS_ERROR, "true");
	down(&p, r);
	assert_int_equal(last(&p)->outcome, CALL_TOOL_ERROR);
	up(&p, words_request("2", "tools/call"));
	down(&p, words_error("2", "-32602"));
	assert_int_equal(last(&p)->outcome, CALL_RPC_ERROR);
	assert_int_equal(last(&p)->error_code, -32602);
	up(&p, words_request("3", "vendor/strange"));
	down(&p, words_result("3"));
	assert_said(&p, "call s1 client 3 vendor/strange ok", 1);
	mcp_stream_end(p.m, UP, p.now, "eof");
	assert_said(&p, "end", 0);
	mcp_stream_end(p.m, DOWN, p.now, "exit");
	assert_said(&p, "end s1 exit 4 2", 1);
	peers_done(&p);
}

/* An integer and a string are different ids, and each direction has its own. */
static void test_id_spaces(void **state)
{
	struct peers p;

	(void)state;
	begin(&p, NULL);
	up(&p, words_request("1", "tools/call"));
	up(&p, words_request("\"1", "tools/list"));
	down(&p, words_request("1", "sampling/createMessage"));
	down(&p, words_result("\"1"));
	assert_said(&p, "call s1 client 1 tools/list ok", 1);
	assert_true(last(&p)->id_is_string);
	up(&p, words_result("1"));
	assert_said(&p, "call s1 server 1 sampling/createMessage ok", 1);
	assert_int_equal(last(&p)->route.client.pid, CLIENT);
	down(&p, words_result("1"));
	assert_said(&p, "call s1 client 1 tools/call ok", 1);
	up(&p, words_request("1.0", "ping"));
	down(&p, words_result("1"));
	assert_said(&p, "call s1 client 1.0", 0); /* as sent, not as a number */
	peers_done(&p);
}

static void test_same_id_twice(void **state)
{
	struct peers p;

	(void)state;
	begin(&p, NULL);
	up(&p, words_request("5", "tools/call"));
	up(&p, words_request("5", "tools/list"));
	up(&p, words_request("5", "prompts/list"));
	down(&p, words_result("5"));
	assert_string_equal(last(&p)->method, "tools/call");
	down(&p, words_result("5"));
	assert_string_equal(last(&p)->method, "tools/list");
	down(&p, words_result("5"));
	assert_string_equal(last(&p)->method, "prompts/list");
	assert_said(&p, "call", 4);
	peers_done(&p);
}

static void test_answer_first(void **state)
{
	struct peers p;
	struct mcp_msg msg;

	(void)state;
	begin(&p, NULL);
	down(&p, words_result("7"));
	assert_said(&p, "call s1 client 7", 0);
	msg = words_line(&p, UP, CLIENT, SERVER);
	words_say(&p, msg, words_request("7", "tools/call"));
	assert_said(&p, "call s1 client 7 tools/call ok", 1);
	/* No request within a second: an orphan. */
	down(&p, words_error("8", "-1"));
	peers_wait(&p, 900);
	assert_said(&p, "call s1 client 8", 0);
	peers_wait(&p, 200);
	assert_said(&p, "call s1 client 8 - orphan", 1);
	assert_int_equal(last(&p)->error_code, -1);
	assert_false(last(&p)->has_request);
	assert_false(last(&p)->has_duration);
	up(&p, words_request("8", "tools/call")); /* too late */
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client 8 tools/call unanswered", 1);
	peers_done(&p);
}

static void cancel(struct peers *p, const char *id)
{
	struct rpc_msg r = words_note("notifications/cancelled");

	words_set(&r, RPC_F_REQUEST_ID, id);
	up(p, r);
}

static void test_cancel(void **state)
{
	struct peers p;
	struct mcp_stats st;

	(void)state;
	begin(&p, NULL);
	up(&p, words_request("1", "tools/call"));
	cancel(&p, "1");
	down(&p, words_result("1")); /* it was on its way */
	assert_said(&p, "call s1 client 1 tools/call ok", 1);
	cancel(&p, "1"); /* opencode does that: answered already */
	up(&p, words_request("2", "tools/call"));
	cancel(&p, "\"2"); /* not that one */
	peers_wait(&p, 2000);
	assert_said(&p, "call s1 client 2", 0);
	cancel(&p, "2");
	peers_wait(&p, 900);
	assert_said(&p, "call s1 client 2", 0);
	peers_wait(&p, 200);
	assert_said(&p, "call s1 client 2 tools/call cancelled", 1);
	assert_false(last(&p)->has_response);
	down(&p, words_result("2")); /* after all: not an orphan */
	peers_wait(&p, 2000);
	up(&p, words_request("3", "tools/call"));
	cancel(&p, "3");
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client 3 tools/call cancelled", 1);
	assert_said(&p, "call", 4);
	assert_said(&p, "note s1 client notifications/cancelled", 5);
	mcp_stats(p.m, &st);
	assert_int_equal(st.late_answers, 1);
	peers_done(&p);
}

static void test_views(void **state)
{
	struct peers p;
	struct mcp_msg msg;

	(void)state;
	begin(&p, NULL);
	msg = words_line(&p, UP, CLIENT, 0);
	words_say(&p, msg, words_request("1", "tools/call"));
	msg = words_line(&p, DOWN, 0, CLIENT);
	msg.t.first_w = 0;
	msg.t.last_w = 0;
	msg.lost_bytes = 5;
	words_say(&p, msg, words_result("1"));
	assert_int_equal(last(&p)->view, VIEW_ASKER);
	assert_false(last(&p)->has_server_ns);
	assert_int_equal(last(&p)->duration_ns, MS + 150000);
	assert_int_equal(last(&p)->lost_bytes, 5);
	msg = words_line(&p, UP, 0, SERVER);
	msg.t.first_w = 0;
	msg.t.last_w = 0;
	words_say(&p, msg, words_request("2", "tools/call"));
	words_say(&p, words_line(&p, DOWN, SERVER, 0), words_result("2"));
	assert_int_equal(last(&p)->view, VIEW_ANSWERER);
	assert_int_equal(last(&p)->duration_ns, MS + 100000 - 50000); /* to its last write */
	assert_int_equal(last(&p)->server_ns, MS - 150000);
	/* The answer's first byte before the request's last one was read: nothing to say. */
	msg = words_line(&p, UP, CLIENT, SERVER);
	msg.t.last_r += 5 * MS;
	words_say(&p, msg, words_request("3", "tools/call"));
	down(&p, words_result("3"));
	assert_false(last(&p)->has_server_ns);
	peers_done(&p);
}

static void test_modern(void **state)
{
	struct peers p;
	struct rpc_msg r = words_modern("1", "tools/call");

	(void)state;
	begin(&p, NULL);
	words_set(&r, RPC_F_META_TRACEPARENT, "\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	up(&p, r);
	down(&p, words_result("1"));
	assert_int_equal(last(&p)->route.era, ERA_MODERN);
	assert_string_equal(last(&p)->protocol_version, "2026-07-28");
	assert_string_equal(last(&p)->trace_id, "0af7651916cd43dd8448eb211c80319c");
	assert_string_equal(last(&p)->parent_span_id, "b7ad6b7169203331");
	up(&p, words_request("2", "tools/call"));
	down(&p, words_result("2"));
	assert_int_equal(last(&p)->route.era, ERA_LEGACY);
	assert_null(last(&p)->trace_id);
	peers_done(&p);
}

static void test_in_flight_cap(void **state)
{
	const struct mcp_caps caps = { 16, 20, 16, 16 };
	struct mcp_stats st;
	struct peers p;
	char id[16];

	(void)state;
	begin(&p, &caps);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "%d", 1000 + i / 2);
		up(&p, words_request(id, "tools/call"));
	}
	assert_said(&p, "call s1 client", 1 + 80);
	assert_said(&p, "call s1 client 1000 tools/call unanswered", 2);
	mcp_stats(p.m, &st);
	assert_int_equal(st.in_flight, 20);
	assert_int_equal(st.in_flight_evicted, 80);
	down(&p, words_result("1049"));
	assert_said(&p, "call s1 client 1049 tools/call ok", 1);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client", 101);
	mcp_stats(p.m, &st);
	assert_int_equal(st.in_flight, 0);
	peers_done(&p);
}

static void flood(struct peers *p, const char *pad, unsigned int n)
{
	char id[64];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "\"%s%u", pad, i);
		up(p, words_request(id, "tools/call"));
		snprintf(id, sizeof(id), "\"%s%u", pad, i + 1000000);
		down(p, words_result(id));
	}
}

/* Requests that nobody answers and answers that nobody asked for: memory stays bounded. */
static void test_hostile_flood(void **state)
{
	const struct mcp_caps caps = { 16, 500, 16, 16 };
	struct mcp_stats st;
	struct peers p;

	(void)state;
	begin(&p, &caps);
	flood(&p, "x", 100000);
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
	begin(&p, NULL);
	memset(long_id, 'i', RPC_VALUE_MAX);
	for (int i = 0; i < 4; i++) {
		all[i]->f[RPC_F_ID] = (struct rpc_value){
			.type = RPC_STRING, .cut = true, .text = sv_of(long_id), .hash = 77 + i % 2
		};
	}
	up(&p, a);
	up(&p, b);
	down(&p, rb);
	assert_string_equal(last(&p)->method, "tools/list");
	down(&p, ra);
	assert_string_equal(last(&p)->method, "tools/call");
	peers_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	     cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_id_spaces),    cmocka_unit_test(test_same_id_twice),
		cmocka_unit_test(test_answer_first), cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_views),	     cmocka_unit_test(test_modern),
		cmocka_unit_test(test_in_flight_cap), cmocka_unit_test(test_hostile_flood),
		cmocka_unit_test(test_long_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
