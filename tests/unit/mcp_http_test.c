/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/http: sessions and pairing over HTTP exchanges, both eras. */
#include "mcp_web.h"

static void test_session_id(void **state)
{
	struct web w;
	struct mcp_http x;

	(void)state;
	web_begin(&w);
	web_hello(&w, "secret-A");
	web_hello(&w, "secret-B");
	x = web_in_session(&w, "secret-A"); /* each exchange on a connection of its own */
	web_ask(&w, &x, words_note("notifications/initialized"));
	x.status = 202;
	web_over(&w, &x);
	x = web_in_session(&w, "secret-A");
	x.first_w = w.p.now + MS / 2; /* the head, ahead of the body */
	web_ask(&w, &x, words_request("1", "tools/call"));
	web_tell(&w, &x, words_result("1"));
	assert_int_equal(web_last(&w)->start, x.first_w);
	assert_int_equal(web_last(&w)->duration_ns, MS + MS / 2 + 150000);
	web_over(&w, &x);
	x = web_in_session(&w, "secret-B");
	web_ask(&w, &x, words_request("1", "tools/call"));
	web_tell(&w, &x, words_error("1", "-32602"));
	assert_int_equal(web_last(&w)->outcome, CALL_RPC_ERROR);
	assert_int_equal(web_last(&w)->route.http_version, 11);
	assert_int_equal(web_last(&w)->route.transport, TRANSPORT_HTTP);
	assert_int_equal(web_last(&w)->route.server_addr.port, 3000);
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "start", 2);
	assert_said(&w.p, "start s1 http legacy client=agent server=srv version=2025-06-18", 1);
	assert_said(&w.p, "call s1 client 0 initialize ok", 1);
	assert_said(&w.p, "call s1 client 1 tools/call ok", 1);
	assert_said(&w.p, "call s2 client 1 tools/call rpc_error", 1);
	assert_said(&w.p, "note s1 client notifications/initialized", 1);
	assert_said(&w.p, "end s1 shutdown 2 0", 1);
	assert_said(&w.p, "end s2 shutdown 2 1", 1);
	for (size_t i = 0; i < w.p.lines; i++)
		assert_null(strstr(w.p.line[i], "secret"));
	assert_said(&w.p, "verdict 2 mcp", 1);
	assert_said(&w.p, "verdict 3 mcp", 1);
	peers_done(&w.p);
}

static void test_no_session_id(void **state)
{
	struct web w;
	struct mcp_http x, y;

	(void)state;
	web_begin(&w);
	web_hello(&w, NULL);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, words_request("1", "vendor/own")); /* no header: the session is known */
	web_tell(&w, &x, words_result("1"));
	assert_said(&w.p, "call s1 client 1 vendor/own ok", 1);
	w.client = 11;
	web_hello(&w, NULL);
	assert_said(&w.p, "call s2 client 0 initialize ok", 1);
	w.client = 10;
	/* Two clients in one process, both without a session id, use the same ids at once: the exchange tells. */
	x = web_post(&w, "/mcp");
	y = web_post(&w, "/mcp");
	web_ask(&w, &x, words_request("7", "tools/call"));
	web_ask(&w, &y, words_request("7", "tools/list"));
	web_tell(&w, &y, words_result("7"));
	assert_string_equal(web_last(&w)->method, "tools/list");
	web_tell(&w, &y, words_result("7")); /* once more: not the other's */
	assert_said(&w.p, "call s1 client 7", 1);
	y = web_post(&w, "/mcp");
	web_tell(&w, &y, words_result("7")); /* before its own request: not the other's either */
	assert_said(&w.p, "call s1 client 7", 1);
	web_ask(&w, &y, words_request("7", "prompts/list"));
	assert_string_equal(web_last(&w)->method, "prompts/list");
	web_tell(&w, &x, words_result("7"));
	assert_string_equal(web_last(&w)->method, "tools/call");
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "call s1 client 7", 3);
	peers_done(&w.p);
}

static void test_server_requests(void **state)
{
	struct web w;
	struct mcp_http x, g, y;

	(void)state;
	web_begin(&w);
	web_hello(&w, "A");
	g = web_get(&w, "/mcp");
	g.session_id = SV("A");
	web_tell(&w, &g, words_note("notifications/tools/list_changed"));
	x = web_in_session(&w, "A");
	web_ask(&w, &x, words_request("1", "tools/call"));
	web_tell(&w, &x, words_request("1", "sampling/createMessage"));
	web_tell(&w, &g, words_request("2", "roots/list"));
	y = web_in_session(&w, "A");
	web_ask(&w, &y, words_result("1"));
	assert_said(&w.p, "call s1 server 1 sampling/createMessage ok", 1);
	web_ask(&w, &y, words_result("2"));
	assert_said(&w.p, "call s1 server 2 roots/list ok", 1);
	web_tell(&w, &x, words_result("1"));
	assert_said(&w.p, "call s1 client 1 tools/call ok", 1);
	assert_said(&w.p, "note s1 server notifications/tools/list_changed", 1);
	web_done(&w);
}

static void test_http_errors(void **state)
{
	struct web w;
	struct mcp_http x;

	(void)state;
	web_begin(&w);
	web_hello(&w, "A");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, words_request("1", "tools/call"));
	x.status = 503;
	mcp_http_done(w.p.m, &x, w.p.now); /* the head alone */
	assert_said(&w.p, "call s1 client 1", 0);
	web_over(&w, &x);
	assert_said(&w.p, "call s1 client 1 tools/call http_error", 1);
	assert_int_equal(web_last(&w)->error_code, 503);
	assert_false(web_last(&w)->has_response);
	assert_true(web_last(&w)->has_duration);
	x = web_in_session(&w, "A"); /* an error with the request's id, whatever the status */
	web_ask(&w, &x, words_request("2", "vendor/none"));
	x.status = 404;
	web_tell(&w, &x, words_error("2", "-32601"));
	web_over(&w, &x);
	assert_said(&w.p, "call s1 client 2 vendor/none rpc_error", 1);
	assert_int_equal(web_last(&w)->error_code, -32601);
	x = web_in_session(&w, "A"); /* ... with the id null or absent */
	web_ask(&w, &x, words_request("3", "tools/call"));
	x.status = 400;
	web_tell(&w, &x, words_error("null", "-32700"));
	web_over(&w, &x);
	assert_said(&w.p, "call s1 client 3 tools/call rpc_error", 1);
	x = web_in_session(&w, "A"); /* the request's record comes last */
	x.status = 401;
	web_over(&w, &x);
	web_ask(&w, &x, words_request("4", "tools/call"));
	assert_said(&w.p, "call s1 client 4 tools/call http_error", 1);
	x = web_in_session(&w, "A"); /* no answer at all */
	web_ask(&w, &x, words_request("5", "tools/call"));
	web_broken(&w, &x);
	assert_said(&w.p, "call s1 client 5", 0); /* it may be sent again */
	peers_wait(&w.p, 1100);
	assert_said(&w.p, "call s1 client 5 tools/call http_error", 1);
	assert_false(web_last(&w)->has_error_code);
	x = web_post(&w, "/mcp"); /* refused before there was a session */
	web_ask(&w, &x, words_request("0", "initialize"));
	x.status = 401;
	web_over(&w, &x);
	assert_said(&w.p, "call s2 client 0 initialize http_error", 1);
	assert_said(&w.p, "call", 7);
	web_done(&w);
}

/* A server without a GET stream says so in JSON-RPC; nobody had asked it anything. */
static void test_refused_stream(void **state)
{
	struct web w;
	struct mcp_http x;

	(void)state;
	web_begin(&w);
	web_hello(&w, NULL);
	x = web_get(&w, "/mcp");
	x.status = 405;
	web_tell(&w, &x, words_error("null", "-32000"));
	web_over(&w, &x);
	x = web_get(&w, "/mcp"); /* what a stream carries is another matter */
	web_tell(&w, &x, words_error("null", "-32700"));
	web_over(&w, &x);
	peers_wait(&w.p, 3000);
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "call s1 client 0 initialize ok", 1);
	assert_said(&w.p, "call s1 client - - orphan", 1);
	assert_said(&w.p, "call", 2);
	peers_done(&w.p);
}

static void test_modern(void **state)
{
	struct web w;
	struct mcp_http x;

	(void)state;
	web_begin(&w);
	x = web_post(&w, "/mcp");
	x.version = SV("2026-07-28");
	web_ask(&w, &x, words_modern("1", "server/discover"));
	web_tell(&w, &x, words_result("1"));
	web_over(&w, &x);
	assert_said(&w.p, "start s1 http modern client=newagent", 1);
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, words_modern("1", "tools/call"));
	web_tell(&w, &x, words_note("notifications/progress"));
	web_broken(&w, &x); /* closing the stream is the cancel */
	assert_said(&w.p, "call s1 client 1 tools/call cancelled", 1);
	assert_said(&w.p, "note s1 server notifications/progress", 1);
	assert_int_equal(web_last(&w)->route.era, ERA_MODERN);
	assert_string_equal(web_last(&w)->protocol_version, "2026-07-28");
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, words_modern("2", "tools/call"));
	x.client_gone = w.p.now;
	web_tell(&w, &x, words_result("2")); /* read, but by whom? */
	assert_said(&w.p, "call s1 client 2 tools/call cancelled", 1);
	w.client = 11;
	x = web_post(&w, "/mcp");
	web_ask(&w, &x, words_modern("1", "tools/call"));
	web_tell(&w, &x, words_result("1"));
	assert_said(&w.p, "call s2 client 1 tools/call ok", 1);
	web_done(&w);
}

/* The cancellation came over another connection, which was decoded first: with the request's answer, and with none. */
static void test_cancel_first(void **state)
{
	struct rpc_msg back = words_note("notifications/cancelled");
	struct mcp_http x;
	struct web w;

	(void)state;
	web_begin(&w);
	web_hello(&w, "A");
	for (int i = 0; i < 2; i++) {
		const char *id = i ? "6" : "5";

		words_set(&back, RPC_F_REQUEST_ID, id);
		x = web_in_session(&w, "A");
		web_ask(&w, &x, back);
		x = web_in_session(&w, "A");
		web_ask(&w, &x, words_request(id, "tools/call"));
		if (i)
			web_tell(&w, &x, words_result(id));
		else
			peers_wait(&w.p, 2000);
		assert_int_equal(web_last(&w)->outcome, CALL_CANCELLED);
	}
	words_set(&back, RPC_F_REQUEST_ID, "6"); /* it is over already */
	x = web_in_session(&w, "A");
	web_ask(&w, &x, back);
	words_set(&back, RPC_F_REQUEST_ID, "7"); /* of what never comes */
	x = web_in_session(&w, "A");
	web_ask(&w, &x, back);
	peers_wait(&w.p, 2000);
	assert_said(&w.p, "orphan", 0);
	assert_int_equal(w.p.calls, 3);
	web_done(&w);
}

static void test_delete(void **state)
{
	struct web w;
	struct mcp_http x, y;

	(void)state;
	web_begin(&w);
	web_hello(&w, "A");
	web_hello(&w, "B");
	y = web_in_session(&w, "A");
	web_ask(&w, &y, words_request("1", "tools/call"));
	y = web_in_session(&w, "B");
	web_ask(&w, &y, words_note("notifications/progress"));
	x = web_in_session(&w, "A");
	x.method = SV("DELETE");
	x.status = 405;
	web_over(&w, &x);
	x = web_in_session(&w, "A");
	x.method = SV("DELETE");
	x.status = 200;
	web_over(&w, &x);
	peers_wait(&w.p, 500);
	assert_said(&w.p, "end s1", 0);
	y = web_in_session(&w, "A"); /* its record comes late */
	web_ask(&w, &y, words_note("notifications/progress"));
	peers_wait(&w.p, 1000);
	assert_said(&w.p, "call s1 client 1 tools/call unanswered", 1);
	assert_said(&w.p, "end s1 delete 2 0", 1);
	x = web_in_session(&w, "B");
	x.method = SV("DELETE");
	x.status = 200;
	x.server_addr = web_addr(2, 3000); /* another server's */
	web_over(&w, &x);
	peers_wait(&w.p, 1500);
	assert_said(&w.p, "end s2", 0);
	x = web_in_session(&w, "B");
	x.method = SV("DELETE");
	x.status = 405;
	web_over(&w, &x);
	peers_wait(&w.p, 1500);
	assert_said(&w.p, "end s2", 0);
	x = web_in_session(&w, "B");
	x.method = SV("DELETE");
	x.status = 200;
	x.server_addr = web_addr(1, 3000);
	web_over(&w, &x);
	peers_wait(&w.p, 1500);
	assert_said(&w.p, "end s2 delete 1 0", 1);
	web_done(&w);
}

static void test_batch(void **state)
{
	struct web w;
	struct mcp_http x;

	(void)state;
	web_begin(&w);
	web_hello(&w, "A");
	x = web_in_session(&w, "A");
	web_ask(&w, &x, words_request("1", "tools/list"));
	web_ask(&w, &x, words_note("notifications/progress"));
	web_ask(&w, &x, words_request("2", "tools/call"));
	web_tell(&w, &x, words_error("null", "-32600")); /* whose? */
	assert_said(&w.p, "call s1 client - - orphan", 1);
	web_tell(&w, &x, words_result("2"));
	web_tell(&w, &x, words_error(NULL, "-32600")); /* one is left: it is that one's */
	assert_said(&w.p, "call s1 client 2 tools/call ok", 1);
	assert_said(&w.p, "call s1 client 1 tools/list rpc_error", 1);
	web_done(&w);
}

static void test_remote_peers(void **state)
{
	struct web w;
	struct mcp_http x;
	struct mcp_msg msg;

	(void)state;
	web_begin(&w);
	for (uint8_t i = 0; i < 6; i++) {
		x = web_post(&w, "/mcp");
		msg = words_line(&w.p, 2 * x.id, 0, 20);
		msg.src = web_addr(i < 3 ? 7 : 8, (uint16_t)(50000 + i));
		msg.dst = web_addr(1, 3000);
		msg.http = &x;
		words_say(&w.p, msg, words_request("1", "tools/list"));
	}
	assert_said(&w.p, "start", 2);
	for (uint8_t i = 0; i < 3; i++) { /* one id at two servers, one of which has two faces */
		static const struct net_addr mapped = {
			.family = AF_INET6, .port = 3000, .ip = { [10] = 0xff, [11] = 0xff, 127, 0, 0, 1 }
		};

		x = web_in_session(&w, "A");
		msg = words_line(&w.p, 2 * x.id, 10, 0);
		msg.dst = i == 2 ? mapped : web_addr(1 + i, 3000);
		msg.http = &x;
		words_say(&w.p, msg, words_request("1", "tools/list"));
	}
	assert_said(&w.p, "start", 4);
	web_done(&w);
}

static void test_version_of_header(void **state)
{
	struct web w;
	struct mcp_http x;

	(void)state;
	web_begin(&w);
	x = web_in_session(&w, "A");
	x.version = SV("2025-03-26");
	web_ask(&w, &x, words_request("1", "tools/list"));
	x = web_in_session(&w, "A");
	web_ask(&w, &x, words_request("2", "tools/list"));
	web_tell(&w, &x, words_result("2"));
	assert_string_equal(web_last(&w)->protocol_version, "2025-03-26");
	web_done(&w);
}

static void test_modern_server(void **state)
{
	struct rpc_msg r = words_result("1");
	struct web w;
	struct mcp_http x;

	(void)state;
	web_begin(&w);
	x = web_post(&w, "/mcp");
	words_set(&r, RPC_F_META_SERVER_NAME, "\"newsrv");
	web_ask(&w, &x, words_modern("1", "tools/list"));
	web_tell(&w, &x, r);
	assert_said(&w.p, "start s1 http modern client=newagent server=-", 1); /* began with the request */
	mcp_flush(w.p.m, w.p.now);
	assert_said(&w.p, "end s1 shutdown 1 0 server=newsrv", 1);
	peers_done(&w.p);
}

/* The answer says which stack was read, as it may know the asking end, else the request; the session is as it began. */
static void test_tls(void **state)
{
	struct mcp_http x;
	struct web w;

	(void)state;
	web_begin(&w);
	x = web_post(&w, "/mcp");
	x.http_version = 20;
	w.tls = 3;
	web_ask(&w, &x, words_request("0", "initialize"));
	w.tls = 1;
	web_tell(&w, &x, words_welcome("0"));
	assert_int_equal(web_last(&w)->route.tls, 1);
	assert_int_equal(web_last(&w)->route.http_version, 20);
	assert_int_equal(web_last(&w)->route.channel, CHANNEL_TCP);
	web_over(&w, &x);
	assert_said(&w.p, "began s1 tls 3 http 20", 1);
	x = web_post(&w, "/mcp");
	w.tls = 0;
	web_ask(&w, &x, words_request("1", "tools/call"));
	w.tls = 1;
	web_tell(&w, &x, words_result("1"));
	assert_int_equal(web_last(&w)->route.tls, 1);
	web_over(&w, &x);
	x = web_post(&w, "/mcp");
	w.tls = 3;
	web_ask(&w, &x, words_request("2", "tools/call"));
	w.tls = 0;
	web_tell(&w, &x, words_result("2"));
	assert_int_equal(web_last(&w)->route.tls, 3);
	web_over(&w, &x);
	web_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_id),
		cmocka_unit_test(test_no_session_id),
		cmocka_unit_test(test_server_requests),
		cmocka_unit_test(test_http_errors),
		cmocka_unit_test(test_refused_stream),
		cmocka_unit_test(test_modern),
		cmocka_unit_test(test_cancel_first), cmocka_unit_test(test_delete),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_remote_peers),
		cmocka_unit_test(test_version_of_header),
		cmocka_unit_test(test_modern_server),
		cmocka_unit_test(test_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
