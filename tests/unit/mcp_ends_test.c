/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/ends, mcp/hang, and the ends of sessions: processes that go, servers that hang, what is in flight. */
#include "mcp_channel.h"
#include "mcp_web.h"

static void test_server_dies(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	channel_up(&p, words_request("2", "tools/call"));
	channel_down(&p, words_request("7", "roots/list"));
	mcp_process_exit(p.m, words_proc(SERVER), p.now);
	channel_down(&p, words_result("2")); /* was on its way */
	peers_wait(&p, 500);
	assert_said(&p, "end", 0);
	peers_wait(&p, 700);
	assert_said(&p, "call s1 client 1 tools/call unanswered", 1);
	assert_said(&p, "call s1 client 2 tools/call ok", 1);
	assert_said(&p, "finding server_died_in_flight s1 1 {\"calls\":1}", 1);
	assert_said(&p, "end s1 exit", 1);
	assert_said(&p, "finding", 1);
	peers_done(&p);
}

/* Its streams end at once, since the kernel closes them. */
static void test_server_dies_streams_end(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	mcp_process_exit(p.m, words_proc(SERVER), p.now);
	p.now += MS;
	mcp_stream_end(p.m, DOWN, p.now, "eof");
	mcp_stream_end(p.m, UP, p.now, "eof");
	assert_said(&p, "finding server_died_in_flight s1 1 {\"calls\":1}", 1);
	assert_said(&p, "end s1 exit", 1);
	peers_done(&p);
}

/* A server that goes since its input ended did what it was told; that of a client that is gone, too. */
static void test_client_closes(void **state)
{
	struct peers p;

	(void)state;
	for (int i = 0; i < 2; i++) {
		channel_begin(&p, NULL);
		channel_up(&p, words_request("1", "tools/call"));
		if (i)
			mcp_process_exit(p.m, words_proc(CLIENT), p.now);
		p.now += MS;
		mcp_stream_end(p.m, UP, p.now, "eof");
		p.now += MS;
		mcp_process_exit(p.m, words_proc(SERVER), p.now);
		p.now += MS;
		mcp_stream_end(p.m, DOWN, p.now, "eof");
		assert_said(&p, "call s1 client 1 tools/call unanswered", 1);
		assert_said(&p, i ? "end s1 exit" : "end s1 eof", 1);
		assert_said(&p, "finding", 0);
		peers_done(&p);
	}
}

/* It read nothing: that it is the server is known from its exec alone. */
static void test_hung_server_dies(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	words_say(&p, words_line(&p, UP, CLIENT, 0), words_request("0", "initialize"));
	peers_wait(&p, 1200);
	mcp_process_exit(p.m, words_proc(SERVER), p.now);
	peers_wait(&p, 1200);
	assert_said(&p, "finding initialize_unanswered s1 1 {\"waited_ms\":1200}", 1);
	assert_said(&p, "call s1 client 0 initialize unanswered", 1);
	assert_said(&p, "end s1 exit", 1);
	assert_said(&p, "finding", 1);
	peers_done(&p);
}

/* Any other process, or the same pid at another time, is nobody. */
static void test_other_process(void **state)
{
	struct proc_id again = words_proc(SERVER);
	struct peers p;

	(void)state;
	again.start++;
	channel_begin(&p, NULL);
	mcp_process_exit(p.m, again, p.now);
	mcp_process_exit(p.m, words_proc(5), p.now);
	peers_wait(&p, 2000);
	assert_said(&p, "end", 0);
	peers_done(&p);
}

/* A server of several processes outlives one of them, also where the others show only after. */
static void test_workers(void **state)
{
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	words_say(&p, words_line(&p, DOWN, 201, CLIENT), words_note("notifications/message"));
	mcp_process_exit(p.m, words_proc(SERVER), p.now);
	peers_wait(&p, 2000);
	assert_said(&p, "end", 0);
	peers_done(&p);
	channel_begin(&p, NULL);
	mcp_process_exit(p.m, words_proc(SERVER), p.now);
	words_say(&p, words_line(&p, DOWN, 201, CLIENT), words_note("notifications/message"));
	peers_wait(&p, 2000);
	assert_said(&p, "end", 0);
	peers_done(&p);
}

static void test_web_server_dies(void **state)
{
	struct mcp_http x;
	struct web w;

	(void)state;
	web_begin(&w);
	web_hello(&w, "A");
	web_hello(&w, "B");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, words_request("1", "tools/call"));
	mcp_process_exit(w.p.m, words_proc(20), w.p.now);
	web_broken(&w, &x);
	peers_wait(&w.p, 1200);
	assert_said(&w.p, "finding server_died_in_flight s1 1 {\"calls\":1}", 1);
	assert_said(&w.p, "end s1 exit", 1);
	assert_said(&w.p, "end s2 exit", 1);
	assert_said(&w.p, "finding", 1);
	assert_said(&w.p, "call", 3);
	web_done(&w);
}

static void test_initialize_hangs(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	channel_up(&p, words_request("0", "initialize"));
	peers_wait(&p, 29000);
	assert_said(&p, "finding", 0);
	peers_wait(&p, 2000);
	assert_said(&p, "start s1 stdio legacy client=agent server=-", 1);
	assert_said(&p, "finding initialize_unanswered s1 1 {\"waited_ms\":30", 1);
	channel_down(&p, words_welcome("0"));
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	mcp_flush(p.m, p.now);
	assert_said(&p, "finding", 1);
	peers_done(&p);
}

/* Once for a session; that we stop says nothing; nor does a probe by server/discover. */
static void test_initialize_never(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	channel_up(&p, words_request("0", "initialize"));
	peers_wait(&p, 31000);
	channel_up(&p, words_request("1", "initialize"));
	mcp_stream_end(p.m, UP, p.now, "eof");
	mcp_stream_end(p.m, DOWN, p.now, "eof");
	assert_said(&p, "finding initialize_unanswered s1", 1);
	mcp_stdio_set(p.m, 3, 4, words_proc(30));
	words_say(&p, words_line(&p, 3, CLIENT, 30), words_request("0", "initialize"));
	mcp_stdio_set(p.m, 5, 6, words_proc(31));
	words_say(&p, words_line(&p, 5, CLIENT, 31), words_modern("\"server-discover-probe-1", "server/discover"));
	peers_wait(&p, 1500);
	mcp_process_exit(p.m, words_proc(31), p.now);
	mcp_stream_end(p.m, 5, p.now + MS, "eof");
	mcp_stream_end(p.m, 6, p.now + MS, "eof");
	mcp_flush(p.m, p.now);
	assert_said(&p, "finding initialize_unanswered", 1);
	peers_done(&p);
}

static uint64_t startup;

static void on_session(void *ctx, const struct session_event *e)
{
	(void)ctx;
	startup = e->startup_ns;
}

static void test_startup(void **state)
{
	const struct mcp_caps caps = MCP_CAPS_DEFAULT;
	const struct mcp_ops ops = { .session = on_session };
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_free(p.m);
	p.m = mcp_new(&caps, &ops);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	channel_up(&p, words_request("0", "initialize"));
	p.now += 700 * MS;
	channel_down(&p, words_welcome("0"));
	assert_int_equal(startup, 701 * MS + 150000);
	startup = 0;
	mcp_flush(p.m, p.now);
	assert_int_equal(startup, 701 * MS + 150000);
	peers_done(&p);
}

struct shown {
	char text[4][96];
	unsigned int n, max;
};

static bool show(void *ctx, const struct call *c)
{
	struct shown *s = ctx;

	snprintf(s->text[s->n++], sizeof(s->text[0]), "%s %s %s %s %u-%u %s", c->session, c->id, c->method,
		 c->tool ? c->tool : "-", c->route.client.pid, c->route.server.pid, c->server_name);
	return s->n < s->max;
}

static void test_in_flight(void **state)
{
	struct shown s = { .max = 4 };
	struct peers p;

	(void)state;
	channel_begin(&p, NULL);
	mcp_in_flight(p.m, show, &s);
	assert_int_equal(s.n, 0);
	channel_up(&p, words_request("1", "tools/call"));
	words_say(&p, words_line(&p, UP, CLIENT, 0), words_request("2", "tools/list"));
	mcp_in_flight(p.m, show, &s);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.text[0], "s1 1 tools/call echo 100-200 srv");
	assert_string_equal(s.text[1], "s1 2 tools/list - 100-200 srv");
	s = (struct shown){ .max = 1 };
	mcp_in_flight(p.m, show, &s);
	assert_int_equal(s.n, 1);
	channel_down(&p, words_result("2"));
	assert_int_equal(channel_last(&p)->view, VIEW_BOTH); /* of the messages, whatever was shown before */
	peers_done(&p);
}

static void test_duplicate_keys(void **state)
{
	struct rpc_marks marks = { .dup_keys = true };
	struct rpc_msg r = words_request("0", "initialize"), a;
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	r.dup_keys = 1;
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	channel_up(&p, r);
	assert_said(&p, "finding", 0); /* the session has not begun */
	channel_down(&p, words_welcome("0"));
	assert_said(&p, "finding duplicate_keys s1 1 {\"from\":\"client\"}", 1);
	channel_up(&p, r);
	assert_said(&p, "finding", 1);
	peers_done(&p);
	channel_begin(&p, NULL);
	channel_up(&p, words_request("1", "tools/call"));
	a = words_result("1");
	a.marks = &marks;
	channel_down(&p, a);
	assert_said(&p, "finding duplicate_keys s1 1 {\"from\":\"server\"}", 1);
	peers_done(&p);
}

/* Requests that only belong together end when nothing was heard for long; a session that has an id may go on. */
static void test_idle(void **state)
{
	struct mcp_http x, y;
	struct web w;

	(void)state;
	web_begin(&w);
	web_hello(&w, "A");
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, words_modern("1", "tools/list"));
	web_tell(&w, &x, words_result("1"));
	y = web_post(&w, "/busy");
	web_ask(&w, &y, words_modern("1", "tools/call"));
	w.p.now += 1750 * NSEC_PER_SEC;
	peers_wait(&w.p, 1000);
	assert_said(&w.p, "end", 0);
	w.p.now += 60 * NSEC_PER_SEC;
	peers_wait(&w.p, 1000);
	assert_said(&w.p, "end s2 idle 1 0", 1);
	assert_said(&w.p, "end", 1);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, words_modern("2", "tools/list"));
	web_tell(&w, &x, words_result("2"));
	assert_said(&w.p, "call s4 client 2 tools/list ok", 1);
	web_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_dies),	cmocka_unit_test(test_server_dies_streams_end),
		cmocka_unit_test(test_client_closes),	cmocka_unit_test(test_other_process),
		cmocka_unit_test(test_hung_server_dies),
		cmocka_unit_test(test_workers),		cmocka_unit_test(test_web_server_dies),
		cmocka_unit_test(test_initialize_hangs), cmocka_unit_test(test_initialize_never),
		cmocka_unit_test(test_startup),		cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_duplicate_keys),	cmocka_unit_test(test_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
