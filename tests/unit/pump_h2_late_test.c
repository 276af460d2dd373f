/* SPDX-License-Identifier: Apache-2.0 */
/* The pump on HTTP/2 of which not all is seen: joined late, holes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "h2_wire.h"
#include "pump_expect.h"

#define PING	 "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}" /* 40 bytes */
#define PONG	 "{\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}"	     /* 36 bytes */
#define POST	 ":method: POST\n:scheme: https\n:path: /mcp\n:authority: a:1\n"
#define GET	 ":method: GET\n:scheme: https\n:path: /mcp\n:authority: a:1\n"
#define JSON	 ":status: 200\ncontent-type: application/json\n"
#define EVENTS	 ":status: 200\ncontent-type: text/event-stream\n"
#define BOTH_RPC "0 is rpc\n1 is rpc\n"
#define END_HEAD HTTP2_END_HEADERS
#define ALL	 (HTTP2_END_HEADERS | HTTP2_END_STREAM)

static struct h2_wire w;

static int done(void **state)
{
	(void)state;
	h2_done(&w);
	return 0;
}

static void other(uint8_t dir, uint8_t type, uint8_t flags, uint32_t stream, struct sv payload)
{
	h2_frame(&w, dir, (struct http2_frame){ .type = type, .flags = flags, .stream = stream }, payload);
}

static void once(const char *want)
{
	expect_once(w.segs, 0, 0, want);
}

/* Static fields tell who asks: ":scheme" and ":status" here, behind entries of tables that are not known. */
static void joined_late(void **state)
{
	(void)state;
	expect_opts.late = true;
	other(1, HTTP2_HEADERS, END_HEAD, 7, SV("\xbe\x88\xc0"));
	h2_data(&w, 1, 7, 0, "  " PONG);
	h2_data(&w, 1, 7, HTTP2_END_STREAM, "");
	other(0, HTTP2_HEADERS, END_HEAD, 9, SV("\x3f\xe1\x1f\xbf\x40\1a\1b\x87\xc0"));
	h2_data(&w, 0, 9, HTTP2_END_STREAM, PING);
	other(1, HTTP2_HEADERS, END_HEAD, 9, SV("\xbe\xbf"));
	h2_data(&w, 1, 9, 0, "id: 3\ndata: " PONG "\n\n");
	other(1, HTTP2_HEADERS, ALL, 9, SV("\xc3"));
	other(0, HTTP2_HEADERS, ALL, 11, SV("\x83"));
	other(1, HTTP2_HEADERS, END_HEAD, 11, SV("\x48\x82\x64\x02"));
	h2_data(&w, 1, 11, 0, "\x1f\x8b what is this");
	h2_data(&w, 1, 11, HTTP2_END_STREAM, PONG);
	once(BOTH_RPC
	       "1 result id=1 5023-5059 http=0\n"
	       "done http=0 h2 status=200 norequest noreq rpc=1 req=0-0 resp=5000-5068\n"
	       "0 request id=1 method=ping 1029-1069 http=1\n"
	       "1 result id=1 5100-5136 http=1 sse eid=3\n"
	       "done http=1 h2 status=0 sse rpc=2 req=1000-1069 resp=5068-5148\n"
	       "done http=2 =POST h2 status=302 rpc=0 req=1069-1079 resp=5148-5230\n");
}

/* Statuses of the static table, and of entries that came since, are known; "401" is an older entry until it comes again. A
 * head without one may be the trailers of an answer that was missed. */
static void statuses(void **state)
{
	static const struct sv blocks[] = {
		{ "\x8d", 1 }, { "\x8e", 1 }, { "\xbf", 1 }, { "\x48\3" "401", 5 }, { "\xbe", 1 }, { "\x40\1a\1b", 5 }, { "\xbf", 1 },
	};

	(void)state;
	expect_opts.late = true;
	for (uint32_t i = 0; i < 7; i++) {
		other(0, HTTP2_HEADERS, END_HEAD, 2 * i + 9, SV("\x83\x04\4/mcp"));
		h2_data(&w, 0, 2 * i + 9, HTTP2_END_STREAM, PING);
		other(1, HTTP2_HEADERS, ALL, 2 * i + 9, blocks[i]);
	}
	once("0 is rpc\n"
	     "1 is rpc\n"
	     "0 request id=1 method=ping 1025-1065 http=0\n"
	     "done http=0 =POST =/mcp h2 status=404 rpc=1 req=1000-1065 resp=5000-5010\n"
	     "0 request id=1 method=ping 1090-1130 http=1\n"
	     "done http=1 =POST =/mcp h2 status=500 rpc=1 req=1065-1130 resp=5010-5020\n"
	     "0 request id=1 method=ping 1155-1195 http=2\n"
	     "done http=2 =POST =/mcp h2 status=0 rpc=1 req=1130-1195 resp=5020-5030\n"
	     "0 request id=1 method=ping 1220-1260 http=3\n"
	     "done http=3 =POST =/mcp h2 status=401 rpc=1 req=1195-1260 resp=5030-5044\n"
	     "0 request id=1 method=ping 1285-1325 http=4\n"
	     "done http=4 =POST =/mcp h2 status=401 rpc=1 req=1260-1325 resp=5044-5054\n"
	     "0 request id=1 method=ping 1350-1390 http=5\n"
	     "done http=5 =POST =/mcp h2 status=0 rpc=1 req=1325-1390 resp=5054-5068\n"
	     "0 request id=1 method=ping 1415-1455 http=6\n"
	     "done http=6 =POST =/mcp h2 status=401 rpc=1 req=1390-1455 resp=5068-5078\n");
}

/* What stands beside a status that is not known; trailers take nothing of it back. */
static void beside(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	expect_opts.late = true;
	other(0, HTTP2_HEADERS, END_HEAD, 9, SV("\x83"));
	h2_data(&w, 0, 9, HTTP2_END_STREAM, PING);
	h2_block(&b, "#70\nmcp-session-id: s-1\n");
	other(1, HTTP2_HEADERS, END_HEAD, 9, buf_sv(&b));
	h2_data(&w, 1, 9, 0, PONG);
	buf_reset(&b);
	h2_block(&b, "#70\nmcp-session-id: s-2\n");
	other(1, HTTP2_HEADERS, ALL, 9, buf_sv(&b));
	buf_done(&b);
	once(BOTH_RPC
	     "0 request id=1 method=ping 1019-1059 http=0\n"
	     "1 result id=1 5039-5075 http=0\n"
	     "done http=0 =POST session=s-1 h2 status=0 rpc=2 req=1000-1059 resp=5000-5105\n");
}

/* An answer whose head cannot be read may have been an interim one. */
static void interim(void **state)
{
	(void)state;
	expect_opts.late = true;
	other(0, HTTP2_HEADERS, END_HEAD, 9, SV("\x83"));
	h2_data(&w, 0, 9, HTTP2_END_STREAM, PING);
	other(1, HTTP2_HEADERS, END_HEAD, 9, SV("\xbe"));
	other(1, HTTP2_HEADERS, END_HEAD, 9, SV("\x48\3" "103")); /* can be read */
	other(1, HTTP2_HEADERS, END_HEAD, 9, SV("\x8e"));
	h2_data(&w, 1, 9, 0, PONG);
	other(1, HTTP2_HEADERS, ALL, 9, SV("\x88"));
	other(0, HTTP2_HEADERS, ALL, 11, SV("\x82"));
	other(1, HTTP2_HEADERS, END_HEAD, 11, SV("\xc0"));
	other(1, HTTP2_HEADERS, ALL, 11, SV("\x8d"));
	once(BOTH_RPC
	     "0 request id=1 method=ping 1019-1059 http=0\n"
	     "1 result id=1 5043-5079 http=0\n"
	     "done http=0 =POST h2 status=500 rpc=2 req=1000-1059 resp=5024-5089\n"
	     "done http=1 =GET h2 status=404 rpc=0 req=1059-1069 resp=5099-5109\n");
}

/* Tables that were lost too often are not begun anew. An index beyond the table loses them, and says nothing of the peer. */
static void unread(void **state)
{
	(void)state;
	expect_opts.late = true;
	other(0, HTTP2_HEADERS, ALL, 1, SV("\x83\xff\x3e")); /* the last entry that a table of the usual size can have */
	for (uint32_t i = 1; i <= 64; i++) {
		if (i == 64)
			other(0, HTTP2_HEADERS, ALL, 3, SV("\x83"));
		other(0, HTTP2_HEADERS, ALL, 2, SV("\x83\xff\x3f"));
	}
	other(0, HTTP2_HEADERS, ALL, 5, SV("\x83"));
	once("done http=0 =POST h2 status=0 noresp aborted rpc=0 req=1000-1012 resp=0-0\n"
	     "done http=1 =POST h2 status=0 noresp aborted rpc=0 req=1768-1778 resp=0-0\n"
	     "done http=2 h2 status=0 noresp aborted rpc=0 req=1790-1800 resp=0-0\n");
}

/* An event stream in its middle, and of its request nothing. */
static void joined_events(void **state)
{
	(void)state;
	expect_opts.late = true;
	h2_data(&w, 1, 5, 0, "half of an event\"}\n\n");
	h2_data(&w, 1, 5, 0, "event: message\ndata: " PONG "\n\n");
	h2_data(&w, 1, 5, 0, "data: {\"jsonrpc\":\"2.0\",\"id\":1,");
	h2_data(&w, 1, 5, 0, "\"result\":{}}\n\n");
	h2_reset(&w, 0, 5);
	h2_data(&w, 1, 5, 0, "data: " PONG "\n\n");
	other(0, HTTP2_HEADERS, END_HEAD, 21, SV("\x83\xbe"));
	h2_data(&w, 0, 21, HTTP2_END_STREAM, PING);
	once(BOTH_RPC
	       "1 result id=1 5059-5095 http=0 sse event=message\n"
	       "1 result id=1 5112-5157 http=0 sse\n"
	       "done http=0 h2 status=0 norequest noreq noresp aborted sse rpc=2 req=0-0 resp=5029-0 reset=1013\n"
	       "0 request id=1 method=ping 1033-1073 http=1\n"
	       "done http=1 =POST h2 status=0 noresp aborted rpc=1 req=1013-1073 resp=0-0\n");
}

/* It is not that late: its preface is seen. */
static void from_the_preface(void **state)
{
	(void)state;
	expect_opts.late = true;
	for (int server_first = 0; server_first < 2; server_first++) {
		if (server_first)
			h2_frame(&w, 1, (struct http2_frame){ .type = HTTP2_SETTINGS }, SV("\0\3\0\0\0\144"));
		h2_seg(&w, 0, HTTP2_PREFACE, 24);
		if (!server_first)
			h2_frame(&w, 1, (struct http2_frame){ .type = HTTP2_SETTINGS }, SV("\0\3\0\0\0\144"));
		h2_head(&w, 0, 1, END_HEAD, POST);
		h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
		h2_head(&w, 1, 1, END_HEAD, JSON);
		h2_data(&w, 1, 1, HTTP2_END_STREAM, PONG);
		once(BOTH_RPC
	       "0 request id=1 method=ping 1099-1139 http=0\n"
	       "1 result id=1 5077-5113 http=0\n"
	       "done http=0 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1024-1139 resp=5015-5113\n");
		h2_done(&w);
	}
}

static void no_frames(void **state)
{
	(void)state;
	expect_opts.late = true;
	expect_opts.undecided_max = 64;
	h2_seg(&w, 0, "\0\0\x08\6\0\0\0\0\0", 9); /* a PING, it seems */
	h2_seg(&w, 0, "\1\2\3\4\5\6\7\x08\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f", 17);
	for (int i = 0; i < 9; i++)
		h2_seg(&w, 0, "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f", 9);
	once("");
}

/* A hole in a frame of known length costs what lay in it. */
static void hole_in_frames(void **state)
{
	(void)state;
	h2_hello(&w);
	h2_head(&w, 0, 1, END_HEAD, GET);
	h2_head(&w, 1, 1, END_HEAD, EVENTS);
	h2_head(&w, 0, 3, END_HEAD, POST);
	h2_data(&w, 0, 3, HTTP2_END_STREAM, PING);
	h2_seg(&w, 1, "\0\0\x64\0\0\0\0\0\1data: {\"a", 18); /* 100 bytes, of which 91 are missing */
	h2_hole(&w, 1, 91);
	h2_head(&w, 1, 3, END_HEAD, JSON);
	h2_data(&w, 1, 3, HTTP2_END_STREAM, PONG);
	h2_data(&w, 1, 1, 0, "data: " PONG "\n\n");
	h2_seg(&w, 0, "\0\0\x04\3\0\0\0\0\1", 9);
	h2_hole(&w, 0, 4); /* why it is reset */
	h2_seg(&w, 0, "\0\0\x40\1\5\0\0\0\5", 9);
	h2_hole(&w, 0, 64); /* a header block */
	h2_head(&w, 0, 7, END_HEAD, POST);
	h2_data(&w, 0, 7, HTTP2_END_STREAM, PING);
	h2_head(&w, 1, 7, END_HEAD, JSON);
	h2_data(&w, 1, 7, HTTP2_END_STREAM, PONG);
	h2_head(&w, 1, 5, ALL, ":status: 202\n");
	once(BOTH_RPC
	       "0 request id=1 method=ping 1173-1213 http=0\n"
	       "1 result id=1 5240-5276 http=0\n"
	       "done http=0 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1098-1213 resp=5178-5276\n"
	       "1 result id=1 5291-5327 lost=91 http=1 sse\n"
	       "done http=1 =GET =/mcp host=a:1 h2 status=200 noreq noresp aborted sse rpc=1 req=1033-0 resp=5015-0 reset=1226 lost=91\n"
	       "0 request id=1 method=ping 1374-1414 http=2\n"
	       "1 result id=1 5391-5427 http=2\n"
	       "done http=2 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1299-1414 resp=5329-5427\n"
	       "done http=3 h2 status=202 rpc=0 req=1226-1299 resp=5427-5449\n");
}

/* A hole that may hide frames: the next feed that begins with one goes on. */
static void hole_of_frames(void **state)
{
	(void)state;
	h2_hello(&w);
	h2_head(&w, 0, 1, ALL, GET);
	h2_head(&w, 1, 1, END_HEAD, EVENTS);
	h2_head(&w, 0, 3, END_HEAD, POST);
	h2_data(&w, 0, 3, HTTP2_END_STREAM, PING);
	h2_head(&w, 1, 3, END_HEAD, JSON);
	h2_data(&w, 1, 3, 0, "{\"result\":");
	h2_hole(&w, 1, 500);
	h2_seg(&w, 1, "the tail of a frame", 19);
	h2_data(&w, 1, 1, 0, "data: " PONG "\n\n");
	h2_head(&w, 1, 7, END_HEAD, JSON);
	h2_hole(&w, 0, 50);
	h2_data(&w, 1, 7, HTTP2_END_STREAM, PONG);
	h2_head(&w, 0, 9, END_HEAD, POST);
	h2_data(&w, 0, 9, HTTP2_END_STREAM, PING);
	h2_head(&w, 1, 9, END_HEAD, JSON);
	h2_data(&w, 1, 9, HTTP2_END_STREAM, PONG);
	once(BOTH_RPC
	       "0 request id=1 method=ping 1173-1213 http=0\n"
	       "done http=0 =POST =/mcp host=a:1 h2 status=200 noresp aborted rpc=1 req=1098-1213 resp=5069-0 lost=500\n"
	       "1 result id=1 5675-5711 lost=500 http=1 sse\n"
	       "1 result id=1 5775-5811 http=2\n"
	       "done http=2 h2 status=200 norequest noreq rpc=1 req=0-0 resp=5713-5811 lost=50\n"
	       "0 request id=1 method=ping 1338-1378 http=3\n"
	       "1 result id=1 5873-5909 http=3\n"
	       "done http=3 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1263-1378 resp=5811-5909\n"
	       "done http=1 =GET =/mcp host=a:1 h2 status=200 noresp aborted sse rpc=1 req=1033-1098 resp=5015-0 lost=500\n");
}

/* As once, but for the exchanges. */
static void without_exchanges(const char *want)
{
	struct record r = { 0 };
	struct pump_ops ops = record_ops(&r);
	struct pump *p;

	ops.http_done = NULL;
	p = pump_new(&expect_opts, &ops);
	assert_non_null(p);
	buf_init(&r.text, 4096);
	segs_run(p, w.segs, 0, 0);
	pump_free(p);
	buf_add_ch(&r.text, 0);
	assert_string_equal(r.text.p, want);
	buf_done(&r.text);
}

static void nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	h2_hello(&w);
	for (uint32_t id = 1; id < 2 * 1024; id += 2)
		h2_add_frame(&b, (struct http2_frame){ .type = HTTP2_HEADERS, .flags = ALL, .stream = id }, SV("\x83\x87"));
	h2_seg(&w, 0, b.p, b.n);
	buf_reset(&b);
	for (uint32_t id = 1; id < 2 * 1024; id += 2)
		h2_add_frame(&b, (struct http2_frame){ .type = HTTP2_HEADERS, .flags = ALL, .stream = id }, SV("\x89"));
	h2_seg(&w, 1, b.p, b.n);
	buf_done(&b);
	without_exchanges("0 is nothing\n1 is nothing\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(joined_late, expect_setup, done),
		cmocka_unit_test_setup_teardown(statuses, expect_setup, done),
		cmocka_unit_test_setup_teardown(beside, expect_setup, done),
		cmocka_unit_test_setup_teardown(interim, expect_setup, done),
		cmocka_unit_test_setup_teardown(unread, expect_setup, done),
		cmocka_unit_test_setup_teardown(joined_events, expect_setup, done),
		cmocka_unit_test_setup_teardown(from_the_preface, expect_setup, done),
		cmocka_unit_test_setup_teardown(no_frames, expect_setup, done),
		cmocka_unit_test_setup_teardown(hole_in_frames, expect_setup, done),
		cmocka_unit_test_setup_teardown(hole_of_frames, expect_setup, done),
		cmocka_unit_test_setup_teardown(nothing, expect_setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
