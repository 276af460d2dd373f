/* SPDX-License-Identifier: Apache-2.0 */
/* The alert engine: calls and findings in; firing, doubled and resolved out, and nothing else. */
#include "alerts_heard.h"

static void call(struct heard *h, uint64_t ts, uint8_t outcome)
{
	struct call c = { .ts = ts,
			  .start = ts - S / 2,
			  .duration_ns = S / 2,
			  .has_duration = true,
			  .outcome = outcome,
			  .tool = STR("read"),
			  .method = STR("tools/call"),
			  .session = STR("s1"),
			  .session_no = 1,
			  .request_bytes = 10,
			  .response_bytes = 90 };

	alerts_call(h->a, &c, "claude", "fs");
}

static void test_defaults_are_quiet(void **state)
{
	struct alerts_opts o;
	struct heard h;

	(void)state;
	alerts_opts_default(&o);
	begin(&h, &o);
	for (uint64_t s = 100; s < 20000; s++)
		call(&h, s * S, s % 2 ? CALL_OK : CALL_TOOL_ERROR);
	alerts_finding(h.a, &(struct finding){ .name = "noise_on_stdout", .ts = 20000 * S, .count = 5 });
	said(&h, "");
	alerts_finding(h.a, &(struct finding){ .name = "decompression_bomb", .ts = 20001 * S, .count = 1 });
	said(&h, "fires decompression_bomb n1 c1\n");
	assert_string_equal(h.evidence, "{\"metric\":\"finding\",\"finding\":\"decompression_bomb\",\"above\":0,"
					"\"window_s\":600,\"times\":1}");
	assert_string_equal(h.summary, "Finding decompression_bomb, 1 times.");
	alerts_free(h.a);
}

static void test_rate_by_tool(void **state)
{
	struct rule r = { .id = "busy", .metric = RULE_RATE, .by = RULE_BY_TOOL, .above = 3, .window_ns = 60 * S };
	struct alerts_opts o = opts(&r);
	struct alerts_stats st;
	struct heard h;
	uint64_t key;

	(void)state;
	begin(&h, &o);
	for (uint64_t s = 0; s < 3; s++)
		call(&h, (1200 + s) * S, CALL_OK);
	said(&h, "");
	call(&h, 1203 * S, CALL_OK);
	said(&h, "fires busy tool=read n1 c4\n");
	key = h.key;
	assert_string_equal(h.evidence, "{\"metric\":\"rate\",\"above\":3,\"window_s\":60,\"errors\":0,\"calls\":4}");
	assert_string_equal(h.summary, "4 calls of read on fs within 60 s, more than 3.");
	for (uint64_t s = 4; s < 8; s++)
		call(&h, (1200 + s) * S, CALL_OK);
	said(&h, "fires busy tool=read n2 c8\n");
	assert_int_equal(h.key, key);
	alerts_stats(h.a, &st);
	assert_int_equal(st.firing, 1);
	alerts_tick(h.a, 1259 * S);
	said(&h, "");
	alerts_tick(h.a, 1265 * S);
	said(&h, "ends busy tool=read n2 c8\n");
	assert_int_equal(h.key, key);
	for (uint64_t s = 0; s < 4; s++)
		call(&h, (1400 + s) * S, CALL_OK);
	said(&h, "fires busy tool=read n1 c4\n");
	assert_int_not_equal(h.key, key);
	alerts_stats(h.a, &st);
	assert_int_equal(st.fired, 2);
	assert_int_equal(st.resolved, 1);
	alerts_free(h.a);
}

static void test_for_and_cooldown(void **state)
{
	struct rule r = { .id = "errors", .metric = RULE_ERRORS, .by = RULE_BY_CLIENT, .above = 1,
			  .window_ns = 60 * S, .for_ns = 10 * S, .cooldown_ns = 300 * S };
	struct alerts_opts o = opts(&r);
	struct alerts_stats st;
	struct heard h;

	(void)state;
	begin(&h, &o);
	call(&h, 1200 * S, CALL_RPC_ERROR);
	call(&h, 1201 * S, CALL_TOOL_ERROR);
	call(&h, 1202 * S, CALL_OK);
	alerts_stats(h.a, &st);
	assert_int_equal(st.pending, 1);
	alerts_tick(h.a, 1210 * S);
	said(&h, "");
	alerts_tick(h.a, 1211 * S);
	said(&h, "fires errors client=claude n1 c2\n");
	alerts_tick(h.a, 1300 * S);
	said(&h, "ends errors client=claude n1 c2\n");
	call(&h, 1310 * S, CALL_RPC_ERROR);
	call(&h, 1311 * S, CALL_TOOL_ERROR);
	alerts_tick(h.a, 1330 * S);
	said(&h, "");
	alerts_stats(h.a, &st);
	assert_int_equal(st.suppressed, 1);
	assert_int_equal(st.pending, 0);
	alerts_free(h.a);
}

static void test_budget(void **state)
{
	struct rule r = { .id = "budget", .metric = RULE_BUDGET, .by = RULE_BY_SESSION, .above = 2 };
	struct alerts_opts o = opts(&r);
	struct heard h;

	(void)state;
	begin(&h, &o);
	call(&h, 1000 * S, CALL_OK);
	call(&h, 9000 * S, CALL_OK);
	said(&h, "");
	call(&h, 20000 * S, CALL_OK);
	said(&h, "fires budget client=claude session=s1 n1 c3\n");
	assert_string_equal(h.evidence, "{\"metric\":\"budget\",\"above\":2,\"errors\":0,\"calls\":3}");
	alerts_tick(h.a, 20600 * S);
	said(&h, "");
	alerts_tick(h.a, 20601 * S);
	said(&h, "ends budget client=claude session=s1 n1 c3\n");
	alerts_free(h.a);
}

static void ask(struct heard *h, uint64_t start, uint64_t answered)
{
	struct call c = { .start = start, .tool = STR("read"), .method = STR("tools/call") };

	if (!answered) {
		alerts_asked(h->a, &c, "claude", "fs");
		return;
	}
	c.ts = answered;
	alerts_call(h->a, &c, "claude", "fs");
}

static void test_in_flight(void **state)
{
	struct rule r = { .id = "hang", .metric = RULE_IN_FLIGHT, .by = RULE_BY_SERVER, .above = 2,
			  .window_ns = 600 * S };
	struct alerts_opts o = opts(&r);
	struct heard h;

	(void)state;
	begin(&h, &o);
	ask(&h, 1000 * S, 0);
	ask(&h, 1001 * S, 0);
	ask(&h, 1001 * S, 1002 * S);
	ask(&h, 1003 * S, 0);
	said(&h, "");
	ask(&h, 1004 * S, 0);
	said(&h, "fires hang n1 c3\n");
	assert_string_equal(h.evidence, "{\"metric\":\"in_flight\",\"above\":2,\"window_s\":600,\"in_flight\":3}");
	ask(&h, 1004 * S, 1005 * S);
	said(&h, "ends hang n1 c3\n");
	ask(&h, 1100 * S, 0);
	said(&h, "fires hang n1 c3\n");
	/* Two that were relayed never end: not open for ever. */
	alerts_tick(h.a, 1700 * S);
	said(&h, "ends hang n1 c3\n");
	alerts_free(h.a);
}

static void test_names_that_are_not_known_count_nowhere(void **state)
{
	struct rule r = { .id = "x", .metric = RULE_RATE, .by = RULE_BY_SERVER, .window_ns = 60 * S };
	struct alerts_opts o = opts(&r);
	struct call c = { .ts = 100 * S };
	struct heard h;

	(void)state;
	begin(&h, &o);
	alerts_call(h.a, &c, NULL, NULL);
	said(&h, "");
	alerts_call(h.a, &c, NULL, "fs");
	said(&h, "fires x n1 c1\n");
	alerts_free(h.a);
}

static void meet(struct heard *h, uint64_t ts, const char *server, const char *tool)
{
	struct call c = { .ts = ts, .tool = STR(tool), .from = SIDE_CLIENT };

	alerts_call(h->a, &c, "claude", server);
}

static void test_new_names(void **state)
{
	struct rule r = { .id = "new", .metric = RULE_NEW_SERVER, .window_ns = 600 * S };
	struct rule tool = { .id = "tool", .metric = RULE_NEW_TOOL, .window_ns = 600 * S };
	struct alerts_opts o = opts(&r);
	struct alerts_stats st;
	char name[16];
	struct heard h;

	(void)state;
	o.rule[o.rules++] = tool;
	begin(&h, &o);
	meet(&h, 1000 * S, "fs", "read");
	meet(&h, 1100 * S, "git", "log");
	said(&h, "");
	meet(&h, 2000 * S, "db", "query");
	said(&h, "fires new n1 c1\n");
	assert_string_equal(h.summary, "The server db was not seen before.");
	meet(&h, 2001 * S, "db", "query");
	meet(&h, 2002 * S, "fs", "write");
	said(&h, "fires tool tool=write n1 c1\n");
	assert_string_equal(h.summary, "The server fs has a tool that it did not show before: write.");
	alerts_tick(h.a, 2700 * S);
	/* Not in the order of their beginning: both are over. */
	assert_int_equal(h.alerts, 4);
	h.n = 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "evil%d", i);
		meet(&h, 3000 * S, name, "x");
	}
	assert_int_equal(h.alerts, 4 + 10);
	alerts_stats(h.a, &st);
	assert_int_equal(st.suppressed, 990);
	alerts_free(h.a);
}

static void test_finding_by_session(void **state)
{
	struct rule r = { .id = "noise", .metric = RULE_FINDING, .by = RULE_BY_SESSION, .finding = "noise_*",
			  .above = 4, .window_ns = 60 * S, .summary = "A server prints on its standard output." };
	struct alerts_opts o = opts(&r);
	struct finding f = { .name = "noise_on_stdout", .session = "s7", .ts = 100 * S, .count = 3 };
	struct heard h;

	(void)state;
	begin(&h, &o);
	alerts_finding(h.a, &f);
	f.session = NULL;
	alerts_finding(h.a, &f);
	said(&h, "");
	f.session = "s7";
	alerts_finding(h.a, &f);
	said(&h, "fires noise session=s7 n1 c6\n");
	assert_string_equal(h.summary, "A server prints on its standard output.");
	alerts_free(h.a);
}

static void test_bounded_and_shared_out(void **state)
{
	struct rule r = { .id = "t", .metric = RULE_RATE, .by = RULE_BY_TOOL, .above = 1, .window_ns = 3600 * S };
	struct alerts_opts o = opts(&r);
	struct call c = { .ts = 4000 * S, .route.client.pid = 1 };
	struct call evil = { .ts = 4001 * S, .route.client.pid = 666 };
	struct alerts_stats st;
	char name[16];
	struct heard h;

	(void)state;
	o.series = 64;
	begin(&h, &o);
	c.tool = STR("mine");
	alerts_call(h.a, &c, "claude", "fs");
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		evil.tool = name;
		alerts_call(h.a, &evil, "evil", "fs");
	}
	alerts_call(h.a, &c, "claude", "fs");
	said(&h, "fires t tool=mine n1 c2\n");
	alerts_stats(h.a, &st);
	assert_int_equal(st.series_evicted, 10000 - 16);
	alerts_free(h.a);
}

static void test_active_cap(void **state)
{
	struct rule r = { .id = "t", .metric = RULE_RATE, .by = RULE_BY_TOOL, .window_ns = 60 * S };
	struct alerts_opts o = opts(&r);
	struct call c = { .ts = 1000 * S };
	struct alerts_stats st;
	char name[16];
	struct heard h;

	(void)state;
	o.active = 3;
	begin(&h, &o);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		c.tool = name;
		alerts_call(h.a, &c, "claude", "fs");
	}
	said(&h, "fires t tool=t0 n1 c1\nfires t tool=t1 n1 c1\nfires t tool=t2 n1 c1\n");
	alerts_loop(h.a, &(struct alert){ .key = 1, .rule = "cycle", .state = ALERT_FIRING, .ts = 1001 * S });
	said(&h, "");
	alerts_stats(h.a, &st);
	assert_int_equal(st.firing, 3);
	assert_int_equal(st.suppressed, 6);
	alerts_tick(h.a, 1100 * S);
	alerts_stats(h.a, &st);
	/* The loop goes on: it is told now that there is room. */
	assert_int_equal(st.firing, 1);
	assert_int_equal(h.alerts, 3 + 3 + 1);
	alerts_free(h.a);
}

/* What is firing and is pushed out all the same is not left hanging. */
static void test_evicted_resolves(void **state)
{
	struct rule r = { .id = "t", .metric = RULE_RATE, .by = RULE_BY_TOOL, .window_ns = 60 * S };
	struct alerts_opts o = opts(&r);
	struct call c = { .ts = 1000 * S };
	struct heard h;

	(void)state;
	o.series = 2;
	begin(&h, &o);
	c.tool = STR("a");
	alerts_call(h.a, &c, "claude", "fs");
	c.tool = STR("b");
	alerts_call(h.a, &c, "claude", "fs");
	c.tool = STR("c");
	alerts_call(h.a, &c, "claude", "fs");
	said(&h, "fires t tool=a n1 c1\nfires t tool=b n1 c1\nends t tool=a n1 c1\nfires t tool=c n1 c1\n");
	alerts_free(h.a);
	said(&h, ""); /* the end of the run resolves nothing */
}

/* What fires is not the one that was not used for longest, however quiet its key is. */
static void test_firing_stays(void **state)
{
	struct rule r = { .id = "t", .metric = RULE_RATE, .by = RULE_BY_TOOL, .above = 1, .window_ns = 60 * S };
	struct alerts_opts o = opts(&r);
	struct call c = { .ts = 1200 * S, .tool = STR("a") };
	char name[16];
	struct heard h;

	(void)state;
	o.series = 4;
	begin(&h, &o);
	alerts_call(h.a, &c, "claude", "fs");
	alerts_call(h.a, &c, "claude", "fs");
	said(&h, "fires t tool=a n1 c2\n");
	c.tool = name;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		c.ts += S;
		alerts_call(h.a, &c, "claude", "fs");
		alerts_tick(h.a, c.ts);
	}
	said(&h, "");
	alerts_tick(h.a, 1300 * S);
	said(&h, "ends t tool=a n1 c2\n");
	alerts_free(h.a);
}

static void test_reload(void **state)
{
	struct rule a = { .id = "a", .metric = RULE_RATE, .by = RULE_BY_TOOL, .above = 1, .window_ns = 60 * S };
	struct rule b = { .id = "b", .metric = RULE_RATE, .by = RULE_BY_ALL, .above = 1, .window_ns = 60 * S };
	struct alerts_opts o = opts(&a);
	struct heard h;

	(void)state;
	o.rule[o.rules++] = b;
	o.rule[o.rules++] = b; /* twice is once */
	begin(&h, &o);
	call(&h, 1000 * S, CALL_OK);
	call(&h, 1001 * S, CALL_OK);
	said(&h, "fires a tool=read n1 c2\nfires b n1 c2\n");
	o = opts(&b);
	alerts_reload(h.a, &o);
	said(&h, "ends a tool=read n1 c2\n");
	call(&h, 1002 * S, CALL_OK);
	call(&h, 1003 * S, CALL_OK);
	said(&h, "fires b n2 c4\n");
	o.rule[0].above = 2;
	alerts_reload(h.a, &o);
	said(&h, "ends b n2 c4\n");
	call(&h, 1004 * S, CALL_OK);
	call(&h, 1005 * S, CALL_OK);
	said(&h, "");
	call(&h, 1006 * S, CALL_OK);
	said(&h, "fires b n1 c3\n");
	alerts_free(h.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_quiet),
		cmocka_unit_test(test_rate_by_tool),
		cmocka_unit_test(test_for_and_cooldown),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_names_that_are_not_known_count_nowhere),
		cmocka_unit_test(test_new_names),
		cmocka_unit_test(test_finding_by_session),
		cmocka_unit_test(test_bounded_and_shared_out),
		cmocka_unit_test(test_active_cap),
		cmocka_unit_test(test_evicted_resolves),
		cmocka_unit_test(test_firing_stays),
		cmocka_unit_test(test_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
