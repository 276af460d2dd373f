/* SPDX-License-Identifier: Apache-2.0 */
/* The pump on HTTP/2: streams, header blocks, bodies, resets, the way in; in every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "h2_wire.h"
#include "pump_expect.h"

#define PING   "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}" /* 40 bytes */
#define PONG   "{\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}"	   /* 36 bytes */
#define POST   ":method: POST\n:scheme: https\n:path: /mcp\n:authority: a:1\n"
#define GET    ":method: GET\n:scheme: https\n:path: /mcp\n:authority: a:1\n"
#define JSON   ":status: 200\ncontent-type: application/json\n"
#define EVENTS ":status: 200\ncontent-type: text/event-stream\n"
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

static void exchange(void **state)
{
	(void)state;
	h2_hello(&w);
	other(0, HTTP2_WINDOW_UPDATE, 0, 0, (struct sv){ "\0\1\0\0", 4 });
	h2_head(&w, 0, 1, END_HEAD,
		POST "mcp-session-id: s-1\nmcp-protocol-version: 2025-11-25\nmcp-method: ping\n");
	h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
	other(1, HTTP2_SETTINGS, HTTP2_ACK, 0, SV(""));
	h2_head(&w, 1, 1, END_HEAD, JSON "content-length: 36\n");
	h2_data(&w, 1, 1, 0, PONG);
	h2_data(&w, 1, 1, HTTP2_END_STREAM, "");
	expect(w.segs, BOTH_RPC
	       "0 request id=1 method=ping 1191-1231 http=0\n"
	       "1 result id=1 5105-5141 http=0\n"
	       "done http=0 =POST =/mcp session=s-1 version=2025-11-25 mcp=ping host=a:1 h2 status=200 rpc=2 req=1046-1231 resp=5024-5150\n");
}

/* Two calls at once; each message lies in several frames, with the other's and padding between them. */
static void interleaved(void **state)
{
	(void)state;
	h2_hello(&w);
	h2_head(&w, 0, 1, END_HEAD, POST);
	h2_head(&w, 0, 3, END_HEAD, POST);
	h2_data(&w, 0, 1, 0, "{\"jsonrpc\":\"2.0\",");
	other(0, HTTP2_DATA, HTTP2_PADDED, 3, SV("\3{\"jsonrpc\":\"2.0\",\"method\":\0\0\0"));
	h2_data(&w, 0, 1, 0, "\"method\":\"ping\",\"i");
	other(0, HTTP2_PING, 0, 0, SV("12345678"));
	other(0, HTTP2_DATA, HTTP2_PADDED | HTTP2_END_STREAM, 3, SV("\1\"ping\",\"id\":2}\0"));
	other(0, HTTP2_DATA, HTTP2_PADDED, 1, SV("\2d\":1}\0\0"));
	other(0, HTTP2_DATA, HTTP2_PADDED | HTTP2_END_STREAM, 1, SV("\4\0\0\0\0"));
	h2_head(&w, 1, 3, END_HEAD, EVENTS);
	h2_head(&w, 1, 1, END_HEAD, JSON);
	h2_data(&w, 1, 3, 0, "event: mess");
	h2_data(&w, 1, 1, 0, "{\"result\":{},\"jsonrpc\":");
	h2_data(&w, 1, 3, 0, "age\nid: 7\ndata: {\"result\":{},\"jso");
	h2_data(&w, 1, 1, HTTP2_END_STREAM, "\"2.0\",\"id\":1}");
	other(1, HTTP2_DATA, HTTP2_PADDED, 3, SV("\1nrpc\":\"2.0\",\"id\":2}\n\0"));
	h2_data(&w, 1, 3, HTTP2_END_STREAM, "\n");
	expect(w.segs, BOTH_RPC
	       "0 request id=2 method=ping 1201-1298 http=0\n"
	       "0 request id=1 method=ping 1174-1314 http=1\n"
	       "1 result id=1 5151-5238 http=1\n"
	       "done http=1 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1033-1330 resp=5069-5238\n"
	       "1 result id=2 5199-5267 http=0 sse event=message eid=7\n"
	       "done http=0 =POST =/mcp host=a:1 h2 status=200 sse rpc=2 req=1099-1299 resp=5015-5279\n");
}

/* A block in three frames, with priority and padding; interim responses; trailers; types nobody knows; a push. */
static void heads(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	h2_hello(&w);
	buf_add(&b, "\5\0\0\0\0\377", 6);
	h2_block(&b, "*:method: POST\n*:path: /mcp\n");
	buf_add(&b, "\0\0\0\0\0", 5);
	other(0, HTTP2_HEADERS, HTTP2_PADDED | HTTP2_PRIORITIES, 1, buf_sv(&b));
	buf_reset(&b);
	h2_block(&b, "*last-event-id: 9\n");
	other(0, HTTP2_CONTINUATION, 0, 1, buf_sv(&b));
	other(0, HTTP2_CONTINUATION, END_HEAD, 1, SV(""));
	other(0, 0xbe, 0xff, 77, SV("grease"));
	h2_data(&w, 0, 1, 0, PING);
	h2_head(&w, 0, 1, ALL, "x-checksum: 1\n:path: /no\n");
	h2_head(&w, 1, 1, END_HEAD, ":status: 103\nlink: </a>\n");
	buf_reset(&b);
	buf_add(&b, "\0\0\0\2", 4);
	h2_block(&b, "*:status: 201\n");
	other(1, HTTP2_PUSH_PROMISE, END_HEAD, 1, buf_sv(&b));
	h2_head(&w, 1, 2, END_HEAD, "#62\n");
	h2_data(&w, 1, 2, HTTP2_END_STREAM, PONG);
	h2_head(&w, 1, 1, END_HEAD, "#62\n*content-type: application/json\n");
	h2_data(&w, 1, 1, 0, PONG);
	h2_head(&w, 1, 1, ALL, "x-took: 5\n");
	h2_head(&w, 0, 3, ALL, "#64\n#63\n#62\n");
	h2_head(&w, 1, 3, ALL, ":status: 204\n#62\n");
	buf_done(&b);
	expect(w.segs, BOTH_RPC
	       "0 request id=1 method=ping 1138-1178 http=0\n"
	       "1 result id=1 5179-5215 http=0\n"
	       "done http=0 =POST =/mcp last=9 h2 status=201 rpc=2 req=1033-1212 resp=5129-5234\n"
	       "done http=1 =POST =/mcp last=9 h2 status=204 rpc=0 req=1212-1224 resp=5234-5257\n");
}

static void resets(void **state)
{
	(void)state;
	h2_hello(&w);
	h2_head(&w, 0, 1, END_HEAD, POST);
	h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
	h2_head(&w, 1, 1, END_HEAD, EVENTS);
	h2_data(&w, 1, 1, 0, ": hello\n\n");
	h2_reset(&w, 0, 1);
	h2_data(&w, 1, 1, HTTP2_END_STREAM, "data: " PONG "\n\n"); /* was under way */
	h2_head(&w, 0, 3, END_HEAD, POST);
	h2_data(&w, 0, 3, HTTP2_END_STREAM, PING);
	h2_reset(&w, 1, 3);
	h2_head(&w, 0, 5, END_HEAD, POST);
	h2_data(&w, 0, 5, 0, PING); /* the server has read enough */
	h2_head(&w, 1, 5, END_HEAD, JSON);
	h2_data(&w, 1, 5, HTTP2_END_STREAM, PONG);
	h2_reset(&w, 1, 5);
	h2_head(&w, 0, 7, END_HEAD, POST);
	h2_data(&w, 0, 7, HTTP2_END_STREAM, PING);
	h2_head(&w, 0, 9, ALL, GET);
	other(1, HTTP2_GOAWAY, 0, 0, SV("\0\0\0\7\0\0\0\0bye"));
	h2_head(&w, 1, 7, END_HEAD, JSON);
	h2_data(&w, 1, 7, 0, "{\"result\":");
	h2_eof(&w, 0);
	h2_eof(&w, 1);
	expect(w.segs, BOTH_RPC
	       "0 request id=1 method=ping 1108-1148 http=0\n"
	       "done http=0 =POST =/mcp host=a:1 h2 status=200 noresp aborted sse rpc=1 req=1033-1148 resp=5015-0 reset=1161\n"
	       "0 request id=1 method=ping 1236-1276 http=1\n"
	       "done http=1 =POST =/mcp host=a:1 h2 status=0 noresp aborted rpc=1 req=1161-1276 resp=0-0\n"
	       "0 request id=1 method=ping 1351-1391 http=2\n"
	       "1 result id=1 5215-5251 http=2\n"
	       "done http=2 =POST =/mcp host=a:1 h2 status=200 noreq rpc=2 req=1276-0 resp=5153-5251\n"
	       "0 request id=1 method=ping 1466-1506 http=3\n"
	       "done http=4 =GET =/mcp host=a:1 h2 status=0 noresp aborted rpc=0 req=1506-1571 resp=0-0\n"
	       "done http=3 =POST =/mcp host=a:1 h2 status=200 noresp aborted rpc=1 req=1391-1506 resp=5284-0\n");
}

/* Records of the two directions may overtake each other. */
static void answer_fed_first(void **state)
{
	(void)state;
	h2_frame(&w, 1, (struct http2_frame){ .type = HTTP2_SETTINGS }, SV(""));
	h2_head(&w, 1, 1, END_HEAD, JSON);
	h2_data(&w, 1, 1, HTTP2_END_STREAM, PONG);
	h2_head(&w, 1, 3, ALL, ":status: 202\n");
	h2_head(&w, 1, 5, END_HEAD, JSON);
	h2_reset(&w, 1, 5);
	h2_seg(&w, 0, HTTP2_PREFACE, 24);
	h2_head(&w, 0, 1, END_HEAD, POST);
	h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
	h2_head(&w, 0, 3, ALL, GET);
	h2_head(&w, 0, 5, ALL, GET);
	h2_head(&w, 0, 7, ALL, GET);
	expect(w.segs, BOTH_RPC
	       "1 result id=1 5071-5107 http=0\n"
	       "0 request id=1 method=ping 1099-1139 http=0\n"
	       "done http=0 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1024-1139 resp=5009-5107\n"
	       "done http=1 =GET =/mcp host=a:1 h2 status=202 rpc=0 req=1139-1204 resp=5107-5129\n"
	       "done http=2 =GET =/mcp host=a:1 h2 status=200 noresp aborted rpc=0 req=1204-1269 resp=5129-0\n"
	       "done http=3 =GET =/mcp host=a:1 h2 status=0 noresp aborted rpc=0 req=1269-1334 resp=0-0\n");
}

/* Nobody sees what the client sends. */
static void one_direction(void **state)
{
	(void)state;
	h2_frame(&w, 1, (struct http2_frame){ .type = HTTP2_SETTINGS }, SV(""));
	h2_head(&w, 1, 1, END_HEAD, JSON);
	h2_data(&w, 1, 1, HTTP2_END_STREAM, PONG);
	h2_head(&w, 1, 3, END_HEAD, EVENTS);
	h2_data(&w, 1, 3, 0, "data: " PONG "\n\n");
	expect(w.segs, BOTH_RPC
	       "1 result id=1 5071-5107 http=0\n"
	       "1 result id=1 5176-5212 http=1 sse\n"
	       "done http=0 h2 status=200 norequest noreq rpc=1 req=0-0 resp=5009-5107\n"
	       "done http=1 h2 status=200 norequest noreq noresp aborted sse rpc=1 req=0-0 resp=5107-0\n");
	h2_done(&w);
	h2_seg(&w, 0, HTTP2_PREFACE, 24);
	h2_head(&w, 0, 1, END_HEAD, POST);
	h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
	expect(w.segs, BOTH_RPC
	       "0 request id=1 method=ping 1099-1139 http=0\n"
	       "done http=0 =POST =/mcp host=a:1 h2 status=0 noresp aborted rpc=1 req=1024-1139 resp=0-0\n");
}

#define UPGRADE                                                                                    \
	"POST /mcp HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"   \
	"HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 40\r\n\r\n" PING
#define SWITCHING "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

static void upgrade(void **state)
{
	static const char want[] = BOTH_RPC
	       "0 request id=1 method=ping 1136-1176 http=0\n"
	       "1 result id=1 5142-5178 http=0\n"
	       "done http=0 =POST =/mcp host=a h2 status=200 rpc=2 req=1000-1176 resp=5080-5178\n"
	       "0 request id=1 method=ping 1275-1315 http=1\n"
	       "1 result id=1 5240-5276 http=1\n"
	       "done http=1 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1200-1315 resp=5178-5276\n";

	(void)state;
	/* Where the preface is fed before the 101, whole or in part, it comes to the same. */
	for (size_t early = 0; early < 3; early++) {
		size_t cut = early == 0 ? 0 : early == 1 ? 9 : 24;

		h2_seg(&w, 0, UPGRADE, sizeof(UPGRADE) - 1);
		if (cut)
			h2_seg(&w, 0, HTTP2_PREFACE, cut);
		h2_seg(&w, 1, SWITCHING, sizeof(SWITCHING) - 1);
		if (cut < 24)
			h2_seg(&w, 0, HTTP2_PREFACE + cut, 24 - cut);
		h2_frame(&w, 1, (struct http2_frame){ .type = HTTP2_SETTINGS }, SV(""));
		h2_head(&w, 1, 1, END_HEAD, JSON);
		h2_data(&w, 1, 1, HTTP2_END_STREAM, PONG);
		h2_head(&w, 0, 3, END_HEAD, POST);
		h2_data(&w, 0, 3, HTTP2_END_STREAM, PING);
		h2_head(&w, 1, 3, END_HEAD, JSON);
		h2_data(&w, 1, 3, HTTP2_END_STREAM, PONG);
		expect(w.segs, want);
		h2_done(&w);
	}
}

/* What is no JSON is passed over; codings are undone. */
static void bodies(void **state)
{
	(void)state;
	h2_hello(&w);
	h2_head(&w, 0, 1, END_HEAD, ":method: POST\n:path: /rpc\ncontent-type: application/grpc+json\n");
	h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
	h2_head(&w, 1, 1, END_HEAD, ":status: 200\ncontent-type: application/grpc\n");
	h2_data(&w, 1, 1, 0, PONG);
	h2_head(&w, 1, 1, ALL, "grpc-status: 0\n");
	h2_head(&w, 0, 3, END_HEAD, ":method: PUT\n:path: /a\n");
	h2_data(&w, 0, 3, HTTP2_END_STREAM, PING);
	h2_head(&w, 1, 3, END_HEAD, ":status: 200\ncontent-encoding: rot13\n");
	h2_data(&w, 1, 3, HTTP2_END_STREAM, PONG);
	h2_head(&w, 0, 5, END_HEAD, POST);
	h2_data(&w, 0, 5, HTTP2_END_STREAM, "{oops}");
	h2_head(&w, 1, 5, END_HEAD, ":status: 4x0\n");
	h2_data(&w, 1, 5, HTTP2_END_STREAM, PONG);
	expect(w.segs, "done http=0 =POST =/rpc h2 status=200 rpc=0 req=1033-1153 resp=5015-5137\n"
	       "1 finds coding 1 0\n"
	       "done http=1 =PUT =/a h2 status=200 rpc=0 req=1153-1234 resp=5137-5228\n"
	       "1 finds http2 1 0\n"
	       "done http=2 =POST =/mcp host=a:1 h2 status=0 rpc=0 req=1234-1315 resp=5228-5295\n");
}

/* Where every head is read, a body without one is none, whatever it looks like. */
static void headless(void **state)
{
	(void)state;
	h2_hello(&w);
	h2_head(&w, 0, 1, ALL, GET);
	h2_data(&w, 1, 1, 0, "data: " PONG "\n\n");
	h2_data(&w, 1, 21, HTTP2_END_STREAM, "data: " PONG "\n\n");
	h2_data(&w, 0, 23, HTTP2_END_STREAM, PING);
	h2_head(&w, 1, 1, ALL, ":status: 204\n");
	expect(w.segs, "done http=0 =GET =/mcp host=a:1 h2 status=204 rpc=0 req=1033-1098 resp=5121-5143\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exchange, expect_setup, done),
		cmocka_unit_test_setup_teardown(interleaved, expect_setup, done),
		cmocka_unit_test_setup_teardown(heads, expect_setup, done),
		cmocka_unit_test_setup_teardown(resets, expect_setup, done),
		cmocka_unit_test_setup_teardown(answer_fed_first, expect_setup, done),
		cmocka_unit_test_setup_teardown(one_direction, expect_setup, done),
		cmocka_unit_test_setup_teardown(upgrade, expect_setup, done),
		cmocka_unit_test_setup_teardown(bodies, expect_setup, done),
		cmocka_unit_test_setup_teardown(headless, expect_setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
