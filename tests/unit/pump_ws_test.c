/* SPDX-License-Identifier: Apache-2.0 */
/* The pump on WebSocket: masks, fragments, compression, holes, and what is no JSON-RPC; in every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <zlib.h>

#include "pump_expect.h"

#define PING   "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}" /* 40 bytes */
#define PONG   "{\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}"	   /* 36 bytes */
#define ASK    "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"	/* 61 bytes */
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\r\n"		/* 56 bytes */
#define SWITCHED "done http=0 =GET =/ws status=101 rpc=0 req=1000-1061 resp=5000-5056\n"
#define BOTH_RPC "0 is rpc\n1 is rpc\n"
#define GIVEN_UP " finds upgrade 1 0\n0 is nothing\n1 is nothing\n"

enum { TEXT = 0x81, FIRST = 0x01, NEXT = 0x00, LAST = 0x80, BINARY = 0x82, HELLO = 0x89, PACKED = 0xc1 };

static struct seg segs[32];
static size_t n_segs;

static void add(uint8_t dir, const void *p, size_t n)
{
	char *copy = malloc(n);

	memcpy(copy, p, n);
	segs[n_segs++] = (struct seg){ dir, copy, n, SEG_BYTES };
	segs[n_segs] = (struct seg){ 0, NULL, 0, SEG_BYTES };
}

static int setup(void **state)
{
	add(0, ASK, sizeof(ASK) - 1);
	add(1, SWITCH, sizeof(SWITCH) - 1);
	return expect_setup(state);
}

static int done(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_segs; i++)
		free((char *)segs[i].p);
	n_segs = 0;
	memset(segs, 0, sizeof(segs));
	return 0;
}

/* The client's frames are masked. */
static void frame(uint8_t dir, uint8_t first, const void *p, size_t n)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t b[4096] = { first, (uint8_t)((dir ? 0 : 0x80) | (n < 126 ? n : 126)) };
	size_t at = 2;

	if (n >= 126) {
		b[at++] = (uint8_t)(n >> 8);
		b[at++] = (uint8_t)n;
	}
	if (dir == 0) {
		memcpy(b + at, mask, 4);
		at += 4;
	}
	for (size_t i = 0; i < n; i++)
		b[at + i] = ((const uint8_t *)p)[i] ^ (dir ? 0 : mask[i & 3]);
	add(dir, b, at + n);
}

static void text(uint8_t dir, uint8_t first, const char *s)
{
	frame(dir, first, s, strlen(s));
}

/* Masked bytes do not stand on the wire as they are. */
static void run(const char *want)
{
	size_t total = 0;

	for (size_t i = 0; i < n_segs; i++)
		total += segs[i].n;
	for (size_t cut = 0; cut < total; cut++) {
		struct record r = { .loose = expect_loose };
		struct pump_ops ops = record_ops(&r);
		struct pump *p = pump_new(&expect_opts, &ops);

		assert_non_null(p);
		buf_init(&r.text, 1 << 16);
		segs_run(p, segs, cut == 0 ? 1 : 0, cut);
		pump_free(p);
		buf_add_ch(&r.text, 0);
		assert_string_equal(r.text.p, want);
		buf_done(&r.text);
	}
}

static void messages(void **state)
{
	char longer[300];

	(void)state;
	text(0, TEXT, PING);
	text(1, FIRST, "{\"result\":{},");
	text(1, HELLO, "are you there");
	text(1, NEXT, "");
	text(0, 0x8a, "yes");
	text(1, LAST, "\"jsonrpc\":\"2.0\",\"id\":1}");
	memset(longer, ' ', sizeof(longer));
	memcpy(longer + 200, PING, sizeof(PING) - 1);
	frame(0, TEXT, longer, sizeof(longer));
	text(0, BINARY, PING);
	text(1, TEXT, "{oops");
	text(1, TEXT, PONG);
	text(0, 0x88, "\3\350");
	run(SWITCHED BOTH_RPC "0 request id=1 method=ping 1067-1107\n"
			       "1 result id=1 5058-5113\n"
			       "0 request id=1 method=ping 1324-1364\n"
			       "1 finds bad-json 1 5\n"
			       "1 result id=1 5122-5158\n");
}

static void packed(void **state)
{
	z_stream z = { .zalloc = NULL };
	const char *const said[] = { PING, PING, "no JSON at all", PING };
	uint8_t out[256];

	(void)state;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (size_t i = 0; i < 4; i++) {
		z.next_in = (uint8_t *)said[i];
		z.avail_in = (uInt)strlen(said[i]);
		z.next_out = out;
		z.avail_out = sizeof(out);
		assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
		frame(0, PACKED, out, sizeof(out) - z.avail_out - 4);
		if (i == 1)
			text(0, TEXT, PING);
	}
	deflateEnd(&z);
	expect_loose = true; /* positions depend on the pieces */
	run(SWITCHED BOTH_RPC "0 request id=1 method=ping\n0 request id=1 method=ping\n"
			       "0 request id=1 method=ping\n0 request id=1 method=ping\n");
}

static void broken_packing(void **state)
{
	(void)state;
	text(0, PACKED, "\xff\xff\xff\xff");
	text(0, PACKED, "\xf2\x48");
	text(0, TEXT, PING);
	run(SWITCHED "0 finds coding 1 0\n" BOTH_RPC "0 request id=1 method=ping 1085-1125\n");
}

static void no_json_rpc(void **state)
{
	(void)state;
	expect_opts.undecided_max = 100;
	for (int i = 0; i < 10; i++)
		text(1, TEXT, "a word of chat");
	run(SWITCHED "1" GIVEN_UP);
}

/* What such an end may not send. */
static void malformed(void **state)
{
	static const struct {
		uint8_t dir, n;
		const char *p;
	} bad[] = {
		{ 0, 6, "\x81\4{\"x\"" },     /* not masked */
		{ 1, 7, "\x81\x81\0\0\0\0x" }, /* masked */
		{ 1, 2, "\x80\0" },	       /* goes on with nothing */
		{ 1, 4, "\1\0\1\0" },	       /* a message within another */
		{ 1, 2, "\x09\0" },	       /* a fragment of a control frame */
		{ 1, 4, "\x89\x7e\0\x7e" },    /* a long one */
		{ 1, 2, "\x83\0" },	       /* of no kind */
		{ 1, 2, "\x91\0" },	       /* a bit that means nothing */
		{ 1, 10, "\x81\x7f\x80\0\0\0\0\0\0\0" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		add(bad[i].dir, bad[i].p, bad[i].n);
		run(bad[i].dir ? SWITCHED "1" GIVEN_UP : SWITCHED "0" GIVEN_UP);
		done(state);
		setup(state);
	}
}

static void holes(void **state)
{
	(void)state;
	text(0, TEXT, PING);
	add(1, "\x81\x24{\"result\"", 11);
	segs[n_segs++] = (struct seg){ 1, NULL, 27, SEG_GAP };
	text(1, TEXT, PONG);
	segs[n_segs++] = (struct seg){ 0, NULL, 27, SEG_GAP };
	text(1, TEXT, PONG);
	segs[n_segs] = (struct seg){ 0, NULL, 0, SEG_BYTES };
	run(SWITCHED BOTH_RPC "0 request id=1 method=ping 1067-1107\n"
			       "1 result id=1 5096-5132 lost=27\n"
			       "0 finds upgrade 1 0\n");
}

static void refused(void **state)
{
	static const struct seg no[] = {
		TO(ASK),
		FROM("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
		TO("POST /mcp HTTP/1.1\r\nContent-Length: 40\r\n\r\n" PING),
		FROM("HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n"),
		END,
	};

	(void)state;
	expect(no, "done http=0 =GET =/ws status=404 rpc=0 req=1000-1061 resp=5000-5038\n" BOTH_RPC
		   "0 request id=1 method=ping 1103-1143 http=1\n"
		   "done http=1 =POST =/mcp status=202 rpc=1 req=1061-1143 resp=5038-5076\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages, setup, done),
		cmocka_unit_test_setup_teardown(packed, setup, done),
		cmocka_unit_test_setup_teardown(broken_packing, setup, done),
		cmocka_unit_test_setup_teardown(no_json_rpc, setup, done),
		cmocka_unit_test_setup_teardown(malformed, setup, done),
		cmocka_unit_test_setup_teardown(holes, setup, done),
		cmocka_unit_test_setup(refused, expect_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
