/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts to a webhook: grouping, body, signature, retries. */
#include "fake_post.h"

#include "base/hmac.h"
#include "sink/webhook.h"

#define WALL 1700000000000000000

static const struct alert_labels node = { .v = { { "cluster", "c1" } }, .n = 1 };

static struct alert firing(uint64_t key, const char *rule, const char *session)
{
	return (struct alert){ .key = key, .rule = rule, .severity = ALERT_NOTICE, .state = ALERT_FIRING,
			       .ts = 100 * S, .since = 90 * S, .session = session, .summary = "It goes in circles." };
}

static void *begin(struct fake_post *f, uint32_t queue)
{
	struct webhook_opts o;
	void *s;

	memset(f, 0, sizeof(*f));
	f->now = 100 * S;
	webhook_opts_default(&o);
	snprintf(o.url, sizeof(o.url), "https://user:pw@hooks.example:8443/services/T0/SECRET?k=v");
	snprintf(o.secret, sizeof(o.secret), "key");
	o.labels = &node;
	o.wall_offset = WALL;
	o.queue = queue;
	s = webhook_new_over(&o, &fake_ops, f);
	assert_non_null(s);
	return s;
}

static void end(struct fake_post *f, void *s)
{
	if (f->busy && !f->answered)
		fake_answer(f, 200, 0);
	f->status = 200;
	webhook_ops.free(s);
	assert_true(f->freed);
}

static void tell(void *s, struct alert a)
{
	webhook_ops.alert(s, &a, NULL);
}

static void flush(void *s)
{
	webhook_ops.flush(s);
}

static struct self_sink self(void *s)
{
	struct self_sink x;

	webhook_self(s, &x);
	return x;
}

static void test_body(void **state)
{
	struct alert b = firing(0xabc, "cycle", "s2");
	struct fake_post f;
	void *s = begin(&f, 16);

	(void)state;
	tell(s, firing(1, "cycle", "s1"));
	b.state = ALERT_RESOLVED;
	b.ended = 101 * S;
	tell(s, b);
	flush(s);
	f.now += 5 * S - 1;
	flush(s);
	assert_int_equal(f.requests, 0); /* more may come */
	f.now += 1;
	flush(s);
	assert_string_equal(
		f.body,
		"{\"version\":\"4\",\"groupKey\":\"{}:{alertname=\\\"mcpvigil_cycle\\\"}\",\"truncatedAlerts\":0,"
		"\"status\":\"firing\",\"receiver\":\"mcpvigil\",\"groupLabels\":{\"alertname\":\"mcpvigil_cycle\"},"
		"\"commonLabels\":{\"alertname\":\"mcpvigil_cycle\",\"rule\":\"cycle\",\"severity\":\"notice\","
		"\"cluster\":\"c1\"},\"commonAnnotations\":{\"summary\":\"It goes in circles.\"},\"externalURL\":\"\","
		"\"alerts\":["
		"{\"status\":\"firing\",\"labels\":{\"alertname\":\"mcpvigil_cycle\",\"rule\":\"cycle\","
		"\"severity\":\"notice\",\"session\":\"s1\",\"cluster\":\"c1\"},"
		"\"annotations\":{\"summary\":\"It goes in circles.\"},\"startsAt\":\"2023-11-14T22:14:50.000000000Z\","
		"\"endsAt\":\"0001-01-01T00:00:00Z\",\"generatorURL\":\"\",\"fingerprint\":\"0000000000000001\"},"
		"{\"status\":\"resolved\",\"labels\":{\"alertname\":\"mcpvigil_cycle\",\"rule\":\"cycle\","
		"\"severity\":\"notice\",\"session\":\"s2\",\"cluster\":\"c1\"},"
		"\"annotations\":{\"summary\":\"It goes in circles.\"},\"startsAt\":\"2023-11-14T22:14:50.000000000Z\","
		"\"endsAt\":\"2023-11-14T22:15:01.000000000Z\",\"generatorURL\":\"\",\"fingerprint\":\"0000000000000abc\"}"
		"]}");
	assert_string_equal(self(s).name, "webhook https://hooks.example:8443"); /* a path may be a secret */
	end(&f, s);
}

/* The MAC is over the time and the body, and the time is the attempt's. */
static void test_signature(void **state)
{
	char text[70000], want[160] = "X-Mcpvigil-Signature: sha256=";
	uint8_t mac[HMAC_BYTES];
	struct fake_post f;
	void *s = begin(&f, 16);

	(void)state;
	tell(s, firing(1, "cycle", "s1"));
	f.now = 200 * S;
	flush(s);
	assert_string_equal(f.header[0], "X-Mcpvigil-Timestamp: 1700000200");
	fake_answer(&f, 500, 0);
	flush(s);
	f.now = 300 * S;
	flush(s);
	assert_string_equal(f.header[0], "X-Mcpvigil-Timestamp: 1700000300");
	snprintf(text, sizeof(text), "1700000300.%s", f.body);
	assert_int_equal(hmac_sha256(SV("key"), sv_of(text), mac), 0);
	for (int i = 0; i < HMAC_BYTES; i++)
		snprintf(want + strlen(want), 3, "%02x", mac[i]);
	assert_string_equal(f.header[1], want);
	end(&f, s);
}

static void test_groups_by_rule(void **state)
{
	struct alert a = firing(1, "cycle", "s1");
	struct fake_post f;
	void *s = begin(&f, 16);

	(void)state;
	f.status = 200;
	tell(s, a);
	tell(s, firing(2, "same_error", "s1"));
	a.state = ALERT_RESOLVED; /* within the wait: only its last state is told */
	tell(s, a);
	for (uint64_t i = 0; i < 70; i++)
		tell(s, firing(100 + i, "storm", "s1"));
	assert_int_equal(self(s).dropped, 6);
	f.now += 5 * S;
	flush(s);
	assert_non_null(strstr(f.body, "\"status\":\"resolved\",\"receiver\""));
	flush(s);
	assert_non_null(strstr(f.body, "same_error"));
	flush(s);
	assert_non_null(strstr(f.body, "\"truncatedAlerts\":6,"));
	flush(s);
	assert_int_equal(f.requests, 3);
	assert_int_equal(self(s).sent, 3);
	end(&f, s);
}

/* Ten minutes without the receiver: nothing is lost, and what waited comes in order. */
static void test_gone_for_ten_minutes(void **state)
{
	struct fake_post f;
	void *s = begin(&f, 256);
	uint64_t begun = f.now, last = 0, pause = 0;
	unsigned int tries = 0;
	char session[16];

	(void)state;
	for (unsigned int second = 0; second < 600; second++) {
		if (second % 60 == 0) {
			snprintf(session, sizeof(session), "m%u", second / 60);
			tell(s, firing(1 + second, "cycle", session));
		}
		flush(s);
		if (f.requests > tries) {
			tries = f.requests;
			assert_non_null(strstr(f.body, "\"m0\"")); /* the oldest first */
			pause = last ? f.now - last : 0;
			last = f.now;
			assert_true(pause <= 301 * S);
			fake_answer(&f, 0, 0);
			flush(s);
		}
		f.now = begun + (second + 1) * S;
	}
	assert_in_range(tries, 8, 14); /* 1, 2, 4, ... 256, 300 s, each shortened by up to a half */
	assert_true(pause >= 64 * S);
	assert_true(self(s).failing);
	assert_int_equal(self(s).failed, tries);
	assert_int_equal(self(s).queued, 10);
	f.status = 204;
	f.now += 300 * S;
	for (unsigned int i = 0; i < 10; i++) {
		flush(s);
		snprintf(session, sizeof(session), "\"m%u\"", i);
		assert_non_null(strstr(f.body, session));
	}
	flush(s);
	assert_int_equal(self(s).sent, 10);
	assert_int_equal(self(s).queued, 0);
	assert_int_equal(self(s).dropped, 0);
	assert_false(self(s).failing);
	end(&f, s);
}

static void test_full_queue_drops_the_oldest(void **state)
{
	struct fake_post f;
	void *s = begin(&f, 3);
	char session[16];

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		snprintf(session, sizeof(session), "m%u", i);
		tell(s, firing(1 + i, "cycle", session));
		f.now += 5 * S;
		flush(s); /* the first is under way, and stays so */
	}
	assert_int_equal(f.requests, 1);
	assert_int_equal(self(s).queued, 3);
	assert_int_equal(self(s).dropped, 5);
	fake_answer(&f, 200, 0); /* of one that was dropped meanwhile */
	flush(s);
	assert_non_null(strstr(f.body, "\"m5\""));
	end(&f, s);
}

static void test_refused_is_not_repeated(void **state)
{
	struct fake_post f;
	void *s = begin(&f, 3);

	(void)state;
	tell(s, firing(1, "cycle", "s1"));
	f.now += 5 * S;
	flush(s);
	fake_answer(&f, 404, 0);
	flush(s);
	f.now += 600 * S;
	flush(s);
	assert_int_equal(f.requests, 1);
	assert_int_equal(self(s).dropped, 1);
	assert_true(self(s).failing);
	end(&f, s);
}

static void test_retry_after(void **state)
{
	struct fake_post f;
	void *s = begin(&f, 3);

	(void)state;
	tell(s, firing(1, "cycle", "s1"));
	f.now += 5 * S;
	flush(s);
	fake_answer(&f, 429, 100);
	flush(s);
	f.now += 99 * S;
	flush(s);
	assert_int_equal(f.requests, 1);
	f.now += S;
	flush(s);
	assert_int_equal(f.requests, 2);
	fake_answer(&f, 503, 1000000);
	flush(s);
	f.now += 300 * S;
	flush(s);
	assert_int_equal(f.requests, 3);
	end(&f, s);
}

static void test_many_rules(void **state)
{
	struct fake_post f;
	void *s = begin(&f, 16);
	char rule[16];

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(rule, sizeof(rule), "r%u", i);
		tell(s, firing(1 + i, rule, NULL));
	}
	assert_int_equal(self(s).queued, 16 + 64);
	assert_int_equal(self(s).dropped, 1000 - 16 - 64);
	end(&f, s);
}

/* The end of the run waits for no group. */
static void test_end(void **state)
{
	struct fake_post f;
	void *s = begin(&f, 3);

	(void)state;
	tell(s, firing(1, "cycle", "s1"));
	end(&f, s);
	assert_int_equal(f.requests, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_groups_by_rule),
		cmocka_unit_test(test_gone_for_ten_minutes),
		cmocka_unit_test(test_full_queue_drops_the_oldest),
		cmocka_unit_test(test_refused_is_not_repeated),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_many_rules),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
