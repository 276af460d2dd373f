/* SPDX-License-Identifier: Apache-2.0 */
/* flow/conn_tls: two ends that know each other only by their sockets, which may come late. */
#include "flow_record.h"

#include "event_tls.h"

#define REQ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"
#define RES "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"
#define REQ2 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n"
#define RES2 "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n"
#define CLIENT 0xc0, 10
#define SERVER 0x50, 20

#define LATE 1
#define PLACED 2

static void tell(struct seen *s, uint64_t ssl, uint32_t pid, uint64_t ts, int how)
{
	bool client = ssl == 0xc0, placed = how & PLACED;
	uint16_t flags = how & LATE ? EV_F_LATE : 0;
	struct ev_open o = {
		.hdr = { sizeof(o), EV_OPEN, flags, ts, pid, pid, 0 },
		.start = pid,
		.key = { ssl, 100 << 1 | END_WRITE },
		.reverse = { ssl, 100 << 1 | END_READ },
		.chan = CHAN_TLS,
		.end = END_WRITE,
		.tls = client ? TLS_GO : TLS_OPENSSL,
	};

	if (placed) {
		o.family = 2;
		o.lport = client ? 1111 : 8888;
		o.rport = client ? 8888 : 1111;
		o.base_rx = client ? 5000 : 1000;
		o.base_tx = client ? 999 : 5000;
		memcpy(o.laddr, "\x7f\0\0\1", 4);
		memcpy(o.raddr, "\x7f\0\0\1", 4);
	}
	flow_feed(s->flow, &o.hdr);
}

static struct at tls(uint64_t ssl, uint32_t pid, int end, uint64_t pos, uint64_t ts)
{
	return (struct at){ { ssl, 100 << 1 | end }, CHAN_TLS, end, pos, ts, pid, 0 };
}

static uint64_t conns(struct seen *s)
{
	struct flow_stats st;

	flow_stats(s->flow, &st);
	return st.conns;
}

/* One exchange as both ends see it; the server's socket is known as it answers, the client's as it reads. */
static void exchange(struct seen *s, int client, int server)
{
	tell(s, CLIENT, 1 * MS, client);
	put(s, tls(CLIENT, END_WRITE, 0, 1 * MS), REQ);
	tell(s, SERVER, 2 * MS, server);
	put(s, tls(SERVER, END_READ, 0, 2 * MS), REQ);
	put(s, tls(SERVER, END_WRITE, 0, 3 * MS), RES);
	tell(s, SERVER, 3 * MS, server | PLACED);
	assert_string_equal(s->text, "");
	tell(s, CLIENT, 4 * MS, client | PLACED);
	put(s, tls(CLIENT, END_READ, 0, 4 * MS), RES);
}

static void both_ends_once(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	exchange(&s, 0, 0);
	assert_string_equal(s.text, "1 10-20\n1 20-10\n");
	assert_int_equal(conns(&s), 1);
	assert_int_equal(s.last.tls, TLS_GO);
	assert_int_equal(s.last.src.port, 8888);
	assert_int_equal(s.last.t.first_w, 3 * MS);
	assert_int_equal(s.last.t.last_r, 4 * MS);
	put(&s, tls(CLIENT, END_WRITE, strlen(REQ), 5 * MS), REQ2);
	put(&s, tls(SERVER, END_READ, strlen(REQ), 6 * MS), REQ2);
	assert_string_equal(s.text, "1 10-20\n1 20-10\n2 10-20\n");
	flow_free(s.flow);
}

/* What the client has not read yet holds up nothing that the client says meanwhile; it does where the server may have read it. */
static void said_before_it_read(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	exchange(&s, 0, 0);
	seen_clear(&s);
	put(&s, tls(SERVER, END_WRITE, strlen(RES), 5 * MS), RES2);
	put(&s, tls(CLIENT, END_WRITE, strlen(REQ), 6 * MS), REQ2);
	put(&s, tls(SERVER, END_READ, strlen(REQ), 7 * MS), REQ2);
	assert_string_equal(s.text, "2 10-20\n");
	put(&s, tls(CLIENT, END_READ, strlen(RES), 8 * MS), RES2);
	assert_string_equal(s.text, "2 10-20\n2 20-10\n");
	seen_clear(&s);
	put(&s, tls(SERVER, END_READ, 2 * strlen(REQ), 10 * MS), REQ);
	put(&s, tls(SERVER, END_WRITE, 2 * strlen(RES), 11 * MS), RES);
	put(&s, tls(CLIENT, END_READ, 2 * strlen(RES), 12 * MS), RES);
	assert_string_equal(s.text, "");
	s.enter = 9 * MS;
	put(&s, tls(CLIENT, END_WRITE, 2 * strlen(REQ), 13 * MS), REQ);
	assert_string_equal(s.text, "1 10-20\n1 20-10\n");
	flow_free(s.flow);
}

/* The client's side is decoded by itself before its socket is known; then nothing may come twice. */
static void joined_after_the_hold(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	tell(&s, CLIENT, 1 * MS, 0);
	put(&s, tls(CLIENT, END_WRITE, 0, 1 * MS), REQ);
	flow_tick(s.flow, 2000 * MS);
	assert_string_equal(s.text, "");
	flow_tick(s.flow, 2001 * MS);
	assert_string_equal(s.text, "1 10-0\n");
	tell(&s, SERVER, 2002 * MS, PLACED);
	put(&s, tls(SERVER, END_READ, 0, 2002 * MS), REQ);
	put(&s, tls(SERVER, END_WRITE, 0, 2003 * MS), RES);
	tell(&s, CLIENT, 2004 * MS, PLACED);
	put(&s, tls(CLIENT, END_READ, 0, 2004 * MS), RES);
	assert_string_equal(s.text, "1 10-0\n1 20-10\n");
	assert_int_equal(conns(&s), 1);
	flow_free(s.flow);
}

static void never_placed(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	tell(&s, CLIENT, 1 * MS, 0);
	put(&s, tls(CLIENT, END_WRITE, 0, 1 * MS), REQ);
	put(&s, tls(CLIENT, END_READ, 0, 3 * MS), RES);
	flow_flush(s.flow, 5 * MS);
	assert_string_equal(s.text, "1 10-0\n1 0-10\n");
	flow_free(s.flow);
}

/* Joined late with nothing under way. */
static void late_and_aligned(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	exchange(&s, LATE, LATE);
	flow_tick(s.flow, 303 * MS);
	assert_string_equal(s.text, "1 10-20\n1 20-10\n");
	put(&s, tls(CLIENT, END_WRITE, strlen(REQ), 505 * MS), REQ2);
	put(&s, tls(SERVER, END_READ, strlen(REQ), 506 * MS), REQ2);
	put(&s, tls(SERVER, END_WRITE, strlen(RES), 507 * MS), RES2);
	put(&s, tls(CLIENT, END_READ, strlen(RES), 508 * MS), RES2);
	flow_tick(s.flow, 807 * MS);
	assert_string_equal(s.text, "1 10-20\n1 20-10\n2 10-20\n2 20-10\n");
	flow_free(s.flow);
}

/* The server stood inside SSL_read as its probes went on: the request is in the client's records alone, and the server counts
 * less from then on. */
static void late_inside_a_read(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	tell(&s, CLIENT, 1 * MS, LATE);
	put(&s, tls(CLIENT, END_WRITE, 0, 1 * MS), REQ);
	tell(&s, SERVER, 3 * MS, LATE | PLACED);
	put(&s, tls(SERVER, END_WRITE, 0, 3 * MS), RES);
	tell(&s, CLIENT, 4 * MS, LATE | PLACED);
	put(&s, tls(CLIENT, END_READ, 0, 4 * MS), RES);
	put(&s, tls(CLIENT, END_WRITE, strlen(REQ), 5 * MS), REQ2);
	put(&s, tls(SERVER, END_READ, 0, 6 * MS), REQ2);
	put(&s, tls(SERVER, END_WRITE, strlen(RES), 7 * MS), RES2);
	put(&s, tls(CLIENT, END_READ, strlen(RES), 8 * MS), RES2);
	flow_tick(s.flow, 300 * MS);
	assert_string_equal(s.text, "");
	flow_tick(s.flow, 307 * MS);
	assert_string_equal(s.text, "1 10-20\n1 20-10\n2 10-20\n2 20-10\n");
	flow_free(s.flow);
}

/* A write is told of as it returns: of a late connection, an answer that was told of before its request is decoded behind it. */
static void late_answer_overtakes(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	tell(&s, SERVER, 3 * MS, LATE | PLACED);
	s.enter = 2 * MS;
	put(&s, tls(SERVER, END_WRITE, 0, 3 * MS), RES);
	tell(&s, CLIENT, 4 * MS, LATE | PLACED);
	s.enter = 1 * MS;
	put(&s, tls(CLIENT, END_WRITE, 0, 4 * MS), REQ);
	s.enter = 0;
	put(&s, tls(CLIENT, END_READ, 0, 5 * MS), RES);
	flow_tick(s.flow, 304 * MS);
	assert_string_equal(s.text, "1 10-20\n1 20-10\n");
	flow_free(s.flow);
}

/* ... each piece in its place, not only the first one that waits. */
static void late_pieces_in_order(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	tell(&s, CLIENT, 1 * MS, LATE | PLACED);
	put(&s, tls(CLIENT, END_WRITE, 0, 1 * MS), REQ);
	put(&s, tls(CLIENT, END_READ, 0, 2 * MS), RES);
	put(&s, tls(CLIENT, END_READ, strlen(RES), 4 * MS), RES2);
	put(&s, tls(CLIENT, END_WRITE, strlen(REQ), 3 * MS), REQ2);
	flow_tick(s.flow, 1000 * MS);
	assert_string_equal(s.text, "1 10-0\n1 0-10\n2 10-0\n2 0-10\n");
	/* ... and later on, when nothing waits as the answer comes */
	seen_clear(&s);
	put(&s, tls(CLIENT, END_READ, strlen(RES) * 2, 1003 * MS), RES);
	s.enter = 1001 * MS;
	put(&s, tls(CLIENT, END_WRITE, strlen(REQ) * 2, 1004 * MS), REQ);
	flow_tick(s.flow, 2000 * MS);
	assert_string_equal(s.text, "1 10-0\n1 0-10\n");
	flow_free(s.flow);
}

/* The other end's ciphertext was joined in the middle of a record that looked like text there, before or after this end is known. */
static void ciphertext_like_text(void **state)
{
	struct ev_open o = {
		.hdr = { sizeof(o), EV_OPEN, 0, MS, 20, 20, 0 },
		.key = { 0x77, 7 << 1 | END_WRITE },
		.reverse = { 0x77, 7 << 1 | END_READ },
		.chan = CHAN_TCP,
		.end = END_WRITE,
		.family = 2,
		.base_rx = 1000,
		.base_tx = 5000,
	};

	(void)state;
	for (int before = 0; before < 2; before++) {
		struct seen s;

		seen_init(&s);
		if (before)
			flow_feed(s.flow, &o.hdr);
		tell(&s, CLIENT, 1 * MS, PLACED);
		if (!before)
			flow_feed(s.flow, &o.hdr);
		assert_int_equal(s.verdicts, 2);
		assert_int_equal(s.code, V_TLS);
		assert_int_equal(conns(&s), 1);
		tell(&s, SERVER, 2 * MS, PLACED);
		assert_int_equal(conns(&s), 1);
		flow_free(s.flow);
	}
}

static void closed_by_its_socket(void **state)
{
	struct ev_close e = {
		.hdr = { sizeof(e), EV_CLOSE, EV_F_DONE, 5 * MS, 10, 10, 0 },
		.key = { 0xc0, 100 << 1 | END_READ },
		.chan = CHAN_TLS,
		.end = END_READ,
	};
	struct seen s;

	(void)state;
	seen_init(&s);
	exchange(&s, 0, 0);
	flow_feed(s.flow, &e.hdr);
	put(&s, tls(CLIENT, END_READ, strlen(RES), 6 * MS), RES2); /* it was in the library's buffer */
	put(&s, tls(SERVER, END_WRITE, strlen(RES), 4 * MS), RES2);
	flow_tick(s.flow, 106 * MS);
	assert_string_equal(s.text, "1 10-20\n1 20-10\n2 20-10\nend eof\n");
	flow_free(s.flow);
}

#define POST "POST / HTTP/1.1\r\nContent-Length: 41\r\nContent-Type: application/json\r\n\r\n" REQ
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 38\r\nContent-Type: application/json\r\n\r\n" RES

/* @end of the client's connection closed, @flags. What the client reads after it closed all of it goes to nobody; after half of it,
 * it is what the client waits for. */
static uint64_t gone_at(uint64_t ssl, uint8_t end, uint16_t flags)
{
	struct ev_close e = {
		.hdr = { sizeof(e), EV_CLOSE, flags, 5 * MS, 10, 10, 0 },
		.key = { ssl, 100 << 1 | end },
		.chan = CHAN_TLS,
		.end = end,
	};
	struct seen s;

	seen_init(&s);
	tell(&s, CLIENT, 1 * MS, PLACED);
	tell(&s, SERVER, 1 * MS, PLACED);
	put(&s, tls(CLIENT, END_WRITE, 0, 1 * MS), POST);
	put(&s, tls(SERVER, END_READ, 0, 2 * MS), POST);
	assert_string_equal(s.text, "1 10-20\n");
	flow_feed(s.flow, &e.hdr);
	put(&s, tls(SERVER, END_WRITE, 0, 6 * MS), ANSWER);
	put(&s, tls(CLIENT, END_READ, 0, 7 * MS), ANSWER);
	assert_non_null(strstr(s.text, "1 10-20\n1 20-10\n"));
	flow_free(s.flow);
	return s.last.http_client_gone;
}

static void answered_after_the_end(void **state)
{
	(void)state;
	assert_int_equal(gone_at(0xc0, END_READ, EV_F_DONE), 5 * MS);
	assert_int_equal(gone_at(0xc0, END_READ, 0), 0);
	assert_int_equal(gone_at(0x50, END_READ, 0), 0);
}

/* Threads that write one after the other are no race; where one wrote while the other did, either may have been first. */
static void threads_write(void **state)
{
	static const char *const want[] = { "1 10-0\n2 11-0\n", "1 10-0\n2 11-0 uncertain\n" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct seen s;

		seen_init(&s);
		tell(&s, CLIENT, 1 * MS, LATE | PLACED);
		s.enter = 2 * MS;
		put(&s, tls(CLIENT, END_WRITE, 0, 4 * MS), REQ);
		s.enter = i ? 3 * MS : 4 * MS;
		put(&s, tls(0xc0, 11, END_WRITE, strlen(REQ), 5 * MS), REQ2);
		flow_tick(s.flow, 2000 * MS);
		assert_string_equal(s.text, want[i]);
		flow_free(s.flow);
	}
}

/* Both directions of several connections wait for what may still come: a tick looks at each once. */
static void many_ends_wait(void **state)
{
	struct ev_close e = { .hdr = { sizeof(e), EV_CLOSE, EV_F_DONE, 5 * MS, 10, 10, 0 }, .chan = CHAN_TLS };
	struct seen s;

	(void)state;
	seen_init(&s);
	for (uint64_t ssl = 0xa0; ssl < 0xa3; ssl++) {
		tell(&s, ssl, 10, 1 * MS, 0);
		for (e.end = END_READ; e.end <= END_WRITE; e.end++) {
			e.key = (struct ev_key){ ssl, 100 << 1 | e.end };
			flow_feed(s.flow, &e.hdr);
		}
	}
	flow_tick(s.flow, 6 * MS);
	assert_string_equal(s.text, "");
	flow_tick(s.flow, 105 * MS);
	assert_string_equal(s.text, "end eof\nend eof\nend eof\nend eof\nend eof\nend eof\n");
	flow_free(s.flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_once),	cmocka_unit_test(said_before_it_read),
		cmocka_unit_test(joined_after_the_hold),
		cmocka_unit_test(never_placed),		cmocka_unit_test(late_and_aligned),
		cmocka_unit_test(late_inside_a_read),	cmocka_unit_test(late_answer_overtakes),
		cmocka_unit_test(late_pieces_in_order), cmocka_unit_test(ciphertext_like_text),
		cmocka_unit_test(closed_by_its_socket), cmocka_unit_test(many_ends_wait),
		cmocka_unit_test(threads_write),	cmocka_unit_test(answered_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
