/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/stdio: which two one-way streams are one channel, and which are none. */
#include "mcp_words.h"

/* A message on stream @s from process @from to process @to. */
static void say(struct peers *p, uint64_t s, uint32_t from, uint32_t to, struct rpc_msg r)
{
	words_say(p, words_line(p, s, from, to), r);
}

/* initialize and its answer on @up and @down, between processes @c and @s. */
static void hello(struct peers *p, uint64_t up, uint64_t down, uint32_t c, uint32_t s)
{
	say(p, up, c, s, words_request("0", "initialize"));
	say(p, down, s, c, words_welcome("0"));
}

static void done(struct peers *p)
{
	mcp_flush(p->m, p->now);
	peers_done(p);
}

static void test_set(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	for (int i = 0; i < 3; i++) /* sh, npx, node: the same streams */
		mcp_stdio_set(p.m, 1, 2, words_proc(20 + i));
	hello(&p, 1, 2, 10, 22);
	assert_said(&p, "verdict 1 mcp", 1);
	assert_said(&p, "verdict 2 mcp", 1);
	assert_said(&p, "start s1 stdio legacy client=agent server=srv", 1);
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	assert_int_equal(p.call[0]->route.server.pid, 22);
	done(&p);
}

/* A server that never says a word: paired by its exec all the same. */
static void test_hung_server(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	say(&p, 1, 10, 0, words_request("0", "initialize"));
	peers_wait(&p, 1500);
	say(&p, 1, 10, 0, words_request("1", "tools/list"));
	assert_said(&p, "start s1", 1);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client 0 initialize unanswered", 1);
	assert_said(&p, "call s1 client 1 tools/list unanswered", 1);
	assert_said(&p, "end s1 shutdown 2 0", 1);
	assert_said(&p, "finding", 0);
	assert_int_equal(p.call[0]->route.server.pid, 20);
	assert_int_equal(p.call[0]->view, VIEW_ASKER);
	peers_done(&p);
}

/* The same, and the streams end before anybody waited. */
static void test_hung_server_ends(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	hello(&p, 1, 2, 10, 20);
	mcp_stdio_set(p.m, 3, 4, words_proc(30));
	say(&p, 3, 10, 30, words_request("0", "initialize"));
	mcp_stream_end(p.m, 3, p.now, "eof");
	mcp_stream_end(p.m, 4, p.now, "exit");
	peers_wait(&p, 1200); /* the answering stream carried nothing: its end is not seen */
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s2 client 0 initialize unanswered", 1);
	assert_said(&p, "finding initialize_unanswered s2 1 {\"waited_ms\":0}", 1);
	assert_said(&p, "finding", 1);
	peers_done(&p);
}

/* A script that wraps the server ran commands with their output caught: the input is in many sets. */
static void test_wrapping_script(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	for (int i = 0; i < 20; i++)
		mcp_stdio_set(p.m, 1, 50 + i, words_proc(40 + i));
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	hello(&p, 1, 2, 10, 20);
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	mcp_stdio_set(p.m, 1, 80, words_proc(90)); /* the server runs git */
	say(&p, 1, 10, 20, words_request("1", "tools/list"));
	say(&p, 2, 20, 10, words_result("1"));
	assert_said(&p, "call s1 client 1 tools/list ok", 1);
	assert_said(&p, "finding", 0);
	done(&p);
}

/* The same with a server that hangs: the set of the process that read the request. */
static void test_wrapping_script_hung(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	mcp_stdio_set(p.m, 1, 50, words_proc(40));
	say(&p, 1, 10, 20, words_request("0", "initialize"));
	peers_wait(&p, 3000);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client 0 initialize unanswered", 1);
	assert_said(&p, "finding", 0);
	peers_done(&p);
}

/* sh -c 'tee in.log | server | tee out.log': client -A-> tee -B-> server -C-> tee -D-> client. */
static void test_pipeline(void **state)
{
	enum { A = 1, B, C, D, CLIENT = 10, TEE1 = 21, SERVER, TEE2, SH = 20 };
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, A, D, words_proc(SH));
	mcp_stdio_set(p.m, A, B, words_proc(TEE1));
	mcp_stdio_set(p.m, B, C, words_proc(SERVER));
	mcp_stdio_set(p.m, C, D, words_proc(TEE2));
	say(&p, A, CLIENT, TEE1, words_request("0", "initialize"));
	say(&p, B, TEE1, SERVER, words_request("0", "initialize"));
	say(&p, C, SERVER, TEE2, words_welcome("0"));
	say(&p, D, TEE2, CLIENT, words_welcome("0"));
	say(&p, A, CLIENT, TEE1, words_request("1", "tools/call"));
	say(&p, B, TEE1, SERVER, words_request("1", "tools/call"));
	say(&p, C, SERVER, TEE2, words_result("1"));
	say(&p, D, TEE2, CLIENT, words_result("1"));
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 ", 2);
	assert_said(&p, "call s2 ", 2);
	assert_said(&p, "call", 4);
	assert_said(&p, "finding", 0);
	for (size_t i = 0; i < 4; i++) { /* one between the client and the tees, one with the server */
		bool inner = p.call[i]->route.server.pid == SERVER;

		assert_int_equal(p.call[i]->outcome, CALL_OK);
		assert_int_equal(p.call[i]->route.client.pid, inner ? TEE1 : CLIENT);
	}
	peers_done(&p);
}

/* tee >(cat) in both directions: the copies are paired by exec, too, and must be neither calls nor orphans. */
static void test_copies(void **state)
{
	enum { UP = 1, DOWN, COPY_UP, COPY_DOWN, ERR, CLIENT = 10, SERVER = 20, CAT1, CAT2 };
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	mcp_stdio_set(p.m, COPY_UP, ERR, words_proc(CAT1));
	mcp_stdio_set(p.m, COPY_DOWN, ERR + 1, words_proc(CAT2));
	say(&p, UP, CLIENT, SERVER, words_request("0", "initialize"));
	say(&p, COPY_UP, SERVER, CAT1, words_request("0", "initialize"));
	say(&p, DOWN, SERVER, CLIENT, words_welcome("0"));
	say(&p, COPY_DOWN, CLIENT, CAT2, words_welcome("0"));
	for (int i = 1; i < 30; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		say(&p, UP, CLIENT, SERVER, words_request(id, "tools/call"));
		say(&p, COPY_UP, SERVER, CAT1, words_request(id, "tools/call"));
		say(&p, DOWN, SERVER, CLIENT, words_note("notifications/message"));
		say(&p, DOWN, SERVER, CLIENT, words_result(id));
		say(&p, COPY_DOWN, CLIENT, CAT2, words_note("notifications/message"));
		say(&p, COPY_DOWN, CLIENT, CAT2, words_result(id));
		peers_wait(&p, 100);
	}
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 ", 30);
	assert_said(&p, "call", 30);
	assert_said(&p, "note", 29);
	assert_said(&p, "start", 1);
	assert_said(&p, "finding no_answering_direction", 2);
	peers_done(&p);
}

/* A log of both directions on one stream, no exec known, nobody answers. */
static void test_debug_log(void **state)
{
	struct peers p;
	struct mcp_stats st;
	char id[16];

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	hello(&p, 1, 2, 10, 20);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "%d", i);
		say(&p, 9, 10, 30, words_request(id, "tools/call"));
		say(&p, 9, 10, 30, words_result(id));
	}
	mcp_stream_end(p.m, 9, p.now, "eof");
	peers_wait(&p, 500);
	assert_said(&p, "finding", 0); /* its other half may still come */
	peers_wait(&p, 1000);
	assert_said(&p, "finding no_answering_direction - 200 {\"writer\":10,\"reader\":30}", 1);
	assert_said(&p, "call", 1);
	mcp_stats(p.m, &st);
	assert_int_equal(st.held_dropped, 200 - 64);
	done(&p);
}

/* A socketpair used both ways; nothing is known from exec. */
static void test_reverse(void **state)
{
	struct peers p;
	struct mcp_msg msg;

	(void)state;
	peers_init(&p, NULL);
	msg = words_line(&p, 1, 10, 20);
	msg.reverse = 2;
	msg.channel = CHANNEL_UNIX;
	words_say(&p, msg, words_request("0", "initialize"));
	msg = words_line(&p, 2, 20, 10);
	msg.reverse = 1;
	msg.channel = CHANNEL_UNIX;
	words_say(&p, msg, words_welcome("0"));
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	assert_int_equal(p.call[0]->route.channel, CHANNEL_UNIX);
	done(&p);
}

/* Node gives a child two socketpairs: each object's other direction is never used. */
static void test_set_before_reverse(void **state)
{
	struct peers p;
	struct mcp_msg msg;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 3, words_proc(20));
	msg = words_line(&p, 1, 10, 20);
	msg.reverse = 2;
	words_say(&p, msg, words_request("0", "initialize"));
	msg = words_line(&p, 3, 20, 10);
	msg.reverse = 4;
	words_say(&p, msg, words_welcome("0"));
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	done(&p);
}

static void test_only_pair_of_processes(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	hello(&p, 1, 2, 10, 20);
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	/* Two pairs between the same two: unclear, and ids that agree once prove nothing. */
	say(&p, 3, 11, 21, words_request("0", "initialize"));
	say(&p, 5, 11, 21, words_request("0", "initialize"));
	say(&p, 4, 21, 11, words_welcome("0"));
	say(&p, 6, 21, 11, words_welcome("0"));
	peers_wait(&p, 2000);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 1);
	assert_said(&p, "finding unpaired_stream", 4);
	peers_done(&p);
}

/* No process is known: ids and methods, more than once. */
static void test_by_ids(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	hello(&p, 1, 2, 0, 0);
	peers_wait(&p, 200);
	assert_said(&p, "call", 0);
	say(&p, 1, 0, 0, words_request("\"x", "tools/list"));
	say(&p, 2, 0, 0, words_result("\"x"));
	peers_wait(&p, 200);
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	assert_said(&p, "call s1 client x tools/list ok", 1);
	say(&p, 2, 0, 0, words_request("0", "roots/list"));
	say(&p, 1, 0, 0, words_result("0"));
	assert_said(&p, "call s1 server 0 roots/list ok", 1);
	done(&p);
}

/* Two sessions with the same ids at the same time: which answers belong to which nobody can tell. */
static void test_by_ids_ambiguous(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	hello(&p, 1, 2, 0, 0);
	hello(&p, 3, 4, 0, 0);
	for (int s = 1; s < 5; s += 2) {
		say(&p, (uint64_t)s, 0, 0, words_request("1", "tools/list"));
		say(&p, (uint64_t)s + 1, 0, 0, words_result("1"));
	}
	peers_wait(&p, 2000);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 0);
	assert_said(&p, "finding unpaired_stream", 4);
	peers_done(&p);
}

/* The child of the exec is the server, unless the messages say otherwise: server <fifo | client >fifo. */
static void test_roles_by_messages(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 2, 1, words_proc(10)); /* the client's fd 0 and 1 */
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	hello(&p, 1, 2, 10, 20);
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	assert_int_equal(p.call[0]->route.client.pid, 10);
	mcp_stdio_set(p.m, 6, 5, words_proc(11)); /* and nothing known of the server's */
	hello(&p, 5, 6, 11, 21);
	assert_said(&p, "call s2 client 0 initialize ok", 1);
	assert_int_equal(p.call[1]->route.server.pid, 21);
	done(&p);
}

static void test_late_start(void **state)
{
	struct peers p;
	struct mcp_msg msg;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	msg = words_line(&p, 2, 20, 10);
	msg.late = true;
	words_say(&p, msg, words_result("7")); /* its request was before us */
	msg = words_line(&p, 1, 10, 20);
	msg.late = true;
	words_say(&p, msg, words_request("8", "tools/call"));
	say(&p, 2, 20, 10, words_result("8"));
	peers_wait(&p, 1500);
	assert_said(&p, "start s1 stdio legacy late client=- server=-", 1);
	assert_said(&p, "call s1 client 7 - orphan", 1);
	assert_said(&p, "call s1 client 8 tools/call ok", 1);
	done(&p);
}

static void test_noise(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	mcp_noise(p.m, 2, 3, 120, p.now); /* a banner */
	hello(&p, 1, 2, 10, 20);
	assert_said(&p, "finding noise_on_stdout s1 3 {\"bytes\":120}", 1);
	mcp_noise(p.m, 2, 1, 10, p.now);
	mcp_noise(p.m, 2, 1, 10, p.now);
	mcp_flush(p.m, p.now);
	assert_said(&p, "finding noise_on_stdout s1 2 {\"bytes\":20}", 1);
	peers_done(&p);
}

static void test_transcript(void **state)
{
	struct peers p;
	struct mcp_msg msg;

	(void)state;
	peers_init(&p, NULL);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "beta" : "alpha";

		msg = words_line(&p, 1 + 2 * (uint64_t)i, 0, 0);
		msg.transcript = name;
		msg.from = SIDE_CLIENT;
		words_say(&p, msg, words_request("1", "tools/call"));
		msg = words_line(&p, 2 + 2 * (uint64_t)i, 0, 0);
		msg.transcript = name;
		msg.from = SIDE_SERVER;
		words_say(&p, msg, words_result("1"));
		mcp_stream_end(p.m, 1 + 2 * (uint64_t)i, p.now, "eof");
		mcp_stream_end(p.m, 2 + 2 * (uint64_t)i, p.now, "eof");
	}
	assert_said(&p, "call alpha client 1 tools/call ok", 1);
	assert_said(&p, "call beta client 1 tools/call ok", 1);
	assert_said(&p, "end alpha eof 1 0", 1);
	assert_said(&p, "end beta eof 1 0", 1);
	for (int i = 0; i < 2; i++) { /* one direction ends before the other */
		msg = words_line(&p, 5 + (uint64_t)i, 0, 0);
		msg.transcript = "gamma";
		msg.from = i ? SIDE_SERVER : SIDE_CLIENT;
		words_say(&p, msg, i ? words_result("1") : words_request("1", "tools/call"));
	}
	mcp_stream_end(p.m, 5, p.now, "eof");
	assert_said(&p, "end gamma", 0);
	mcp_stream_end(p.m, 6, p.now, "eof");
	assert_said(&p, "end gamma eof 1 0", 1);
	done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_hung_server),
		cmocka_unit_test(test_hung_server_ends),
		cmocka_unit_test(test_wrapping_script),
		cmocka_unit_test(test_wrapping_script_hung),
		cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_debug_log),
		cmocka_unit_test(test_reverse),
		cmocka_unit_test(test_set_before_reverse),
		cmocka_unit_test(test_only_pair_of_processes),
		cmocka_unit_test(test_by_ids),
		cmocka_unit_test(test_by_ids_ambiguous),
		cmocka_unit_test(test_roles_by_messages),
		cmocka_unit_test(test_late_start),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_transcript),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
