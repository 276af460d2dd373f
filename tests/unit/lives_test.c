/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that died, the calls they took along, and how long sessions took to start. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sink/lives.h"

static struct lives lives;

static int set_up(void **state)
{
	(void)state;
	memset(&lives, 0, sizeof(lives));
	return 0;
}

static void unanswered(uint64_t session, uint64_t ts, const char *tool)
{
	const struct call c = { .outcome = CALL_UNANSWERED, .session_no = session, .ts = ts,
				.method = (char *)"tools/call", .tool = (char *)tool };

	lives_ops.call(&lives, &c, NULL);
}

static void ended(uint64_t session, uint64_t ts, const char *reason, const struct sink_peers *p)
{
	const struct session_event e = { .end = true, .ts = ts, .session = "s", .session_no = session, .reason = reason };

	lives_ops.session(&lives, &e, p);
}

static void test_before_and_behind(void **state)
{
	const struct who server = { .exited = true, .oom = true, .exit_code = 9, .exit_ts = 5 };
	const struct sink_peers p = { NULL, &server };

	(void)state;
	unanswered(1, 100, "a");
	unanswered(2, 100, "other");
	unanswered(1, 101, "b");
	ended(1, 102, "exit", &p);
	unanswered(1, 103, NULL);
	assert_int_equal(lives.deaths, 1);
	assert_int_equal(lives.death[0].ts, 102);
	assert_int_equal(lives.death[0].lost.calls, 3);
	assert_int_equal(lives.death[0].lost.names, 3);
	assert_string_equal(lives.death[0].lost.name[0], "a");
	assert_string_equal(lives.death[0].lost.name[1], "b");
	assert_string_equal(lives.death[0].lost.name[2], "tools/call");
	assert_true(lives.death[0].known && lives.death[0].oom);
	assert_int_equal(lives.death[0].exit_code, 9);
	assert_string_equal(lives.death[0].session, "s");
}

/* What was given up long before has nothing to do with the death; without a number nothing is told apart. */
static void test_apart(void **state)
{
	(void)state;
	unanswered(1, 100, "a");
	unanswered(0, 100, "a");
	ended(1, 100 + 6 * NSEC_PER_SEC, "exit", NULL);
	assert_int_equal(lives.deaths, 1);
	assert_int_equal(lives.death[0].lost.calls, 0);
	assert_false(lives.death[0].known);
	ended(2, 100, "eof", NULL);
	ended(3, 100, NULL, NULL);
	assert_int_equal(lives.deaths, 1);
}

/* An agent that leaves takes its servers along. */
static void test_client_left(void **state)
{
	struct who client = { .exited = true, .exit_ts = 10 }, server = { .exited = true, .exit_ts = 11 };
	const struct sink_peers p = { &client, &server };

	(void)state;
	ended(1, 100, "exit", &p);
	server.exited = false;
	ended(2, 100, "exit", &p);
	assert_int_equal(lives.deaths, 0);
	server.exited = true;
	server.exit_ts = 9;
	ended(3, 100, "exit", &p);
	assert_int_equal(lives.deaths, 1);
}

/* Its session never began, and no end of it is told. */
static void test_died_starting(void **state)
{
	struct who server = { .exited = true, .exit_code = 256 };
	const struct sink_peers p = { NULL, &server };
	struct call c = { .outcome = CALL_UNANSWERED, .session_no = 4, .ts = 50, .method = (char *)"initialize" };

	(void)state;
	lives_ops.call(&lives, &c, &p);
	ended(4, 51, "exit", &p);
	assert_int_equal(lives.deaths, 1);
	assert_int_equal(lives.death[0].exit_code, 256);
	assert_int_equal(lives.death[0].lost.calls, 1);
	c.session_no = 5;
	server.exited = false;
	lives_ops.call(&lives, &c, &p);
	c.session_no = 6;
	c.outcome = CALL_CANCELLED;
	server.exited = true;
	lives_ops.call(&lives, &c, &p);
	assert_int_equal(lives.deaths, 1);
}

static void test_bounds(void **state)
{
	char name[200];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (uint64_t i = 1; i <= 1000; i++) {
		for (int k = 0; k < 10; k++)
			unanswered(i, i, name);
		ended(i, i, "exit", NULL);
	}
	assert_int_equal(lives.deaths, 1000);
	for (int i = 0; i < LIVES_DEATHS; i++) {
		assert_true(lives.death[i].lost.session_no > 1000 - LIVES_DEATHS);
		assert_int_equal(lives.death[i].lost.calls, 10);
		assert_int_equal(lives.death[i].lost.names, LIVES_NAMES);
		assert_int_equal(strlen(lives.death[i].lost.name[0]), LIVES_NAME_BYTES - 1);
	}
}

static void test_starts(void **state)
{
	struct session_event e = { .session_no = 1 };
	uint64_t p50, max;

	(void)state;
	lives_starts(&lives, &p50, &max);
	assert_int_equal(p50 | max, 0);
	lives_ops.session(&lives, &e, NULL); /* not seen */
	for (uint64_t i = 1; i <= 300; i++) {
		e.startup_ns = i == 10 ? 9999 : i;
		lives_ops.session(&lives, &e, NULL);
	}
	lives_starts(&lives, &p50, &max);
	assert_int_equal(lives.starts, 300);
	assert_int_equal(max, 300); /* the slow one is out: 45 ... 300 */
	assert_int_equal(p50, 172);
	e.startup_ns = 7;
	e.end = true;
	lives_ops.session(&lives, &e, NULL);
	assert_int_equal(lives.starts, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_before_and_behind, set_up), cmocka_unit_test_setup(test_apart, set_up),
		cmocka_unit_test_setup(test_client_left, set_up),	cmocka_unit_test_setup(test_died_starting, set_up),
		cmocka_unit_test_setup(test_bounds, set_up),		cmocka_unit_test_setup(test_starts, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
