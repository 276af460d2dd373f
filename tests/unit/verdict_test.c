/* SPDX-License-Identifier: Apache-2.0 */
/* probe/verdict: the table of what is known of streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "probe/load.h"

static uint64_t words[VERDICT_SETS * VERDICT_WAYS], losses[C_N];

static void fresh(struct probe *p)
{
	memset(p, 0, sizeof(*p));
	memset(words, 0, sizeof(words));
	memset(losses, 0, sizeof(losses));
	p->verdicts = words;
	p->losses = losses;
}

static uint64_t of_code(struct probe *p, int code)
{
	uint64_t n[7];

	probe_verdicts(p, n);
	return n[code - V_NO + 1];
}

static void test_changes(void **state)
{
	struct ev_key k = { 0xffff888100000000, 4711 };
	struct probe p;

	(void)state;
	fresh(&p);
	probe_verdict(&p, &k, V_NONE);
	assert_int_equal(of_code(&p, V_NO - 1), 0);
	probe_verdict(&p, &k, V_RPC);
	probe_verdict(&p, &k, V_YES);
	assert_int_equal(of_code(&p, V_RPC), 0);
	assert_int_equal(of_code(&p, V_YES), 1);
	probe_verdict(&p, &k, V_NO);
	assert_int_equal(of_code(&p, V_NO), 1);
	probe_verdict(&p, &k, V_TLS);
	probe_verdict(&p, &k, V_NO); /* no more */
	assert_int_equal(of_code(&p, V_NO), 0);
	probe_verdict(&p, &k, V_SELF);
	probe_verdict(&p, &k, V_NO);
	assert_int_equal(of_code(&p, V_SELF), 1);
}

/* Thousands are kept. What finds no room takes what matters less, and only then, counted, that of another stream's JSON-RPC. */
static void test_full(void **state)
{
	struct probe p;

	(void)state;
	fresh(&p);
	for (uint64_t i = 0; i < 4000; i++)
		probe_verdict(&p, &(struct ev_key){ 0xffff888100000000 + i * 64, i }, V_YES);
	assert_int_equal(of_code(&p, V_YES), 4000);
	assert_int_equal(losses[C_VERDICTS_FULL], 0);

	fresh(&p);
	for (uint64_t i = 0; i < 4 * VERDICT_SETS * VERDICT_WAYS; i++)
		probe_verdict(&p, &(struct ev_key){ 0xffff888100000000 + i * 64, i }, V_NO);
	for (uint64_t i = 0; i < 4000; i++)
		probe_verdict(&p, &(struct ev_key){ 0xffff888200000000 + i * 64, i }, V_YES);
	assert_int_equal(of_code(&p, V_YES), 4000);
	assert_int_equal(losses[C_VERDICTS_FULL], 0);
	for (uint64_t i = 4000; i < 4 * VERDICT_SETS * VERDICT_WAYS; i++)
		probe_verdict(&p, &(struct ev_key){ 0xffff888200000000 + i * 64, i }, V_YES);
	assert_true(losses[C_VERDICTS_FULL] > 0);
	assert_true(of_code(&p, V_YES) <= VERDICT_SETS * VERDICT_WAYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
