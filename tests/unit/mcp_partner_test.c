/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/partner, mcp/match, mcp/duplex: the harder cases of which stream is the other half. */
#include "mcp_words.h"

static void say(struct peers *p, uint64_t s, uint32_t from, uint32_t to, struct rpc_msg r)
{
	words_say(p, words_line(p, s, from, to), r);
}

static void done(struct peers *p)
{
	mcp_flush(p->m, p->now);
	peers_done(p);
}

/* The right set is not the first one seen. */
static void test_wrong_set_first(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 50, words_proc(40));
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	say(&p, 1, 10, 0, words_request("0", "initialize")); /* who reads it is not known: by its answer */
	say(&p, 2, 0, 10, words_welcome("0"));
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	mcp_stdio_set(p.m, 3, 51, words_proc(41));
	mcp_stdio_set(p.m, 3, 4, words_proc(21));
	say(&p, 3, 11, 21, words_request("0", "initialize"));
	say(&p, 4, 21, 11, words_note("notifications/message")); /* no answer yet: by the process of the set */
	say(&p, 4, 21, 11, words_welcome("0"));
	assert_said(&p, "call s2 client 0 initialize ok", 1);
	assert_said(&p, "finding", 0);
	done(&p);
}

/* A stream ends: its sets with it. */
static void test_set_ends(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 50, words_proc(40));
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	mcp_stream_end(p.m, 50, p.now, "eof");
	say(&p, 1, 10, 0, words_request("0", "initialize"));
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client 0 initialize unanswered", 1);
	peers_done(&p);
}

/* Many commands of a script: the set of the wrapper stays known. */
static void test_many_sets(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	for (int i = 0; i < 50; i++)
		mcp_stdio_set(p.m, 1, 100 + i, words_proc(200 + i));
	say(&p, 1, 10, 20, words_request("0", "initialize"));
	say(&p, 2, 20, 10, words_welcome("0"));
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	mcp_stdio_set(p.m, 3, 4, words_proc(30));
	for (int i = 0; i < 50; i++)
		mcp_stdio_set(p.m, 3, 200 + i, words_proc(300 + i));
	say(&p, 3, 10, 30, words_request("0", "initialize")); /* and it hangs */
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s2 client 0 initialize unanswered", 1);
	peers_done(&p);
}

/* A copy and the server share their output (a terminal multiplexer's pipe): the copy comes first. */
static void test_shared_output(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	mcp_stdio_set(p.m, 3, 2, words_proc(30));
	say(&p, 3, 21, 30, words_request("0", "initialize"));
	say(&p, 1, 10, 20, words_request("0", "initialize"));
	say(&p, 2, 20, 10, words_welcome("0"));
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	assert_said(&p, "call", 1);
	assert_int_equal(p.call[0]->route.client.pid, 10);
	assert_said(&p, "finding", 1);
	peers_done(&p);
}

/* While the sets leave it open, other rules do not guess. */
static void test_sets_before_processes(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	mcp_stdio_set(p.m, 1, 50, words_proc(40));
	say(&p, 9, 21, 10, words_note("notifications/message")); /* a log from the relay to the client */
	say(&p, 1, 10, 21, words_request("0", "initialize"));
	say(&p, 2, 20, 10, words_welcome("0"));
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	done(&p);
}

static void test_reverse_alone(void **state)
{
	struct peers p;
	struct mcp_msg msg;

	(void)state;
	peers_init(&p, NULL);
	msg = words_line(&p, 2, 20, 0); /* the server's first word: it names the roles */
	msg.reverse = 1;
	words_say(&p, msg, words_request("5", "roots/list"));
	msg = words_line(&p, 1, 10, 0);
	msg.reverse = 2;
	words_say(&p, msg, words_result("5"));
	assert_said(&p, "call s1 server 5 roots/list ok", 1);
	done(&p);
}

/* What exec says of the roles holds where the messages say nothing. */
static void test_roles_by_exec(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	say(&p, 2, 20, 10, words_note("notifications/progress"));
	say(&p, 1, 10, 20, words_request("1", "ping"));
	assert_said(&p, "note s1 server notifications/progress", 1);
	mcp_stdio_set(p.m, 3, 4, words_proc(20));
	say(&p, 4, 20, 10, words_note("notifications/progress"));
	say(&p, 4, 20, 10, words_request("1", "ping"));
	say(&p, 3, 10, 20, words_result("1"));
	assert_said(&p, "call s2 server 1 ping ok", 1);
	done(&p);
}

/* Only the set of "tee" is known: its two streams go the same way. */
static void test_contradicted_set(void **state)
{
	enum { A = 1, B, C, CLIENT = 10, SERVER = 20, TEE };
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, A, B, words_proc(TEE));
	for (int i = 0; i < 2; i++) {
		const char *id = i ? "1" : "0", *method = i ? "tools/list" : "initialize";

		say(&p, A, CLIENT, TEE, words_request(id, method));
		say(&p, B, TEE, SERVER, words_request(id, method));
		say(&p, C, SERVER, CLIENT, i ? words_result(id) : words_welcome(id));
	}
	peers_wait(&p, 300);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	assert_said(&p, "call s1 client 1 tools/list ok", 1);
	assert_said(&p, "call", 2);
	assert_said(&p, "finding no_answering_direction - 2", 1);
	peers_done(&p);
}

/* Answers alone make no channel, even where exec knows the two. */
static void test_answers_alone(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	say(&p, 1, 10, 20, words_welcome("0"));
	say(&p, 1, 10, 20, words_result("1"));
	peers_wait(&p, 3000);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 0);
	assert_said(&p, "finding no_answering_direction - 2", 1);
	peers_done(&p);
}

/* A hung server, and a client that goes on asking; or asks after a long silence. */
static void test_hung_at_once(void **state)
{
	struct peers p;
	char id[16];

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	for (int i = 0; i < 64; i++) {
		assert_said(&p, "start", 0);
		snprintf(id, sizeof(id), "%d", i);
		say(&p, 1, 10, 20, words_request(id, "tools/call"));
	}
	assert_said(&p, "start s1", 1);
	mcp_stdio_set(p.m, 3, 4, words_proc(30));
	say(&p, 3, 10, 30, words_request("0", "ping"));
	peers_wait(&p, 900);
	say(&p, 3, 10, 30, words_request("1", "ping"));
	peers_wait(&p, 900);
	assert_said(&p, "start s2", 0);
	say(&p, 3, 10, 30, words_request("2", "tools/list"));
	assert_said(&p, "start s2", 1);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call s2 client 0 ping unanswered", 1);
	peers_done(&p);
}

/* A slow server is waited for: it is not hung within the grace time. */
static void test_young(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	say(&p, 1, 10, 20, words_request("0", "tools/list"));
	peers_wait(&p, 800);
	assert_said(&p, "start", 0);
	peers_wait(&p, 300);
	assert_said(&p, "start", 1);
	done(&p);
}

/* Messages that were held come out in the order in which they came, over both streams. */
static void test_order(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	say(&p, 1, 10, 20, words_request("1", "ping"));
	say(&p, 2, 20, 10, words_note("vendor/a"));
	say(&p, 1, 10, 20, words_note("vendor/b"));
	say(&p, 2, 20, 10, words_note("vendor/c"));
	say(&p, 1, 10, 20, words_request("2", "tools/list"));
	assert_string_equal(p.line[3], "note s1 server vendor/a");
	assert_string_equal(p.line[4], "note s1 client vendor/b");
	assert_string_equal(p.line[5], "note s1 server vendor/c");
	done(&p);
}

/* Paired and not MCP; then a client begins anew without an exec that we saw. */
static void test_other_then_mcp(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	say(&p, 1, 10, 20, words_request("1", "ping"));
	say(&p, 1, 10, 20, words_request("2", "textDocument/hover"));
	assert_said(&p, "finding other_protocol - 2 {\"protocol\":\"lsp\"}", 1);
	say(&p, 1, 10, 20, words_request("0", "initialize"));
	say(&p, 2, 20, 10, words_welcome("0"));
	assert_said(&p, "call s1 client 0 initialize ok", 1);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 1);
	peers_done(&p);
}

/* Copies of both directions with readers that were not seen: their ids agree, but they are copies. */
static void test_copies_agree(void **state)
{
	struct peers p;
	char id[16];

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "%d", i);
		say(&p, 1, 10, 20, words_request(id, "tools/call"));
		say(&p, 7, 20, 0, words_request(id, "tools/call"));
		say(&p, 2, 20, 10, words_result(id));
		say(&p, 8, 10, 0, words_result(id));
		peers_wait(&p, 100);
	}
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 5);
	assert_said(&p, "finding no_answering_direction - 5", 2);
	assert_said(&p, "finding no_answering_direction - 5 {\"writer\":20,\"copy\":true}", 1);
	peers_done(&p);
}

struct match_row {
	const char *what;
	const char *method[2]; /* asked on stream 1 with ids 0 and 1 */
	const char *answer[3]; /* ids answered on stream 2 */
	bool welcome;	       /* the first one as to initialize */
	bool is_error;	       /* the second one says isError */
	uint32_t asker, hearer;
	bool pair;
};

static const struct match_row match_rows[] = {
	{ "agrees", { "initialize", "tools/call" }, { "0", "1" }, true, true, 0, 0, true },
	{ "one exchange", { "initialize", "tools/call" }, { "0" }, true, false, 0, 0, false },
	{ "an answer to nothing", { "initialize", "tools/call" }, { "0", "1", "2" }, true, false, 0, 0, false },
	{ "types", { "initialize", "tools/call" }, { "0", "\"1" }, true, false, 0, 0, false },
	{ "no welcome", { "initialize", "tools/call" }, { "0", "1" }, false, false, 0, 0, false },
	{ "welcome to a list", { "tools/list", "tools/call" }, { "0", "1" }, true, false, 0, 0, false },
	{ "isError of a list", { "initialize", "tools/list" }, { "0", "1" }, true, true, 0, 0, false },
	{ "same process", { "initialize", "tools/call" }, { "0", "1" }, true, false, 10, 10, true },
	{ "another hears", { "initialize", "tools/call" }, { "0", "1" }, true, false, 10, 11, false },
};

static void test_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(match_rows) / sizeof(match_rows[0]); i++) {
		const struct match_row *row = &match_rows[i];
		struct rpc_msg r;
		struct peers p;

		peers_init(&p, NULL);
		for (int j = 0; j < 2; j++)
			say(&p, 1, row->asker, 0, words_request(j ? "1" : "0", row->method[j]));
		for (int j = 0; j < 3 && row->answer[j]; j++) {
			r = j == 0 && row->welcome ? words_welcome(row->answer[j]) : words_result(row->answer[j]);
			if (j == 1 && row->is_error)
				words_set(&r, RPC_F_IS_ERROR, "true");
			say(&p, 2, 0, row->hearer, r);
		}
		peers_wait(&p, 200);
		if (peers_count(&p, "call") != (row->pair ? 2 : 0))
			fail_msg("%s: %zu calls", row->what, peers_count(&p, "call"));
		done(&p);
	}
}

/* One agrees with one, but that one with two. */
static void test_match_is_mutual(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	for (int i = 0; i < 2; i++) {
		const char *id = i ? "1" : "0";

		say(&p, 1, 0, 0, words_request(id, "tools/call"));
		say(&p, 3, 0, 0, words_request(id, "tools/call"));
		say(&p, 2, 0, 0, words_result(id));
	}
	peers_wait(&p, 200);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 0);
	peers_done(&p);
}

/* Both streams ended before anybody looked, behind many others that wait for the same. */
static void test_match_after_the_end(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	for (uint64_t s = 100; s < 300; s++)
		say(&p, s, 0, 0, words_request("\"lone", "tools/call"));
	say(&p, 1, 0, 0, words_request("0", "initialize"));
	say(&p, 2, 0, 0, words_welcome("0"));
	say(&p, 1, 0, 0, words_request("1", "tools/list"));
	say(&p, 2, 0, 0, words_result("1"));
	mcp_stream_end(p.m, 1, p.now, "eof");
	mcp_stream_end(p.m, 2, p.now, "exit");
	peers_wait(&p, 1500);
	assert_said(&p, "call s1 client 1 tools/list ok", 1);
	assert_said(&p, "end s1 eof 2 0", 1);
	done(&p);
}

/* A copy that is in two sets, and whose reader is known: still a copy. */
static void test_copy_in_two_sets(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	mcp_stdio_set(p.m, 3, 50, words_proc(30));
	mcp_stdio_set(p.m, 3, 51, words_proc(31));
	say(&p, 1, 10, 20, words_request("0", "initialize"));
	say(&p, 3, 20, 30, words_request("0", "initialize"));
	say(&p, 2, 20, 10, words_welcome("0"));
	peers_wait(&p, 1500);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 1);
	assert_said(&p, "finding", 1);
	peers_done(&p);
}

/* A channel in which one side alone speaks for long, among many other streams. */
static void test_silent_partner(void **state)
{
	const struct mcp_caps caps = { 16, 16, 16, 16, 64, 64 };
	struct mcp_stats st;
	struct peers p;

	(void)state;
	peers_init(&p, &caps);
	mcp_stdio_set(p.m, 1, 2, words_proc(20));
	say(&p, 1, 10, 20, words_request("0", "initialize"));
	say(&p, 2, 20, 10, words_welcome("0"));
	for (uint64_t s = 100; s < 200; s++) {
		say(&p, s, 0, 0, words_request("\"lone", "ping"));
		say(&p, 2, 20, 10, words_note("notifications/message"));
	}
	assert_said(&p, "end", 0);
	mcp_stats(p.m, &st);
	assert_int_equal(st.streams_evicted, 100 + 2 - 16);
	mcp_flush(p.m, p.now);
	assert_said(&p, "note s1", 100);
	mcp_stats(p.m, &st);
	assert_int_equal(st.other_jsonrpc, 14); /* those that were not evicted */
	peers_done(&p);
}

/* Messages that wait are bounded by bytes, too; the oldest go. */
static void test_held_bytes(void **state)
{
	static char big[100000];
	struct rpc_msg r = words_request("1", "tools/call");
	struct mcp_stats st;
	struct peers p;

	(void)state;
	memset(big, ' ', sizeof(big));
	peers_init(&p, NULL);
	r.params = (struct sv){ big, sizeof(big) };
	for (uint64_t s = 1; s <= 300; s++)
		say(&p, s, 0, 0, r);
	mcp_stats(p.m, &st);
	assert_in_range(st.held_dropped, 100, 200); /* 30 MB, of which 16 MiB stay */
	mcp_flush(p.m, p.now);
	assert_said(&p, "finding", 300);
	peers_done(&p);
}

/* The roles were clear before something unclear came. */
static void test_role_sticks(void **state)
{
	struct peers p;

	(void)state;
	peers_init(&p, NULL);
	mcp_stdio_set(p.m, 2, 1, words_proc(10)); /* the client's own set: the other way round */
	say(&p, 1, 10, 20, words_request("1", "tools/list"));
	say(&p, 1, 10, 20, words_request("2", "ping"));
	say(&p, 2, 20, 10, words_result("1"));
	assert_said(&p, "call s1 client 1 tools/list ok", 1);
	done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_set_first),
		cmocka_unit_test(test_set_ends),
		cmocka_unit_test(test_many_sets),
		cmocka_unit_test(test_shared_output),
		cmocka_unit_test(test_sets_before_processes),
		cmocka_unit_test(test_reverse_alone),
		cmocka_unit_test(test_roles_by_exec),
		cmocka_unit_test(test_contradicted_set),
		cmocka_unit_test(test_answers_alone),
		cmocka_unit_test(test_hung_at_once),
		cmocka_unit_test(test_young),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_other_then_mcp),
		cmocka_unit_test(test_copies_agree),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_match_is_mutual),
		cmocka_unit_test(test_match_after_the_end),
		cmocka_unit_test(test_copy_in_two_sets),
		cmocka_unit_test(test_silent_partner),
		cmocka_unit_test(test_held_bytes),
		cmocka_unit_test(test_role_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
