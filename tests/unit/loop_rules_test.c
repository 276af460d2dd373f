/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of loop detection about streaks, windows and pace: where they fire, and right below that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop_feed.h"

static void test_same_error(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	say(&f, (struct said){ .args = 9 });
	repeat(&f, 2, (struct said){ .args = 1, .result = 5, .err = true });
	expect_quiet(&f);
	say(&f, (struct said){ .args = 1, .result = 5, .err = true });
	expect_rule(&f, "same_call_same_error", 3);
	feed_end(&f);
}

/* An error that is none by its flag, but by its text. */
static void test_error_by_text(void **state)
{
	struct said d = { .args = 1, .result = 5, .marks.error_class = ERROR_VALIDATION };
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	repeat(&f, 3, d);
	expect_rule(&f, "same_call_same_error", 2);
	assert_non_null(strstr(f.got[0].evidence, "\"error_class\":\"validation\""));
	feed_end(&f);
}

static void test_same_fails(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (int i = 0; i < 4; i++)
		say(&f, (struct said){ .args = 1, .result = 50 + (uint64_t)i, .err = true });
	expect_quiet(&f);
	say(&f, (struct said){ .args = 1, .result = 60, .err = true });
	expect_rule(&f, "same_call_fails", 4);
	feed_end(&f);
}

static void test_same_result(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	repeat(&f, 3, (struct said){ .args = 1, .result = 5 });
	expect_quiet(&f);
	say(&f, (struct said){ .args = 1, .result = 5 });
	expect_rule(&f, "same_call_same_result", 3);
	feed_end(&f);

	/* Progress between ends it. */
	feed_begin(&f, NULL);
	repeat(&f, 3, (struct said){ .args = 1, .result = 5 });
	say(&f, (struct said){ .args = 1, .result = 6 });
	say(&f, (struct said){ .args = 1, .result = 5 });
	expect_quiet(&f);
	feed_end(&f);
}

/* One after the other at a program's pace: a batch unless it goes on; for a reading tool it is no batch. */
static void test_same_result_fast(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	repeat(&f, 5, (struct said){ .args = 1, .result = 5, .gap_ms = 5 });
	expect_quiet(&f);
	say(&f, (struct said){ .args = 1, .result = 5, .gap_ms = 5 });
	expect_rule(&f, "same_call_same_result", 5);
	feed_end(&f);

	feed_begin(&f, NULL);
	repeat(&f, 4, (struct said){ .tool = "list_items", .args = 1, .result = 5, .gap_ms = 5 });
	expect_rule(&f, "same_call_same_result", 3);
	feed_end(&f);
}

static void test_polling_has_more_room(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	repeat(&f, 9, (struct said){ .tool = "getJobStatus", .args = 1, .result = 5 });
	expect_quiet(&f);
	say(&f, (struct said){ .tool = "getJobStatus", .args = 1, .result = 5 });
	expect_rule(&f, "same_call_same_result", 9);
	feed_end(&f);
}

static void test_volatile(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 1; i < 7; i++)
		say(&f, (struct said){ .args = 1, .result = 5, .raw = i });
	expect_quiet(&f);
	say(&f, (struct said){ .args = 1, .result = 5, .raw = 7 });
	expect_rule(&f, "same_call_volatile_result", 6);
	feed_end(&f);
}

static void test_error_streak(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 3; i++)
		say(&f, (struct said){ .tool = i % 2 ? "a" : "b", .args = i, .result = 5, .err = true });
	say(&f, (struct said){ .args = 77 });
	for (uint64_t i = 0; i < 3; i++)
		say(&f, (struct said){ .args = 10 + i, .result = 5, .err = true });
	expect_quiet(&f);
	say(&f, (struct said){ .args = 20, .result = 5, .err = true });
	assert_int_equal(high(&f), 1);
	assert_string_equal(f.got[0].rule, "same_error");
	feed_end(&f);
}

static void test_windows(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 5; i++) {
		say(&f, (struct said){ .args = 1, .result = 5 });
		if (i < 4)
			say(&f, (struct said){ .args = 100 + i });
		if (i == 3)
			expect_quiet(&f);
	}
	expect_rule(&f, "same_call_same_result_window", 8);
	feed_end(&f);

	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 4; i++) {
		say(&f, (struct said){ .args = 1, .result = 5, .err = true });
		say(&f, (struct said){ .args = 100 + i });
	}
	expect_rule(&f, "same_error_window", 6);
	feed_end(&f);
}

static void test_error_storm(void **state)
{
	static const uint64_t text[] = { 1, 2, 1, 1, 2, 1, 2, 2 };
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 8; i++) {
		expect_quiet(&f);
		say(&f, (struct said){ .args = i, .result = text[i], .err = true });
	}
	expect_rule(&f, "error_storm", 7);
	feed_end(&f);

	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 30; i++) /* two of eight went well */
		say(&f, (struct said){ .args = i, .result = i % 4 ? 1 + i % 2 : 100 + i, .err = i % 4 });
	expect_quiet(&f);
	feed_end(&f);
}

static void test_near_duplicate(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 6; i++) {
		expect_quiet(&f);
		say(&f, (struct said){ .args = i, .result = 5, .marks = { .simhash = 0xff00 + i, .shape = 90 + i } });
	}
	expect_rule(&f, "near_duplicate", 5);
	feed_end(&f);

	/* 13 bits apart is something else; one shape is a list being worked through; so is writing. */
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 12; i++)
		say(&f, (struct said){ .args = i, .result = 5,
				       .marks = { .simhash = i % 2 ? 0x1fff0000 : 0x8000, .shape = 90 + i } });
	for (uint64_t i = 0; i < 11; i++)
		say(&f, (struct said){ .args = 40 + i, .result = 6, .marks = { .simhash = 0xff00 + i, .shape = 1 } });
	for (uint64_t i = 0; i < 17; i++)
		say(&f, (struct said){ .tool = "insert_row", .args = 60 + i, .result = 7,
				       .marks = { .simhash = 0xff00 + i, .shape = 90 + i } });
	expect_quiet(&f);
	feed_end(&f);
}

static void test_no_progress(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 6; i++) {
		say(&f, (struct said){ .tool = "list_things", .args = i, .result = 5, .marks.shape = 90 + i });
		say(&f, (struct said){ .tool = "write_thing", .args = i, .result = 1000 + i, .err = true });
	}
	expect_quiet(&f);
	say(&f, (struct said){ .tool = "list_things", .args = 20, .result = 5, .marks.shape = 120 });
	expect_rule(&f, "no_progress_read", 12);
	feed_end(&f);

	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 40; i++)
		say(&f, (struct said){ .tool = "execute_sql", .args = i, .result = 5, .marks.shape = 90 + i });
	expect_quiet(&f);
	feed_end(&f);
}

static void test_constant(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 6; i++) {
		expect_quiet(&f);
		say(&f, (struct said){ .tool = i % 2 ? "Read" : "Bash", .args = i, .result = 5 });
	}
	expect_rule(&f, "constant_answer", 5);
	feed_end(&f);

	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 11; i++)
		say(&f, (struct said){ .tool = i % 2 ? "add" : "set", .args = i, .result = 5 });
	expect_quiet(&f);
	feed_end(&f);
}

/* A batch is one round. */
static void test_rounds(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 3; i++) {
		say(&f, (struct said){ .args = i, .result = 5, .err = true });
		for (uint64_t k = 1; k < 12; k++)
			say(&f, (struct said){ .args = 100 * i + k, .result = 5, .err = true, .gap_ms = 149 });
	}
	expect_quiet(&f);
	say(&f, (struct said){ .args = 999, .result = 5, .err = true, .gap_ms = 150 });
	expect_rule(&f, "same_error", 36);
	feed_end(&f);
}

static void test_idle_starts_over(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (int i = 0; i < 20; i++)
		say(&f, (struct said){ .args = 1, .result = 5, .gap_ms = 45001 });
	expect_quiet(&f);
	feed_end(&f);

	feed_begin(&f, NULL);
	for (int i = 0; i < 4; i++)
		say(&f, (struct said){ .args = 1, .result = 5, .gap_ms = 45000, .latency_ms = 60000 });
	expect_rule(&f, "same_call_same_result", 3);
	feed_end(&f);
}

static void test_slow_loops(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 12; i++) {
		expect_quiet(&f);
		say(&f, (struct said){ .args = 1, .result = 5, .gap_ms = i % 2 ? 50000 : 120000 });
	}
	expect_rule(&f, "slow_same_result", 11);
	feed_end(&f);

	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 30; i++)
		say(&f, (struct said){ .args = 1, .result = 5, .gap_ms = 58000 + i % 5 * 1000 });
	expect_quiet(&f);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.got[0].rule, "slow_loop");
	assert_int_equal(f.got[0].severity, ALERT_NOTICE);
	assert_int_equal(f.got[0].call, 29);
	feed_end(&f);
}

static void test_paces(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 119; i++)
		say(&f, (struct said){ .args = i, .gap_ms = 200 });
	expect_quiet(&f);
	say(&f, (struct said){ .args = 900, .gap_ms = 200 });
	expect_rule(&f, "call_storm", 119);
	feed_end(&f);

	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 40; i++)
		say(&f, (struct said){ .tool = "task", .args = i, .gap_ms = 200 });
	expect_rule(&f, "spawn_storm", 39);
	feed_end(&f);

	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 150; i++)
		say(&f, (struct said){ .args = i });
	expect_quiet(&f);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.got[0].rule, "session_budget");
	assert_int_equal(f.got[0].call, 149);
	feed_end(&f);
}

/* The same failure with much useful work between; a success of the call ends it. */
static void test_failure_far_apart(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 12; i++) {
		if (i < 8)
			expect_quiet(&f);
		say(&f, (struct said){ .args = 1, .result = 5, .err = true });
		for (uint64_t k = 0; k < 5; k++)
			say(&f, (struct said){ .args = 100 + 10 * i + k });
	}
	expect_rule(&f, "same_error_window", 42);
	assert_int_equal(f.n, 1);
	say(&f, (struct said){ .args = 1, .result = 6 });
	assert_int_equal(f.n, 2);
	assert_int_equal(f.got[1].state, ALERT_RESOLVED);
	feed_end(&f);
}

/* Who waits longer each time for what passes by itself does what it should. */
static void test_back_off(void **state)
{
	struct said d = { .args = 1, .result = 5, .err = true, .marks.error_class = ERROR_RATE_LIMIT };
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (d.gap_ms = 1000; d.gap_ms < 32000; d.gap_ms *= 2)
		say(&f, d);
	expect_quiet(&f);
	say(&f, d);
	expect_rule(&f, "same_call_same_error", 5);
	feed_end(&f);

	d.marks.error_class = ERROR_VALIDATION;
	feed_begin(&f, NULL);
	for (d.gap_ms = 1000; d.gap_ms < 8000; d.gap_ms *= 2)
		say(&f, d);
	expect_rule(&f, "same_call_same_error", 2);
	feed_end(&f);
}

/* "next" and "look": what is looked at moves. */
static void test_what_is_looked_at_moves(void **state)
{
	struct feed f;

	(void)state;
	for (uint64_t moves = 0; moves < 2; moves++) {
		feed_begin(&f, NULL);
		for (uint64_t i = 0; i < 12; i++) {
			say(&f, (struct said){ .tool = "next", .args = 1, .result = 5 });
			say(&f, (struct said){ .tool = "look", .args = moves ? 2 : 20 + i, .result = 50 + i });
		}
		assert_int_equal(high(&f), !moves);
		feed_end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_error),
		cmocka_unit_test(test_error_by_text),
		cmocka_unit_test(test_same_fails),
		cmocka_unit_test(test_same_result),
		cmocka_unit_test(test_same_result_fast),
		cmocka_unit_test(test_polling_has_more_room),
		cmocka_unit_test(test_volatile),
		cmocka_unit_test(test_error_streak),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_error_storm),
		cmocka_unit_test(test_near_duplicate),
		cmocka_unit_test(test_no_progress),
		cmocka_unit_test(test_constant),
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_idle_starts_over),
		cmocka_unit_test(test_slow_loops),
		cmocka_unit_test(test_paces),
		cmocka_unit_test(test_failure_far_apart),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_what_is_looked_at_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
