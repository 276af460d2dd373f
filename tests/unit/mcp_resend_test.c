/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/resend: a request that is sent again since its exchange broke is one call. */
#include "mcp_web.h"

static struct rpc_msg call_of(const char *id, uint64_t args)
{
	struct rpc_msg r = words_request(id, "tools/call");

	words_marks(&r, args, 0);
	return r;
}

static void test_resent(void **state)
{
	struct mcp_http x, y;
	struct web w;
	uint64_t start;

	(void)state;
	web_begin(&w);
	w.p.tell_asked = true;
	web_hello(&w, "A");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, call_of("1", 7));
	start = w.p.now;
	web_broken(&w, &x);
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("1", 7));
	web_tell(&w, &y, words_result("1"));
	assert_said(&w.p, "call s1 client 1 tools/call ok", 1);
	assert_int_equal(web_last(&w)->request_seen, 2);
	assert_int_equal(web_last(&w)->start, start);
	assert_int_equal(web_last(&w)->ordinal, 0);
	assert_said(&w.p, "asked s1 1 tools/call", 1);
	web_over(&w, &y);
	peers_wait(&w.p, 3000);
	assert_said(&w.p, "call", 2);
	x = web_in_session(&w, "A"); /* the second one breaks as well */
	web_ask(&w, &x, call_of("2", 7));
	web_broken(&w, &x);
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("2", 7));
	web_broken(&w, &y);
	peers_wait(&w.p, 1100);
	assert_said(&w.p, "call s1 client 2 tools/call http_error", 1);
	assert_int_equal(web_last(&w)->request_seen, 2);
	assert_said(&w.p, "withdrawn s1 1 tools/call", 0);
	web_done(&w);
}

/* The record of the break comes after the second request. */
static void test_break_seen_late(void **state)
{
	struct mcp_http x, y;
	struct web w;
	uint64_t start;

	(void)state;
	web_begin(&w);
	w.p.tell_asked = true;
	web_hello(&w, "A");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, call_of("1", 7));
	start = w.p.now;
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("1", 7));
	web_broken(&w, &x);
	assert_said(&w.p, "call", 1);
	web_tell(&w, &y, words_result("1"));
	assert_said(&w.p, "call s1 client 1 tools/call ok", 1);
	assert_int_equal(web_last(&w)->request_seen, 2);
	assert_int_equal(web_last(&w)->start, start);
	assert_int_equal(web_last(&w)->ordinal, 0);
	peers_wait(&w.p, 3000);
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "call", 2);
	assert_said(&w.p, "withdrawn s1 1 tools/call", 1);
	web_done(&w);
}

/* ... and even after its answer. */
static void test_break_seen_last(void **state)
{
	struct mcp_http x, y;
	struct web w;
	uint64_t start;

	(void)state;
	web_begin(&w);
	w.p.tell_asked = true;
	web_hello(&w, "A");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, call_of("1", 7));
	start = w.p.now;
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("1", 7));
	web_tell(&w, &y, words_result("1"));
	web_over(&w, &y);
	peers_wait(&w.p, 100);
	assert_said(&w.p, "call", 1);
	web_broken(&w, &x);
	assert_said(&w.p, "call s1 client 1 tools/call ok", 1);
	assert_int_equal(web_last(&w)->request_seen, 2);
	assert_int_equal(web_last(&w)->start, start);
	assert_int_equal(web_last(&w)->duration_ns, web_last(&w)->ts - start);
	assert_int_equal(web_last(&w)->ordinal, 0);
	peers_wait(&w.p, 3000);
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "call", 2);
	assert_said(&w.p, "withdrawn s1 1 tools/call", 1);
	web_done(&w);
}

/* Two equal calls with one id (two clients of one process): each has its answer, and nothing broke. */
static void test_two_with_one_id(void **state)
{
	struct mcp_http x, y;
	struct web w;

	(void)state;
	web_begin(&w);
	web_hello(&w, "A");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, call_of("1", 7));
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("1", 7));
	web_tell(&w, &y, words_result("1"));
	web_tell(&w, &x, words_result("1"));
	assert_said(&w.p, "call s1 client 1 tools/call ok", 2);
	assert_int_equal(web_last(&w)->request_seen, 1);
	web_over(&w, &x);
	web_over(&w, &y);
	x = web_in_session(&w, "A"); /* one of them hangs */
	web_ask(&w, &x, call_of("2", 7));
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("2", 7));
	web_tell(&w, &y, words_result("2"));
	assert_said(&w.p, "call s1 client 2", 0);
	peers_wait(&w.p, 1100);
	assert_said(&w.p, "call s1 client 2 tools/call ok", 1);
	x = web_in_session(&w, "A"); /* the run ends before that is known */
	web_ask(&w, &x, call_of("3", 7));
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("3", 7));
	web_tell(&w, &y, words_result("3"));
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "call s1 client 3 tools/call ok", 1);
	assert_said(&w.p, "call s1 client 3 tools/call unanswered", 1);
	assert_said(&w.p, "call s1 client 2 tools/call unanswered", 1);
	peers_done(&w.p);
}

static void web_redirect(struct web *w, struct mcp_http *x)
{
	x->status = 307;
	web_over(w, x);
}

/* A path without its final slash is the common case. */
static void test_redirected(void **state)
{
	struct mcp_http x, y;
	struct web w;

	(void)state;
	web_begin(&w);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, words_request("0", "initialize"));
	web_redirect(&w, &x);
	y = web_post(&w, "/mcp/");
	web_ask(&w, &y, words_request("0", "initialize"));
	y.session_id = SV("A");
	web_tell(&w, &y, words_welcome("0"));
	web_over(&w, &y);
	assert_said(&w.p, "call s1 client 0 initialize ok", 1);
	assert_int_equal(web_last(&w)->request_seen, 2);
	x = web_in_session(&w, "A");
	web_ask(&w, &x, call_of("1", 7));
	web_redirect(&w, &x);
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("1", 7));
	web_tell(&w, &y, words_result("1"));
	web_over(&w, &y);
	assert_said(&w.p, "call s1 client 1 tools/call ok", 1);
	assert_int_equal(web_last(&w)->request_seen, 2);
	x = web_in_session(&w, "A"); /* not followed */
	web_ask(&w, &x, call_of("2", 7));
	web_redirect(&w, &x);
	peers_wait(&w.p, 1100);
	assert_said(&w.p, "call s1 client 2 tools/call http_error", 1);
	assert_int_equal(web_last(&w)->error_code, 307);
	peers_wait(&w.p, 3000);
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "call", 3);
	assert_said(&w.p, "start s2", 0);
	web_done(&w);
}

/* The session of a first try that broke is that of the second; without one it is a session all the same. */
static void test_initialize_again(void **state)
{
	struct mcp_http x, y;
	struct web w;

	(void)state;
	web_begin(&w);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, words_request("0", "initialize"));
	web_broken(&w, &x);
	w.client = 11; /* another one */
	y = web_post(&w, "/mcp");
	web_ask(&w, &y, words_request("0", "initialize"));
	y.session_id = SV("B");
	web_tell(&w, &y, words_welcome("0"));
	web_over(&w, &y);
	assert_int_equal(web_last(&w)->request_seen, 1);
	w.client = 10;
	web_hello(&w, "A");
	assert_int_equal(web_last(&w)->request_seen, 2);
	assert_said(&w.p, "call", 2);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, words_request("0", "initialize"));
	web_broken(&w, &x);
	peers_wait(&w.p, 1100);
	assert_said(&w.p, "call s3 client 0 initialize http_error", 1);
	web_done(&w);
}

/* Other arguments, another method or id, too late, or a status came: another call. */
static void test_not_resent(void **state)
{
	struct rpc_msg other = words_request("1", "prompts/get");
	struct mcp_http x, y;
	struct web w;

	(void)state;
	words_marks(&other, 7, 0);
	web_begin(&w);
	web_hello(&w, "A");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, call_of("1", 7));
	web_broken(&w, &x);
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("1", 8));
	web_tell(&w, &y, words_result("1"));
	y = web_in_session(&w, "A");
	web_ask(&w, &y, other);
	web_tell(&w, &y, words_result("1"));
	assert_string_equal(web_last(&w)->method, "prompts/get");
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("2", 7));
	web_tell(&w, &y, words_result("2"));
	peers_wait(&w.p, 1100);
	assert_said(&w.p, "call s1 client 1 tools/call http_error", 1);
	y = web_in_session(&w, "A");
	web_ask(&w, &y, call_of("1", 7));
	web_tell(&w, &y, words_result("1"));
	assert_int_equal(web_last(&w)->attempt, 2); /* a retry, not the same one again */
	for (size_t i = 0; i < w.p.calls; i++)
		assert_int_equal(w.p.call[i]->request_seen, 1);
	assert_said(&w.p, "call", 6);
	web_done(&w);
}

/* In the modern era a broken exchange is a cancellation, unless the request comes again. */
static void test_modern(void **state)
{
	struct rpc_msg r = words_modern("1", "tools/call");
	struct mcp_http x, y;
	struct web w;

	(void)state;
	words_marks(&r, 7, 0);
	web_begin(&w);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, r);
	web_broken(&w, &x);
	peers_wait(&w.p, 500);
	assert_said(&w.p, "call", 0);
	y = web_post(&w, "/mcp");
	web_ask(&w, &y, r);
	web_tell(&w, &y, words_result("1"));
	assert_said(&w.p, "call s1 client 1 tools/call ok", 1);
	assert_int_equal(web_last(&w)->request_seen, 2);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, r);
	web_broken(&w, &x);
	peers_wait(&w.p, 1100);
	assert_said(&w.p, "call s1 client 1 tools/call cancelled", 1);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, r);
	web_broken(&w, &x);
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "call s1 client 1 tools/call cancelled", 2);
	peers_done(&w.p);
}

/* The answer comes on the session's stream after all. */
static void test_answered_elsewhere(void **state)
{
	struct mcp_http x, g;
	struct web w;

	(void)state;
	web_begin(&w);
	web_hello(&w, "A");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, call_of("1", 7));
	web_broken(&w, &x);
	g = web_get(&w, "/mcp");
	g.session_id = SV("A");
	web_tell(&w, &g, words_result("1"));
	assert_said(&w.p, "call s1 client 1 tools/call ok", 1);
	peers_wait(&w.p, 2000);
	assert_said(&w.p, "call", 2);
	web_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resent),
		cmocka_unit_test(test_break_seen_late),
		cmocka_unit_test(test_break_seen_last),
		cmocka_unit_test(test_two_with_one_id),
		cmocka_unit_test(test_redirected),
		cmocka_unit_test(test_initialize_again),
		cmocka_unit_test(test_not_resent),
		cmocka_unit_test(test_modern),
		cmocka_unit_test(test_answered_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
