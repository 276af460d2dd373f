/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/http: answers on another stream than the request's: resumption, old HTTP+SSE, records that overtake. */
#include "mcp_web.h"

static void test_resumption(void **state)
{
	struct web w;
	struct mcp_http x, g;
	struct mcp_stats st;

	(void)state;
	web_begin(&w);
	web_hello(&w, "A");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, words_request("1", "tools/call"));
	web_tell(&w, &x, words_request("9", "elicitation/create"));
	web_broken(&w, &x);
	peers_wait(&w.p, 3000); /* the exchange is forgotten, the request is not */
	assert_said(&w.p, "call s1 client 1", 0);
	g = web_get(&w, "/mcp");
	g.session_id = SV("A");
	g.last_event_id = SV("5");
	web_tell(&w, &g, words_request("9", "elicitation/create"));
	web_tell(&w, &g, words_result("1"));
	assert_said(&w.p, "call s1 client 1 tools/call ok", 1);
	web_tell(&w, &g, words_result("1"));
	g.id = ++w.exchanges;
	web_tell(&w, &g, words_result("1"));
	web_tell(&w, &g, words_request("8", "roots/list"));
	x = web_in_session(&w, "A");
	web_ask(&w, &x, words_result("8"));
	assert_said(&w.p, "call s1 server 8 roots/list ok", 1);
	g.id = ++w.exchanges;
	web_tell(&w, &g, words_request("8", "roots/list"));
	peers_wait(&w.p, 3000);
	x = web_in_session(&w, "A");
	web_ask(&w, &x, words_request("2", "tools/call"));
	web_tell(&w, &x, words_note("notifications/message"));
	web_broken(&w, &x);
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "call s1 client 2 tools/call unanswered", 1);
	assert_said(&w.p, "call s1 server 9 elicitation/create unanswered", 1);
	assert_said(&w.p, "call", 5);
	mcp_stats(w.p.m, &st);
	assert_int_equal(st.redelivered, 4);
	peers_done(&w.p);
}

/* A stream that is resumed brings the server's request again, and the client answers again, before or behind it in the
 * order of records: one call, and no orphan. */
static void test_answered_again(void **state)
{
	(void)state;
	for (int overtaken = 0; overtaken < 2; overtaken++) {
		struct mcp_http g, x;
		struct mcp_stats st;
		struct web w;

		web_begin(&w);
		web_hello(&w, "A");
		g = web_get(&w, "/mcp");
		g.session_id = SV("A");
		web_tell(&w, &g, words_request("8", "roots/list"));
		x = web_in_session(&w, "A");
		web_ask(&w, &x, words_result("8"));
		g.id = ++w.exchanges;
		if (!overtaken)
			web_tell(&w, &g, words_request("8", "roots/list"));
		x = web_in_session(&w, "A");
		web_ask(&w, &x, words_result("8"));
		if (overtaken)
			web_tell(&w, &g, words_request("8", "roots/list"));
		peers_wait(&w.p, 3000);
		assert_said(&w.p, "call s1 server 8 roots/list ok", 1);
		assert_said(&w.p, "call", 2); /* and initialize */
		mcp_stats(w.p.m, &st);
		assert_true(st.redelivered > 0);
		peers_done(&w.p);
	}
}

static void test_old_sse(void **state)
{
	static const char *const uris[] = { "/messages?sessionId=u1", "?sessionId=u1", "messages?sessionId=u1",
					    "http://localhost:3000/messages?sessionId=u1" };
	static const char *const bases[] = { "/sse", "/messages", "/sse", "/x/sse?y" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct mcp_http g, x;
		struct web w;

		web_begin(&w);
		g = web_get(&w, bases[i]);
		mcp_sse_endpoint(w.p.m, &g, sv_of(uris[i]), w.p.now);
		x = web_post(&w, "/messages?sessionId=u1");
		web_ask(&w, &x, words_request("0", "initialize"));
		x.status = 202;
		web_over(&w, &x);
		peers_wait(&w.p, 3000);
		assert_said(&w.p, "call", 0);
		web_tell(&w, &g, words_welcome("0"));
		assert_said(&w.p, "start s1 sse legacy client=agent server=srv", 1);
		assert_said(&w.p, "call s1 client 0 initialize ok", 1);
		assert_int_equal(web_last(&w)->route.transport, TRANSPORT_SSE);
		web_tell(&w, &g, words_request("0", "roots/list"));
		x = web_post(&w, "/messages?sessionId=u1");
		web_ask(&w, &x, words_result("0"));
		assert_said(&w.p, "call s1 server 0 roots/list ok", 1);
		x = web_post(&w, "/messages?sessionId=u1");
		web_ask(&w, &x, words_request("1", "tools/call"));
		web_over(&w, &g);
		peers_wait(&w.p, 1500);
		assert_said(&w.p, "call s1 client 1 tools/call unanswered", 1);
		assert_said(&w.p, "end s1 eof 3 0", 1);
		web_done(&w);
	}
}

/* The stream that carries the session says it before any message does. */
static void test_old_sse_tls(void **state)
{
	struct mcp_http g, x;
	struct web w;

	(void)state;
	web_begin(&w);
	g = web_get(&w, "/sse");
	g.tls = 2;
	mcp_sse_endpoint(w.p.m, &g, SV("/messages?sessionId=u1"), w.p.now);
	x = web_post(&w, "/messages?sessionId=u1");
	web_ask(&w, &x, words_request("0", "initialize"));
	web_tell(&w, &g, words_welcome("0"));
	assert_said(&w.p, "began s1 tls 2 http 11", 1);
	web_done(&w);
}

static void test_old_sse_overtaken(void **state)
{
	struct mcp_http g, x;
	struct web w;

	(void)state;
	web_begin(&w);
	g = web_get(&w, "/sse");
	x = web_post(&w, "/messages?session_id=u1");
	web_ask(&w, &x, words_request("0", "initialize"));
	mcp_sse_endpoint(w.p.m, &g, SV("/messages?session_id=u1"), w.p.now);
	web_tell(&w, &g, words_welcome("0"));
	assert_said(&w.p, "start s1 sse", 1);
	assert_said(&w.p, "call s1 client 0 initialize ok", 1);
	g = web_get(&w, "/sse"); /* an endpoint that does not look like one, and one that nobody used */
	mcp_sse_endpoint(w.p.m, &g, SV("/post/u2"), w.p.now);
	x = web_post(&w, "/post/u2");
	web_ask(&w, &x, words_request("0", "initialize"));
	web_tell(&w, &g, words_welcome("0"));
	assert_said(&w.p, "call s2 client 0 initialize ok", 1);
	g = web_get(&w, "/sse");
	mcp_sse_endpoint(w.p.m, &g, SV("/post/u3"), w.p.now);
	web_over(&w, &g);
	peers_wait(&w.p, 1500);
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "start", 2);
	assert_said(&w.p, "end", 2);
	peers_done(&w.p);
}

static void test_overtaking(void **state)
{
	struct web w;
	struct mcp_http x, r;

	(void)state;
	web_begin(&w);
	x = web_post(&w, "/mcp"); /* the answer to initialize, and what follows it, before initialize itself */
	x.session_id = SV("A");
	web_tell(&w, &x, words_welcome("0"));
	r = web_in_session(&w, "A");
	web_ask(&w, &r, words_note("notifications/initialized"));
	x.session_id = SV("");
	web_ask(&w, &x, words_request("0", "initialize"));
	assert_said(&w.p, "call s1 client 0 initialize ok", 1);
	x = web_post(&w, "/mcp"); /* the id is used before the answer that gives it is seen */
	web_ask(&w, &x, words_request("0", "initialize"));
	r = web_in_session(&w, "B");
	web_ask(&w, &r, words_request("1", "tools/list"));
	x.session_id = SV("B");
	web_tell(&w, &x, words_welcome("0"));
	web_tell(&w, &r, words_result("1"));
	assert_said(&w.p, "call s2 client 0 initialize ok", 1);
	assert_said(&w.p, "call s2 client 1 tools/list ok", 1);
	x = web_post(&w, "/mcp"); /* modern, with nothing but its request to tell it */
	web_tell(&w, &x, words_result("5"));
	web_ask(&w, &x, words_modern("5", "tools/call"));
	assert_said(&w.p, "call s3 client 5 tools/call ok", 1);
	web_hello(&w, NULL); /* the same beside a legacy session of the same peers */
	x = web_post(&w, "/mcp");
	web_tell(&w, &x, words_result("6"));
	web_ask(&w, &x, words_modern("6", "tools/call"));
	assert_said(&w.p, "call s3 client 6 tools/call ok", 1);
	x = web_in_session(&w, "A");
	web_tell(&w, &x, words_result("6")); /* never asked */
	peers_wait(&w.p, 1500);
	assert_said(&w.p, "call s1 client 6 - orphan", 1);
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "start", 4);
	peers_done(&w.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_answered_again),
		cmocka_unit_test(test_old_sse),
		cmocka_unit_test(test_old_sse_overtaken),
		cmocka_unit_test(test_old_sse_tls),
		cmocka_unit_test(test_overtaking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
