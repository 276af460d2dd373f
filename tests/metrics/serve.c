/* SPDX-License-Identifier: Apache-2.0 */
/* A page with known contents, for tests/metrics/run: serve
 *
 * Says "port N"; then obeys words on standard input, a line each, and answers "done": facts (feed the facts below once
 * more), fail, well (an output fails, or works again), flood (a client that invents 20,000 tools). Ends with its input. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sink/prom.h"

#define STR(s) ((char *)(s))
#define MS     NSEC_PER_MSEC

static const struct who alpha = { .id = { .pid = 100, .start = 1 }, .comm = "alpha", .exe = "/usr/bin/alpha" };
static const struct who files = { .id = { .pid = 200, .start = 2 }, .comm = "node", .exe = "/usr/bin/node" };
static const struct sink_peers local = { &alpha, &files };
static const struct sink_peers remote = { &alpha, NULL };

static struct sink sink;

/* A call of read_file over stdio that took @ms. */
static struct call read_file(uint64_t ms)
{
	return (struct call){
		.ts = clock_boot_ns(),
		.duration_ns = ms * MS,
		.server_ns = ms * MS / 2,
		.has_duration = true,
		.has_server_ns = true,
		.view = VIEW_BOTH,
		.method = STR("tools/call"),
		.tool = STR("read_file"),
		.attempt = 1,
		.has_request = true,
		.has_response = true,
		.request_bytes = 100,
		.response_bytes = 1000,
		.marks = { .text_bytes = 900 },
		.session_no = 1,
		.protocol_version = STR("2025-06-18"),
		.server_name = STR("files"),
		.route = { .transport = TRANSPORT_STDIO,
			   .channel = CHANNEL_PIPE,
			   .client = { .pid = 100, .start = 1 },
			   .server = { .pid = 200, .start = 2 } },
	};
}

static void feed_tools(void)
{
	static const uint64_t ms[] = { 5, 15, 70, 1500, 400000 };
	struct call c;

	for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++) {
		c = read_file(ms[i]);
		if (i == 2) {
			c.trace_id = STR("0af7651916cd43dd8448eb211c80319c");
			c.parent_span_id = STR("b7ad6b7169203331");
		}
		sink_call(&sink, &c, &local);
	}
	for (uint32_t i = 1; i <= 3; i++) {
		c = read_file(5);
		c.tool = STR("write_file");
		c.outcome = i < 3 ? CALL_TOOL_ERROR : CALL_OK;
		c.attempt = i;
		sink_call(&sink, &c, &local);
	}
	c = read_file(5);
	c.outcome = CALL_RPC_ERROR;
	c.error_code = -32602;
	c.has_error_code = true;
	sink_call(&sink, &c, &local);
	c = read_file(0);
	c.outcome = CALL_UNANSWERED;
	c.has_duration = c.has_server_ns = c.has_response = false;
	sink_call(&sink, &c, &local);
}

static void feed_http(void)
{
	struct call c = read_file(250);

	c.method = STR("tools/list");
	c.tool = NULL;
	c.view = VIEW_ASKER;
	c.has_server_ns = false;
	c.server_name = NULL;
	c.route.transport = TRANSPORT_HTTP;
	c.route.channel = CHANNEL_TCP;
	c.route.http_version = 11;
	c.route.server = (struct proc_id){ 0 };
	c.route.server_addr = (struct net_addr){ .family = AF_INET, .port = 8080, .ip = { 10, 1, 2, 3 } };
	c.response_bytes = 3000;
	c.marks = (struct call_marks){ .next_cursor = 7 };
	sink_call(&sink, &c, &remote);
	c.response_bytes = 500;
	c.marks = (struct call_marks){ .cursor = 7 };
	sink_call(&sink, &c, &remote);
	c.outcome = CALL_HTTP_ERROR;
	c.error_code = 503;
	c.has_error_code = true;
	sink_call(&sink, &c, &remote);
}

/* Names that would break a page if they were let through. */
static void feed_hostile(void)
{
	static const char *const names[] = {
		"quote\"back\\slash\nline", "_other_", "\xff\xfe", "esc\x1b[31m\r", "} 1\nmcpvigil_calls_total 1", "# EOF",
		"g\xc3\xa4nse \xe2\x80\xae", "le=\"0.01\"",
	};
	struct call c;
	char name[400];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
		c = read_file(5);
		c.agent = 666;
		c.server_name = STR("hostile");
		c.tool = i < sizeof(names) / sizeof(names[0]) ? STR(names[i]) : name;
		sink_call(&sink, &c, &local);
	}
}

static void feed_others(void)
{
	struct call c = read_file(5);
	struct logical l = { .joined_by = "task", .ts = c.ts, .duration_ns = 90000 * MS, .first = &c };
	struct session_event e = { .end = true, .ts = c.ts, .duration_ns = 12345 * MS, .reason = "eof",
				   .protocol_version = "2025-06-18", .server_name = "files", .route = c.route };
	struct alert a = { .rule = "same_call_same_error", .severity = ALERT_HIGH, .state = ALERT_FIRING, .notified = 1,
			   .ts = c.ts };

	sink_logical(&sink, &l, &local);
	sink_session(&sink, &e, &local);
	sink_finding(&sink, &(struct finding){ .name = "noise_on_stdout", .severity = "notice", .count = 4, .ts = c.ts },
		     &local);
	sink_note(&sink, &(struct note){ .method = STR("notifications/progress"), .ts = c.ts, .route = c.route }, &local);
	sink_alert(&sink, &a, &local);
	a.state = ALERT_RESOLVED;
	sink_alert(&sink, &a, &local);
}

static void flood(void)
{
	struct call c = read_file(5);
	char name[32];

	c.agent = 999;
	c.server_name = STR("flood");
	c.tool = name;
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "flood %d", i);
		sink_call(&sink, &c, &local);
	}
}

static void tell(struct prom *p, bool failing)
{
	static struct self_stats s = {
		.version = "9.9.9", .tier = "tp_btf", .capturing = true, .config_ok = true,
		.ring_bytes = 1 << 24, .ring_used = 4096, .records = 123456, .sessions = 2, .in_flight = 3,
		.progs = 1, .tables = 1, .sinks = 1, .rules = 2,
		.prog = { { .name = "sys_exit", .hook = "tp_btf/sys_exit", .attached = true, .runs = 10, .run_ns = 2500 } },
		.table = { { "sessions", 2, 4096, 0 } },
		.sink = { { .name = "webhook http://127.0.0.1:9/\"x\"", .sent = 5 } },
		.rule = { { "same_call_same_error", 1 }, { "cycle", 0 } },
	};

	s.lost[C_RING_FULL] = 7;
	s.sink[0].failing = failing;
	s.now = clock_boot_ns();
	prom_self(p, &s);
}

static void obey(struct prom *p, const char *word)
{
	if (strcmp(word, "facts\n") == 0) {
		feed_tools();
		feed_http();
		feed_hostile();
		feed_others();
	} else if (strcmp(word, "flood\n") == 0) {
		flood();
	} else {
		tell(p, strcmp(word, "fail\n") == 0);
	}
	printf("done\n");
	fflush(stdout);
}

int main(void)
{
	struct prom_opts o;
	struct prom *p;
	char word[32];

	prom_opts_default(&o);
	snprintf(o.listen, sizeof(o.listen), "127.0.0.1:0");
	p = prom_new(&o);
	if (!p || sink_add(&sink, &prom_ops, p))
		return 1;
	printf("port %u\n", prom_port(p));
	fflush(stdout);
	while (fgets(word, sizeof(word), stdin))
		obey(p, word);
	sink_done(&sink);
	return 0;
}
