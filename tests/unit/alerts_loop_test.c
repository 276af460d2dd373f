/* SPDX-License-Identifier: Apache-2.0 */
/* The alert engine: loops in, passed on once, with a cooldown and a cap. */
#include "alerts_heard.h"

static void loop(struct heard *h, uint64_t key, uint8_t state, uint64_t ts, uint64_t count)
{
	struct alert a = { .key = key, .rule = "cycle", .state = state, .ts = ts * S, .since = 5 * S,
			   .count = count, .session = "s1", .tool = "read", .severity = ALERT_HIGH };

	alerts_loop(h->a, &a);
}

static void test_loop_passes(void **state)
{
	struct alerts_opts o = opts(NULL);
	struct heard h;

	(void)state;
	begin(&h, &o);
	loop(&h, 77, ALERT_FIRING, 100, 3);
	assert_int_equal(h.key, 77);
	loop(&h, 77, ALERT_FIRING, 101, 6);
	loop(&h, 77, ALERT_RESOLVED, 102, 7);
	assert_int_equal(h.key, 77);
	loop(&h, 77, ALERT_RESOLVED, 103, 7);
	loop(&h, 78, ALERT_FIRING, 104, 3);
	assert_int_equal(h.key, 78);
	said(&h, "fires cycle tool=read session=s1 n1 c3\nfires cycle tool=read session=s1 n2 c6\n"
		 "ends cycle tool=read session=s1 n2 c7\nfires cycle tool=read session=s1 n1 c3\n");
	alerts_free(h.a);
}

static void test_two_trackers_one_alert(void **state)
{
	struct alerts_opts o = opts(NULL);
	struct heard h;

	(void)state;
	begin(&h, &o);
	loop(&h, 1, ALERT_FIRING, 100, 3);
	loop(&h, 2, ALERT_FIRING, 100, 3);
	loop(&h, 2, ALERT_FIRING, 101, 6);
	assert_int_equal(h.key, 1);
	loop(&h, 1, ALERT_FIRING, 101, 6);
	loop(&h, 1, ALERT_RESOLVED, 102, 6);
	said(&h, "fires cycle tool=read session=s1 n1 c3\nfires cycle tool=read session=s1 n2 c6\n");
	loop(&h, 2, ALERT_RESOLVED, 103, 6);
	assert_int_equal(h.key, 1);
	said(&h, "ends cycle tool=read session=s1 n2 c6\n");
	alerts_free(h.a);
}

static void test_loop_cooldown(void **state)
{
	struct alerts_opts o = opts(NULL);
	struct alerts_stats st;
	struct heard h;

	(void)state;
	o.loop_cooldown_ns = 60 * S;
	begin(&h, &o);
	loop(&h, 1, ALERT_FIRING, 100, 3);
	loop(&h, 1, ALERT_RESOLVED, 110, 3);
	loop(&h, 2, ALERT_FIRING, 120, 3);
	loop(&h, 2, ALERT_RESOLVED, 130, 3);
	loop(&h, 3, ALERT_FIRING, 140, 4);
	said(&h, "fires cycle tool=read session=s1 n1 c3\nends cycle tool=read session=s1 n1 c3\n");
	alerts_tick(h.a, 169 * S);
	said(&h, "");
	alerts_tick(h.a, 170 * S); /* it outlasted the cooldown */
	said(&h, "fires cycle tool=read session=s1 n1 c4\n");
	assert_int_equal(h.key, 3);
	alerts_stats(h.a, &st);
	assert_int_equal(st.suppressed, 2);
	assert_int_equal(st.firing, 1);
	alerts_free(h.a);
}

static void test_loops_are_bounded(void **state)
{
	struct alerts_opts o = opts(NULL);
	struct alert a = { .rule = "cycle", .state = ALERT_FIRING, .ts = 100 * S, .count = 3 };
	struct alerts_stats st;
	char session[16];
	struct heard h;

	(void)state;
	o.active = 4;
	begin(&h, &o);
	for (int i = 0; i < 100; i++) {
		snprintf(session, sizeof(session), "s%d", i);
		a.session = session;
		a.key = (uint64_t)i + 1;
		alerts_loop(h.a, &a);
	}
	assert_int_equal(h.alerts, 4);
	alerts_stats(h.a, &st);
	assert_int_equal(st.firing, 4);
	assert_int_equal(st.suppressed, 96);
	/* A tracker that went without a word gives its place up at last. */
	a.ts += 7 * 3600 * S;
	alerts_loop(h.a, &a);
	assert_int_equal(h.alerts, 6);
	alerts_stats(h.a, &st);
	assert_int_equal(st.firing, 4);
	alerts_free(h.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop_passes),
		cmocka_unit_test(test_two_trackers_one_alert),
		cmocka_unit_test(test_loop_cooldown),
		cmocka_unit_test(test_loops_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
