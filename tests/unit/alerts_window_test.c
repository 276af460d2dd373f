/* SPDX-License-Identifier: Apache-2.0 */
/* Sliding sums, the judgement of rules on them, and the names that are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "detect/alerts_rule.h"
#include "detect/alerts_known.h"
#include "detect/alerts_window.h"

#define S NSEC_PER_SEC

static void test_leaves_by_twelfths(void **state)
{
	struct window w;

	(void)state;
	window_init(&w, 12 * S);
	for (uint64_t s = 100; s < 112; s++)
		window_add(&w, s * S, &(struct tally){ .calls = 1, .slowest = s });
	assert_int_equal(window_sum(&w, 111 * S).calls, 12);
	assert_int_equal(window_sum(&w, 111 * S).slowest, 111);
	assert_int_equal(window_sum(&w, 112 * S).calls, 11);
	assert_int_equal(window_sum(&w, 122 * S).calls, 1);
	assert_int_equal(window_sum(&w, 123 * S).calls, 0);
}

static void test_late_and_far(void **state)
{
	struct window w;

	(void)state;
	window_init(&w, 12 * S);
	window_add(&w, 100 * S, &(struct tally){ .calls = 1 });
	window_add(&w, 89 * S, &(struct tally){ .calls = 10 });  /* still within */
	window_add(&w, 88 * S, &(struct tally){ .calls = 100 }); /* over */
	assert_int_equal(window_sum(&w, 100 * S).calls, 11);
	window_add(&w, 1000000 * S, &(struct tally){ .calls = 1 });
	assert_int_equal(window_sum(&w, 1000000 * S).calls, 1);
}

static void test_no_window_keeps_all(void **state)
{
	struct window w;

	(void)state;
	window_init(&w, 0);
	window_add(&w, 1, &(struct tally){ .calls = 1 });
	window_add(&w, UINT64_MAX, &(struct tally){ .calls = 1 });
	assert_int_equal(window_sum(&w, UINT64_MAX).calls, 2);
}

static void test_open_requests(void **state)
{
	struct window w;

	(void)state;
	window_init(&w, 12 * S);
	window_add(&w, 100 * S, &(struct tally){ .open = 1 });
	window_add(&w, 100 * S, &(struct tally){ .open = 1 });
	window_add(&w, 105 * S, &(struct tally){ .open = 1 });
	window_answered(&w, 100 * S);
	assert_int_equal(window_sum(&w, 105 * S).open, 2);
	window_answered(&w, 103 * S); /* nothing was asked then */
	assert_int_equal(window_sum(&w, 105 * S).open, 2);
	assert_int_equal(window_sum(&w, 112 * S).open, 1); /* never answered, too old */
	window_answered(&w, 100 * S);
	assert_int_equal(window_sum(&w, 112 * S).open, 1);
}

/* Nearest rank, by sorting: what rule_above has to agree with. */
static bool quantile_above(const uint64_t *v, unsigned int n, unsigned int percent, uint64_t above)
{
	unsigned int rank = (percent * n + 99) / 100, below = 0;

	for (unsigned int i = 0; i < n; i++)
		below += v[i] <= above;
	return below < rank; /* the rank-th smallest is not among them */
}

static void test_quantile_is_exact(void **state)
{
	uint64_t v[100];
	uint32_t seed = 1;

	(void)state;
	for (unsigned int round = 0; round < 9900; round++) {
		unsigned int n = 1 + round / 99, percent = 1 + round % 99;
		struct rule r = { .metric = RULE_LATENCY, .above = 5, .quantile = percent / 100.0 };
		struct tally sum = { .calls = n };

		for (unsigned int i = 0; i < n; i++) {
			struct call c = { .has_duration = true };

			seed = seed * 1664525 + 1013904223;
			v[i] = c.duration_ns = (seed >> 28) * S;
			sum.slow += rule_tally(&r, &c).slow;
		}
		assert_int_equal(rule_above(&r, &sum) != 0, quantile_above(v, n, percent, 5 * S));
	}
}

static void test_thresholds(void **state)
{
	static const struct {
		struct rule r;
		struct tally sum;
		uint64_t want;
	} t[] = {
		{ { .metric = RULE_RATE, .above = 10 }, { .calls = 10 }, 0 },
		{ { .metric = RULE_RATE, .above = 10 }, { .calls = 11 }, 11 },
		{ { .metric = RULE_BUDGET, .above = 10 }, { .calls = 11 }, 11 },
		{ { .metric = RULE_ERRORS, .above = 2 }, { .calls = 9, .errors = 3 }, 3 },
		{ { .metric = RULE_ERRORS, .above = 3 }, { .calls = 9, .errors = 3 }, 0 },
		{ { .metric = RULE_ERROR_RATIO, .above = 0.5 }, { .calls = 10, .errors = 5 }, 0 },
		{ { .metric = RULE_ERROR_RATIO, .above = 0.5 }, { .calls = 10, .errors = 6 }, 6 },
		{ { .metric = RULE_ERROR_RATIO, .above = 0.5, .min_calls = 11 }, { .calls = 10, .errors = 6 }, 0 },
		{ { .metric = RULE_ERROR_RATIO }, { 0 }, 0 },
		{ { .metric = RULE_LATENCY, .quantile = 0.5 }, { 0 }, 0 },
		{ { .metric = RULE_LATENCY, .quantile = 0.5, .min_calls = 3 }, { .calls = 2, .slow = 2 }, 0 },
		/* 0.07 * 100 is a little more than 7 in binary. */
		{ { .metric = RULE_LATENCY, .quantile = 0.07 }, { .calls = 100, .slow = 93 }, 0 },
		{ { .metric = RULE_LATENCY, .quantile = 0.07 }, { .calls = 100, .slow = 94 }, 94 },
		{ { .metric = RULE_IN_FLIGHT, .above = 4 }, { .open = 5 }, 5 },
		{ { .metric = RULE_BYTES, .above = 1e6 }, { .bytes = 1000001 }, 1000001 },
		{ { .metric = RULE_FINDING }, { .calls = 1 }, 1 },
		{ { .metric = RULE_NEW_SERVER, .above = 5 }, { .calls = 1 }, 1 },
		{ { .metric = RULE_METRICS }, { .calls = 1 }, 0 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(rule_above(&t[i].r, &t[i].sum), t[i].want);
}

static bool fits(struct rule r, uint8_t outcome)
{
	struct call c = { .tool = (char *)"read_file", .method = (char *)"tools/call", .outcome = outcome,
			  .has_duration = true };

	return rule_fits(&r, &c, &(struct rule_names){ "claude", "fs" });
}

static void test_patterns(void **state)
{
	struct call unknown = { .outcome = CALL_OK };

	(void)state;
	assert_true(fits((struct rule){ 0 }, CALL_OK));
	assert_true(fits((struct rule){ .tool = "read_*", .server = "fs", .client = "*", .method = "tools/*" }, CALL_OK));
	assert_false(fits((struct rule){ .tool = "read" }, CALL_OK));
	assert_false(fits((struct rule){ .tool = "write_*" }, CALL_OK));
	assert_false(fits((struct rule){ .server = "f" }, CALL_OK));
	assert_false(fits((struct rule){ .client = "cursor*" }, CALL_OK));
	assert_false(fits((struct rule){ .outcome = "tool_error" }, CALL_OK));
	assert_true(fits((struct rule){ .metric = RULE_ERRORS, .outcome = "tool_error" }, CALL_OK));
	assert_false(fits((struct rule){ .metric = RULE_ERROR_RATIO }, CALL_ORPHAN));
	assert_true(fits((struct rule){ .metric = RULE_RATE }, CALL_ORPHAN));
	assert_false(rule_fits(&(struct rule){ .tool = "x*" }, &unknown, &(struct rule_names){ 0 }));
	assert_false(rule_fits(&(struct rule){ .metric = RULE_LATENCY }, &unknown, &(struct rule_names){ 0 }));
}

static void test_what_failed(void **state)
{
	static const bool by_default[CALL_OUTCOMES] = { [CALL_TOOL_ERROR] = true, [CALL_RPC_ERROR] = true,
							[CALL_HTTP_ERROR] = true, [CALL_UNANSWERED] = true };

	(void)state;
	for (uint8_t i = 0; i < CALL_OUTCOMES; i++) {
		struct call c = { .outcome = i };

		assert_int_equal(rule_tally(&(struct rule){ .metric = RULE_ERRORS }, &c).errors, by_default[i]);
		assert_int_equal(rule_tally(&(struct rule){ .metric = RULE_ERRORS, .outcome = "cancelled" }, &c).errors,
				 i == CALL_CANCELLED);
	}
}

static void test_identity(void **state)
{
	struct rule a = { .id = "a", .above = 1 }, b = a;

	(void)state;
	/* Padding does not count. */
	memset(&b, 0xff, sizeof(b));
	b = (struct rule){ .id = "a", .above = 1 };
	snprintf(b.id, sizeof(b.id), "b");
	assert_int_not_equal(rule_identity(&a), rule_identity(&b));
	memset(b.id + 2, 'x', 10);
	snprintf(b.id, sizeof(b.id), "a");
	assert_int_equal(rule_identity(&a), rule_identity(&b));
	b.above = 2;
	assert_int_not_equal(rule_identity(&a), rule_identity(&b));
}

static void test_known(void **state)
{
	struct known k = { 0 };
	char name[32];

	(void)state;
	assert_int_equal(known_init(&k, 8), 0);
	assert_false(known_new_server(&k, "fs", 100, 10));
	assert_false(known_new_tool(&k, "fs", "read", 100, 10));
	assert_false(known_new_server(&k, "git", 110, 10)); /* still learning */
	assert_true(known_new_server(&k, "db", 111, 10));
	assert_false(known_new_server(&k, "db", 112, 10));
	assert_false(known_new_tool(&k, "db", "query", 121, 10)); /* it is new itself */
	assert_true(known_new_tool(&k, "db", "drop", 122, 10));
	assert_false(known_new_tool(&k, "db", "drop", 123, 10));
	assert_true(known_new_tool(&k, "fs", "drop", 123, 10)); /* another server's */
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		known_new_server(&k, "fs", 200, 10);
		assert_true(known_new_tool(&k, "fs", name, 200, 10));
	}
	assert_int_equal(k.names.n, 8);
	assert_false(known_new_server(&k, "fs", 201, 10)); /* it was used all the time */
	assert_true(known_new_server(&k, "db", 201, 10));  /* forgotten */
	known_done(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves_by_twelfths), cmocka_unit_test(test_late_and_far),
		cmocka_unit_test(test_no_window_keeps_all), cmocka_unit_test(test_open_requests),
		cmocka_unit_test(test_quantile_is_exact),  cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_patterns),	   cmocka_unit_test(test_what_failed),
		cmocka_unit_test(test_identity),	   cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
