/* SPDX-License-Identifier: Apache-2.0 */
/* The pump on HTTP/2 of peers that mean no good, or break the rules: each costs no more than it may, and what is said of the
 * rest stays true. */
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
#define JSON	 ":status: 200\ncontent-type: application/json\n"
#define BOTH_RPC "0 is rpc\n1 is rpc\n"
#define X10	 "xxxxxxxxxx"
#define X100	 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
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

/* A call on @stream, and its answer. */
static void call(uint32_t stream)
{
	h2_head(&w, 0, stream, END_HEAD, POST);
	h2_data(&w, 0, stream, HTTP2_END_STREAM, PING);
	h2_head(&w, 1, stream, END_HEAD, JSON);
	h2_data(&w, 1, stream, HTTP2_END_STREAM, PONG);
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

static void malformed(void **state)
{
	static const struct {
		uint8_t type, flags;
		struct sv payload;
	} bad[] = {
		{ HTTP2_CONTINUATION, 0, { "\0\1a\0", 4 } },
		{ HTTP2_DATA, HTTP2_PADDED, { "\5\0\0\0", 4 } },
		{ HTTP2_HEADERS, HTTP2_PRIORITIES, { "\0\0\0\0", 4 } },
		{ HTTP2_PRIORITY, 0, { "\0\0\0\0", 4 } },
		{ HTTP2_PING, 0, { "\0\0\0\0", 4 } },
		{ HTTP2_SETTINGS, 0, { "\0\0\0\0", 4 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		h2_hello(&w);
		h2_head(&w, 0, 1, END_HEAD, POST);
		h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
		other(0, bad[i].type, bad[i].flags, 1, bad[i].payload);
		h2_head(&w, 0, 3, END_HEAD, POST);
		h2_data(&w, 0, 3, HTTP2_END_STREAM, PING);
		h2_head(&w, 1, 1, END_HEAD, JSON);
		h2_data(&w, 1, 1, HTTP2_END_STREAM, PONG);
		once(BOTH_RPC
	       "0 request id=1 method=ping 1108-1148 http=0\n"
	       "0 finds http2 1 0\n"
	       "0 request id=1 method=ping 1236-1276 http=1\n"
	       "1 result id=1 5077-5113 http=0\n"
	       "done http=0 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1033-1148 resp=5015-5113\n"
	       "done http=1 =POST =/mcp host=a:1 h2 status=0 noresp aborted rpc=1 req=1161-1276 resp=0-0\n");
		h2_done(&w);
	}
	/* Tables that cannot be: frames go on, and so do heads as far as they do not rest on them. */
	h2_hello(&w);
	other(0, HTTP2_HEADERS, ALL, 1, SV("\xff\xff\xff\xff\xff\xff"));
	h2_head(&w, 0, 3, END_HEAD, POST);
	h2_data(&w, 0, 3, HTTP2_END_STREAM, PING);
	once("0 finds http2 1 0\n"
	       "0 is rpc\n"
	       "1 is rpc\n"
	       "0 request id=1 method=ping 1123-1163 http=0\n"
	       "done http=1 h2 status=0 noresp aborted rpc=0 req=1033-1048 resp=0-0\n"
	       "done http=0 =POST =/mcp host=a:1 h2 status=0 noresp aborted rpc=1 req=1048-1163 resp=0-0\n");
}

static void add(struct buf *b, uint8_t type, uint32_t stream, struct sv payload)
{
	h2_add_frame(b, (struct http2_frame){ .type = type, .stream = stream }, payload);
}

static void floods(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	h2_hello(&w);
	for (uint32_t id = 1; id < 2 * 256; id += 2) {
		h2_add_frame(&b, (struct http2_frame){ .type = HTTP2_HEADERS, .flags = ALL, .stream = id }, SV("\x83\x87"));
		if (id % 16 != 1)
			add(&b, HTTP2_RST_STREAM, id, SV("\0\0\0\10"));
	}
	expect_opts.streams_max = 8;
	h2_seg(&w, 0, b.p, b.n);
	without_exchanges("0 finds http2-flood 1 0\n");
	h2_done(&w);
	buf_reset(&b);
	h2_hello(&w);
	for (int i = 0; i < 1001; i++)
		add(&b, i & 1 ? HTTP2_SETTINGS : HTTP2_PING, 0, i & 1 ? SV("") : SV("12345678"));
	h2_seg(&w, 0, b.p, b.n);
	without_exchanges("0 finds http2-flood 1 0\n");
	h2_done(&w);
	buf_reset(&b);
	h2_hello(&w);
	add(&b, HTTP2_HEADERS, 1, SV("\x83"));
	for (int i = 0; i < 700; i++)
		add(&b, HTTP2_CONTINUATION, 1, SV("\0\1a\x64" X100));
	h2_seg(&w, 0, b.p, b.n);
	other(0, HTTP2_CONTINUATION, END_HEAD, 1, SV(""));
	h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
	without_exchanges("0 finds http2-flood 1 0\n" BOTH_RPC "0 request id=1 method=ping 80161-80201 http=0\n");
	buf_done(&b);
}

static void too_many_streams(void **state)
{
	(void)state;
	expect_opts.streams_max = 2;
	h2_hello(&w);
	for (uint32_t id = 1; id < 7; id += 2)
		h2_head(&w, 0, id, END_HEAD, POST);
	h2_head(&w, 1, 3, END_HEAD, JSON);
	h2_head(&w, 0, 7, END_HEAD, POST);
	h2_data(&w, 0, 3, 0, PING);
	expect(w.segs,
	       "done http=0 =POST =/mcp host=a:1 h2 status=0 noreq noresp aborted rpc=0 req=1033-0 resp=0-0\n"
	       "done http=1 =POST =/mcp host=a:1 h2 status=0 noreq noresp aborted rpc=0 req=1165-0 resp=0-0\n" BOTH_RPC
	       "0 request id=1 method=ping 1306-1346 http=2\n"
	       "done http=3 =POST =/mcp host=a:1 h2 status=0 noreq noresp aborted rpc=0 req=1231-0 resp=0-0\n"
	       "done http=2 =POST =/mcp host=a:1 h2 status=200 noreq noresp aborted rpc=1 req=1099-0 resp=5015-0\n");
}

/* Frames that carry nothing, of every kind, in one feed. */
static void idle(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t stream;
		struct sv payload;
	} of[] = {
		{ HTTP2_WINDOW_UPDATE, 0, { "\0\0\0\0", 4 } }, { HTTP2_WINDOW_UPDATE, 1, { "\x7f\xff\xff\xff", 4 } },
		{ HTTP2_PRIORITY, 3, { "\0\0\0\3\0", 5 } },    { HTTP2_DATA, 1, { "", 0 } },
		{ HTTP2_RST_STREAM, 1, { "\0\0\0\10", 4 } },   { HTTP2_GOAWAY, 0, { "\0\0\0\0\0\0\0\0", 8 } },
		{ HTTP2_SETTINGS, 0, { "\0\4\0\0\0\0", 6 } },  { 0xbe, 5, { "", 0 } },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		for (int n = 1000; n <= 1001; n++) {
			buf_reset(&b);
			for (int j = 0; j < n; j++)
				add(&b, of[i].type, of[i].stream, of[i].payload);
			h2_hello(&w);
			h2_head(&w, 0, 1, END_HEAD, POST);
			h2_seg(&w, 0, b.p, b.n);
			without_exchanges(n == 1000 ? "" : "0 finds http2-flood 1 0\n");
			h2_done(&w);
		}
	}
	buf_done(&b);
}

/* Empty CONTINUATION frames: neither do they end. */
static void idle_block(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	h2_hello(&w);
	h2_add_frame(&b, (struct http2_frame){ .type = HTTP2_HEADERS, .flags = HTTP2_END_STREAM, .stream = 1 }, SV("\x83"));
	for (int i = 0; i < 9000; i++)
		add(&b, HTTP2_CONTINUATION, 1, SV(""));
	h2_seg(&w, 0, b.p, b.n);
	other(0, HTTP2_CONTINUATION, END_HEAD, 1, SV("\x84"));
	call(3);
	once("0 finds http2-flood 1 0\n"
	     BOTH_RPC
	     "0 request id=1 method=ping 82128-82168 http=0\n"
	     "1 result id=1 5077-5113 http=0\n"
	     "done http=0 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=82053-82168 resp=5015-5113\n"
	     "done http=1 h2 status=0 noresp aborted rpc=0 req=1033-82053 resp=0-0\n");
	buf_done(&b);
}

/* A block is not to be interrupted. */
static void interrupted(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t stream;
	} by[] = { { HTTP2_HEADERS, 3 }, { HTTP2_CONTINUATION, 3 }, { HTTP2_DATA, 1 }, { HTTP2_PING, 0 }, { HTTP2_PUSH_PROMISE, 1 },
		   { 0xbe, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		h2_hello(&w);
		other(0, HTTP2_HEADERS, HTTP2_END_STREAM, 1, SV("\x83"));
		other(0, by[i].type, 0, by[i].stream, SV("\0\0\0\0\0\0\0\0"));
		other(0, HTTP2_CONTINUATION, END_HEAD, 1, SV("\x84"));
		call(5);
		once("0 finds http2 1 0\n"
		     BOTH_RPC
		     "0 request id=1 method=ping 1145-1185 http=0\n"
		     "1 result id=1 5077-5113 http=0\n"
		     "done http=0 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1070-1185 resp=5015-5113\n");
		h2_done(&w);
	}
}

/* One entry of 4000 bytes, and 60000 bytes that say it again each; tables and strings beyond what there may be. */
static void bombs(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	h2_hello(&w);
	buf_add_str(&b, "\x83\x40\1a\x7f\xa1\x1e"); /* 4000 = 127 + 0x21 + (0x1e << 7) */
	for (int i = 0; i < 4000; i++)
		buf_add_ch(&b, 'a');
	other(0, HTTP2_HEADERS, 0, 1, buf_sv(&b));
	buf_reset(&b);
	for (int i = 0; i < 15000; i++)
		buf_add_ch(&b, (char)0xbe);
	for (int i = 0; i < 4; i++)
		other(0, HTTP2_CONTINUATION, i == 3 ? END_HEAD : 0, 1, buf_sv(&b));
	h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
	other(0, HTTP2_HEADERS, ALL, 3, SV("\x83\xbe"));
	other(0, HTTP2_HEADERS, ALL, 5, SV("\x3f\xe2\xff\x03\x83")); /* a table of 65537 bytes */
	other(0, HTTP2_HEADERS, ALL, 7, SV("\x83\x40\1a\x7f\x81\xff\7")); /* a value of 131072 bytes */
	other(0, HTTP2_HEADERS, ALL, 9, SV("\x83"));
	once(BOTH_RPC
	     "0 request id=1 method=ping 65094-65134 http=0\n"
	     "0 finds http2 1 0\n"
	     "done http=0 =POST h2 status=0 noresp aborted rpc=1 req=1033-65134 resp=0-0\n"
	     "done http=1 =POST h2 status=0 noresp aborted rpc=0 req=65134-65145 resp=0-0\n"
	     "done http=2 h2 status=0 noresp aborted rpc=0 req=65145-65159 resp=0-0\n"
	     "done http=3 h2 status=0 noresp aborted rpc=0 req=65159-65176 resp=0-0\n"
	     "done http=4 =POST h2 status=0 noresp aborted rpc=0 req=65176-65186 resp=0-0\n");
	buf_done(&b);
}

/* The last number there is, lower ones after it, one that is the server's, none. */
static void numbers(void **state)
{
	(void)state;
	h2_hello(&w);
	call(0x7fffffff);
	call(3);
	call(2);
	h2_head(&w, 0, 0, ALL, POST);
	once(BOTH_RPC
	     "0 request id=1 method=ping 1108-1148 http=0\n"
	     "1 result id=1 5077-5113 http=0\n"
	     "done http=0 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1033-1148 resp=5015-5113\n"
	     "0 finds http2 1 0\n");
}

/* The server says that it goes; what is asked behind that is never answered. */
static void goaway(void **state)
{
	(void)state;
	h2_hello(&w);
	h2_head(&w, 0, 1, END_HEAD, POST);
	other(1, HTTP2_GOAWAY, 0, 0, SV("\x7f\xff\xff\xff\0\0\0\0"));
	h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
	h2_head(&w, 0, 3, END_HEAD, POST);
	other(1, HTTP2_GOAWAY, 0, 0, SV("\0\0\0\1\0\0\0\0"));
	other(0, HTTP2_GOAWAY, 0, 0, SV("\0\0\0\0\0\0\0\0")); /* of the streams that the server opens */
	h2_data(&w, 0, 3, HTTP2_END_STREAM, PING);
	h2_head(&w, 0, 5, END_HEAD, POST);
	h2_data(&w, 0, 5, HTTP2_END_STREAM, PING);
	h2_head(&w, 1, 1, END_HEAD, JSON);
	h2_data(&w, 1, 1, HTTP2_END_STREAM, PONG);
	h2_eof(&w, 1);
	once(BOTH_RPC
	     "0 request id=1 method=ping 1108-1148 http=0\n"
	     "done http=1 =POST =/mcp host=a:1 h2 status=0 noreq noresp aborted rpc=0 req=1148-0 resp=0-0\n"
	     "0 request id=1 method=ping 1355-1395 http=2\n"
	     "1 result id=1 5111-5147 http=0\n"
	     "done http=0 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1033-1148 resp=5049-5147\n"
	     "done http=2 =POST =/mcp host=a:1 h2 status=0 noresp aborted rpc=1 req=1280-1395 resp=0-0\n");
}

/* Frames of no size at all are told to be the limit: where a frame begins after a hole is found all the same. */
static void frame_size(void **state)
{
	(void)state;
	h2_hello(&w);
	other(0, HTTP2_SETTINGS, 0, 0, SV("\0\5\0\0\0\0"));
	h2_head(&w, 0, 1, END_HEAD, POST);
	h2_hole(&w, 1, 100);
	h2_head(&w, 1, 1, END_HEAD, JSON);
	h2_data(&w, 1, 1, HTTP2_END_STREAM, PONG);
	once(BOTH_RPC
	     "1 result id=1 5177-5213 http=0\n"
	     "done http=0 =POST =/mcp host=a:1 h2 status=200 noreq rpc=1 req=1048-0 resp=5115-5213 lost=100\n");
}

/* Interim responses without end, one of which says that it is the end. */
static void interims(void **state)
{
	(void)state;
	h2_hello(&w);
	h2_head(&w, 0, 1, END_HEAD, POST);
	h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
	for (int i = 0; i < 50; i++)
		h2_head(&w, 1, 1, i == 25 ? ALL : END_HEAD, ":status: 103\n");
	h2_head(&w, 1, 1, END_HEAD, JSON);
	h2_data(&w, 1, 1, HTTP2_END_STREAM, PONG);
	once(BOTH_RPC
	     "0 request id=1 method=ping 1108-1148 http=0\n"
	     "1 result id=1 6177-6213 http=0\n"
	     "done http=0 =POST =/mcp host=a:1 h2 status=200 rpc=2 req=1033-1148 resp=6115-6213\n");
}

/* WebSocket in a stream is not decoded but named, other tunnels are none of our business. */
static void tunnels(void **state)
{
	static const char *const asks[] = {
		":method: CONNECT\n:protocol: websocket\n:scheme: https\n:path: /mcp\n:authority: a:1\n",
		":method: CONNECT\n:authority: a:1\n",
	};

	(void)state;
	for (int server_first = 0; server_first < 2; server_first++) {
		h2_hello(&w);
		for (uint32_t i = 0; i < 3; i++) {
			const char *answer = i == 2 ? ":status: 403\n" : ":status: 200\n";

			if (server_first)
				h2_head(&w, 1, 2 * i + 1, END_HEAD, answer);
			h2_head(&w, 0, 2 * i + 1, END_HEAD, asks[i & 1]);
			if (!server_first)
				h2_head(&w, 1, 2 * i + 1, END_HEAD, answer);
			h2_data(&w, 0, 2 * i + 1, HTTP2_END_STREAM, PING);
			h2_data(&w, 1, 2 * i + 1, HTTP2_END_STREAM, PONG);
		}
		once("1 finds upgrade 1 0\n"
		     "done http=0 =CONNECT =/mcp host=a:1 h2 status=200 rpc=0 req=1033-1172 resp=5015-5082\n"
		     "done http=1 =CONNECT host=a:1 h2 status=200 rpc=0 req=1172-1263 resp=5082-5149\n"
		     "done http=2 =CONNECT =/mcp host=a:1 h2 status=403 rpc=0 req=1263-1402 resp=5149-5216\n");
		h2_done(&w);
	}
}

/* All that connections have open takes from one budget; a few streams of each are seen whatever others do. */
static void shared_budget(void **state)
{
	struct pump_share share = { .streams_max = 10 };
	struct record r = { 0 };
	struct pump_ops ops = record_ops(&r);
	struct pump *p[2];

	(void)state;
	expect_opts.share = &share;
	buf_init(&r.text, 1 << 16);
	h2_hello(&w);
	for (uint32_t id = 1; id < 2 * 20; id += 2)
		h2_head(&w, 0, id, END_HEAD, POST);
	h2_data(&w, 0, 19, HTTP2_END_STREAM, PING); /* has a place */
	h2_data(&w, 0, 21, HTTP2_END_STREAM, PING); /* has none */
	for (int i = 0; i < 2; i++) {
		p[i] = pump_new(&expect_opts, &ops);
		assert_non_null(p[i]);
		segs_run(p[i], w.segs, 0, 0);
		assert_int_equal(share.streams, i == 0 ? 10 : 18);
		assert_int_equal(share.streams_full, i == 0 ? 10 : 22);
	}
	buf_add_ch(&r.text, 0);
	assert_string_equal(r.text.p, BOTH_RPC "0 request id=1 method=ping 2362-2402 http=0\n");
	pump_free(p[0]);
	assert_int_equal(share.streams, 8);
	pump_free(p[1]);
	assert_int_equal(share.streams, 0);
	buf_done(&r.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(malformed, expect_setup, done),
		cmocka_unit_test_setup_teardown(floods, expect_setup, done),
		cmocka_unit_test_setup_teardown(too_many_streams, expect_setup, done),
		cmocka_unit_test_setup_teardown(idle, expect_setup, done),
		cmocka_unit_test_setup_teardown(idle_block, expect_setup, done),
		cmocka_unit_test_setup_teardown(interrupted, expect_setup, done),
		cmocka_unit_test_setup_teardown(bombs, expect_setup, done),
		cmocka_unit_test_setup_teardown(numbers, expect_setup, done),
		cmocka_unit_test_setup_teardown(goaway, expect_setup, done),
		cmocka_unit_test_setup_teardown(frame_size, expect_setup, done),
		cmocka_unit_test_setup_teardown(interims, expect_setup, done),
		cmocka_unit_test_setup_teardown(tunnels, expect_setup, done),
		cmocka_unit_test_setup_teardown(shared_budget, expect_setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
