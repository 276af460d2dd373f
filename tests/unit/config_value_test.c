/* SPDX-License-Identifier: Apache-2.0 */
/* user/config_table, config_value, config_show: every key, its bounds, its text, and back. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "config_key.h"
#include "config_text.h"

static bool name_ok(const char *s)
{
	return s[0] && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(s);
}

/* Names, flags and variables are one to one. */
static void test_names(void **state)
{
	char a[96], b[96];

	(void)state;
	assert_true(config_keys_n > 80);
	for (unsigned int i = 0; i < config_keys_n; i++) {
		assert_true(name_ok(config_keys[i].name));
		assert_true(strlen(config_keys[i].help) > 5);
		assert_ptr_equal(config_key_find(sv_of(config_keys[i].name)), &config_keys[i]);
		assert_false(config_section(sv_of(config_keys[i].name)));
		for (unsigned int j = 0; j < i; j++) {
			config_flag_name(&config_keys[i], a);
			config_flag_name(&config_keys[j], b);
			assert_string_not_equal(a, b);
			config_env_name(&config_keys[i], a);
			config_env_name(&config_keys[j], b);
			assert_string_not_equal(a, b);
		}
	}
	config_flag_name(config_key_find(SV("alert_log.max_size")), a);
	assert_string_equal(a, "alert-log-max-size");
	config_env_name(config_key_find(SV("alert_log.max_size")), a);
	assert_string_equal(a, "MCPVIGIL_ALERT_LOG_MAX_SIZE");
}

/* Every rule of the detector has its keys. */
static void test_loop_rules(void **state)
{
	char name[96];

	(void)state;
	for (int i = 0; i < LOOP_N; i++) {
		snprintf(name, sizeof(name), "loops.rules.%s.poll_threshold", loop_rule_names[i]);
		assert_non_null(config_key_find(sv_of(name)));
	}
	assert_taken("loops: {rules: {cycle: {enabled: false, threshold: 9, poll_threshold: 0}}}");
	assert_true(cfg.facts.loops.off[LOOP_CYCLE]);
	assert_int_equal(cfg.facts.loops.threshold[LOOP_CYCLE], 9);
	assert_int_equal(cfg.facts.loops.poll_threshold[LOOP_CYCLE], 0);
	assert_false(cfg.facts.loops.off[LOOP_FAN_OUT]);
}

/* "a.b.c" and a value as a document. */
static void document(const char *name, const char *value, char *ret, size_t size)
{
	size_t at = 0, depth = 0;

	for (const char *p = name;; p++) {
		size_t n = strcspn(p, ".");

		at += (size_t)snprintf(ret + at, size - at, "%.*s: %s", (int)n, p, p[n] ? "{" : value);
		p += n;
		if (!*p)
			break;
		depth++;
	}
	while (depth--)
		at += (size_t)snprintf(ret + at, size - at, "}");
}

static void check(const struct config_key *k, const char *value, bool taken)
{
	char text[512];

	document(k->name, value, text, sizeof(text));
	if ((config_try(text) == 0) != taken)
		fail_msg("%s: %s", text, said);
	if (!taken && !strstr(said, k->name))
		fail_msg("%s: says %s", text, said);
}

static void check_number(const struct config_key *k)
{
	char s[64];

	snprintf(s, sizeof(s), "%" PRIu64, k->min);
	check(k, s, true);
	snprintf(s, sizeof(s), "%" PRIu64, k->max + 1);
	check(k, s, false);
	if (k->min) {
		snprintf(s, sizeof(s), "%" PRIu64, k->min - 1);
		check(k, s, false);
	}
	check(k, "99999999999999999999999", false);
	check(k, "ten", false);
	check(k, "-1", false);
	check(k, "\"100\"", false);
	check(k, "0100", false);
	check(k, "0x10", false);
	check(k, "1e2", false);
}

static void check_time(const struct config_key *k)
{
	char s[64];

	snprintf(s, sizeof(s), "%" PRIu64 "ns", k->min);
	check(k, s, true);
	snprintf(s, sizeof(s), "%" PRIu64 "ns", k->max);
	check(k, s, true);
	snprintf(s, sizeof(s), "%" PRIu64 "ns", k->max + 1);
	check(k, s, false);
	check(k, "30", false);
	check(k, "-1s", false);
	check(k, "99999999999999999999h", false);
	check(k, "\"\"", false);
}

static void check_bool(const struct config_key *k)
{
	check(k, "true", true);
	check(k, "false", true);
	check(k, "yes", false);
	check(k, "1", false);
	check(k, "\"true\"", false);
	check(k, "True", false);
}

static void check_text(const struct config_key *k)
{
	char s[512];

	check(k, "\"\"", true);
	check(k, "\"/a\\nb\"", false);
	check(k, "\"/\\x9b\"", false);
	if (k->type == CONFIG_LISTEN)
		return;
	check(k, "some/file", false);
	check(k, "\"-\"", k->type == CONFIG_OUTPUT);
	memset(s, 'a', sizeof(s));
	s[0] = '/';
	s[k->room] = 0;
	check(k, s, false);
	s[k->room - 1] = 0;
	check(k, s, true);
}

/* By type, so that a new row is tested as soon as it is written. */
static void test_every_key(void **state)
{
	unsigned int others = 0;

	(void)state;
	for (unsigned int i = 0; i < config_keys_n; i++) {
		const struct config_key *k = &config_keys[i];

		if (strstr(k->name, "label_values") || strstr(k->name, "client_values")) /* they bound each other */
			continue;
		if (k->type == CONFIG_U32 || k->type == CONFIG_U16)
			check_number(k);
		else if (k->type == CONFIG_NS)
			check_time(k);
		else if (k->type == CONFIG_BOOL || k->type == CONFIG_NOT)
			check_bool(k);
		else if (k->room && k->type < CONFIG_URL && strcmp(k->name, "webhook.secret_file") != 0)
			check_text(k);
		else
			others++;
	}
	assert_int_equal(others, 10); /* those with a test of their own */
}

static void test_size(void **state)
{
	const struct config_key *k = config_key_find(SV("alert_log.max_size"));

	(void)state;
	check(k, "4095", false);
	check(k, "4k", true);
	assert_int_equal(cfg.alertlog.max_bytes, 4096);
	check(k, "\"3M\"", true);
	assert_int_equal(cfg.alertlog.max_bytes, 3 << 20);
	check(k, "1025G", false);
	check(k, "16MB", false);
	check(k, "1.5M", false);
}

static void test_listen(void **state)
{
	static const char *const good[] = { "127.0.0.1:9464", "0.0.0.0:1", "\"[::]:65535\"", "\"[2001:db8::1]:80\"", "\"\"" };
	static const char *const bad[] = { "9464", "\":9464\"", "localhost:9464", "127.0.0.1", "\"127.0.0.1:\"",
					   "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:80a", "\"::1:80\"", "\"[::1]80\"",
					   "\"[]:80\"", "1.2.3:80", "\"[127.0.0.1]:80\"", "\"1.2.3.4 :80\"", "/run/x",
					   "\"[1111:1111:1111:1111:1111:1111:111.111.111.1111111]:80000\"" };
	const struct config_key *k = config_key_find(SV("prometheus.listen"));

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check(k, good[i], true);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(k, bad[i], false);
}

static void test_urls(void **state)
{
	static const char *const bad[] = { "[a]", "[ftp://a]", "[http://]", "[http:///x]", "[\"http://:80\"]", "[HTTP://a]",
					   "[\"http://a b\"]", "[\"http://a/\\x01\"]", "[\"http://a#b\"]", "[http://a/é]",
					   "[\"http://a\\\\b\"]", "[http://a, http://b, http://a]", "[\"\"]", "http://a",
					   "[http://1, http://2, http://3, http://4, http://5, http://6, http://7, "
					   "http://8, http://9]" };
	const struct config_key *k = config_key_find(SV("alertmanager.urls"));

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(k, bad[i], false);
	check(k, "[\"http://am-0:9093/x\", 'https://[::1]:9093', http://u:p@h?q=1]", true);
	assert_int_equal(cfg.alertmanagers, 3);
	assert_string_equal(cfg.alertmanager[1].url, "https://[::1]:9093");
	assert_ptr_equal(cfg.alertmanager[1].labels, &cfg.labels);
	check(k, "[]", true);
	assert_int_equal(cfg.alertmanagers, 0);
	assert_taken("alertmanager: {urls: [http://a, http://b], resend: 90s, timeout: 7s}\nlimits: {alerts_active: 99}");
	assert_int_equal(cfg.alertmanager[1].resend_ns, 90000000000);
	assert_int_equal(cfg.alertmanager[1].timeout_ns, 7000000000);
	assert_int_equal(cfg.alertmanager[1].active, 99);
	assert_taken("webhook: {urls: [http://a, http://b], group_wait: 0s, timeout: 3s}\nlimits: {webhook_queue: 17}");
	assert_int_equal(cfg.webhook[1].group_wait_ns, 0);
	assert_int_equal(cfg.webhook[1].timeout_ns, 3000000000);
	assert_int_equal(cfg.webhook[1].queue, 17);
}

static void test_between(void **state)
{
	(void)state;
	assert_refused("prometheus: {label_values: 10, client_values: 11}",
		       "configuration: key 'prometheus.client_values': more than prometheus.label_values\n");
	assert_taken("prometheus: {label_values: 10, client_values: 10}");
}

static void print(const struct config *c, bool help, char *ret, size_t size)
{
	struct buf b;

	buf_init(&b, size - 1);
	config_print(c, help, &b);
	assert_false(b.full);
	memcpy(ret, b.p, b.n);
	ret[b.n] = 0;
	buf_done(&b);
}

/* What is printed as the default gives exactly the defaults; what is printed of any other, that one. */
static void test_round_trip(void **state)
{
	static char text[1 << 18], again[1 << 18];
	static struct config defaults, first;

	(void)state;
	config_default(&defaults);
	assert_taken("");
	first = cfg;
	for (int help = 0; help < 2; help++) {
		print(&defaults, help, text, sizeof(text));
		assert_taken(text);
		assert_memory_equal(&cfg, &first, sizeof(cfg));
	}
	for (unsigned int i = 0; i < config_keys_n; i++) {
		const char *dot = strrchr(config_keys[i].name, '.');
		char line[96];

		snprintf(line, sizeof(line), " %s:", dot ? dot + 1 : config_keys[i].name);
		line[0] = dot ? ' ' : '\n';
		assert_non_null(strstr(text, line));
	}
	assert_taken("limits: {sessions: 100}\nloops: {round_gap: 1.5ms, poll_tools: [\"get*\", \"a\\\"\\\\\"], "
		     "overrides: [{server: s, read: false, off: [cycle, fan_out], thresholds: {cycle: 7}}]}\n"
		     "alerts: {rules: [{id: a.b-c_1, metric: latency, above: 0.1, by: tool, quantile: 0.999, summary: \"ü: x\"}]}\n"
		     "alert_log: {path: /a/b, max_size: 5000}\nlabels: {node: \"n 1\", dc: x}\nprivileges: {drop: false}\n");
	first = cfg;
	print(&cfg, false, text, sizeof(text));
	assert_taken(text);
	assert_memory_equal(&cfg, &first, sizeof(cfg));
	print(&cfg, false, again, sizeof(again));
	assert_string_equal(text, again);
}

static void test_hidden(void **state)
{
	static char text[1 << 18];

	(void)state;
	assert_taken("alertmanager: {urls: [\"http://user:pass1@am:9093/x?token=pass2\", http://b/y]}\n"
		     "webhook: {urls: [\"https://hooks.example/services/pass3?k=pass4\", https://h/, https://u:pass5@i]}\n");
	print(&cfg, true, text, sizeof(text));
	assert_null(strstr(text, "pass"));
	assert_non_null(strstr(text, "urls: [\"http://<set>@am:9093/x?<set>\", \"http://b/y\"]"));
	assert_non_null(strstr(text, "urls: [\"https://hooks.example/<set>\", \"https://h/\", \"https://<set>@i\"]"));
	/* What was printed is no configuration by mistake. */
	assert_int_equal(config_try(text), -EINVAL);
	assert_refused("webhook: {urls: [\"https://h/pass6 \"]}",
		       "c.yaml:1: key 'webhook.urls': an URL with a character that has to be percent-encoded\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	cmocka_unit_test(test_loop_rules), cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_size),	cmocka_unit_test(test_listen),	   cmocka_unit_test(test_urls),
		cmocka_unit_test(test_between), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
