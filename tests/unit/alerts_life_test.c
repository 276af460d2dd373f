/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an alert, step by step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detect/alerts_life.h"

struct step {
	uint64_t now, count;
	bool full;
	enum life_event want;
	enum life_state then;
};

static void walk(uint64_t for_ns, uint64_t cooldown_ns, const struct step *s, unsigned int n)
{
	struct life l = { 0 };

	for (unsigned int i = 0; i < n; i++) {
		struct life_terms t = { for_ns, cooldown_ns, !s[i].full };

		assert_int_equal(life_step(&l, &t, s[i].count, s[i].now), s[i].want);
		assert_int_equal(l.state, s[i].then);
	}
}

#define WALK(for_ns, cooldown_ns, ...)                                             \
	do {                                                                       \
		const struct step s_[] = { __VA_ARGS__ };                          \
		walk(for_ns, cooldown_ns, s_, sizeof(s_) / sizeof(s_[0]));         \
	} while (0)

static void test_fires_at_once(void **state)
{
	(void)state;
	WALK(0, 0, { 10, 0, false, LIFE_NOTHING, LIFE_IDLE }, { 11, 3, false, LIFE_FIRES, LIFE_FIRING },
	     { 12, 3, false, LIFE_NOTHING, LIFE_FIRING }, { 13, 0, false, LIFE_RESOLVES, LIFE_IDLE },
	     { 14, 0, false, LIFE_NOTHING, LIFE_IDLE }, { 15, 1, false, LIFE_FIRES, LIFE_FIRING });
}

static void test_pending_has_to_last(void **state)
{
	(void)state;
	WALK(5, 0, { 10, 3, false, LIFE_NOTHING, LIFE_PENDING }, { 14, 4, false, LIFE_NOTHING, LIFE_PENDING },
	     { 14, 0, false, LIFE_NOTHING, LIFE_IDLE }, { 15, 4, false, LIFE_NOTHING, LIFE_PENDING },
	     { 20, 4, false, LIFE_FIRES, LIFE_FIRING });
}

static void test_told_again_as_it_doubles(void **state)
{
	struct life l = { 0 };
	struct life_terms t = { .room = true };

	(void)state;
	assert_int_equal(life_step(&l, &t, 3, 1), LIFE_FIRES);
	assert_int_equal(l.notified, 1);
	assert_int_equal(life_step(&l, &t, 5, 2), LIFE_NOTHING);
	assert_int_equal(life_step(&l, &t, 6, 3), LIFE_DOUBLED);
	assert_int_equal(life_step(&l, &t, 11, 4), LIFE_NOTHING);
	assert_int_equal(life_step(&l, &t, 4, 5), LIFE_NOTHING);
	assert_int_equal(life_step(&l, &t, 12, 6), LIFE_DOUBLED);
	assert_int_equal(l.notified, 3);
	assert_int_equal(l.since, 1);
	l.notified = 255;
	assert_int_equal(life_step(&l, &t, 24, 7), LIFE_DOUBLED);
	assert_int_equal(l.notified, 255);
}

static void test_cooldown(void **state)
{
	(void)state;
	WALK(0, 100, { 10, 3, false, LIFE_FIRES, LIFE_FIRING }, { 20, 0, false, LIFE_RESOLVES, LIFE_COOLING },
	     { 30, 3, false, LIFE_SUPPRESSED, LIFE_COOLING }, { 31, 4, false, LIFE_NOTHING, LIFE_COOLING },
	     { 40, 0, false, LIFE_NOTHING, LIFE_COOLING }, { 50, 3, false, LIFE_SUPPRESSED, LIFE_COOLING },
	     { 119, 3, false, LIFE_NOTHING, LIFE_COOLING }, { 120, 3, false, LIFE_FIRES, LIFE_FIRING });
	WALK(0, 100, { 10, 3, false, LIFE_FIRES, LIFE_FIRING }, { 20, 0, false, LIFE_RESOLVES, LIFE_COOLING },
	     { 120, 0, false, LIFE_NOTHING, LIFE_IDLE });
}

static void test_no_room(void **state)
{
	(void)state;
	WALK(0, 0, { 10, 3, true, LIFE_SUPPRESSED, LIFE_IDLE }, { 11, 3, true, LIFE_NOTHING, LIFE_IDLE },
	     { 12, 3, false, LIFE_FIRES, LIFE_FIRING }, { 13, 6, true, LIFE_DOUBLED, LIFE_FIRING },
	     { 14, 0, true, LIFE_RESOLVES, LIFE_IDLE }, { 15, 1, true, LIFE_SUPPRESSED, LIFE_IDLE },
	     { 16, 0, true, LIFE_NOTHING, LIFE_IDLE }, { 17, 1, true, LIFE_SUPPRESSED, LIFE_IDLE });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fires_at_once),	      cmocka_unit_test(test_pending_has_to_last),
		cmocka_unit_test(test_told_again_as_it_doubles), cmocka_unit_test(test_cooldown),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
