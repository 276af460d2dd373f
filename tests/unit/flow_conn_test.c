/* SPDX-License-Identifier: Apache-2.0 */
/* flow/conn: which keys are one connection, late starts, stdio sets, traffic that comes back. */
#include "flow_record.h"

#define REQ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"
#define RES "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"

static struct ev_open tcp_open(uint64_t sock, uint32_t rx, uint32_t tx, uint16_t lport)
{
	struct ev_open o = {
		.hdr = { sizeof(o), EV_OPEN, 0, MS, 1, 1, 0 },
		.key = { sock, 100 << 1 | END_WRITE },
		.reverse = { sock, 100 << 1 | END_READ },
		.chan = CHAN_TCP,
		.end = END_WRITE,
		.family = 2,
		.lport = lport,
		.rport = 9999 - lport,
		.base_rx = rx,
		.base_tx = tx,
		.laddr = { 10, 0, 0, 1 },
		.raddr = { 10, 0, 0, 2 },
	};

	return o;
}

static struct at tcp(uint64_t sock, int end, uint64_t pos, uint64_t ts, uint32_t pid)
{
	return (struct at){ { sock, 100 << 1 | end }, CHAN_TCP, end, pos, ts, pid, 0 };
}

/* The connecting side counts its SYN, so its base_tx is one lower than the other end's base_rx. */
static void two_socks_are_one_connection(void **state)
{
	struct ev_open c = tcp_open(0xc0, 5000, 999, 1111), v = tcp_open(0x50, 1000, 5000, 8888);
	struct flow_stats st;
	struct seen s;

	(void)state;
	seen_init(&s);
	flow_feed(s.flow, &c.hdr);
	put(&s, tcp(0xc0, END_WRITE, 1000, 1 * MS, 10), REQ);
	flow_feed(s.flow, &v.hdr);
	put(&s, tcp(0x50, END_READ, 1000, 2 * MS, 20), REQ);
	put(&s, tcp(0x50, END_WRITE, 5000, 3 * MS, 20), RES);
	put(&s, tcp(0xc0, END_READ, 5000, 4 * MS, 10), RES);
	flow_flush(s.flow, 5 * MS);
	assert_string_equal(s.text, "1 10-20\n1 20-10\n");
	flow_stats(s.flow, &st);
	assert_int_equal(st.conns, 1);
	assert_int_equal(s.last.src.port, 8888);
	assert_int_equal(s.last.dst.port, 1111);
	flow_free(s.flow);
}

/* The table is full of others, and the connection's own key is the oldest when its second end comes. */
static void second_end_needs_room(void **state)
{
	struct ev_open c = tcp_open(0xc0, 5000, 999, 1111), v = tcp_open(0x50, 1000, 5000, 8888);
	struct seen s;

	(void)state;
	seen_init(&s);
	flow_feed(s.flow, &c.hdr);
	put(&s, tcp(0xc0, END_WRITE, 1000, 1 * MS, 10), REQ);
	for (uint64_t i = 1; i <= 126; i++) {
		struct at a = { { 0x9000 + i, i }, CHAN_PIPE, END_WRITE, 0, 2 * MS, 30, 0 };

		put(&s, a, REQ);
	}
	flow_feed(s.flow, &v.hdr);
	put(&s, tcp(0x50, END_READ, 1000, 2 * MS, 20), REQ);
	assert_string_equal(s.text, "1 10-20\n");
	flow_free(s.flow);
}

static void other_host(void **state)
{
	struct ev_open c = tcp_open(0xc0, 5000, 999, 1111);
	struct seen s;

	(void)state;
	seen_init(&s);
	flow_feed(s.flow, &c.hdr);
	put(&s, tcp(0xc0, END_WRITE, 1000, 1 * MS, 10), REQ);
	assert_string_equal(s.text, ""); /* it might be in another namespace here */
	put(&s, tcp(0xc0, END_READ, 5000, 40 * MS, 10), RES);
	flow_tick(s.flow, 150 * MS);
	assert_string_equal(s.text, "1 0-10\n1 10-0\n");
	put(&s, tcp(0xc0, END_WRITE, 1000 + strlen(REQ), 160 * MS, 10), REQ);
	assert_string_equal(s.text, "1 0-10\n1 10-0\n1 10-0\n"); /* waited for once */
	flow_free(s.flow);
}

static void strangers_stay_apart(void **state)
{
	struct ev_open a = tcp_open(0xc0, 5000, 1000, 1111), b = tcp_open(0x50, 7000, 5000, 8888);
	struct flow_stats st;
	struct seen s;

	(void)state;
	seen_init(&s);
	flow_feed(s.flow, &a.hdr);
	flow_feed(s.flow, &b.hdr);
	flow_stats(s.flow, &st);
	assert_int_equal(st.conns, 2);
	flow_free(s.flow);
}

static struct at ux(uint64_t sock, int end, uint64_t pos, uint64_t ts, uint32_t pid)
{
	return (struct at){ { sock, sock + 1 }, CHAN_UNIX, end, pos, ts, pid, 0 };
}

static void unix_directions_are_one_connection(void **state)
{
	struct ev_open o = { .hdr = { sizeof(o), EV_OPEN, 0, MS, 1, 1, 0 }, .key = { 0xb0, 0xb1 },
			     .chan = CHAN_UNIX, .end = END_WRITE };
	struct flow_stats st;
	struct seen s;
	uint64_t stream;

	(void)state;
	seen_init(&s);
	flow_feed(s.flow, &o.hdr); /* the other direction has no entry yet */
	put(&s, ux(0xb0, END_WRITE, 0, 1 * MS, 10), REQ);
	put(&s, ux(0xb0, END_READ, 0, 2 * MS, 20), REQ);
	stream = s.last.stream;
	o.reverse = o.key;
	o.key = (struct ev_key){ 0xa0, 0xa1 };
	flow_feed(s.flow, &o.hdr);
	put(&s, ux(0xa0, END_WRITE, 0, 3 * MS, 20), RES);
	put(&s, ux(0xa0, END_READ, 0, 4 * MS, 10), RES);
	assert_string_equal(s.text, "1 10-20\n1 20-10\n");
	assert_int_equal(s.last.reverse, stream);
	flow_stats(s.flow, &st);
	assert_int_equal(st.conns, 1);
	flow_free(s.flow);
}

/* Listed at start: what came before has no origin, and decoding begins at the next line. */
static void late_stream(void **state)
{
	struct ev_open o = { .hdr = { sizeof(o), EV_OPEN, EV_F_LATE, 10 * MS, 1, 1, 0 },
			     .key = { 0x1000, 7 }, .chan = CHAN_PIPE };
	struct at w = { o.key, CHAN_PIPE, END_WRITE, 0, 5 * MS, 10, 0 };
	struct at r = { o.key, CHAN_PIPE, END_READ, 0, 5 * MS, 20, 0 };
	struct seen s;

	(void)state;
	seen_init(&s);
	flow_feed(s.flow, &o.hdr);
	put(&s, w, REQ); /* before the listing */
	w.ts = r.ts = 11 * MS;
	put(&s, w, "tail of a message\"}}\n" REQ);
	put(&s, r, "tail of a message\"}}\n" REQ);
	flow_flush(s.flow, 12 * MS);
	assert_string_equal(s.text, "1 10-20\n");
	assert_true(s.last.late);
	flow_free(s.flow);
}

static void exec_opens_anew(void **state)
{
	static const char noise[] = "not ours, not ours, not ours\n";
	struct ev_exec e = { .hdr = { sizeof(e), EV_EXEC, 0, 90 * MS, 30, 30, 0 },
			     .in = { 0x1000, 7 }, .out = { 0x2000, 8 },
			     .in_chan = CHAN_PIPE, .out_chan = CHAN_PIPE };
	struct at w = { e.in, CHAN_PIPE, END_WRITE, 0, MS, 10, 0 };
	struct at r = { e.in, CHAN_PIPE, END_READ, 0, MS, 30, 0 };
	struct seen s;

	(void)state;
	seen_init(&s);
	while (!s.verdicts) {
		put(&s, w, noise);
		put(&s, r, noise);
		w.pos = r.pos += strlen(noise);
	}
	assert_int_equal(s.code, V_NO);
	put(&s, w, REQ);
	put(&s, r, REQ);
	flow_feed(s.flow, &e.hdr);
	w.pos = r.pos += strlen(REQ);
	w.ts = r.ts = 100 * MS;
	put(&s, w, REQ);
	put(&s, r, REQ);
	flow_flush(s.flow, 101 * MS);
	assert_string_equal(s.text, "set 1 30\n1 10-30\n");
	assert_int_equal(s.code, V_RPC);
	flow_verdict(s.flow, s.last.stream, true);
	assert_int_equal(s.code, V_BOTH);
	flow_free(s.flow);
}

static void terminal_is_named_once(void **state)
{
	struct at w = { { 0x7700, 3 }, CHAN_TTY, END_WRITE, 0, MS, 10, 0 };
	struct seen s;

	(void)state;
	seen_init(&s);
	put(&s, w, "{\"not\":\"JSON-RPC\"}\n");
	w.pos = 100;
	w.ts = 2 * MS;
	put(&s, w, REQ);
	flow_tick(s.flow, 500 * MS);
	put(&s, w, REQ);
	flow_flush(s.flow, 600 * MS);
	assert_string_equal(s.text, "terminal 10\n");
	assert_int_equal(s.code, V_NO);
	flow_free(s.flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_socks_are_one_connection),
		cmocka_unit_test(second_end_needs_room),
		cmocka_unit_test(other_host),
		cmocka_unit_test(strangers_stay_apart),
		cmocka_unit_test(unix_directions_are_one_connection),
		cmocka_unit_test(late_stream),
		cmocka_unit_test(exec_opens_anew),
		cmocka_unit_test(terminal_is_named_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
