/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/relay: one call on several hops. Process 1 asks 2, which asks 3, ...: hop n goes from process n to n + 1. */
#include "mcp_words.h"

static uint64_t up_of(unsigned int hop)
{
	return 10 * hop + 1;
}

static void up(struct peers *p, unsigned int hop, struct rpc_msg r)
{
	words_say(p, words_line(p, up_of(hop), hop, hop + 1), r);
}

static void down(struct peers *p, unsigned int hop, struct rpc_msg r)
{
	words_say(p, words_line(p, up_of(hop) + 1, hop + 1, hop), r);
}

static void hop_begin(struct peers *p, unsigned int hop)
{
	mcp_stdio_set(p->m, up_of(hop), up_of(hop) + 1, words_proc(hop + 1));
	up(p, hop, words_request("0", "initialize"));
	down(p, hop, words_welcome("0"));
}

static void chain_begin(struct peers *p, unsigned int hops)
{
	peers_init(p, NULL);
	p->tell_asked = true;
	for (unsigned int hop = 1; hop <= hops; hop++)
		hop_begin(p, hop);
	peers_forget(p);
}

static struct rpc_msg call_of(const char *id, uint64_t args)
{
	struct rpc_msg r = words_request(id, "tools/call");

	words_marks(&r, args, 0);
	return r;
}

static struct call *last(struct peers *p)
{
	assert_true(p->calls > 0);
	return p->call[p->calls - 1];
}

static void test_three_hops(void **state)
{
	struct peers p;

	(void)state;
	chain_begin(&p, 3);
	up(&p, 1, call_of("1", 7));
	up(&p, 2, call_of("5", 7));
	up(&p, 3, call_of("9", 7));
	assert_said(&p, "asked", 1);
	assert_said(&p, "asked s1 1 tools/call", 1);
	down(&p, 3, words_result("9"));
	down(&p, 2, words_result("5"));
	assert_said(&p, "call", 0);
	down(&p, 1, words_result("1"));
	assert_said(&p, "call s1 client 1 tools/call ok", 1);
	assert_said(&p, "call", 1);
	assert_int_equal(last(&p)->hops, 2);
	assert_int_equal(last(&p)->request_seen, 3);
	assert_int_equal(last(&p)->response_seen, 3);
	up(&p, 2, call_of("6", 7)); /* the relay's own */
	down(&p, 2, words_result("6"));
	assert_said(&p, "call s2 client 6 tools/call ok", 1);
	assert_int_equal(last(&p)->hops, 0);
	mcp_flush(p.m, p.now);
	assert_said(&p, "call", 2);
	assert_said(&p, "end s2 shutdown 2 0", 1); /* initialize, and its own */
	peers_done(&p);
}

/* Other arguments, another method, not nested, not of that process: calls of their own. */
static void test_others(void **state)
{
	struct rpc_msg r;
	struct peers p;

	(void)state;
	chain_begin(&p, 3);
	up(&p, 1, call_of("1", 7));
	up(&p, 2, call_of("1", 8));
	down(&p, 2, words_result("1"));
	assert_said(&p, "call s2 client 1 tools/call ok", 1);
	r = words_request("2", "ping");
	words_marks(&r, 0, 0);
	up(&p, 1, r);
	up(&p, 2, r);
	down(&p, 2, words_result("2"));
	assert_said(&p, "call s2 client 2 ping ok", 1);
	up(&p, 3, call_of("1", 7)); /* its client is not who was asked */
	down(&p, 3, words_result("1"));
	assert_said(&p, "call s3 client 1 tools/call ok", 1);
	down(&p, 1, words_result("1"));
	up(&p, 2, call_of("3", 7)); /* after the answer */
	down(&p, 2, words_result("3"));
	assert_said(&p, "call s2 client 3 tools/call ok", 1);
	up(&p, 1, words_request("4", "tools/call")); /* arguments not known */
	up(&p, 2, words_request("4", "tools/call"));
	down(&p, 2, words_result("4"));
	assert_said(&p, "call s2 client 4 tools/call ok", 1);
	for (size_t i = 0; i < p.calls; i++)
		assert_int_equal(p.call[i]->hops, 0);
	peers_done(&p);
}

/* The outer call ends first, or without an answer. */
static void test_outer_gives_up(void **state)
{
	struct rpc_msg n = words_note("notifications/cancelled");
	struct peers p;

	(void)state;
	chain_begin(&p, 2);
	up(&p, 1, call_of("1", 7));
	up(&p, 2, call_of("1", 7));
	down(&p, 1, words_error("1", "-32001"));
	down(&p, 2, words_result("1"));
	assert_said(&p, "call s1 client 1 tools/call rpc_error", 1);
	assert_said(&p, "call s2 client 1 tools/call ok", 1);
	up(&p, 1, call_of("2", 7));
	up(&p, 2, call_of("2", 7));
	down(&p, 2, words_result("2"));
	assert_said(&p, "call s2 client 2", 0);
	words_set(&n, RPC_F_REQUEST_ID, "2");
	up(&p, 1, n);
	peers_wait(&p, 1200);
	assert_said(&p, "call s2 client 2 tools/call ok", 1);
	assert_said(&p, "call s1 client 2 tools/call cancelled", 1);
	up(&p, 1, call_of("3", 7)); /* the inner one has no answer */
	up(&p, 2, call_of("3", 7));
	mcp_stream_end(p.m, up_of(2), p.now, "eof");
	mcp_stream_end(p.m, up_of(2) + 1, p.now, "eof");
	assert_said(&p, "call s2 client 3 tools/call unanswered", 1);
	down(&p, 1, words_error("3", "-32000"));
	assert_said(&p, "call s1 client 3 tools/call rpc_error", 1);
	for (size_t i = 0; i < p.calls; i++)
		assert_int_equal(p.call[i]->hops, 0);
	up(&p, 1, call_of("4", 7));
	hop_begin(&p, 2);
	up(&p, 2, call_of("4", 7));
	down(&p, 2, words_result("4"));
	up(&p, 1, words_note("notifications/progress")); /* its session is the last one to end */
	p.lines = 0;
	mcp_flush(p.m, p.now); /* nobody is answered any more */
	assert_string_equal(p.line[0], "call s3 client 4 tools/call ok");
	assert_said(&p, "end s3 shutdown 2 0", 1);
	assert_said(&p, "call s1 client 4 tools/call unanswered", 1);
	peers_done(&p);
}

/* Two outer calls that fit: the id decides, or nothing does. */
static void test_two_outers(void **state)
{
	struct peers p;

	(void)state;
	chain_begin(&p, 2);
	up(&p, 1, call_of("1", 7));
	up(&p, 1, call_of("2", 7));
	up(&p, 2, call_of("2", 7));
	up(&p, 2, call_of("8", 7));
	down(&p, 2, words_result("2"));
	down(&p, 2, words_result("8"));
	assert_said(&p, "call s2 client 8 tools/call ok", 1);
	assert_said(&p, "call", 1);
	down(&p, 1, words_result("2"));
	assert_int_equal(last(&p)->hops, 1);
	down(&p, 1, words_result("1"));
	assert_int_equal(last(&p)->hops, 0);
	assert_said(&p, "call", 3);
	peers_done(&p);
}

/* @r, said at @at. */
static void up_at(struct peers *p, unsigned int hop, uint64_t at, struct rpc_msg r)
{
	p->now = at;
	up(p, hop, r);
}

/* The inner hop was decoded first; its outer one was asked before it. */
static void test_inner_first(void **state)
{
	struct peers p;
	uint64_t at;

	(void)state;
	chain_begin(&p, 2);
	at = p.now + 1000;
	up_at(&p, 2, at + 10, call_of("5", 7));
	assert_said(&p, "asked s2 5 tools/call", 1);
	up_at(&p, 1, at, call_of("1", 7));
	assert_said(&p, "withdrawn s2 5 tools/call", 1);
	assert_said(&p, "asked s1 1 tools/call", 1);
	p.now = at + 20;
	down(&p, 2, words_result("5"));
	assert_said(&p, "call", 0);
	down(&p, 1, words_result("1"));
	assert_int_equal(last(&p)->hops, 1);
	assert_said(&p, "call", 1);
	/* Asked after it: another call, which the relay made by itself. */
	at = p.now + 1000;
	up_at(&p, 2, at, call_of("6", 7));
	up_at(&p, 1, at + 10, call_of("2", 7));
	down(&p, 2, words_result("6"));
	down(&p, 1, words_result("2"));
	assert_int_equal(last(&p)->hops, 0);
	assert_said(&p, "call", 3);
	/* Two inner ones fit: neither is it. */
	at = p.now + 1000;
	up_at(&p, 2, at + 10, call_of("7", 7));
	up_at(&p, 2, at + 20, call_of("8", 7));
	up_at(&p, 1, at, call_of("3", 7));
	down(&p, 2, words_result("7"));
	down(&p, 2, words_result("8"));
	assert_said(&p, "call", 5);
	down(&p, 1, words_result("3"));
	assert_int_equal(last(&p)->hops, 0);
	peers_done(&p);
}

/* The inner answer is decoded last: its writer was held up. */
static void test_inner_last(void **state)
{
	struct peers p;
	uint64_t at;

	(void)state;
	chain_begin(&p, 2);
	up(&p, 1, call_of("1", 7));
	up(&p, 2, call_of("5", 7));
	at = p.now + 1000;
	p.now = at + 20;
	down(&p, 1, words_result("1"));
	assert_said(&p, "call", 0);
	p.now = at + 10;
	down(&p, 2, words_result("5"));
	assert_said(&p, "call s1 client 1 tools/call ok", 1);
	assert_said(&p, "call", 1);
	assert_int_equal(last(&p)->hops, 1);
	/* It was not the answer that was passed on; or there is none in time, or ever. */
	p.now = at + 1000;
	up(&p, 1, call_of("2", 7));
	up(&p, 2, call_of("6", 7));
	down(&p, 1, words_error("2", "-32001"));
	p.now += 1000;
	down(&p, 2, words_result("6"));
	assert_said(&p, "call", 3);
	up(&p, 1, call_of("3", 7));
	up(&p, 2, call_of("7", 7));
	down(&p, 1, words_result("3"));
	peers_wait(&p, 900);
	assert_said(&p, "call", 3);
	peers_wait(&p, 200);
	assert_said(&p, "call s1 client 3 tools/call ok", 1);
	down(&p, 2, words_result("7"));
	assert_said(&p, "call", 5);
	up(&p, 1, call_of("4", 7));
	up(&p, 2, call_of("8", 7));
	down(&p, 1, words_result("4"));
	assert_said(&p, "call", 5);
	mcp_stream_end(p.m, up_of(1), p.now, "eof");
	mcp_stream_end(p.m, up_of(1) + 1, p.now, "eof");
	assert_said(&p, "call s1 client 4 tools/call ok", 1);
	assert_said(&p, "end s1 eof 5 1", 1);
	for (size_t i = 1; i < p.calls; i++)
		assert_int_equal(p.call[i]->hops, 0);
	peers_done(&p);
}

/* Calls that are alike in all but their ids, in flight together: in whichever order their hops are decoded, @order. */
static void alike(const unsigned int *order, unsigned int n)
{
	static const char *const id[] = { "1", "2", "3" };
	struct peers p;
	uint64_t at;

	chain_begin(&p, 2);
	at = p.now + 1000;
	for (unsigned int i = 0; i < n; i++)
		up_at(&p, 1 + order[i] % 2, at + 10 * order[i], call_of(id[order[i] / 2], 7));
	p.now = at + 1000;
	for (unsigned int i = 0; i < n / 2; i++) {
		down(&p, 2, words_result(id[i]));
		down(&p, 1, words_result(id[i]));
		assert_int_equal(last(&p)->hops, 1);
		assert_string_equal(last(&p)->id, id[i]);
	}
	assert_said(&p, "call", n / 2);
	peers_done(&p);
}

static void each_order(unsigned int *order, unsigned int at, unsigned int n)
{
	if (at == n)
		alike(order, n);
	for (unsigned int i = at; i < n; i++) {
		unsigned int first = order[at];

		order[at] = order[i];
		order[i] = first;
		each_order(order, at + 1, n);
		order[i] = order[at];
		order[at] = first;
	}
}

static void test_alike(void **state)
{
	(void)state;
	each_order((unsigned int[]){ 0, 1, 2, 3, 4, 5 }, 0, 6);
}

/* A gateway that asks all its servers what it was asked: those are calls of their own. */
static void test_fan_out(void **state)
{
	struct rpc_msg r = words_request("1", "tools/list");
	struct peers p;

	(void)state;
	words_marks(&r, 0, 0);
	chain_begin(&p, 2);
	mcp_stdio_set(p.m, 51, 52, words_proc(9));
	words_say(&p, words_line(&p, 51, 2, 9), words_request("0", "initialize"));
	words_say(&p, words_line(&p, 52, 9, 2), words_welcome("0"));
	peers_forget(&p);
	up(&p, 1, r);
	up(&p, 2, r);
	down(&p, 2, words_result("1"));
	assert_said(&p, "call", 0);
	words_say(&p, words_line(&p, 51, 2, 9), r);
	assert_said(&p, "call s2 client 1 tools/list ok", 1); /* it is in doubt now */
	words_say(&p, words_line(&p, 52, 9, 2), words_result("1"));
	assert_said(&p, "call s3 client 1 tools/list ok", 1);
	down(&p, 1, words_result("1"));
	assert_int_equal(last(&p)->hops, 0);
	assert_said(&p, "call", 3);
	peers_done(&p);
}

static struct rpc_msg traced(const char *id, const char *tool, uint64_t args, const char *trace)
{
	struct rpc_msg r = call_of(id, args);
	static char text[8][64];
	static unsigned int at;
	char *to = text[at++ % 8];

	snprintf(to, sizeof(text[0]), "\"00-%s-b7ad6b716920333%u-01", trace, at % 10);
	words_set(&r, RPC_F_META_TRACEPARENT, to);
	words_set(&r, RPC_F_NAME, tool);
	return r;
}

#define TRACE_A "0af7651916cd43dd8448eb211c80319c"
#define TRACE_B "1af7651916cd43dd8448eb211c80319c"

/* A gateway may rename tools or change arguments; what a tool calls by itself is in the same trace. */
static void test_trace(void **state)
{
	struct peers p;

	(void)state;
	chain_begin(&p, 2);
	up(&p, 1, traced("1", "\"files__read", 7, TRACE_A));
	up(&p, 2, traced("1", "\"read", 7, TRACE_A));
	down(&p, 2, words_result("1"));
	down(&p, 1, words_result("1"));
	assert_int_equal(last(&p)->hops, 1);
	assert_string_equal(last(&p)->tool, "files__read");
	up(&p, 1, traced("2", "\"read", 7, TRACE_A));
	up(&p, 2, traced("2", "\"read", 8, TRACE_A));
	down(&p, 2, words_result("2"));
	down(&p, 1, words_result("2"));
	assert_int_equal(last(&p)->hops, 1);
	assert_said(&p, "call", 2);
	up(&p, 1, traced("3", "\"summarise", 7, TRACE_A));
	up(&p, 2, traced("3", "\"read", 8, TRACE_A));
	down(&p, 2, words_result("3"));
	down(&p, 1, words_result("3"));
	assert_int_equal(last(&p)->hops, 0);
	assert_said(&p, "call", 4);
	up(&p, 1, traced("4", "\"read", 7, TRACE_A));
	up(&p, 2, traced("4", "\"read", 7, TRACE_B));
	down(&p, 2, words_result("4"));
	down(&p, 1, words_result("4"));
	assert_int_equal(last(&p)->hops, 0);
	assert_said(&p, "call", 6);
	peers_done(&p);
}

static void test_vendor(void **state)
{
	struct rpc_msg a = call_of("1", 7), b = call_of("2", 8);
	struct peers p;

	(void)state;
	words_set(&a, RPC_F_META_TOOL_USE, "\"toolu_1");
	words_set(&b, RPC_F_META_TOOL_USE, "\"toolu_1");
	chain_begin(&p, 2);
	up(&p, 1, a);
	up(&p, 2, b);
	down(&p, 2, words_result("2"));
	down(&p, 1, words_result("1"));
	assert_int_equal(last(&p)->hops, 1);
	words_set(&b, RPC_F_META_TOOL_USE, "\"toolu_2");
	b.marks = a.marks;
	up(&p, 1, a);
	up(&p, 2, b);
	down(&p, 2, words_result("2"));
	down(&p, 1, words_result("1"));
	assert_int_equal(last(&p)->hops, 0);
	assert_said(&p, "call", 3);
	peers_done(&p);
}

static bool is_docker(void *ctx, const struct proc_id *proc)
{
	(void)ctx;
	return proc->pid == 2 || proc->pid == 50;
}

/* docker run: process 2 is the CLI; 50 is the shim, which writes to the server 51. */
static void test_passing(void **state)
{
	struct peers p;

	(void)state;
	chain_begin(&p, 1);
	hop_begin(&p, 50);
	hop_begin(&p, 60);
	peers_forget(&p);
	for (int told = 0; told < 2; told++) {
		p.passes = told ? is_docker : NULL;
		up(&p, 1, call_of("1", 7));
		up(&p, 50, call_of("1", 7));
		down(&p, 50, words_result("1"));
		down(&p, 1, words_result("1"));
		assert_int_equal(last(&p)->hops, told);
	}
	assert_said(&p, "call", 3);
	up(&p, 1, call_of("2", 7)); /* another client that says the same meanwhile */
	up(&p, 60, call_of("2", 7));
	up(&p, 50, call_of("3", 7)); /* another id */
	down(&p, 60, words_result("2"));
	down(&p, 50, words_result("3"));
	down(&p, 1, words_result("2"));
	assert_int_equal(last(&p)->hops, 0);
	assert_said(&p, "call", 6);
	peers_done(&p);
}

/* What the relay was answered is part of the outer call alone: a question to the client is asked once. */
static void test_relayed_question(void **state)
{
	struct rpc_msg a = words_result("1");
	struct peers p;

	(void)state;
	words_set(&a, RPC_F_RESULT_TYPE, "\"input_required");
	words_set(&a, RPC_F_RESULT_STATE, "\"st");
	chain_begin(&p, 2);
	for (int round = 0; round < 2; round++) {
		struct rpc_msg r = call_of("1", 7);

		if (round)
			words_set(&r, RPC_F_REQUEST_STATE, "\"st");
		up(&p, 1, r);
		up(&p, 2, r);
		down(&p, 2, round ? words_result("1") : a);
		down(&p, 1, round ? words_result("1") : a);
		assert_int_equal(last(&p)->hops, 1);
		assert_string_equal(last(&p)->logical, "l1");
	}
	assert_said(&p, "call", 2);
	assert_said(&p, "logical l1 by request_state: tools/call ok, requests 2, polls 0", 1);
	assert_said(&p, "logical", 1);
	peers_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_hops), cmocka_unit_test(test_others), cmocka_unit_test(test_inner_first),
		cmocka_unit_test(test_outer_gives_up), cmocka_unit_test(test_two_outers),
		cmocka_unit_test(test_fan_out),	   cmocka_unit_test(test_trace),
		cmocka_unit_test(test_vendor),	   cmocka_unit_test(test_passing),
		cmocka_unit_test(test_relayed_question), cmocka_unit_test(test_alike),
		cmocka_unit_test(test_inner_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
