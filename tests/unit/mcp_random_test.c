/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/: anything in any order, with small tables. What counts is the sanitizers' silence, and that nothing is left. */
#include "mcp_web.h"

static uint64_t seed;

static uint32_t pick(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % n;
}

static const char *some_word(void)
{
	static const char *const words[] = { "\"a", "\"b", "\"c" };

	return words[pick(3)];
}

static void some_answer(struct rpc_msg *r)
{
	static const char *const types[] = { "\"task", "\"input_required", "\"complete" };
	static const char *const states[] = { "\"completed", "\"failed", "\"working", "\"cancelled" };
	static const uint8_t texts[] = { RPC_F_RESULT_TASK_ID, RPC_F_RESULT_TASK_ID1, RPC_F_RESULT_STATE };

	words_set(r, RPC_F_RESULT_TYPE, types[pick(3)]);
	words_set(r, (enum rpc_field)texts[pick(3)], some_word());
	if (pick(2))
		words_set(r, RPC_F_RESULT_STATUS, states[pick(4)]);
	if (pick(4) == 0)
		words_set(r, RPC_F_IS_ERROR, "true");
	r->dup_keys = pick(50) == 0;
}

/* What joins calls: states, tasks, traces, equal arguments. */
static void some_ties(struct rpc_msg *r)
{
	static const uint8_t fields[] = { RPC_F_TASK_ID, RPC_F_REQUEST_STATE, RPC_F_META_TOOL_USE, RPC_F_META_THREAD };

	if (pick(3))
		words_marks(r, pick(3), pick(3));
	if (r->kind == RPC_RESULT)
		some_answer(r);
	if (r->kind == RPC_REQUEST)
		words_set(r, (enum rpc_field)fields[pick(4)], some_word());
	if (r->kind == RPC_NOTIFICATION) {
		words_set(r, RPC_F_TASK_ID, some_word());
		words_set(r, RPC_F_STATUS, "\"completed");
	}
}

static struct rpc_msg bare_message(void)
{
	static const char *const ids[] = { "0", "1", "2", "3", "\"0", "\"a", "\"", "null" };
	static const char *const methods[] = { "initialize", "ping",	     "tools/list", "tools/call",
					       "vendor/x",   "roots/list",   "session/new", "tasks/get",
					       "tasks/result", "server/discover" };
	static const char *const notes[] = { "notifications/cancelled", "notifications/tasks",
					     "notifications/tasks/status", "$/progress" };
	const char *id = ids[pick(8)];
	struct rpc_msg r;

	switch (pick(8)) {
	case 0:
		return words_welcome(id);
	case 1:
	case 2:
		return words_result(id);
	case 3:
		return words_error(pick(3) ? id : NULL, "-32600");
	case 4:
		r = words_note(notes[pick(4)]);
		words_set(&r, RPC_F_REQUEST_ID, ids[pick(8)]);
		return r;
	case 5:
		return words_modern(ids[pick(7)], methods[pick(10)]);
	default:
		return words_request(ids[pick(7)], methods[pick(10)]);
	}
}

static struct rpc_msg some_message(void)
{
	struct rpc_msg r = bare_message();

	some_ties(&r);
	return r;
}

static bool some_passes(void *ctx, const struct proc_id *proc)
{
	(void)ctx;
	return proc->pid & 1;
}

static bool no_more(void *ctx, const struct call *c)
{
	(void)ctx;
	(void)c;
	return pick(4) != 0;
}

static void some_line(struct peers *p)
{
	uint64_t stream = 1 + pick(30);
	struct mcp_msg msg = words_line(p, stream, pick(4), pick(4));
	struct rpc_msg r = some_message();

	if (pick(3) == 0)
		msg.reverse = 1 + ((stream - 1) ^ 1);
	msg.late = pick(10) == 0;
	if (stream > 26) {
		msg.transcript = stream > 28 ? "one" : "two";
		msg.from = stream & 1;
	}
	words_say(p, msg, r);
}

static struct mcp_http some_exchange(struct web *w)
{
	static const char *const targets[] = { "/mcp", "/sse", "/messages?sessionId=1", "/messages?sessionId=2" };
	static const char *const sids[] = { "", "", "A", "B", "C" };
	static const char *const methods[] = { "GET", "POST", "POST", "DELETE" };
	struct mcp_http x = web_post(w, targets[pick(4)]);

	x.id = 1 + pick(60);
	x.method = sv_of(methods[pick(4)]);
	x.session_id = sv_of(sids[pick(5)]);
	x.status = (uint16_t)(pick(3) ? 200 : pick(2) ? 404 : 0);
	return x;
}

static void some_web(struct web *w)
{
	struct mcp_http x = some_exchange(w);

	w->client = 1 + pick(3);
	switch (pick(8)) {
	case 0:
		web_over(w, &x);
		break;
	case 1:
		web_broken(w, &x);
		break;
	case 2:
		mcp_sse_endpoint(w->p.m, &x, SV("/messages?sessionId=1"), w->p.now);
		break;
	case 3:
	case 4:
		web_tell(w, &x, some_message());
		break;
	default:
		web_ask(w, &x, some_message());
	}
}

static void step(struct web *w)
{
	struct peers *p = &w->p;

	switch (pick(20)) {
	case 0:
		mcp_stdio_set(p->m, pick(31), pick(31), words_proc(1 + pick(3)));
		break;
	case 1:
		if (pick(4) == 0)
			mcp_stream_end(p->m, 1 + pick(400), p->now, pick(2) ? "eof" : NULL);
		break;
	case 2:
		mcp_noise(p->m, 1 + pick(30), 1, 10, p->now);
		break;
	case 3:
		p->now += pick(20) * 100 * MS;
		mcp_tick(p->m, p->now);
		break;
	case 4:
		if (pick(100) == 0)
			mcp_flush(p->m, p->now);
		if (pick(10) == 0)
			mcp_process_exit(p->m, words_proc(pick(2) ? 20 : pick(4)), p->now);
		mcp_in_flight(p->m, no_more, NULL);
		break;
	default:
		if (pick(2))
			some_line(p);
		else
			some_web(w);
	}
}

static void test_random(void **state)
{
	const struct mcp_caps small = { 16, 16, 16, 16, 64, 64 }, middle = { 20, 300, 40, 100, 64, 64 };
	struct mcp_stats st;
	struct web w;

	(void)state;
	for (unsigned int round = 0; round < 300; round++) {
		seed = round;
		memset(&w, 0, sizeof(w));
		peers_init(&w.p, round % 3 == 0 ? &small : round % 3 == 1 ? &middle : NULL);
		w.p.passes = some_passes;
		for (unsigned int i = 0; i < 1000; i++)
			step(&w);
		if (round % 4)
			mcp_flush(w.p.m, w.p.now);
		mcp_stats(w.p.m, &st);
		if (round % 4) {
			assert_int_equal(st.in_flight, 0);
			assert_int_equal(st.sessions, 0);
			assert_true(peers_count(&w.p, "start") >= peers_count(&w.p, "end"));
		}
		peers_done(&w.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
