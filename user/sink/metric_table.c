/* SPDX-License-Identifier: Apache-2.0 */
/* The table of metrics. The first four families are OpenTelemetry's MCP conventions as its translation to Prometheus
 * names them: dots become underscores, the unit and the type's suffix are added, absent attributes are left out. */
#include "sink/metric_table.h"

#include <stddef.h>

#define MS 1000000ULL
#define S  1000000000ULL

static const struct metric_buckets seconds = {
	.n = 14,
	.bound = { 10 * MS, 20 * MS, 50 * MS, 100 * MS, 200 * MS, 500 * MS, 1 * S, 2 * S, 5 * S, 10 * S, 30 * S, 60 * S,
		   120 * S, 300 * S },
	.le = { "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1.0", "2.0", "5.0", "10.0", "30.0", "60.0", "120.0",
		"300.0" },
};

static const struct metric_buckets bytes = {
	.n = 8,
	.bound = { 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304 },
	.le = { "256.0", "1024.0", "4096.0", "16384.0", "65536.0", "262144.0", "1048576.0", "4194304.0" },
};

#define L(name) LABEL_##name
#define NETWORK L(NET_TRANSPORT), L(NET_PROTOCOL), L(NET_VERSION)
#define OPERATION L(METHOD), L(OPERATION), L(TOOL), L(PROMPT), L(ERROR), L(STATUS), L(PROTOCOL), NETWORK

#define DURATION .type = METRIC_HISTOGRAM, .unit = "seconds", .nanoseconds = true, .buckets = &seconds
#define COUNTER  .type = METRIC_COUNTER, .unit = ""
#define GAUGE	 .type = METRIC_GAUGE, .unit = ""

const struct metric metric_table[METRIC_N] = {
	[METRIC_CLIENT_OPERATION] = {
		"mcp_client_operation_duration_seconds", DURATION, .otel = true,
		.help = "Duration of MCP requests at their sender, from the request's first byte to the answer's last.",
		.label = { OPERATION, L(ADDRESS), L(PORT) } },
	[METRIC_SERVER_OPERATION] = {
		"mcp_server_operation_duration_seconds", DURATION, .otel = true,
		.help = "Duration of MCP requests at their receiver, from the request's last byte to the answer's first.",
		.label = { OPERATION } },
	[METRIC_CLIENT_SESSION] = {
		"mcp_client_session_duration_seconds", DURATION, .otel = true,
		.help = "Duration of MCP sessions whose client is on this host, from beginning to end.",
		.label = { L(PROTOCOL), NETWORK, L(ADDRESS), L(PORT) } },
	[METRIC_SERVER_SESSION] = {
		"mcp_server_session_duration_seconds", DURATION, .otel = true,
		.help = "Duration of MCP sessions whose server is on this host, from beginning to end.",
		.label = { L(PROTOCOL), NETWORK } },
	[METRIC_CALLS] = {
		"mcpvigil_calls", COUNTER, .help = "Requests and what became of them.",
		.label = { L(CLIENT), L(SERVER), L(METHOD), L(TOOL), L(OUTCOME) } },
	[METRIC_ATTEMPTS] = {
		"mcpvigil_call_attempts", COUNTER,
		.help = "Calls of tools, by how often the same arguments were tried: once, and again after errors.",
		.label = { L(SERVER), L(TOOL), L(ATTEMPT) } },
	[METRIC_REQUEST_BYTES] = {
		"mcpvigil_request_bytes", .type = METRIC_COUNTER, .unit = "bytes",
		.help = "Size of requests, as JSON.", .label = { L(SERVER), L(METHOD), L(TOOL) } },
	[METRIC_RESPONSE_BYTES] = {
		"mcpvigil_response_bytes", .type = METRIC_COUNTER, .unit = "bytes",
		.help = "Size of answers, as JSON.", .label = { L(SERVER), L(METHOD), L(TOOL) } },
	[METRIC_TOOLS_LIST_BYTES] = {
		"mcpvigil_tools_list_bytes", .type = METRIC_GAUGE, .unit = "bytes",
		.help = "Size of the last complete answer to tools/list, all pages: what the tools cost in context.",
		.label = { L(SERVER) } },
	[METRIC_RESULT_TEXT] = {
		"mcpvigil_tool_result_text_bytes", .type = METRIC_HISTOGRAM, .unit = "bytes", .buckets = &bytes,
		.help = "Text in results of tools: what they cost in context.", .label = { L(SERVER), L(TOOL) } },
	[METRIC_LOGICAL] = {
		"mcpvigil_logical_call_duration_seconds", DURATION,
		.help = "Duration of calls made of several requests (tasks, requests for input), to their true outcome.",
		.label = { L(SERVER), L(TOOL), L(JOINED_BY), L(ERROR) } },
	[METRIC_NOTIFICATIONS] = {
		"mcpvigil_notifications", COUNTER, .help = "Notifications, by method.",
		.label = { L(METHOD) } },
	[METRIC_SESSION_ENDS] = {
		"mcpvigil_session_ends", COUNTER, .help = "Sessions that ended, and how.",
		.label = { L(CLIENT), L(SERVER), L(TRANSPORT), L(REASON) } },
	[METRIC_ALERTS] = {
		"mcpvigil_alerts", COUNTER, .help = "Alerts that fired and that resolved, loops included.",
		.label = { L(RULE), L(SEVERITY), L(STATE) } },
	[METRIC_FINDINGS] = {
		"mcpvigil_findings", COUNTER, .help = "Findings, by name.", .label = { L(FINDING), L(SEVERITY) } },
	[METRIC_IN_FLIGHT] = { "mcpvigil_requests_in_flight", GAUGE, .help = "Requests without an answer." },
	[METRIC_SESSIONS] = { "mcpvigil_sessions", GAUGE, .help = "Sessions that are open." },
	[METRIC_LOOP_ALERTS] = {
		"mcpvigil_loop_alerts", COUNTER, .help = "Runaway loops, each counted once as it fires.",
		.label = { L(RULE), L(SEVERITY) } },
	[METRIC_LOOPS_ACTIVE] = {
		"mcpvigil_loops_active", GAUGE, .help = "Runaway loops that go on now.", .label = { L(RULE) } },
	[METRIC_ALERTS_FIRING] = { "mcpvigil_alerts_firing", GAUGE, .help = "Alerts that fire now, loops included." },
	[METRIC_ALERTS_PENDING] = { "mcpvigil_alerts_pending", GAUGE, .help = "Alerts that wait for their time to fire." },
	[METRIC_BUILD] = {
		"mcpvigil_build", .type = METRIC_INFO, .unit = "", .help = "Which mcpvigil this is.",
		.label = { L(VERSION) } },
	[METRIC_CAPTURING] = {
		"mcpvigil_capturing", GAUGE, .help = "1 once programs are attached and open streams are known.",
		.label = { L(TIER) } },
	[METRIC_RING_SIZE] = { "mcpvigil_ring_size_bytes", .type = METRIC_GAUGE, .unit = "bytes",
			       .help = "Size of the rings between kernel and agent." },
	[METRIC_RING_USED] = { "mcpvigil_ring_used_bytes", .type = METRIC_GAUGE, .unit = "bytes",
			       .help = "Bytes in the rings that the agent has not read yet." },
	[METRIC_RECORDS] = { "mcpvigil_records", COUNTER, .help = "Records read from the rings." },
	[METRIC_LOST] = {
		"mcpvigil_lost", COUNTER, .help = "What was not seen or was given up, by kind; see mcpvigil doctor.",
		.label = { L(LOSS) } },
	[METRIC_PROG_ATTACHED] = {
		"mcpvigil_program_attached", GAUGE, .help = "1 where the BPF program is attached, or loaded for TLS libraries.",
		.label = { L(PROGRAM), L(HOOK) } },
	[METRIC_PROG_MISSED] = {
		"mcpvigil_program_missed", COUNTER, .help = "Runs of the BPF program that the kernel skipped.",
		.label = { L(PROGRAM), L(HOOK) } },
	[METRIC_PROG_RUNS] = {
		"mcpvigil_program_runs", COUNTER,
		.help = "Runs of the BPF program; only while the kernel's statistics (kernel.bpf_stats_enabled) are on.",
		.label = { L(PROGRAM), L(HOOK) } },
	[METRIC_PROG_SECONDS] = {
		"mcpvigil_program_run_seconds", .type = METRIC_COUNTER, .unit = "seconds", .nanoseconds = true,
		.help = "Time in the BPF program; only while the kernel's statistics are on.",
		.label = { L(PROGRAM), L(HOOK) } },
	[METRIC_TABLE_ENTRIES] = {
		"mcpvigil_table_entries", GAUGE, .help = "Entries of a bounded table.", .label = { L(TABLE) } },
	[METRIC_TABLE_CAPACITY] = {
		"mcpvigil_table_capacity", GAUGE, .help = "Entries that the table has room for.", .label = { L(TABLE) } },
	[METRIC_TABLE_EVICTIONS] = {
		"mcpvigil_table_evictions", COUNTER, .help = "Entries dropped because the table was full.",
		.label = { L(TABLE) } },
	[METRIC_SINK_UP] = {
		"mcpvigil_sink_up", GAUGE, .help = "0 while the output fails.", .label = { L(SINK) } },
	[METRIC_SINK_SENT] = {
		"mcpvigil_sink_sent", COUNTER, .help = "Messages that the output took.", .label = { L(SINK) } },
	[METRIC_SINK_FAILED] = {
		"mcpvigil_sink_failed", COUNTER, .help = "Attempts to send that failed.", .label = { L(SINK) } },
	[METRIC_SINK_DROPPED] = {
		"mcpvigil_sink_dropped", COUNTER, .help = "Messages given up.", .label = { L(SINK) } },
	[METRIC_SINK_QUEUED] = {
		"mcpvigil_sink_queued", GAUGE, .help = "Messages that wait to be sent.", .label = { L(SINK) } },
	[METRIC_CONFIG_OK] = { "mcpvigil_config_last_reload_successful", GAUGE,
			       .help = "0 where the last reload was refused: the configuration before it is in force." },
	[METRIC_CONFIG_RELOADS] = { "mcpvigil_config_reloads", COUNTER, .help = "Reloads of the configuration." },
	[METRIC_CONFIG_FAILURES] = { "mcpvigil_config_reload_failures", COUNTER, .help = "Reloads that were refused." },
	[METRIC_LABEL_OVERFLOW] = {
		"mcpvigil_label_overflow", COUNTER,
		.help = "Label values shown as _other_: too many of that label, or of that client.",
		.label = { L(LABEL) } },
	[METRIC_SERIES] = { "mcpvigil_series", GAUGE, .help = "Series made of calls and other facts." },
	[METRIC_SERIES_CAPACITY] = { "mcpvigil_series_capacity", GAUGE, .help = "Series that there is room for." },
	[METRIC_SERIES_OVERFLOW] = {
		"mcpvigil_series_overflow", COUNTER,
		.help = "Updates of series whose labels became _other_: too many series, or of that client." },
	[METRIC_SERIES_DROPPED] = {
		"mcpvigil_series_dropped", COUNTER, .help = "Updates given up: there was no room for their series." },
	[METRIC_SERIES_EXPIRED] = { "mcpvigil_series_expired", COUNTER, .help = "Series forgotten: they did not change." },
	[METRIC_CPU] = { "process_cpu_seconds", .type = METRIC_COUNTER, .unit = "seconds", .nanoseconds = true,
			 .help = "User and system time of the agent." },
	[METRIC_RESIDENT] = { "process_resident_memory_bytes", .type = METRIC_GAUGE, .unit = "bytes",
			      .help = "Resident memory of the agent." },
	[METRIC_START_TIME] = { "process_start_time_seconds", .type = METRIC_GAUGE, .unit = "seconds", .nanoseconds = true,
				.help = "When the agent started, since 1970." },
};

const struct metric_label_info metric_labels[LABEL_N] = {
	[LABEL_NONE] = { "", NULL, "", true },
	[LABEL_METHOD] = { "method", "mcp_method_name", "method of the request or notification", false },
	[LABEL_TOOL] = { "tool", "gen_ai_tool_name", "tool of tools/call", false },
	[LABEL_PROMPT] = { "prompt", "gen_ai_prompt_name", "prompt of prompts/get", false },
	[LABEL_ERROR] = { "error_type", NULL,
			  "tool_error, the JSON-RPC error code, or the HTTP status; absent where there was no error", false },
	[LABEL_STATUS] = { "rpc_response_status_code", NULL, "JSON-RPC error code", false },
	[LABEL_PROTOCOL] = { "mcp_protocol_version", NULL, "version agreed, or declared", false },
	[LABEL_OPERATION] = { "gen_ai_operation_name", NULL, "execute_tool for tools/call", true },
	[LABEL_NET_TRANSPORT] = { "network_transport", NULL, "pipe (stdio), tcp or unix", true },
	[LABEL_NET_PROTOCOL] = { "network_protocol_name", NULL, "http, where it is", true },
	[LABEL_NET_VERSION] = { "network_protocol_version", NULL, "1.0, 1.1 or 2, for HTTP", true },
	[LABEL_ADDRESS] = { "server_address", NULL, "address of the MCP server, for TCP", false },
	[LABEL_PORT] = { "server_port", NULL, "its port", false },
	[LABEL_SERVER] = { "server", NULL, "server: its name as it says, else its program, else its address", false },
	[LABEL_CLIENT] = { "client", NULL, "client: its name as it says, else its program, else its IP address", false },
	[LABEL_OUTCOME] = { "outcome", NULL,
			    "ok, tool_error, rpc_error, http_error, cancelled, unanswered or orphan", true },
	[LABEL_TRANSPORT] = { "transport", NULL, "stdio, http or sse", true },
	[LABEL_ATTEMPT] = { "attempt", NULL, "1, 2, 3 or 4+", true },
	[LABEL_JOINED_BY] = { "joined_by", NULL, "what made the requests one call: request_state or task", true },
	[LABEL_REASON] = { "reason", NULL, "how the session ended: eof, exit, delete, idle or close", true },
	[LABEL_RULE] = { "rule", NULL, "rule of loop detection, or id of a configured rule", true },
	[LABEL_SEVERITY] = { "severity", NULL, "high or notice; of findings: info, notice or warning", true },
	[LABEL_STATE] = { "state", NULL, "firing or resolved", true },
	[LABEL_FINDING] = { "finding", NULL, "name of the finding", true },
	[LABEL_LOSS] = { "loss", NULL, "name of the loss, as in mcpvigil doctor", true },
	[LABEL_PROGRAM] = { "program", NULL, "BPF program", true },
	[LABEL_HOOK] = { "hook", NULL, "what it is attached to", true },
	[LABEL_TABLE] = { "table", NULL, "bounded table of the agent", true },
	[LABEL_SINK] = { "sink", NULL, "output", true },
	[LABEL_LABEL] = { "label", NULL, "a label of this table, by its shorter name", true },
	[LABEL_VERSION] = { "version", NULL, "of mcpvigil", true },
	[LABEL_TIER] = { "tier", NULL, "set of BPF programs in use", true },
};

const char *const metric_type_names[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
	[METRIC_INFO] = "info",
};

const char *metric_suffix(const struct metric *m)
{
	return m->type == METRIC_COUNTER ? "_total" : m->type == METRIC_INFO ? "_info" : "";
}

const char *metric_label_name(const struct metric *m, uint8_t label)
{
	const struct metric_label_info *l = &metric_labels[label];

	return m->otel && l->otel ? l->otel : l->name;
}
