/* SPDX-License-Identifier: Apache-2.0 */
/* Every key of the configuration, once: its name, type, bounds, place and help. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "config_key.h"
#include "base/clock.h"

#define SEC NSEC_PER_SEC
#define DAY (24 * 3600 * SEC)
#define AT(member) .at = offsetof(struct config, member)
#define STRING(member) AT(member), .room = sizeof(((struct config *)0)->member)

#define CAP(text, member, top, text_help) \
	{ .name = "limits." text, .type = CONFIG_U32, AT(member), .min = 16, .max = top, .help = text_help }

#define TIME(text, member, least, most, again, text_help) \
	{ .name = text, .type = CONFIG_NS, .reload = again, AT(member), .min = least, .max = most, .help = text_help }

#define PEERS(text, member, count, short_flag, hide, text_help)                                                 \
	{ .name = text, .type = CONFIG_URLS, STRING(member[0].url),                                             \
	  .stride = sizeof(((struct config *)0)->member[0]), .count_at = offsetof(struct config, count),        \
	  .max = CONFIG_PEERS, .flag = short_flag, .hide_path = hide, .help = text_help }

#define TOOLS(text, member, count, text_help)                                                                    \
	{ .name = text, .type = CONFIG_TEXTS, .reload = true, STRING(member[0]),                                  \
	  .stride = sizeof(((struct config *)0)->member[0]), .count_at = offsetof(struct config, count), .min = 1, \
	  .max = CONFIG_TOOLS, .help = text_help }

#define LOOP_KEYS(id, text, severity, normal, poll, text_help)                                                      \
	{ .name = "loops.rules." text ".enabled", .type = CONFIG_NOT, .reload = true, AT(facts.loops.off[LOOP_##id]), \
	  .help = text_help },                                                                                        \
	{ .name = "loops.rules." text ".threshold", .type = CONFIG_U16, .reload = true,                               \
	  AT(facts.loops.threshold[LOOP_##id]), .max = UINT16_MAX, .help = "0: off for other than polling calls" },   \
	{ .name = "loops.rules." text ".poll_threshold", .type = CONFIG_U16, .reload = true,                          \
	  AT(facts.loops.poll_threshold[LOOP_##id]), .max = UINT16_MAX, .help = "0: off for polling calls" },

const struct config_key config_keys[] = {
	CAP("sessions", facts.caps.sessions, 1 << 20, "sessions that are remembered"),
	CAP("in_flight", facts.caps.in_flight, 1 << 22, "requests without an answer, over all sessions"),
	CAP("streams", facts.caps.streams, 1 << 20, "one-way byte streams that carry MCP"),
	CAP("exchanges", facts.caps.exchanges, 1 << 20, "HTTP exchanges under way"),
	CAP("tools", facts.caps.tools, 1 << 20, "tools that are remembered, over all sessions"),
	CAP("tasks", facts.caps.tasks, 1 << 20, "logical calls that are open: tasks, requests that wait for input"),
	CAP("processes", idents, 1 << 20, "processes that are remembered"),
	CAP("loop_sessions", facts.loops.sessions, 1 << 20, "sessions that are watched for loops"),
	CAP("loop_agents", facts.loops.agents, 1 << 20, "agents that are watched for loops over all their sessions"),
	CAP("loop_held", facts.loops.held, 1 << 20, "calls that wait to be judged after one sent before them"),
	CAP("alert_series", facts.alerts.series, 1 << 20, "keys that alert rules count by, over all rules"),
	CAP("alerts_active", facts.alerts.active, 1 << 16, "alerts at a time, in the engine and at each Alertmanager"),
	CAP("webhook_queue", webhook[0].queue, 1 << 16, "groups of alerts that wait for a webhook, each"),

	{ .name = "content", .type = CONFIG_BOOL, AT(content),
	  .help = "let arguments, results and error texts out; without it no payload leaves the process" },
	{ .name = "key_file", .type = CONFIG_PATH, STRING(key_file),
	  .help = "key of the fingerprints, made at the first start; none: a new key for each run" },
	{ .name = "control.socket", .type = CONFIG_PATH, STRING(socket),
	  .help = "where trace, calls and doctor ask the running agent; none: off" },
	{ .name = "tls", .type = CONFIG_BOOL, AT(tls),
	  .help = "read MCP inside TLS connections, by probes in the TLS libraries of running programs" },
	{ .name = "tls_cache", .type = CONFIG_PATH, STRING(tls_cache),
	  .help = "directory where it is kept where to probe which library; none: found anew after each start" },
	{ .name = "tls_fuse_network", .type = CONFIG_BOOL, AT(tls_fuse_network),
	  .help = "probe programs and libraries on FUSE and network file systems too; their servers can make the agent wait" },

	{ .name = "prometheus.listen", .type = CONFIG_LISTEN, STRING(prom.listen),
	  .help = "address and port of /metrics, /healthz and /readyz; none: off" },
	{ .name = "prometheus.series", .type = CONFIG_U32, AT(prom.series), .min = 16, .max = 1 << 20,
	  .help = "series of calls and sessions; what is beyond counts as _other_" },
	{ .name = "prometheus.label_values", .type = CONFIG_U32, AT(prom.label_values), .min = 1, .max = 1 << 16,
	  .help = "values of one label; what is beyond counts as _other_" },
	{ .name = "prometheus.client_values", .type = CONFIG_U32, AT(prom.client_values), .min = 1, .max = 1 << 16,
	  .help = "how many of those one client process may bring in" },
	TIME("prometheus.expire", prom.expire_ns, SEC, 7 * DAY, false,
	     "a series that did not change for so long is dropped"),

	TIME("loops.round_gap", facts.loops.round_gap_ns, 0, 60 * SEC, true,
	     "calls closer together than that are one round: no model answers so fast"),
	TIME("loops.idle_reset", facts.loops.idle_ns, 0, DAY, true,
	     "a call so long after the one before is no reaction to it"),
	TIME("loops.held", facts.loops.held_ns, 0, 60 * SEC, true,
	     "a call waits at most so long to be judged behind one that was sent before it"),
	TIME("loops.resolve_after", facts.loops.resolve_ns, SEC, 7 * DAY, true,
	     "without a call of the loop for so long, it is over"),
	LOOP_RULES(LOOP_KEYS)
	TOOLS("loops.poll_tools", poll_tools, n_poll_tools,
	      "tools that are polled, and so given more room; * at the end stands for anything"),
	TOOLS("loops.read_tools", read_tools, n_read_tools, "tools that only read; * at the end stands for anything"),
	{ .name = "loops.overrides", .type = CONFIG_OVERRIDES, .reload = true, .max = LOOP_OVERRIDES,
	  .help = "exceptions, the first that fits counts: [{server: \"ci*\", tool: get_status, poll: true, "
		  "read: auto, off: [cycle], thresholds: {slow_loop: 60}}]" },

	TIME("alerts.loop_cooldown", facts.alerts.loop_cooldown_ns, 0, DAY, true,
	     "a loop that is over is told again no sooner than that; 0s: at once"),
	TIME("alerts.learn", facts.alerts.learn_ns, 0, 30 * DAY, true,
	     "after the start no server or tool is new for so long"),
	{ .name = "alerts.rules", .type = CONFIG_RULES, .reload = true, .max = RULES_MAX,
	  .help = "rules over calls: [{id: slow, metric: latency, by: tool, above: 30, quantile: 0.95, window: 10m, "
		  "for: 5m, cooldown: 1h, min_calls: 20, severity: notice, tool: \"search*\"}]. Left out, that is "
		  "by: all, window: 5m (of a budget: for ever), for: 0s, cooldown: 15m, quantile: 0.95, min_calls: 10. "
		  "metric: rate, errors, error_ratio, latency, in_flight, budget, bytes, new_server, new_tool, "
		  "finding. by: all, client, tool, server, session. Filters: tool, server, client, method, outcome, "
		  "finding" },

	{ .name = "alert_log.path", .type = CONFIG_OUTPUT, STRING(alertlog.path),
	  .help = "alerts as JSON lines; \"-\": standard output; none: off" },
	{ .name = "alert_log.max_size", .type = CONFIG_BYTES, AT(alertlog.max_bytes), .min = 4096, .max = 1ULL << 40,
	  .help = "then it becomes PATH.1" },
	{ .name = "alert_log.keep", .type = CONFIG_U32, AT(alertlog.keep), .min = 0, .max = 1000, .help = "old files" },

	PEERS("alertmanager.urls", alertmanager, alertmanagers, "alertmanager", false,
	      "all members of the cluster: http://HOST:9093, with the path prefix if there is one"),
	TIME("alertmanager.resend", alertmanager[0].resend_ns, SEC, DAY, false,
	     "how often a firing alert is sent again"),
	TIME("alertmanager.timeout", alertmanager[0].timeout_ns, SEC / 10, 300 * SEC, false, "of one request"),

	PEERS("webhook.urls", webhook, webhooks, "webhook", true,
	      "each gets the body that Alertmanager's webhook receiver gets"),
	{ .name = "webhook.secret_file", .type = CONFIG_PATH, STRING(secret_file),
	  .help = "holds the HMAC-SHA256 key that signs the body; none: unsigned" },
	TIME("webhook.timeout", webhook[0].timeout_ns, SEC / 10, 300 * SEC, false, "of one request"),
	TIME("webhook.group_wait", webhook[0].group_wait_ns, 0, 3600 * SEC, false,
	     "alerts of one rule that come within it go out together"),

	{ .name = "labels", .type = CONFIG_LABELS, .max = ALERT_LABELS,
	  .help = "put on every alert: {cluster: prod, node: web1}" },
	{ .name = "privileges.drop", .type = CONFIG_BOOL, AT(drop_privileges),
	  .help = "after the start, give up the capabilities and system calls that are not needed any more" },
};
const unsigned int config_keys_n = sizeof(config_keys) / sizeof(config_keys[0]);

const struct config_key *config_key_find(struct sv name)
{
	for (unsigned int i = 0; i < config_keys_n; i++) {
		if (sv_eq(name, sv_of(config_keys[i].name)))
			return &config_keys[i];
	}
	return NULL;
}

bool config_section(struct sv name)
{
	for (unsigned int i = 0; i < config_keys_n; i++) {
		struct sv k = sv_of(config_keys[i].name);

		if (k.n > name.n && sv_starts(k, name) && k.p[name.n] == '.')
			return true;
	}
	return false;
}

void config_flag_name(const struct config_key *k, char ret[96])
{
	snprintf(ret, 96, "%s", k->name);
	for (char *p = ret; *p; p++) {
		if (*p == '.' || *p == '_')
			*p = '-';
	}
}

void config_env_name(const struct config_key *k, char ret[96])
{
	snprintf(ret, 96, "MCPVIGIL_%s", k->name);
	for (char *p = ret; *p; p++)
		*p = *p == '.' ? '_' : (char)toupper((unsigned char)*p);
}
