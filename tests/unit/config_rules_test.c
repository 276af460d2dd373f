/* SPDX-License-Identifier: Apache-2.0 */
/* user/config_rules: alert rules, exceptions of loop detection, labels. */
#include <errno.h>

#include "config_text.h"

static void test_rule(void **state)
{
	const struct rule *r = cfg.facts.alerts.rule;

	(void)state;
	assert_taken("alerts:\n  learn: 1h\n  rules:\n"
		     "  - {id: slow, metric: latency, by: tool, above: 2.5, quantile: 0.9, window: 1m, for: 30s,\n"
		     "     cooldown: 2h, min_calls: 7, severity: high, tool: \"get*\", server: s, client: c, method: m,\n"
		     "     outcome: ok, summary: \"too slow\"}\n"
		     "  - {id: spend, metric: budget, above: 100, by: client}\n"
		     "  - {id: new, metric: new_server}\n"
		     "  - {id: bad, metric: finding, finding: \"duplicate*\"}\n");
	assert_int_equal(cfg.facts.alerts.rules, 4);
	assert_int_equal(cfg.facts.alerts.learn_ns, 3600000000000);
	assert_string_equal(r->id, "slow");
	assert_int_equal(r->metric, RULE_LATENCY);
	assert_int_equal(r->by, RULE_BY_TOOL);
	assert_true(r->above == 2.5 && r->quantile == 0.9);
	assert_int_equal(r->window_ns, 60000000000);
	assert_int_equal(r->for_ns, 30000000000);
	assert_int_equal(r->cooldown_ns, 7200000000000);
	assert_int_equal(r->min_calls, 7);
	assert_int_equal(r->severity, ALERT_HIGH);
	assert_string_equal(r->tool, "get*");
	assert_string_equal(r->server, "s");
	assert_string_equal(r->client, "c");
	assert_string_equal(r->method, "m");
	assert_string_equal(r->outcome, "ok");
	assert_string_equal(r->summary, "too slow");
	assert_int_equal(r[1].window_ns, 0);
	assert_int_equal(r[1].by, RULE_BY_CLIENT);
	assert_int_equal(r[1].severity, ALERT_NOTICE);
	assert_int_equal(r[2].window_ns, 300000000000);
	assert_int_equal(r[2].cooldown_ns, 900000000000);
	assert_int_equal(r[2].min_calls, 10);
	assert_string_equal(r[3].finding, "duplicate*");
}

static void test_rule_refused(void **state)
{
	static const struct {
		const char *rule, *said;
	} rows[] = {
		{ "{metric: rate, above: 1}", "[0]': it has no id" },
		{ "{id: x, above: 1}", "[0]': it has no metric" },
		{ "{id: x, metric: rate}", "[0]': it has no above" },
		{ "{id: \"\", metric: rate, above: 1}", "[0].id': empty" },
		{ "{id: \"a b\", metric: rate, above: 1}", "[0]': its id has other than letters, digits, _, - and ." },
		{ "{id: cycle, metric: rate, above: 1}", "[0]': its id is the name of a loop rule" },
		{ "{id: x, metric: speed, above: 1}",
		  "[0].metric': not one of rate, errors, error_ratio, latency, in_flight, budget, bytes, new_server, new_tool, "
		  "finding" },
		{ "{id: x, metric: rate, above: -1}", "[0].above': not a number such as 10 or 0.5" },
		{ "{id: x, metric: rate, above: \"1\"}", "[0].above': not a number such as 10 or 0.5" },
		{ "{id: x, metric: rate, above: inf}", "[0].above': not a number such as 10 or 0.5" },
		{ "{id: x, metric: rate, above: 1e999}", "[0].above': not a number such as 10 or 0.5" },
		{ "{id: x, metric: rate, above: 0x1}", "[0].above': not a number such as 10 or 0.5" },
		{ "{id: x, metric: rate, above: 1.2.3}", "[0].above': not a number such as 10 or 0.5" },
		{ "{id: x, metric: rate, above: 1, window: 0s}", "[0]': its window is 0" },
		{ "{id: x, metric: rate, above: 1, window: 25h}", "[0].window': out of range, 0s to 24h" },
		{ "{id: x, metric: latency, above: 1, quantile: 1}", "[0]': its quantile is not between 0 and 1" },
		{ "{id: x, metric: latency, above: 1, quantile: 0}", "[0]': its quantile is not between 0 and 1" },
		{ "{id: x, metric: latency, above: 1, quantile: 2}", "[0].quantile': out of range, 0 to 1" },
		{ "{id: x, metric: error_ratio, above: 1}", "[0]': an error_ratio is never above 1" },
		{ "{id: x, metric: rate, above: 1, finding: y}", "[0]': finding goes with metric: finding only" },
		{ "{id: x, metric: rate, above: 1, severity: low}", "[0].severity': not one of notice, high" },
		{ "{id: x, metric: rate, above: 1, tools: y}", "[0].tools': unknown key" },
		{ "{id: x, metric: rate, above: 1, by: 1}", "[0].by': not one of all, client, tool, server, session" },
		{ "rate", "[0]': not a map" },
		{ "{id: x, metric: budget, above: 1}, {id: x, metric: budget, above: 2}", "[1]': its id is another rule's" },
		{ "{id: 0123456789012345678901234567890123456789012345678901234567890123, metric: new_tool}",
		  "[0].id': longer than 63 bytes" },
	};
	char text[512], words[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "alerts:\n  rules: [%s]\n", rows[i].rule);
		snprintf(words, sizeof(words), "c.yaml:2: key 'alerts.rules%s\n", rows[i].said);
		assert_refused(text, words);
	}
	assert_refused("alerts:\n  rules: {id: x}\n", "c.yaml:2: key 'alerts.rules': not a list of maps\n");
	assert_refused("alerts:\n  rules:\n  - id: x\n    metric: rate\n    above: 1\n  - id: y\n    metric: rate\n    below: 1\n",
		       "c.yaml:8: key 'alerts.rules[1].below': unknown key\n");
}

/* As many as there is room for, and one more. */
static void test_rule_count(void **state)
{
	static char text[8192];
	size_t n = 0;

	(void)state;
	n += (size_t)snprintf(text, sizeof(text), "alerts:\n  rules:\n");
	for (int i = 0; i < RULES_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "  - {id: r%d, metric: new_tool}\n", i);
	assert_taken(text);
	assert_int_equal(cfg.facts.alerts.rules, RULES_MAX);
	assert_string_equal(cfg.facts.alerts.rule[RULES_MAX - 1].id, "r63");
	snprintf(text + n, sizeof(text) - n, "  - {id: more, metric: new_tool}\n");
	assert_refused(text, "c.yaml:2: key 'alerts.rules': more than 64 of them\n");
}

static void test_override(void **state)
{
	const struct loop_override *o = cfg.facts.loops.override;

	(void)state;
	assert_taken("loops:\n  overrides:\n"
		     "  - {server: \"ci*\", tool: status, poll: true, read: false, off: [cycle, same_error],\n"
		     "     thresholds: {slow_loop: 60}}\n"
		     "  - {tool: x, poll: auto}\n");
	assert_int_equal(cfg.facts.loops.overrides, 2);
	assert_string_equal(o->server, "ci*");
	assert_string_equal(o->tool, "status");
	assert_int_equal(o->poll, 1);
	assert_int_equal(o->read, -1);
	assert_true(o->off[LOOP_CYCLE] && o->off[LOOP_ERROR_STREAK] && !o->off[LOOP_SLOW_LOOP]);
	assert_int_equal(o->threshold[LOOP_SLOW_LOOP], 60);
	assert_int_equal(o->threshold[LOOP_CYCLE], 0);
	assert_int_equal(o[1].poll, 0);
	assert_refused("loops:\n  overrides:\n  - off: [cicle]\n",
		       "c.yaml:3: key 'loops.overrides[0].off': not the name of a loop rule\n");
	assert_refused("loops: {overrides: [{thresholds: {cicle: 2}}]}",
		       "c.yaml:1: key 'loops.overrides[0].thresholds': not the name of a loop rule\n");
	assert_refused("loops: {overrides: [{thresholds: {cycle: 0}}]}",
		       "c.yaml:1: key 'loops.overrides[0].thresholds': out of range, 1 to 65535\n");
	assert_refused("loops: {overrides: [{poll: maybe}]}",
		       "c.yaml:1: key 'loops.overrides[0].poll': not one of auto, true, false\n");
}

/* Both lists become overrides behind those that are given; a tool of both lists is one. */
static void test_tools(void **state)
{
	const struct loop_override *o = cfg.facts.loops.override;
	char text[4096];
	size_t n;

	(void)state;
	assert_taken("loops: {poll_tools: [\"get_*\", b], read_tools: [c, b], overrides: [{server: s, poll: false}]}");
	assert_int_equal(cfg.overrides, 1);
	assert_int_equal(cfg.facts.loops.overrides, 4);
	assert_int_equal(o[0].poll, -1);
	assert_string_equal(o[1].tool, "get_*");
	assert_int_equal(o[1].poll, 1);
	assert_int_equal(o[1].read, 0);
	assert_string_equal(o[2].tool, "b");
	assert_true(o[2].poll == 1 && o[2].read == 1);
	assert_string_equal(o[3].tool, "c");
	assert_true(o[3].poll == 0 && o[3].read == 1);
	assert_string_equal(o[3].server, "");
	n = (size_t)snprintf(text, sizeof(text), "loops:\n  poll_tools: [a]\n  overrides:\n");
	for (int i = 0; i < LOOP_OVERRIDES; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "  - {tool: t%d, poll: true}\n", i);
	assert_refused(text, "configuration: key 'loops.overrides': more than 64, with poll_tools and read_tools\n");
	assert_refused("loops: {read_tools: [\"\"]}", "c.yaml:1: key 'loops.read_tools': empty\n");
	assert_refused("loops: {read_tools: [a, b, a]}", "c.yaml:1: key 'loops.read_tools': the same twice\n");
}

static void test_labels(void **state)
{
	static const char *const bad[] = { "1a", "a-b", "__x", "\"\"", "a b", "é" };
	char text[128];

	(void)state;
	assert_taken("labels: {node: web1, cluster: \"x: y\", n: 5}");
	assert_int_equal(cfg.labels.n, 3);
	assert_string_equal(cfg.labels.v[0].name, "node");
	assert_string_equal(cfg.labels.v[0].value, "web1");
	assert_string_equal(cfg.labels.v[1].value, "x: y");
	assert_string_equal(cfg.labels.v[2].value, "5");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "labels: {%s: x}", bad[i]);
		assert_refused(text, "c.yaml:1: key 'labels': not a label's name: letters, digits and _, no digit or __ in front\n");
	}
	assert_refused("labels: {x: y, severity: high}",
		       "c.yaml:1: key 'labels': every alert has a label severity of its own\n");
	assert_refused("labels: {a: \"\"}", "c.yaml:1: key 'labels': empty\n");
	assert_refused("labels: {a: \"x\\ny\"}", "c.yaml:1: key 'labels': control characters, or no UTF-8\n");
	assert_refused("labels: {a: [x]}", "c.yaml:1: key 'labels': not a map of names to values\n");
	assert_refused("labels: [x]", "c.yaml:1: key 'labels': not a map of names to values\n");
	assert_refused("labels: {a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1}",
		       "c.yaml:1: key 'labels': more than 8 labels\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule),	 cmocka_unit_test(test_rule_refused), cmocka_unit_test(test_rule_count),
		cmocka_unit_test(test_override), cmocka_unit_test(test_tools),	      cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
