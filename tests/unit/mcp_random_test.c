/* SPDX-License-Identifier: Apache-2.0 */
/* mcp/: anything in any order, with small tables. What counts is the sanitizers' silence, and that nothing is left. */
#include "mcp_web.h"

static uint64_t seed;

static uint32_t pick(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % n;
}

static struct rpc_msg some_message(void)
{
	static const char *const ids[] = { "0", "1", "2", "3", "\"0", "\"a", "\"", "null" };
	static const char *const methods[] = { "initialize", "ping",	     "tools/list", "tools/call",
					       "vendor/x",   "roots/list",   "session/new", "tasks/get",
					       "message/send", "server/discover" };
	static const char *const notes[] = { "notifications/cancelled", "notifications/message",
					     "notifications/initialized", "$/progress" };
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
	const struct mcp_caps small = { 16, 16, 16, 16 }, middle = { 20, 300, 40, 100 };
	struct mcp_stats st;
	struct web w;

	(void)state;
	for (unsigned int round = 0; round < 300; round++) {
		seed = round;
		memset(&w, 0, sizeof(w));
		peers_init(&w.p, round % 3 == 0 ? &small : round % 3 == 1 ? &middle : NULL);
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
