/* SPDX-License-Identifier: Apache-2.0 */
/* Loops of which the ring shows little: most calls are passed over by a look at it, and these must not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loop_feed.h"

#define RING_AND_MORE 46 /* twice around, and a bit */

/* At every place of the ring. */
static void test_places(void **state)
{
	struct feed f;

	(void)state;
	for (uint64_t before = 0; before < RING_AND_MORE; before++) {
		feed_begin(&f, NULL);
		for (uint64_t i = 0; i < before; i++)
			say(&f, (struct said){ .args = 1000 + i });
		for (uint64_t i = 0; i < 9; i++) {
			expect_quiet(&f);
			say(&f, (struct said){ .args = i % 3, .result = 5 + i % 3 });
		}
		expect_rule(&f, "cycle", before + 8);
		feed_end(&f);
	}
}

/* No call of the round before is in the ring any more. */
static void test_wide_batch(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 4 * 24; i++) {
		expect_quiet(&f);
		say(&f, (struct said){ .args = i % 24, .result = 5 + i % 24, .gap_ms = i % 24 ? 1 : 2000 });
	}
	expect_rule(&f, "cycle", 4 * 24 - 1);
	feed_end(&f);
}

/* Each pause empties the ring, and the counts of an hour have just started over. */
static void test_slower_than_the_hour(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 12; i++) {
		expect_quiet(&f);
		say(&f, (struct said){ .args = 1, .result = 5, .gap_ms = i % 2 ? 120000 : 600000 });
	}
	expect_rule(&f, "slow_same_result", 11);
	feed_end(&f);
}

/* Two in turns, so that neither is the one before, and the ring is empty each time. */
static void test_slow_turns(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 59; i++) {
		assert_int_equal(f.n, 0);
		say(&f, (struct said){ .args = i % 2, .result = 5 + i % 2, .gap_ms = 50000 });
	}
	assert_int_equal(f.n, 1);
	assert_string_equal(f.got[0].rule, "slow_loop");
	assert_int_equal(f.got[0].call, 58);
	feed_end(&f);
}

/* The call that ends the loop of a session, and so empties its ring, is one that makes a loop of its agent's. */
static void test_just_emptied(void **state)
{
	struct feed f;

	(void)state;
	feed_begin(&f, NULL);
	for (uint64_t i = 0; i < 15; i++)
		say(&f, (struct said){ .agent = 9, .args = 100 + i, .gap_ms = 500 });
	repeat(&f, 4, (struct said){ .agent = 9, .args = 1, .result = 5, .err = true, .gap_ms = 500 });
	for (uint64_t i = 0; i < 37; i++)
		say(&f, (struct said){ .tool = "spawn_agent", .agent = 9, .session = 2, .args = 200 + i, .gap_ms = 500 });
	assert_int_equal(f.n, 1);
	for (uint64_t i = 0; i < 3; i++)
		say(&f, (struct said){ .tool = "spawn_agent", .agent = 9, .args = 300 + i, .gap_ms = 500 });
	assert_int_equal(f.n, 3);
	assert_int_equal(f.got[1].state, ALERT_RESOLVED);
	assert_string_equal(f.got[2].rule, "spawn_storm");
	assert_int_equal(f.got[2].call, 21);
	feed_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_wide_batch),
		cmocka_unit_test(test_slower_than_the_hour),
		cmocka_unit_test(test_slow_turns),
		cmocka_unit_test(test_just_emptied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
