/* SPDX-License-Identifier: Apache-2.0 */
/* What has a grammar of its own: alert rules, exceptions of loop detection, labels. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "config_key.h"
#include "config_yaml.h"
#include "base/clock.h"

#define SEC NSEC_PER_SEC
#define DAY (24 * 3600 * SEC)

static const char *const metrics[] = { "rate",	 "errors", "error_ratio", "latency",  "in_flight", "budget",
				       "bytes", "new_server", "new_tool", "finding", NULL };
static const char *const bys[] = { "all", "client", "tool", "server", "session", NULL };
static const char *const severities[] = { "notice", "high", NULL };

_Static_assert(sizeof(metrics) / sizeof(metrics[0]) == RULE_METRICS + 1, "a word for each metric");
_Static_assert(sizeof(bys) / sizeof(bys[0]) == RULE_KEYS + 1, "a word for each key");
_Static_assert(ALERT_NOTICE == 0 && ALERT_HIGH == 1, "the order of severities");

#define IN(member) .at = offsetof(struct rule, member)
#define TEXT(member, least) \
	.type = CONFIG_TEXT, IN(member), .room = sizeof(((struct rule *)0)->member), .min = least

enum { KEY_ID, KEY_METRIC, KEY_ABOVE, KEY_WINDOW };
static const struct config_key rule_keys[] = {
	[KEY_ID] = { .name = "id", TEXT(id, 1) },
	[KEY_METRIC] = { .name = "metric", .type = CONFIG_WORD, IN(metric), .words = metrics },
	[KEY_ABOVE] = { .name = "above", .type = CONFIG_NUMBER, IN(above) },
	[KEY_WINDOW] = { .name = "window", .type = CONFIG_NS, IN(window_ns), .max = DAY },
	{ .name = "by", .type = CONFIG_WORD, IN(by), .words = bys },
	{ .name = "quantile", .type = CONFIG_NUMBER, IN(quantile), .max = 1 },
	{ .name = "for", .type = CONFIG_NS, IN(for_ns), .max = DAY },
	{ .name = "cooldown", .type = CONFIG_NS, IN(cooldown_ns), .max = 30 * DAY },
	{ .name = "min_calls", .type = CONFIG_U32, IN(min_calls), .max = 1000000 },
	{ .name = "severity", .type = CONFIG_WORD, IN(severity), .words = severities },
	{ .name = "tool", TEXT(tool, 0) },
	{ .name = "server", TEXT(server, 0) },
	{ .name = "client", TEXT(client, 0) },
	{ .name = "method", TEXT(method, 0) },
	{ .name = "outcome", TEXT(outcome, 0) },
	{ .name = "finding", TEXT(finding, 0) },
	{ .name = "summary", TEXT(summary, 0) },
	{ 0 },
};

#define OVER(member) .at = offsetof(struct loop_override, member)
static const struct config_key override_keys[] = {
	{ .name = "server", .type = CONFIG_TEXT, OVER(server), .room = sizeof(((struct loop_override *)0)->server) },
	{ .name = "tool", .type = CONFIG_TEXT, OVER(tool), .room = sizeof(((struct loop_override *)0)->tool) },
	{ .name = "poll", .type = CONFIG_TRI, OVER(poll) },
	{ .name = "read", .type = CONFIG_TRI, OVER(read) },
	{ .name = "off", .type = CONFIG_OFF, OVER(off) },
	{ .name = "thresholds", .type = CONFIG_THRESHOLDS, OVER(threshold) },
	{ 0 },
};

/* Alerts carry it as a label: letters, digits, "_", "-", ".". */
static bool id_ok(const char *id)
{
	return id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] == 0;
}

static int loop_rule_find(struct sv name)
{
	for (int i = 0; i < LOOP_N; i++) {
		if (sv_eq(name, sv_of(loop_rule_names[i])))
			return i;
	}
	return -1;
}

static bool is_event(uint8_t metric)
{
	return metric == RULE_NEW_SERVER || metric == RULE_NEW_TOOL || metric == RULE_FINDING;
}

/* What @rule lacks; NULL: nothing. */
static const char *missing_why(const struct rule *rule, uint64_t seen)
{
	if (!(seen & 1U << KEY_ID))
		return "it has no id";
	if (!id_ok(rule->id))
		return "its id has other than letters, digits, _, - and .";
	if (loop_rule_find(sv_of(rule->id)) >= 0)
		return "its id is the name of a loop rule";
	if (!(seen & 1U << KEY_METRIC))
		return "it has no metric";
	return seen & 1U << KEY_ABOVE || is_event(rule->metric) ? NULL : "it has no above";
}

/* What does not go together in it; NULL: all does. */
static const char *sense_why(const struct rule *rule)
{
	bool no_window = rule->metric == RULE_IN_FLIGHT || rule->metric == RULE_BUDGET || is_event(rule->metric);

	if (rule->metric == RULE_ERROR_RATIO && rule->above >= 1)
		return "an error_ratio is never above 1";
	if (rule->metric == RULE_LATENCY && (rule->quantile <= 0 || rule->quantile >= 1))
		return "its quantile is not between 0 and 1";
	if (rule->window_ns == 0 && !no_window)
		return "its window is 0";
	return rule->finding[0] && rule->metric != RULE_FINDING ? "finding goes with metric: finding only" : NULL;
}

static void rule_set(struct config_reader *r, struct alerts_opts *o, const struct tree_node *node)
{
	struct rule *rule = &o->rule[o->rules];
	unsigned int errors = r->n;
	const char *why;
	uint64_t seen;

	*rule = (struct rule){
		.window_ns = UINT64_MAX,
		.cooldown_ns = 15 * 60 * SEC,
		.quantile = 0.95,
		.min_calls = 10,
		.severity = ALERT_NOTICE,
	};
	config_map_set(r, rule_keys, rule, node, &seen);
	if (r->n > errors)
		return;
	if (rule->window_ns == UINT64_MAX) /* a budget without one is for as long as the key is known */
		rule->window_ns = rule->metric == RULE_BUDGET ? 0 : 300 * SEC;
	why = missing_why(rule, seen);
	if (!why)
		why = sense_why(rule);
	for (unsigned int i = 0; i < o->rules && !why; i++)
		why = strcmp(o->rule[i].id, rule->id) == 0 ? "its id is another rule's" : NULL;
	if (why)
		config_bad(r, node->line, "%s", why);
	o->rules++;
}

static void override_set(struct config_reader *r, struct loop_opts *o, const struct tree_node *node)
{
	struct loop_override *x = &o->override[r->c->overrides];
	uint64_t seen;

	*x = (struct loop_override){ 0 };
	config_map_set(r, override_keys, x, node, &seen);
	r->c->overrides++;
}

static void off_set(struct config_reader *r, bool off[LOOP_N], const struct tree_node *node)
{
	int i;

	if (node->kind != TREE_LIST) {
		config_bad(r, node->line, "not a list of rules");
		return;
	}
	for (const struct tree_node *e = node->child; e; e = e->next) {
		i = e->kind == TREE_TEXT ? loop_rule_find(e->text) : -1;
		if (i < 0)
			config_bad(r, e->line, "not the name of a loop rule");
		else
			off[i] = true;
	}
}

static void thresholds_set(struct config_reader *r, uint16_t *threshold, const struct tree_node *node)
{
	static const struct config_key key = { .type = CONFIG_U16, .min = 1, .max = UINT16_MAX };
	int i;

	if (node->kind != TREE_MAP) {
		config_bad(r, node->line, "not a map of rules to numbers");
		return;
	}
	for (const struct tree_node *e = node->child; e; e = e->next) {
		i = loop_rule_find(e->key);
		if (i < 0)
			config_bad(r, e->line, "not the name of a loop rule");
		else
			config_node_set(r, &key, &threshold[i], e);
	}
}

/* Of sink/labels.c and sink/alertmanager.c: an alert's own label would win without a word. */
static bool label_taken(struct sv name)
{
	static const char *const own[] = { "alertname",	"rule",	      "severity", "mcp_server",
					   "mcp_tool",	"mcp_client", "session",  "episode" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (sv_eq(name, sv_of(own[i])))
			return true;
	}
	return false;
}

static void label_set(struct config_reader *r, struct sv name, struct sv value, uint32_t line)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	const struct config_key text = { .type = CONFIG_TEXT, .room = sizeof(r->c->labels.v[0].value), .min = 1 };
	struct alert_labels *l = &r->c->labels;
	char why[192];

	for (unsigned int i = 0; i < l->n; i++) {
		if (sv_eq(name, sv_of(l->v[i].name))) {
			config_bad(r, line, "label %s for the second time", l->v[i].name);
			return;
		}
	}
	if (name.n == 0 || name.n >= sizeof(l->v[0].name) || strspn(name.p, letters) < name.n ||
	    (name.p[0] >= '0' && name.p[0] <= '9') || sv_starts(name, SV("__")))
		config_bad(r, line, "not a label's name: letters, digits and _, no digit or __ in front");
	else if (label_taken(name))
		config_bad(r, line, "every alert has a label %.*s of its own", (int)name.n, name.p);
	else if (l->n == ALERT_LABELS)
		config_bad(r, line, "more than %d labels", ALERT_LABELS);
	else if (config_value_set(&text, l->v[l->n].value, (struct config_value){ value, true }, why))
		config_bad(r, line, "%s", why);
	else
		snprintf(l->v[l->n++].name, sizeof(l->v[0].name), "%.*s", (int)name.n, name.p);
}

void config_label_add(struct config_reader *r, struct sv pair)
{
	const char *eq = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
	size_t n = eq ? (size_t)(eq - pair.p) : 0;

	if (eq)
		label_set(r, (struct sv){ pair.p, n }, (struct sv){ eq + 1, pair.n - n - 1 }, 0);
	else
		config_bad(r, 0, "not NAME=VALUE");
}

static void labels_set(struct config_reader *r, const struct tree_node *node)
{
	r->c->labels = (struct alert_labels){ 0 };
	if (tree_is_null(node))
		return;
	if (node->kind != TREE_MAP) {
		config_bad(r, node->line, "not a map of names to values");
		return;
	}
	for (const struct tree_node *e = node->child; e; e = e->next) {
		if (e->kind != TREE_TEXT)
			config_bad(r, e->line, "not a map of names to values");
		else
			label_set(r, e->key, e->text, e->line);
	}
}

/* Each entry of a list of maps. */
static void maps_set(struct config_reader *r, const struct config_key *k, const struct tree_node *node)
{
	struct facts_opts *o = &r->c->facts;
	size_t n = strlen(r->path), i = 0;

	if (k->type == CONFIG_RULES)
		o->alerts.rules = 0;
	else
		r->c->overrides = 0;
	if (tree_is_null(node))
		return;
	if (node->kind != TREE_LIST || node->n > k->max) {
		config_bad(r, node->line, node->kind != TREE_LIST ? "not a list of maps" : "more than %u of them",
			   (unsigned int)k->max);
		return;
	}
	for (const struct tree_node *e = node->child; e; e = e->next) {
		snprintf(r->path + n, sizeof(r->path) - n, "[%zu]", i++);
		if (k->type == CONFIG_RULES)
			rule_set(r, &o->alerts, e);
		else
			override_set(r, &o->loops, e);
	}
	r->path[n] = 0;
}

void config_own_set(struct config_reader *r, const struct config_key *k, void *base, const struct tree_node *node)
{
	void *at = (char *)base + k->at;

	switch (k->type) {
	case CONFIG_LABELS:
		labels_set(r, node);
		return;
	case CONFIG_OFF:
		off_set(r, at, node);
		return;
	case CONFIG_THRESHOLDS:
		thresholds_set(r, at, node);
		return;
	default:
		maps_set(r, k, node);
	}
}

/* What says nothing is what is left out. */
static bool is_nothing(struct sv value)
{
	return sv_eq(value, SV("\"\"")) || sv_eq(value, SV("auto")) || sv_eq(value, SV("[]")) || sv_eq(value, SV("{}"));
}

static void show_map(const struct config_key *keys, const void *base, struct buf *out)
{
	unsigned int n = 0;
	struct buf value;

	buf_init(&value, 4096);
	buf_add_ch(out, '{');
	for (int i = 0; keys[i].name; i++) {
		buf_reset(&value);
		config_value_show(&keys[i], base, true, &value);
		if (!is_nothing(buf_sv(&value)))
			buf_addf(out, "%s%s: %.*s", n++ ? ", " : "", keys[i].name, (int)value.n, value.p);
	}
	buf_add_ch(out, '}');
	buf_done(&value);
}

static void show_off(const bool off[LOOP_N], struct buf *out)
{
	unsigned int n = 0;

	buf_add_ch(out, '[');
	for (int i = 0; i < LOOP_N; i++) {
		if (off[i])
			buf_addf(out, "%s%s", n++ ? ", " : "", loop_rule_names[i]);
	}
	buf_add_ch(out, ']');
}

static void show_thresholds(const uint16_t *threshold, struct buf *out)
{
	unsigned int n = 0;

	buf_add_ch(out, '{');
	for (int i = 0; i < LOOP_N; i++) {
		if (threshold[i])
			buf_addf(out, "%s%s: %u", n++ ? ", " : "", loop_rule_names[i], threshold[i]);
	}
	buf_add_ch(out, '}');
}

static void show_labels(const struct alert_labels *l, struct buf *out)
{
	buf_add_ch(out, '{');
	for (unsigned int i = 0; i < l->n; i++) {
		buf_addf(out, "%s%s: ", i ? ", " : "", l->v[i].name);
		config_text_show(l->v[i].value, out);
	}
	buf_add_ch(out, '}');
}

void config_own_show(const struct config_key *k, const void *base, struct buf *out)
{
	const void *at = (const char *)base + k->at;
	const struct config *c = base;
	unsigned int n;

	switch (k->type) {
	case CONFIG_OFF:
		show_off(at, out);
		return;
	case CONFIG_THRESHOLDS:
		show_thresholds(at, out);
		return;
	case CONFIG_LABELS:
		show_labels(&c->labels, out);
		return;
	default:
		break;
	}
	n = k->type == CONFIG_RULES ? c->facts.alerts.rules : c->overrides;
	if (n == 0)
		buf_add_str(out, "[]");
	for (unsigned int i = 0; i < n; i++) {
		buf_add_str(out, "\n    - ");
		if (k->type == CONFIG_RULES)
			show_map(rule_keys, &c->facts.alerts.rule[i], out);
		else
			show_map(override_keys, &c->facts.loops.override[i], out);
	}
}
