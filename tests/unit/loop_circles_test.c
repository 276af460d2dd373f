/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of loop detection about going in circles: cycles, batches, pages, forms of a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop_feed.h"

static void test_cycles(void **state)
{
	static const struct {
		uint64_t period;
		uint32_t at;
	} cases[] = { { 2, 5 }, { 3, 8 }, { 4, 9 }, { 5, 11 }, { 8, 17 } };
	struct feed f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		feed_begin(&f, NULL);
		for (uint64_t k = 0; k < 24; k++)
			say(&f, (struct said){ .args = k % cases[i].period, .result = 50 + k % cases[i].period });
		expect_rule(&f, "cycle", cases[i].at);
		feed_end(&f);
	}
}

/* A batch is no cycle. */
static void test_cycle_in_a_batch(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t k = 0; k < 12; k++)
		say(&f, (struct said){ .args = k % 3, .result = 50 + k % 3, .gap_ms = k % 6 ? 10 : 2000 });
	expect_quiet(&f);
	feed_end(&f);
}

/* Polls of two jobs in turns are polls. */
static void test_cycle_of_polls(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t k = 0; k < 19; k++)
		say(&f, (struct said){ .tool = "job_status", .args = k % 2, .result = 50 + k % 2 });
	expect_quiet(&f);
	say(&f, (struct said){ .tool = "job_status", .args = 1, .result = 51 });
	expect_rule(&f, "cycle", 19);
	feed_end(&f);
}

static void test_batch_again(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t round = 0; round < 4; round++)
		for (uint64_t i = 0; i < 9; i++) {
			expect_quiet(&f);
			say(&f, (struct said){ .args = i, .result = 50 + i, .gap_ms = i ? 10 : 2000 });
		}
	expect_rule(&f, "cycle", 35);
	feed_end(&f);
}

static void test_standstill(void **state)
{
	static const uint64_t order[] = { 0, 1, 2, 3, 4, 5, 3, 2, 0, 5, 1, 4, 5, 1, 3, 0, 2, 4, 0, 3, 5, 4, 2 };
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (i < 22)
			expect_quiet(&f);
		if (i == 15) /* polls neither count nor end it */
			say(&f, (struct said){ .tool = "job_status", .args = 90 });
		say(&f, (struct said){ .args = order[i], .result = 50 + order[i] });
	}
	expect_rule(&f, "standstill", 22);
	feed_end(&f);
}

static struct said page(int64_t v, uint64_t args)
{
	struct said d = { .tool = "read_file", .args = args, .marks = { .shape = 3, .n_ints = 2 } };

	d.marks.ints[0].v = 40; /* the limit */
	d.marks.ints[1].v = v;
	return d;
}

static void test_paging(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (int64_t i = 0; i < 30; i++)
		say(&f, page(40 * i, (uint64_t)i));
	say(&f, page(0, 0));
	expect_quiet(&f);
	say(&f, page(40, 1));
	expect_rule(&f, "paging_wraps", 31);
	feed_end(&f);

	/* The first page of another document is not that one again. */
	feed_begin(&f, NULL);
	for (uint64_t doc = 0; doc < 3; doc++)
		for (int64_t i = 0; i < 30; i++)
			say(&f, page(40 * i, 1000 * doc + (uint64_t)i));
	expect_quiet(&f);
	feed_end(&f);
}

static void test_circling(void **state)
{
	static const uint64_t shapes[] = { 1, 2, 3, 1, 3, 2, 1, 2, 3, 3, 1, 2, 3, 1, 2, 3 };
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 16; i++) {
		expect_quiet(&f);
		say(&f, (struct said){ .args = i, .marks = { .simhash = 0xff00 + i, .shape = shapes[i] } });
	}
	expect_rule(&f, "near_duplicate_circling", 15);
	feed_end(&f);

	/* Who goes through a list, or through pages, does not come back. */
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 100; i++)
		say(&f, (struct said){ .args = i, .marks = { .simhash = 0xff00 + i % 16, .shape = 1 + i / 5 } });
	expect_quiet(&f);
	feed_end(&f);
}

/* An agent that is started again and does the same is in the same loop: one alert, which goes on to double, and is over
 * with its progress. Without an agent the end of the session is the end. */
static void test_agent_starts_again(void **state)
{
	struct feed f;

	(void)state;
	for (uint64_t agent = 0; agent < 2; agent++) {
		feed_begin(&f, NULL);
		repeat(&f, 3, (struct said){ .args = 5, .result = 6, .err = true, .session = 1, .agent = agent });
		assert_int_equal(f.n, 1);
		loops_session_end(f.l, 1, f.now);
		assert_int_equal(f.n, agent ? 1 : 2);
		repeat(&f, 3, (struct said){ .args = 5, .result = 6, .err = true, .session = 2, .agent = agent });
		loops_session_end(f.l, 2, f.now);
		if (!agent) {
			assert_int_equal(high(&f), 2);
			feed_end(&f);
			continue;
		}
		assert_int_equal(high(&f), 1);
		assert_int_equal(f.n, 2);
		assert_int_equal(f.got[1].notified, 2);
		assert_int_equal(f.got[1].count, 6);
		for (uint64_t i = 0; i < 4; i++)
			say(&f, (struct said){ .args = 100 + i, .session = 3, .agent = agent });
		assert_int_equal(f.n, 3);
		assert_int_equal(f.got[2].state, ALERT_RESOLVED);
		assert_true(f.got[0].key == f.got[1].key && f.got[0].key == f.got[2].key);
		feed_end(&f);
	}
}

/* A polling tool may be given less room than the others. */
static void test_less_room_for_polling(void **state)
{
	struct loop_opts o;
	struct feed f;

	(void)state;
	loop_opts_default(&o);
	o.threshold[LOOP_CYCLE] = 8;
	o.poll_threshold[LOOP_CYCLE] = 3;
	o.off[LOOP_SAME_RESULT_WINDOW] = o.off[LOOP_STANDSTILL] = true;
	for (int poll = 0; poll < 2; poll++) {
		feed_begin(&f, &o);
		for (int i = 0; i < 3; i++) {
			say(&f, (struct said){ .tool = poll ? "job_status" : "do_this", .args = 1, .result = 5 });
			say(&f, (struct said){ .tool = poll ? "poll_queue" : "do_that", .args = 2, .result = 6 });
		}
		if (poll)
			expect_rule(&f, "cycle", 5);
		else
			expect_quiet(&f);
		feed_end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agent_starts_again),
		cmocka_unit_test(test_less_room_for_polling),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_cycle_in_a_batch),
		cmocka_unit_test(test_cycle_of_polls),
		cmocka_unit_test(test_batch_again),
		cmocka_unit_test(test_standstill),
		cmocka_unit_test(test_paging),
		cmocka_unit_test(test_circling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
