/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/: sessions, names, tasks, relays without end. What is live stays within the caps, and good sessions stay whole. */
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "mcp_channel.h"
#include "mcp_web.h"

/* Bytes allocated now. What the sanitizers allocate is not in it. */
static size_t live(void)
{
	struct mallinfo2 i = mallinfo2();

	return i.uordblks + i.hblkhd;
}

static void drop(void *ctx, struct call *c)
{
	uint64_t *n = ctx;

	*n += 1;
	call_free(c);
}

static void flood_init(struct peers *p, uint64_t *n)
{
	const struct mcp_caps caps = MCP_CAPS_DEFAULT;
	const struct mcp_ops ops = { .call = drop, .ctx = n };

	memset(p, 0, sizeof(*p));
	*n = 0;
	p->now = 1000 * NSEC_PER_SEC;
	p->m = mcp_new(&caps, &ops);
	assert_non_null(p->m);
}

static void good_call(struct peers *p, unsigned int i)
{
	static const struct rpc_tool *tool;
	static struct rpc_tool get;
	struct rpc_msg a = words_result("1");

	if (!tool) {
		get = (struct rpc_tool){ .name_hash = hash_bytes("echo", 4), .read_only = true };
		tool = &get;
	}
	if (i == 0) {
		a.tools = tool;
		a.n_tools = 1;
		channel_up(p, words_request("1", "tools/list"));
	} else {
		channel_up(p, words_request("1", "tools/call"));
	}
	channel_down(p, a);
}

/* 100,000 sessions of a client that never ends one. A good one, used now and then, is still the same. */
static void test_sessions(void **state)
{
	struct mcp_stats st;
	struct web w = { 0 };
	uint64_t n;
	size_t full = 0;

	(void)state;
	flood_init(&w.p, &n);
	w.client = 10;
	mcp_stdio_set(w.p.m, UP, DOWN, words_proc(SERVER));
	channel_up(&w.p, words_request("0", "initialize"));
	channel_down(&w.p, words_welcome("0"));
	for (unsigned int i = 0; i < 100000; i++) {
		char id[16];

		snprintf(id, sizeof(id), "s%u", i);
		w.client = 1000 + i; /* each from a process of its own */
		web_hello(&w, id);
		if (i % 1000 == 0)
			good_call(&w.p, i);
		if (i % 100 == 0)
			mcp_tick(w.p.m, w.p.now);
		if (i == 30000)
			full = live();
	}
	mcp_stats(w.p.m, &st);
	assert_int_equal(st.sessions, 4096);
	assert_int_equal(st.sessions_evicted, 100001 - 4096);
	assert_int_equal(st.in_flight, 0);
	assert_int_equal(n, 100000 + 1 + 100);
	assert_true(live() <= full + full / 20);
	assert_true(live() < 64u << 20);
	peers_done(&w.p);
}

static struct call kept;

static void keep(void *ctx, struct call *c)
{
	uint64_t *n = ctx;

	*n += 1;
	kept = *c;
	call_free(c);
}

/* 1,000,000 names of tools: listed with hints, called, and failing, by a server that makes them up. */
static void test_tool_names(void **state)
{
	const struct mcp_caps caps = MCP_CAPS_DEFAULT;
	struct mcp_ops ops = { .call = keep };
	static struct rpc_tool tools[RPC_TOOLS_MAX];
	struct mcp_stats st;
	struct peers p;
	size_t full = 0;
	uint64_t n = 0;

	(void)state;
	memset(&p, 0, sizeof(p));
	p.now = 1000 * NSEC_PER_SEC;
	ops.ctx = &n;
	p.m = mcp_new(&caps, &ops);
	mcp_stdio_set(p.m, UP, DOWN, words_proc(SERVER));
	channel_up(&p, words_request("0", "initialize"));
	channel_down(&p, words_welcome("0"));
	good_call(&p, 0);
	mcp_stdio_set(p.m, 3, 4, words_proc(300));
	words_say(&p, words_line(&p, 3, CLIENT, 300), words_request("0", "initialize"));
	words_say(&p, words_line(&p, 4, 300, CLIENT), words_welcome("0"));
	for (unsigned int i = 0; i < 1000000; i++) {
		struct rpc_msg a = words_error("2", "-32602"), r = words_request("2", "tools/call");
		char name[24];

		snprintf(name, sizeof(name), "\"made_up_%u", i);
		words_set(&r, RPC_F_NAME, name);
		words_marks(&r, i + 1, 0);
		words_say(&p, words_line(&p, 3, CLIENT, 300), r);
		words_say(&p, words_line(&p, 4, 300, CLIENT), a);
		tools[i % RPC_TOOLS_MAX] = (struct rpc_tool){ .name_hash = i + 1, .read_only = true };
		if (i % RPC_TOOLS_MAX == RPC_TOOLS_MAX - 1) {
			a = words_result("3");
			a.tools = tools;
			a.n_tools = RPC_TOOLS_MAX;
			words_say(&p, words_line(&p, 3, CLIENT, 300), words_request("3", "tools/list"));
			words_say(&p, words_line(&p, 4, 300, CLIENT), a);
		}
		if (i == 100000)
			full = live();
	}
	mcp_stats(p.m, &st);
	assert_true(st.tools_evicted > 1900000);
	assert_true(live() <= full + full / 20);
	good_call(&p, 1);
	assert_true(kept.marks.read_only);
	peers_done(&p);
}

/* Tasks that nobody ends, in sessions of their own, and calls that wait at relays that never answer. */
static void test_open_calls(void **state)
{
	struct mcp_stats st;
	struct web w = { 0 };
	size_t full = 0;
	uint64_t n;

	(void)state;
	flood_init(&w.p, &n);
	for (unsigned int i = 0; i < 200000; i++) {
		struct rpc_msg r = words_request("1", "tools/call"), a = words_result("1");
		struct mcp_http x;
		char id[24];

		snprintf(id, sizeof(id), "\"task%u", i);
		words_set(&a, RPC_F_RESULT_TYPE, "\"task");
		words_set(&a, RPC_F_RESULT_TASK_ID, id);
		words_marks(&r, i + 1, 0);
		words_set(&r, RPC_F_META_TOOL_USE, id);
		w.client = 20 + i % 2; /* now and then a process asks itself */
		x = web_in_session(&w, i % 3 ? "A" : "B");
		web_ask(&w, &x, r);
		if (i % 2)
			web_tell(&w, &x, a);
		if (i % 1000 == 0)
			mcp_tick(w.p.m, w.p.now);
		if (i == 150000)
			full = live();
	}
	mcp_stats(w.p.m, &st);
	assert_true(st.tasks_evicted > 90000);
	assert_true(st.in_flight <= 65536);
	assert_true(live() <= full + full / 20);
	peers_done(&w.p);
}

/* Process @hop asks the next one over pipes: call @i, or its answer. */
static void hop_up(struct peers *p, unsigned int hop, unsigned int i)
{
	struct rpc_msg r = words_request("0", i ? "tools/call" : "initialize");
	char id[12];

	snprintf(id, sizeof(id), "%u", i);
	words_set(&r, RPC_F_ID, id);
	words_marks(&r, i, 0);
	words_say(p, words_line(p, 10 * hop + 1, hop, hop + 1), r);
}

static void hop_down(struct peers *p, unsigned int hop, unsigned int i)
{
	char id[12];

	snprintf(id, sizeof(id), "%u", i);
	words_say(p, words_line(p, 10 * hop + 2, hop + 1, hop), i ? words_result(id) : words_welcome(id));
}

/* A relay whose server's answers are all decoded last: 256 calls wait for them, the others are told apart, and counted. */
static void test_relay(void **state)
{
	struct mcp_stats st;
	struct peers p;
	uint64_t n, at;

	(void)state;
	flood_init(&p, &n);
	for (unsigned int hop = 1; hop <= 2; hop++) {
		mcp_stdio_set(p.m, 10 * hop + 1, 10 * hop + 2, words_proc(hop + 1));
		hop_up(&p, hop, 0);
		hop_down(&p, hop, 0);
	}
	for (unsigned int i = 1; i <= 300; i++)
		for (unsigned int hop = 1; hop <= 2; hop++)
			hop_up(&p, hop, i);
	assert_int_equal(n, 2);
	at = p.now;
	p.now = at + NSEC_PER_SEC / 2;
	for (unsigned int i = 1; i <= 300; i++)
		hop_down(&p, 1, i);
	mcp_stats(p.m, &st);
	assert_int_equal(st.relays_full, 44);
	assert_int_equal(n, 2 + 44);
	p.now = at;
	for (unsigned int i = 1; i <= 300; i++)
		hop_down(&p, 2, i);
	assert_int_equal(n, 2 + 300 + 44);
	peers_done(&p);
}

static void flood_all(void)
{
	struct mcp_http x;
	struct web w = { 0 };
	uint64_t n;

	flood_init(&w.p, &n);
	for (unsigned int i = 0; i < 1000; i++) {
		struct rpc_msg r = words_request("1", "tools/call"), a = words_error("1", "-1");

		words_marks(&r, i + 1, 0);
		w.client = 30 + i % 7;
		x = web_in_session(&w, i % 3 ? "A" : "B");
		web_ask(&w, &x, r);
		if (i % 2)
			web_tell(&w, &x, a);
		else if (i % 5 == 0)
			web_broken(&w, &x);
	}
	mcp_flush(w.p.m, w.p.now);
	assert_int_equal(n, 1000);
	peers_done(&w.p);
}

/* Everything is given back: the second time leaves as much as the first. What the allocator keeps for itself is there by then. */
static void test_nothing_left(void **state)
{
	size_t before;

	(void)state;
	flood_all();
	before = live();
	flood_all();
	assert_int_equal(live(), before);
}

/* What a thread's cache of the allocator holds counts as in use: the figures are exact without it. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_tool_names),
		cmocka_unit_test(test_open_calls),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_nothing_left),
	};

	(void)argc;
	if (!getenv("GLIBC_TUNABLES")) {
		setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
		execv("/proc/self/exe", argv);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
