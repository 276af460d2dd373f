/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts to Alertmanager: what is sent, when, and when no more. */
#include "fake_post.h"

#include "sink/alertmanager.h"

#define WALL 1700000000000000000

static const struct alert_labels node = { .v = { { "cluster", "c1" }, { "bad-name", "x" }, { "rule", "mine" } }, .n = 3 };

static struct alert firing(uint64_t key)
{
	return (struct alert){ .key = key, .rule = "cycle", .severity = ALERT_HIGH, .state = ALERT_FIRING,
			       .notified = 1, .ts = 100 * S, .since = 90 * S, .count = 3, .session = "s1",
			       .tool = "read", .server = "fs", .client = "claude", .calls = 6, .bytes = 2048,
			       .busy_ns = 3 * S, .evidence = "{\"period\":2}", .summary = "It goes in circles.",
			       .advice = "Stop it." };
}

static void *begin(struct fake_post *f, uint32_t active)
{
	struct alertmanager_opts o;
	void *s;

	memset(f, 0, sizeof(*f));
	f->now = 100 * S;
	alertmanager_opts_default(&o);
	snprintf(o.url, sizeof(o.url), "http://user:secret@am:9093/x?token=1");
	o.labels = &node;
	o.wall_offset = WALL;
	o.active = active;
	s = alertmanager_new_over(&o, &fake_ops, f);
	assert_non_null(s);
	return s;
}

static void end(struct fake_post *f, void *s)
{
	if (f->busy && !f->answered)
		fake_answer(f, 200, 0);
	f->status = 200;
	alertmanager_ops.free(s);
	assert_true(f->freed);
}

static void tell(void *s, struct alert a)
{
	alertmanager_ops.alert(s, &a, NULL);
}

static void flush(void *s)
{
	alertmanager_ops.flush(s);
}

static struct self_sink self(void *s)
{
	struct self_sink x;

	alertmanager_self(s, &x);
	return x;
}

#define LABELS                                                                                              \
	"{\"labels\":{\"alertname\":\"mcpvigil_cycle\",\"rule\":\"cycle\",\"severity\":\"high\","             \
	"\"mcp_server\":\"fs\",\"mcp_tool\":\"read\",\"mcp_client\":\"claude\",\"session\":\"s1\",\"cluster\":\"c1\"}"

static void test_one_life(void **state)
{
	struct alert a = firing(7);
	struct fake_post f;
	void *s = begin(&f, 16);

	(void)state;
	flush(s);
	assert_int_equal(f.requests, 0);
	tell(s, a);
	assert_int_equal(f.requests, 0); /* the caller never waits */
	assert_int_equal(self(s).queued, 1);
	flush(s);
	assert_string_equal(f.body, "[" LABELS ",\"annotations\":{\"summary\":\"It goes in circles.\","
				    "\"description\":\"Stop it.\",\"count\":\"3\",\"cost\":\"6 calls, 2.0K, 3.00s\","
				    "\"evidence\":\"{\\\"period\\\":2}\"},"
				    "\"startsAt\":\"2023-11-14T22:14:50.000000000Z\"}]");
	flush(s);
	assert_int_equal(f.requests, 1);
	fake_answer(&f, 200, 0);
	flush(s);
	f.now += 59 * S;
	flush(s);
	assert_int_equal(f.requests, 1);
	f.now += S; /* it still fires */
	flush(s);
	assert_int_equal(f.requests, 2);
	fake_answer(&f, 200, 0);
	flush(s);
	a.state = ALERT_RESOLVED;
	a.ended = 170 * S;
	a.client = "Claude Code"; /* more is known by now: the labels stay */
	a.evidence = a.summary = a.advice = NULL;
	a.count = a.calls = 0;
	tell(s, a);
	flush(s);
	assert_string_equal(f.body, "[" LABELS ",\"annotations\":{},\"startsAt\":\"2023-11-14T22:14:50.000000000Z\","
				    "\"endsAt\":\"2023-11-14T22:16:10.000000000Z\"}]");
	fake_answer(&f, 503, 0); /* not acknowledged */
	flush(s);
	f.now += 60 * S;
	flush(s);
	assert_int_equal(f.requests, 4);
	fake_answer(&f, 200, 0);
	flush(s);
	f.now += 600 * S;
	flush(s);
	assert_int_equal(f.requests, 4); /* forgotten */
	assert_int_equal(self(s).sent, 3);
	assert_int_equal(self(s).failed, 1);
	assert_int_equal(self(s).dropped, 0);
	assert_string_equal(self(s).name, "alertmanager http://am:9093/x");
	end(&f, s);
}

static void test_outage_of_ten_minutes(void **state)
{
	struct alert a = firing(1);
	struct fake_post f;
	void *s = begin(&f, 16);
	unsigned int tries;

	(void)state;
	tell(s, a);
	for (unsigned int tenths = 0; tenths < 6000; tenths++) {
		flush(s);
		if (f.busy && !f.answered)
			fake_answer(&f, 0, 0);
		f.now += S / 10;
	}
	/* 1, 2, 4, ... 60 s, each shortened by up to a half. */
	tries = f.requests;
	assert_in_range(tries, 600 / 60, 30);
	assert_true(self(s).failing);
	assert_int_equal(self(s).failed, tries);
	assert_int_equal(self(s).queued, 1);
	f.status = 200;
	f.now += 60 * S;
	flush(s);
	flush(s);
	assert_int_equal(f.requests, tries + 1);
	assert_false(self(s).failing);
	assert_int_equal(self(s).queued, 0);
	end(&f, s);
}

static void test_slow_one_takes_nothing_else(void **state)
{
	struct fake_post f;
	void *s = begin(&f, 16);
	struct alert a = firing(1);

	(void)state;
	tell(s, a);
	flush(s);
	for (uint64_t key = 2; key < 100; key++) {
		struct alert more = firing(key);

		more.session = NULL;
		tell(s, more);
		flush(s);
	}
	assert_int_equal(f.requests, 1);
	assert_int_equal(self(s).queued, 16);
	assert_int_equal(self(s).dropped, 99 - 16);
	end(&f, s);
}

/* A change while a request is under way is told by the next one. */
static void test_changed_under_way(void **state)
{
	struct alert a = firing(1);
	struct fake_post f;
	void *s = begin(&f, 16);

	(void)state;
	tell(s, a);
	flush(s);
	a.state = ALERT_RESOLVED;
	tell(s, a);
	fake_answer(&f, 200, 0);
	flush(s);
	assert_int_equal(f.requests, 2);
	assert_non_null(strstr(f.body, "endsAt"));
	end(&f, s);
}

static void test_refused_goes_alone(void **state)
{
	struct alert a = firing(1), b = firing(2);
	struct fake_post f;
	void *s = begin(&f, 16);

	(void)state;
	b.session = "s2";
	tell(s, a);
	tell(s, b);
	flush(s);
	fake_answer(&f, 400, 0);
	flush(s);
	f.now += 60 * S;
	flush(s);
	assert_non_null(strstr(f.body, "\"s1\""));
	assert_null(strstr(f.body, "\"s2\""));
	fake_answer(&f, 400, 0); /* it was this one */
	flush(s);
	f.now += 30 * S;
	flush(s);
	assert_non_null(strstr(f.body, "\"s2\""));
	assert_null(strstr(f.body, "\"s1\""));
	fake_answer(&f, 200, 0);
	flush(s);
	assert_int_equal(f.requests, 3);
	a.state = ALERT_RESOLVED;
	tell(s, a);
	flush(s);
	fake_answer(&f, 400, 0);
	flush(s);
	f.now += 29 * S;
	flush(s);
	assert_int_equal(f.requests, 4); /* over, and refused: not told for ever */
	assert_int_equal(self(s).dropped, 1);
	end(&f, s);
}

static void test_retry_after(void **state)
{
	struct alert a = firing(1);
	struct fake_post f;
	void *s = begin(&f, 16);

	(void)state;
	tell(s, a);
	flush(s);
	fake_answer(&f, 429, 30);
	flush(s);
	f.now += 29 * S;
	flush(s);
	assert_int_equal(f.requests, 1);
	f.now += S;
	flush(s);
	assert_int_equal(f.requests, 2);
	fake_answer(&f, 503, 86400);
	flush(s);
	f.now += 60 * S;
	flush(s);
	assert_int_equal(f.requests, 3); /* a day is not waited */
	end(&f, s);
}

static void test_same_labels_at_a_time(void **state)
{
	struct alert a = firing(1), b = firing(2);
	struct fake_post f;
	void *s = begin(&f, 16);

	(void)state;
	f.status = 200;
	tell(s, a);
	tell(s, b);
	flush(s);
	flush(s);
	assert_non_null(strstr(f.body, "\"cluster\":\"c1\"},"));
	assert_non_null(strstr(f.body, "\"cluster\":\"c1\",\"episode\":\"0000000000000002\"},"));
	/* Over but not yet told: what comes next with the same labels replaces it. */
	a.state = ALERT_RESOLVED;
	tell(s, a);
	tell(s, firing(3));
	flush(s);
	assert_null(strstr(f.body, "endsAt"));
	assert_null(strstr(f.body, "episode"));
	flush(s);
	end(&f, s);
}

static void test_hostile_names(void **state)
{
	struct alert a = firing(1);
	struct fake_post f;
	void *s = begin(&f, 16);
	static char tool[5000];

	(void)state;
	memset(tool, 'x', sizeof(tool) - 1);
	a.tool = tool;
	a.server = "\xff\"\n\xe2\x80\xae";
	a.client = "";
	a.session = NULL;
	tell(s, a);
	flush(s);
	assert_non_null(strstr(f.body, "\"mcp_server\":\"\\\\xff\\\"\\\\x0a\\\\u{202e}\",\"mcp_tool\":\"xxx"));
	assert_null(strstr(f.body, "mcp_client"));
	assert_true(strlen(f.body) < 1000);
	end(&f, s);
}

static void test_old_news_are_dropped(void **state)
{
	struct alert a = firing(1);
	struct fake_post f;
	void *s = begin(&f, 16);

	(void)state;
	a.state = ALERT_RESOLVED;
	a.ended = 100 * S;
	tell(s, a);
	flush(s);
	fake_answer(&f, 0, 0);
	flush(s);
	f.now += 1000 * S;
	flush(s);
	assert_int_equal(f.requests, 1);
	assert_int_equal(self(s).dropped, 1);
	end(&f, s);
}

/* What is not told yet at the end is told then, where the endpoint works. */
static void test_end(void **state)
{
	struct fake_post f;
	void *s = begin(&f, 16);

	(void)state;
	tell(s, firing(1));
	end(&f, s);
	assert_int_equal(f.requests, 1);
	s = begin(&f, 16);
	tell(s, (struct alert){ .state = ALERT_PENDING });
	end(&f, s);
	assert_int_equal(f.requests, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_life),	   cmocka_unit_test(test_outage_of_ten_minutes),
		cmocka_unit_test(test_slow_one_takes_nothing_else), cmocka_unit_test(test_changed_under_way),
		cmocka_unit_test(test_refused_goes_alone), cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_same_labels_at_a_time), cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_old_news_are_dropped), cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
