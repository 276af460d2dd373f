/* SPDX-License-Identifier: Apache-2.0 */
/* The pump on what bodies hold: codings, bombs; on verdicts and caps of HTTP connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <zlib.h>

#include "pump_expect.h"

#define PING  "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}" /* 40 bytes */
#define PONG  "{\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}"	   /* 36 bytes */
#define POST  "POST /mcp HTTP/1.1\r\nContent-Length: 40\r\n\r\n" PING
#define GET   "GET / HTTP/1.1\r\n\r\n"
#define EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

/* A response, or a request where @head says so, with @in as its gzip body. The text is the
 * caller's to free. */
static struct seg gzip_seg(uint8_t dir, const char *head, const char *in, size_t n)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)n };
	size_t cap = n + 4096;
	char *p = malloc(cap), *body = malloc(cap);
	int at;

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = (Bytef *)body;
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	at = snprintf(p, cap, "%s\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n", head,
		      z.total_out);
	memcpy(p + at, body, z.total_out);
	n = (size_t)at + z.total_out;
	deflateEnd(&z);
	free(body);
	return (struct seg){ dir, p, n, SEG_BYTES };
}

static void gzip(void **state)
{
	const char events[] = "event: message\ndata: " PONG
			      "\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"n\"}\n\n";
	struct seg segs[] = { gzip_seg(0, "POST / HTTP/1.1", PING, 40),
			      gzip_seg(1, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream",
				       events, sizeof(events) - 1),
			      END };
	char want[512];

	(void)state;
	expect_loose = true;
	snprintf(want, sizeof(want),
		 "0 is rpc\n1 is rpc\n0 request id=1 method=ping http=0\n"
		 "1 result id=1 http=0 sse event=message\n1 notification method=n http=0 sse\n"
		 "done http=0 =POST =/ status=200 sse rpc=3 req=1000-%zu resp=5000-%zu\n",
		 1000 + segs[0].n, 5000 + segs[1].n);
	expect(segs, want);
	free((char *)(uintptr_t)segs[0].p);
	free((char *)(uintptr_t)segs[1].p);
}

/* In a coded body, a message lies somewhere in the piece that was fed. */
static void coded_positions(void **state)
{
	struct record r = { 0 };
	struct pump_ops ops = record_ops(&r);
	struct seg s = gzip_seg(0, "POST / HTTP/1.1", PING, 40);
	struct pump *p = pump_new(&expect_opts, &ops);
	char want[128];

	(void)state;
	buf_init(&r.text, 4096);
	pump_feed(p, 0, 0, (struct sv){ s.p, s.n - 50 });
	pump_feed(p, 0, s.n - 50, (struct sv){ s.p + s.n - 50, 50 });
	buf_add_ch(&r.text, 0);
	snprintf(want, sizeof(want),
		 "0 is rpc\n1 is rpc\n0 request id=1 method=ping %zu-%zu http=0\n", s.n - 50, s.n);
	assert_string_equal(r.text.p, want);
	pump_free(p);
	buf_done(&r.text);
	free((char *)(uintptr_t)s.p);
}

/* The rest of a bomb is passed over; the connection goes on. */
static void bombs(void **state)
{
	char *blanks = memset(malloc(8 << 20), ' ', 8 << 20);
	struct seg segs[] = { TO(POST POST), gzip_seg(1, "HTTP/1.1 200 OK", blanks, 8 << 20),
			      gzip_seg(1, "HTTP/1.1 200 OK", PONG, 36), END };
	char want[512];

	(void)state;
	expect_opts.inflate_max = 2 << 20;
	expect_loose = true;
	snprintf(want, sizeof(want),
		 "0 is rpc\n1 is rpc\n0 request id=1 method=ping http=0\n0 request id=1 "
		 "method=ping http=1\n"
		 "1 finds bomb 1 0\ndone http=0 =POST =/mcp status=200 rpc=1 req=1000-1082 "
		 "resp=5000-%zu\n"
		 "1 result id=1 http=1\ndone http=1 =POST =/mcp status=200 rpc=2 req=1082-1164 "
		 "resp=%zu-%zu\n",
		 5000 + segs[1].n, 5000 + segs[1].n, 5000 + segs[1].n + segs[2].n);
	expect_once(segs, 0, 0, want);
	expect_once(segs, 1000, 0, want);
	free(blanks);
	free((char *)(uintptr_t)segs[1].p);
	free((char *)(uintptr_t)segs[2].p);
}

static void unknown_codings(void **state)
{
	static const struct seg segs[] = {
		TO(POST),
		FROM("HTTP/1.1 200 OK\r\nContent-Encoding: lzma\r\nContent-Length: 3\r\n\r\nabc"),
		TO(POST),
		FROM("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: "
		     "36\r\n\r\n" PONG),
		TO(POST),
		FROM("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: "
		     "36\r\n\r\n" PONG),
		END,
	};

	(void)state;
	expect(segs, "0 is rpc\n1 is rpc\n0 request id=1 method=ping 1042-1082 http=0\n1 finds "
		     "coding 1 0\n"
		     "done http=0 =POST =/mcp status=200 rpc=1 req=1000-1082 resp=5000-5065\n"
		     "0 request id=1 method=ping 1124-1164 http=1\n1 finds coding 1 0\n"
		     "done http=1 =POST =/mcp status=200 rpc=1 req=1082-1164 resp=5065-5164\n"
		     "0 request id=1 method=ping 1206-1246 http=2\n1 result id=1 5231-5267 http=2\n"
		     "done http=2 =POST =/mcp status=200 rpc=2 req=1164-1246 resp=5164-5267\n");
}

/* Counts of what a pump says. */
struct counts {
	struct pump *p;
	uint64_t pos[2];
	unsigned int done, alone, msgs, nothing, rpc, http;
};

static void count_done(void *ctx, const struct pump_http *x)
{
	struct counts *c = ctx;

	c->done++;
	c->alone += !x->has_request;
}

static void count_msg(void *ctx, const struct pump_msg *m)
{
	struct counts *c = ctx;

	assert_non_null(m->http);
	c->msgs++;
}

static void count_verdict(void *ctx, uint8_t dir, enum pump_verdict v)
{
	struct counts *c = ctx;

	(void)dir;
	c->nothing += v == PUMP_NOTHING;
	c->rpc += v == PUMP_RPC;
}

static void count_finding(void *ctx, uint8_t dir, enum pump_finding f, uint64_t n, uint64_t bytes)
{
	struct counts *c = ctx;

	(void)dir;
	(void)bytes;
	assert_int_equal(f, PUMP_F_HTTP);
	c->http += (unsigned int)n;
}

static void counts_init(struct counts *c)
{
	struct pump_ops ops = { .msg = count_msg,
				.http_done = count_done,
				.verdict = count_verdict,
				.finding = count_finding,
				.ctx = c };

	*c = (struct counts){ 0 };
	c->p = pump_new(&expect_opts, &ops);
}

static void give(struct counts *c, uint8_t dir, const char *text)
{
	struct sv in = sv_of(text);

	pump_feed(c->p, dir, c->pos[dir], in);
	c->pos[dir] += in.n;
}

static void many_exchanges(void **state)
{
	struct counts c;

	(void)state;
	counts_init(&c);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(c.nothing, 0);
		give(&c, 0, GET);
		give(&c, 1, EMPTY);
	}
	assert_int_equal(c.nothing, 2);
	give(&c, 0, POST);
	assert_int_equal(c.rpc, 2);
	assert_int_equal(c.msgs, 1);
	assert_int_equal(c.done, 64);
	for (int i = 0; i < 100; i++) {
		give(&c, 1, EMPTY);
		give(&c, 0, GET);
	}
	assert_int_equal(c.nothing, 2);
	assert_int_equal(c.done, 64 + 100);
	pump_free(c.p);
	assert_int_equal(c.done, 64 + 101);
	assert_int_equal(c.alone, 0);
}

static void many_bytes(void **state)
{
	static const char *const bodies[] = { "text/event-stream", "application/octet-stream",
					      "image/png" };
	char line[1025] = "", head[128];

	(void)state;
	memset(line, 'x', 1024);
	for (size_t i = 0; i < 3; i++) {
		struct counts c;
		unsigned int n = 0;

		counts_init(&c);
		give(&c, 0, GET);
		snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n",
			 bodies[i]);
		give(&c, 1, head);
		line[0] = ':'; /* a comment, to an event stream */
		line[1023] = '\n';
		for (; n < 2000 && !c.nothing; n++)
			give(&c, 1, line);
		assert_in_range(n, i ? 1023 : 2000, i ? 1025 : 2000);
		pump_free(c.p);
	}
}

/* Requests beyond the cap are not kept, but still counted: the answers go to the right ones. */
static void pipelined(void **state)
{
	struct counts c;

	(void)state;
	expect_opts.exchanges_max = 3;
	counts_init(&c);
	for (int i = 0; i < 5; i++)
		give(&c, 0, POST);
	assert_int_equal(c.http, 2);
	assert_int_equal(c.msgs, 3);
	for (int i = 0; i < 5; i++)
		give(&c, 1, EMPTY);
	assert_int_equal(c.done, 5);
	assert_int_equal(c.alone, 2);
	give(&c, 0, POST);
	give(&c, 1, EMPTY);
	assert_int_equal(c.done, 6);
	assert_int_equal(c.alone, 2);
	pump_free(c.p);
}

/* Answers whose requests never come are not kept for ever. */
static void requests_unseen(void **state)
{
	struct counts c;

	(void)state;
	expect_opts.exchanges_max = 4;
	counts_init(&c);
	for (int i = 0; i < 4; i++)
		give(&c, 1, EMPTY);
	assert_int_equal(c.done, 0);
	give(&c, 1, EMPTY);
	assert_int_equal(c.done, 5);
	assert_int_equal(c.alone, 5);
	pump_free(c.p);
	assert_int_equal(c.done, 5);
}

/* A head without end is given up at its cap. */
static void endless_head(void **state)
{
	struct counts c;

	(void)state;
	counts_init(&c);
	give(&c, 0, "GET / HTTP/1.1\r\n");
	for (int i = 0; i < 8000; i++) {
		assert_int_equal(c.http, (i * 10 + 16) > 65536);
		give(&c, 0, "Abcdef: g\n");
	}
	pump_free(c.p);
}

/* Feed @s to a pump of its own, all but the last 9 bytes: the body stays open. */
static struct pump *open_body(struct record *r, struct pump_share *share, const struct seg *s)
{
	struct pump_opts opts = expect_opts;
	struct pump_ops ops = record_ops(r);
	struct pump *p;

	opts.share = share;
	p = pump_new(&opts, &ops);
	assert_non_null(p);
	pump_feed(p, 0, 0, (struct sv){ s->p, s->n - 9 });
	return p;
}

static void codings_at_once(void **state)
{
	struct seg s = gzip_seg(0, "POST / HTTP/1.1", PING, 40);
	struct pump_share share = { .codings_max = 1 };
	struct record r = { 0 };
	struct pump *a, *b;

	(void)state;
	buf_init(&r.text, 4096);
	a = open_body(&r, &share, &s);
	assert_int_equal(share.codings, 1);
	b = open_body(&r, &share, &s);
	assert_int_equal(share.codings, 1);
	assert_int_equal(share.codings_full, 1);
	pump_free(a);
	assert_int_equal(share.codings, 0);
	pump_free(b);
	assert_int_equal(share.codings, 0);
	b = open_body(&r, &share, &s);
	assert_int_equal(share.codings, 1);
	pump_free(b);
	assert_int_equal(share.codings, 0);
	assert_int_equal(share.codings_full, 1);
	free((char *)(uintptr_t)s.p);
	buf_done(&r.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(gzip, expect_setup),
		cmocka_unit_test_setup(coded_positions, expect_setup),
		cmocka_unit_test_setup(bombs, expect_setup),
		cmocka_unit_test_setup(codings_at_once, expect_setup),
		cmocka_unit_test_setup(unknown_codings, expect_setup),
		cmocka_unit_test_setup(many_exchanges, expect_setup),
		cmocka_unit_test_setup(many_bytes, expect_setup),
		cmocka_unit_test_setup(pipelined, expect_setup),
		cmocka_unit_test_setup(requests_unseen, expect_setup),
		cmocka_unit_test_setup(endless_head, expect_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
