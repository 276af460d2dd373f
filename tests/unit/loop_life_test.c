/* SPDX-License-Identifier: Apache-2.0 */
/* Life of loop alerts: again at doubling, over after progress or silence; sessions, agents, lanes; order; options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "loop_feed.h"

static const struct said same = { .args = 1, .result = 5 };

static void test_again_at_doubling(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	repeat(&f, 33, same);
	assert_int_equal(f.n, 4); /* 4, 8, 16, 32; and a notice at 30 is part of it */
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(f.got[i].notified, i + 1);
		assert_int_equal(f.got[i].count, 4 << i);
		assert_int_equal(f.got[i].calls, 4 << i);
		assert_int_equal(f.got[i].bytes, 1100 * (4 << i));
		assert_int_equal(f.got[i].busy_ns, 100 * MS * (4 << i));
		assert_int_equal(f.got[i].call, (4 << i) - 1);
		assert_int_equal(f.got[i].key, f.got[0].key);
	}
	assert_string_equal(f.got[1].summary,
			    "do_it was called 8 times in a row with the same arguments and brought the same result");
	feed_end(&f);
}

static void test_over_after_progress(void **state)
{
	struct loops_stats st;
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	repeat(&f, 4, same);
	say(&f, (struct said){ .args = 2 });
	say(&f, (struct said){ .args = 3 });
	say(&f, same); /* back in it */
	say(&f, (struct said){ .args = 4 });
	say(&f, (struct said){ .args = 5, .err = true }); /* an error is no progress */
	say(&f, (struct said){ .args = 6, .result = 70 });
	say(&f, (struct said){ .args = 8, .gap_ms = 10 }); /* nor is the rest of a batch */
	say(&f, (struct said){ .args = 6, .result = 70 }); /* nor is the same once more */
	assert_int_equal(f.n, 1);
	loops_stats(f.l, &st);
	assert_int_equal(st.active[LOOP_SAME_RESULT], 1);
	say(&f, (struct said){ .args = 7 });
	assert_int_equal(f.n, 2);
	assert_int_equal(f.got[1].state, ALERT_RESOLVED);
	assert_int_equal(f.got[1].key, f.got[0].key);
	assert_int_equal(f.got[1].count, 5);
	loops_stats(f.l, &st);
	assert_int_equal(st.active[LOOP_SAME_RESULT], 0);
	assert_int_equal(st.fired[LOOP_SAME_RESULT], 1);
	/* The next one is another. */
	repeat(&f, 4, same);
	assert_int_equal(f.n, 3);
	assert_int_not_equal(f.got[2].key, f.got[0].key);
	feed_end(&f);
}

static void test_over_after_silence(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	repeat(&f, 4, same);
	loops_tick(f.l, f.now + 599 * S);
	assert_int_equal(f.n, 1);
	loops_tick(f.l, f.now + 600 * S);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.got[1].state, ALERT_RESOLVED);
	feed_end(&f);
}

static void test_over_with_its_session(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	repeat(&f, 4, same);
	loops_session_end(f.l, 2, f.now);
	assert_int_equal(f.n, 1);
	loops_session_end(f.l, 1, f.now);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.got[1].state, ALERT_RESOLVED);
	assert_string_equal(f.got[1].session, "s1");
	feed_end(&f);
}

/* Whatever is missing is equal to nothing. */
static void test_unknown_matches_nothing(void **state)
{
	static const struct said cases[] = {
		{ .args = 1, .result = 5, .no_result = true },
		{ .args = 1, .result = 5, .outcome = CALL_UNANSWERED },
		{ .args = 1, .result = 5, .outcome = CALL_CANCELLED },
		{ .args = 1, .result = 5, .outcome = CALL_ORPHAN },
		{ .args = 1, .result = 5, .no_args = true },
	};
	struct feed f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		feed_begin(&f, NULL);
		repeat(&f, 20, cases[i]);
		expect_quiet(&f);
		feed_end(&f);
	}
}

static void test_sessions_are_apart(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (unsigned int i = 0; i < 6; i++)
		say(&f, (struct said){ .args = 1, .result = 5, .session = 1 + i % 2 });
	expect_quiet(&f);
	feed_end(&f);
}

static void test_lanes_are_apart(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (unsigned int i = 0; i < 6; i++)
		say(&f, (struct said){ .args = 1, .result = 5, .lane = 1 + i % 2 });
	expect_quiet(&f);
	for (unsigned int i = 0; i < 8; i++) { /* and are not lost among many others */
		say(&f, (struct said){ .args = 1, .result = 5, .lane = 1 });
		say(&f, (struct said){ .args = 100 + i, .lane = 2 });
	}
	expect_rule(&f, "same_call_same_result", 6);
	feed_end(&f);
}

/* A session for each call: the agent's calls are one loop, told once. */
static void test_agent_over_sessions(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (unsigned int i = 1; i < 8; i++) {
		say(&f, (struct said){ .args = 1, .result = 5, .session = i, .agent = 3 });
		loops_session_end(f.l, i, f.now);
	}
	expect_rule(&f, "same_call_same_result", 0);
	assert_string_equal(f.got[0].session, "s6");
	assert_int_equal(f.got[0].agent, 3);
	assert_non_null(strstr(f.got[0].evidence, "\"scope\":\"agent\""));
	assert_non_null(strstr(f.got[0].evidence, "\"sessions\":6"));
	assert_int_equal(f.n, 1);
	feed_end(&f);
}

/* A loop inside one session is the session's, though its agent is known. */
static void test_told_once(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (unsigned int i = 0; i < 7; i++) {
		say(&f, (struct said){ .args = 1, .result = 5, .agent = 3 });
		say(&f, (struct said){ .args = 50 + i, .session = 2, .agent = 3 });
	}
	expect_rule(&f, "same_call_same_result", 3);
	assert_non_null(strstr(f.got[0].evidence, "\"scope\":\"session\""));
	feed_end(&f);

	/* A on one server, B on another: a cycle of the agent, and no two streaks of sessions. */
	feed_begin(&f, NULL);
	for (unsigned int i = 0; i < 20; i++)
		say(&f, (struct said){ .args = i % 2, .result = 5 + i % 2, .session = 1 + i % 2, .agent = 3 });
	expect_rule(&f, "cycle", 2);
	assert_string_equal(f.got[0].session, "s2");
	feed_end(&f);
}

/* Two sessions side by side that do the same are two at work. */
static void test_agents_parallel_sessions(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (unsigned int i = 0; i < 6; i++) {
		say(&f, (struct said){ .args = i / 2, .result = 5, .err = true, .session = 1, .agent = 3 });
		say(&f, (struct said){ .args = i / 2, .result = 5, .err = true, .session = 2, .agent = 3 });
		if (i % 2)
			say(&f, (struct said){ .args = 50 + i, .session = 1, .agent = 3 });
		if (i % 2)
			say(&f, (struct said){ .args = 70 + i, .session = 2, .agent = 3 });
	}
	expect_quiet(&f);
	feed_end(&f);
}

struct answer {
	uint32_t ordinal;
	uint64_t args, at_ms;
};

/* A batch whose answers come in any order is judged in order of sending. */
static void test_order_of_sending(void **state)
{
	struct loop_who who = { 0 };
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint32_t i = 0; i < 6; i += 2) { /* A then B, B answers first */
		for (uint32_t k = 2; k-- > 0;) {
			struct said d = { .args = k, .result = 5 + k };
			char name[16];
			struct call c = feed_call(&f, &d, name);

			c.ordinal = i + k;
			c.start = f.now + k;
			loops_asked(f.l, &c, &who);
			c.ts = f.now + 100 * MS + (1 - k) * MS;
			loops_call(f.l, &c, &who);
		}
		f.now += 3 * S;
	}
	expect_rule(&f, "cycle", 5);
	feed_end(&f);
}

static void test_waits_not_for_ever(void **state)
{
	struct loop_who who = { 0 };
	struct loops_stats st;
	char name[16];
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint32_t i = 1; i < 5; i++) { /* ordinal 0 is not answered */
		struct said d = same;
		struct call c = feed_call(&f, &d, name);

		f.now += 400 * MS;
		c.ordinal = i;
		c.start = f.now;
		f.now += 50 * MS;
		c.ts = f.now;
		loops_call(f.l, &c, &who);
	}
	expect_quiet(&f);
	loops_tick(f.l, f.now + 500 * MS);
	expect_quiet(&f);
	loops_tick(f.l, f.now + 2 * S);
	expect_rule(&f, "same_call_same_result", 4);
	loops_stats(f.l, &st);
	assert_int_equal(st.held_dropped, 1);
	feed_end(&f);

	feed_begin(&f, NULL);
	for (uint32_t i = 1; i < 5; i++) {
		struct said d = same;
		struct call c = feed_call(&f, &d, name);

		f.now += 400 * MS;
		c.ordinal = i;
		c.ts = f.now;
		loops_call(f.l, &c, &who);
	}
	loops_flush(f.l, f.now);
	assert_int_equal(high(&f), 1);
	feed_end(&f);
}

/* Requests of one logical call are passed over until it ends. */
static void test_logical_calls(void **state)
{
	struct loop_who who = { 0 };
	char name[16];
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint32_t i = 0; i < 12; i += 3) {
		struct said d = same;
		struct call c = feed_call(&f, &d, name);

		for (uint32_t k = 0; k < 3; k++) {
			c.part = k < 2 ? PART_INPUT : PART_LAST;
			c.ordinal = i + k;
			c.start = f.now += 2 * S;
			c.ts = f.now += 50 * MS;
			loops_asked(f.l, &c, &who);
			loops_call(f.l, &c, &who);
			assert_int_equal(high(&f), 0);
		}
		c.part = PART_NONE;
		c.ordinal = i;
		loops_call(f.l, &c, &who);
	}
	expect_rule(&f, "same_call_same_result", 9);
	feed_end(&f);
}

static void test_fan_out(void **state)
{
	struct loop_who who = { 0 };
	char name[16];
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint32_t i = 0; i < 32; i++) {
		struct said d = { .args = i };
		struct call c = feed_call(&f, &d, name);

		expect_quiet(&f);
		c.ordinal = i;
		c.ts = c.start = f.now += S;
		loops_asked(f.l, &c, &who);
	}
	expect_rule(&f, "fan_out", 31);
	for (uint32_t i = 0; i < 17; i++) {
		struct said d = { .args = i };
		struct call c = feed_call(&f, &d, name);

		assert_int_equal(f.n, 1);
		c.ordinal = i;
		c.start = c.ts = f.now;
		loops_call(f.l, &c, &who);
	}
	assert_int_equal(f.n, 2);
	assert_int_equal(f.got[1].state, ALERT_RESOLVED);
	feed_end(&f);
}

/* The end of a logical call is none of another call's. */
static void test_in_flight_of_logical(void **state)
{
	struct loop_who who = { 0 };
	char name[16];
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint32_t i = 0; i < 33; i++) {
		struct said d = { .args = i };
		struct call c = feed_call(&f, &d, name);

		expect_quiet(&f);
		c.ordinal = i;
		c.ts = c.start = f.now += S;
		loops_asked(f.l, &c, &who);
		if (i != 20)
			continue;
		c.part = PART_TASK;
		loops_call(f.l, &c, &who);
		c.part = PART_NONE;
		loops_call(f.l, &c, &who);
	}
	expect_rule(&f, "fan_out", 32);
	feed_end(&f);
}

static void list(struct feed *f, uint64_t cursor, uint64_t next)
{
	struct loop_who who = { 0 };
	struct call c = { .from = SIDE_CLIENT, .method = (char *)"tools/list", .session_no = 1, .ts = f->now += S };

	c.marks.cursor = cursor;
	c.marks.next_cursor = next;
	loops_call(f->l, &c, &who);
}

static void test_stuck_cursor(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	list(&f, 0, 2);
	list(&f, 2, 2);
	list(&f, 2, 3);
	list(&f, 3, 3);
	assert_int_equal(f.n, 0);
	list(&f, 3, 3);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.got[0].rule, "stuck_cursor");
	assert_false(f.got[0].has_call);
	list(&f, 3, 4);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.got[1].state, ALERT_RESOLVED);
	feed_end(&f);
}

static void test_options(void **state)
{
	struct loop_opts *o = calloc(1, sizeof(*o));
	struct feed f;

	(void)state;
	loop_opts_default(o);
	o->off[LOOP_SAME_RESULT] = true;
	o->threshold[LOOP_SAME_RESULT_WINDOW] = 6;
	o->overrides = 3;
	snprintf(o->override[0].tool, sizeof(o->override[0].tool), "watch*");
	o->override[0].poll = 1;
	snprintf(o->override[1].server, sizeof(o->override[1].server), "quiet");
	for (int r = 0; r < LOOP_N; r++)
		o->override[1].off[r] = true;
	snprintf(o->override[2].tool, sizeof(o->override[2].tool), "exact");
	o->override[2].threshold[LOOP_SAME_RESULT_WINDOW] = 3;
	feed_begin(&f, o);
	repeat(&f, 9, (struct said){ .tool = "watcher", .args = 1, .result = 5, .session = 1 });
	repeat(&f, 40, (struct said){ .args = 2, .result = 5, .session = 2, .server = "quiet" });
	repeat(&f, 5, (struct said){ .args = 3, .result = 5, .session = 3 });
	expect_quiet(&f);
	say(&f, (struct said){ .args = 3, .result = 5, .session = 3 });
	expect_rule(&f, "same_call_same_result_window", 5);
	repeat(&f, 3, (struct said){ .tool = "exact", .args = 3, .result = 5, .session = 4 });
	assert_int_equal(high(&f), 2);
	/* Thresholds for the calls to come. */
	loop_opts_default(o);
	o->threshold[LOOP_SAME_RESULT] = 2;
	loops_reload(f.l, o);
	repeat(&f, 2, (struct said){ .args = 3, .result = 5, .session = 5 });
	assert_int_equal(high(&f), 3);
	feed_end(&f);
	free(o);
}

static void test_caps(void **state)
{
	struct loop_opts *o = calloc(1, sizeof(*o));
	struct loops_stats st;
	struct feed f;

	(void)state;
	loop_opts_default(o);
	o->sessions = o->agents = 2;
	o->held = 1;
	feed_begin(&f, o);
	repeat(&f, 4, (struct said){ .args = 1, .result = 5, .session = 1, .agent = 1 });
	assert_int_equal(f.n, 1);
	say(&f, (struct said){ .args = 1, .session = 2, .agent = 2 });
	say(&f, (struct said){ .args = 1, .session = 3, .agent = 3 });
	loops_stats(f.l, &st);
	assert_int_equal(st.sessions_evicted, 1);
	assert_int_equal(st.agents_evicted, 1);
	assert_int_equal(f.n, 2); /* what fired is over with its session */
	assert_int_equal(f.got[1].state, ALERT_RESOLVED);
	assert_true(st.session_bytes <= 2560);
	feed_end(&f);
	free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again_at_doubling),
		cmocka_unit_test(test_over_after_progress),
		cmocka_unit_test(test_over_after_silence),
		cmocka_unit_test(test_over_with_its_session),
		cmocka_unit_test(test_unknown_matches_nothing),
		cmocka_unit_test(test_sessions_are_apart),
		cmocka_unit_test(test_lanes_are_apart),
		cmocka_unit_test(test_agent_over_sessions),
		cmocka_unit_test(test_told_once),
		cmocka_unit_test(test_agents_parallel_sessions),
		cmocka_unit_test(test_order_of_sending),
		cmocka_unit_test(test_waits_not_for_ever),
		cmocka_unit_test(test_logical_calls),
		cmocka_unit_test(test_fan_out),
		cmocka_unit_test(test_in_flight_of_logical),
		cmocka_unit_test(test_stuck_cursor),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
