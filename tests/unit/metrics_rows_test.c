/* SPDX-License-Identifier: Apache-2.0 */
/* Which fact counts in which series, with which labels. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sink/prom_rows.h"

#define STR(s) ((char *)(s))
#define MS     1000000ULL

struct rows {
	struct metrics *m;
	struct prom_rows r;
};

static int setup(void **state)
{
	static struct rows f;

	f.m = metrics_new(&(struct metrics_opts){ 4096, 512, 64, 600000 * MS });
	assert_non_null(f.m);
	assert_int_equal(prom_rows_init(&f.r, f.m, 1000), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct rows *f = *state;

	prom_rows_done(&f->r);
	metrics_free(f->m);
	return 0;
}

/* All series of one family, "labels value;" each in order of making. */
static void family_is(const struct rows *f, enum metric_id id, const char *want)
{
	struct buf b;

	buf_init(&b, 65536);
	for (const struct metric_series *s = metrics_next(f->m, id, 0); s; s = metrics_next(f->m, id, s->slot + 1)) {
		buf_add_sv(&b, s->labels);
		buf_addf(&b, " %llu;", (unsigned long long)s->v);
	}
	assert_int_equal(buf_add_ch(&b, '\0'), 0);
	assert_string_equal(b.p, want);
	buf_done(&b);
}

static const struct who client = { .id = { .pid = 10 }, .comm = "claude", .exe = "/opt/bin/claude" };
static const struct who server = { .id = { .pid = 20 }, .comm = "node" };
static const struct sink_peers both = { &client, &server };

static struct call stdio_call(void)
{
	return (struct call){
		.ts = 5000,
		.duration_ns = 30 * MS,
		.server_ns = 20 * MS,
		.has_duration = true,
		.has_server_ns = true,
		.view = VIEW_BOTH,
		.outcome = CALL_OK,
		.method = STR("tools/call"),
		.tool = STR("read_file"),
		.request_bytes = 100,
		.response_bytes = 900,
		.has_request = true,
		.has_response = true,
		.attempt = 1,
		.protocol_version = STR("2025-06-18"),
		.session_no = 1,
		.server_name = STR("files"),
		.marks = { .text_bytes = 700 },
		.route = { .transport = TRANSPORT_STDIO,
			   .channel = CHANNEL_UNIX,
			   .client = { .pid = 10 },
			   .server = { .pid = 20 } },
	};
}

#define TOOL "mcp_method_name=\"tools/call\",gen_ai_operation_name=\"execute_tool\",gen_ai_tool_name=\"read_file\","
#define PIPE "mcp_protocol_version=\"2025-06-18\",network_transport=\"pipe\""

static void test_a_tool_over_stdio(void **state)
{
	struct rows *f = *state;
	struct call c = stdio_call();

	prom_rows_call(&f->r, &c, &both);
	c.attempt = 7;
	c.outcome = CALL_TOOL_ERROR;
	prom_rows_call(&f->r, &c, &both);
	family_is(f, METRIC_CLIENT_OPERATION, TOOL PIPE " 30000000;" TOOL "error_type=\"tool_error\"," PIPE " 30000000;");
	family_is(f, METRIC_SERVER_OPERATION, TOOL PIPE " 20000000;" TOOL "error_type=\"tool_error\"," PIPE " 20000000;");
	family_is(f, METRIC_CALLS,
		  "client=\"claude\",server=\"files\",method=\"tools/call\",tool=\"read_file\",outcome=\"ok\" 1;"
		  "client=\"claude\",server=\"files\",method=\"tools/call\",tool=\"read_file\",outcome=\"tool_error\" 1;");
	family_is(f, METRIC_ATTEMPTS, "server=\"files\",tool=\"read_file\",attempt=\"1\" 1;"
				      "server=\"files\",tool=\"read_file\",attempt=\"4+\" 1;");
	family_is(f, METRIC_REQUEST_BYTES, "server=\"files\",method=\"tools/call\",tool=\"read_file\" 200;");
	family_is(f, METRIC_RESPONSE_BYTES, "server=\"files\",method=\"tools/call\",tool=\"read_file\" 1800;");
	family_is(f, METRIC_RESULT_TEXT, "server=\"files\",tool=\"read_file\" 1400;");
	family_is(f, METRIC_TOOLS_LIST_BYTES, "");
}

static struct call http_call(void)
{
	struct call c = stdio_call();

	c.method = STR("prompts/get");
	c.tool = NULL;
	c.prompt = STR("greet");
	c.server_name = NULL;
	c.route = (struct route){
		.transport = TRANSPORT_HTTP,
		.channel = CHANNEL_TCP,
		.http_version = 11,
		.client_addr = { .family = AF_INET, .port = 50001, .ip = { 10, 0, 0, 9 } },
		.server_addr = { .family = AF_INET6, .port = 3001, .ip = { [15] = 1 } },
	};
	return c;
}

#define PROMPT "mcp_method_name=\"prompts/get\",gen_ai_prompt_name=\"greet\","
#define TCP "mcp_protocol_version=\"2025-06-18\",network_transport=\"tcp\",network_protocol_name=\"http\"," \
	    "network_protocol_version=\"1.1\""
#define ENDPOINT ",server_address=\"::1\",server_port=\"3001\""

static void test_errors_over_http(void **state)
{
	struct rows *f = *state;
	struct call c = http_call();

	c.view = VIEW_ASKER;
	c.outcome = CALL_RPC_ERROR;
	c.error_code = -32602;
	c.has_error_code = true;
	prom_rows_call(&f->r, &c, NULL);
	c.outcome = CALL_HTTP_ERROR;
	c.error_code = 503;
	prom_rows_call(&f->r, &c, NULL);
	c.has_error_code = false;
	prom_rows_call(&f->r, &c, NULL);
	c.outcome = CALL_ORPHAN;
	c.method = c.prompt = NULL;
	c.has_duration = c.has_request = false;
	prom_rows_call(&f->r, &c, NULL);
	family_is(f, METRIC_CLIENT_OPERATION,
		  PROMPT "error_type=\"-32602\",rpc_response_status_code=\"-32602\"," TCP ENDPOINT " 30000000;"
		  PROMPT "error_type=\"503\"," TCP ENDPOINT " 30000000;"
		  PROMPT "error_type=\"_OTHER\"," TCP ENDPOINT " 30000000;");
	family_is(f, METRIC_SERVER_OPERATION, "");
	family_is(f, METRIC_CALLS, "client=\"10.0.0.9\",server=\"[::1]:3001\",method=\"prompts/get\",outcome=\"rpc_error\" 1;"
				   "client=\"10.0.0.9\",server=\"[::1]:3001\",method=\"prompts/get\",outcome=\"http_error\" 2;"
				   "client=\"10.0.0.9\",server=\"[::1]:3001\",outcome=\"orphan\" 1;");
	family_is(f, METRIC_ATTEMPTS, "");
}

/* Seen at the answering end alone, its time is the best there is; with no end seen there is none. */
static void test_views(void **state)
{
	struct rows *f = *state;
	struct call c = http_call();

	c.view = VIEW_ANSWERER;
	prom_rows_call(&f->r, &c, NULL);
	c.has_server_ns = false;
	prom_rows_call(&f->r, &c, NULL);
	c.view = VIEW_BOTH;
	prom_rows_call(&f->r, &c, NULL);
	c.view = VIEW_UNKNOWN;
	prom_rows_call(&f->r, &c, NULL);
	family_is(f, METRIC_SERVER_OPERATION, PROMPT TCP " 50000000;");
	family_is(f, METRIC_CLIENT_OPERATION, PROMPT TCP ENDPOINT " 30000000;");
}

static void test_exemplars(void **state)
{
	struct rows *f = *state;
	struct call c = stdio_call();
	const struct metric_series *s;

	c.trace_id = STR("0af7651916cd43dd8448eb211c80319c");
	c.parent_span_id = STR("b7ad6b7169203331");
	prom_rows_call(&f->r, &c, &both);
	s = metrics_next(f->m, METRIC_CLIENT_OPERATION, 0);
	assert_string_equal(s->exemplar[2].trace_id, c.trace_id);
	assert_string_equal(s->exemplar[2].span_id, c.parent_span_id);
	assert_int_equal(s->exemplar[2].v, 30 * MS);
	assert_int_equal(s->exemplar[2].wall_ns, 6000);
	c.trace_id = STR("0AF7\"}");
	c.duration_ns = 1;
	prom_rows_call(&f->r, &c, &both);
	assert_string_equal(s->exemplar[0].trace_id, "");
}

static void list(struct rows *f, uint64_t session, uint64_t cursor, uint64_t next, uint64_t bytes)
{
	struct call c = stdio_call();

	c.method = STR("tools/list");
	c.tool = NULL;
	c.session_no = session;
	c.marks = (struct call_marks){ .cursor = cursor, .next_cursor = next };
	c.response_bytes = bytes;
	prom_rows_call(&f->r, &c, &both);
}

static void test_tools_list(void **state)
{
	struct rows *f = *state;
	struct call c = stdio_call();

	list(f, 1, 0, 7, 100);
	list(f, 2, 0, 0, 5); /* of another session */
	list(f, 1, 7, 8, 20);
	family_is(f, METRIC_TOOLS_LIST_BYTES, "server=\"files\" 5;");
	list(f, 1, 8, 0, 3);
	family_is(f, METRIC_TOOLS_LIST_BYTES, "server=\"files\" 123;");
	list(f, 3, 9, 0, 1); /* its beginning was not seen */
	list(f, 4, 0, 7, 1);
	list(f, 4, 6, 0, 1); /* neither what was asked for */
	family_is(f, METRIC_TOOLS_LIST_BYTES, "server=\"files\" 123;");
	c.method = STR("tools/list");
	c.lost_bytes = 1;
	c.response_bytes = 1;
	prom_rows_call(&f->r, &c, &both);
	family_is(f, METRIC_TOOLS_LIST_BYTES, "server=\"files\" 123;");
	for (uint64_t i = 0; i < 1000; i++)
		list(f, 100 + i, 0, 7, 1); /* sweeps that nobody ends are bounded */
	assert_int_equal(f->r.sweeps.n, 256);
}

/* A client that opens a connection for each call is one owner; an agent is one over its restarts. */
static void test_owners(void **state)
{
	struct rows *f = *state;
	struct call c = http_call();
	struct metrics_stats st;
	char name[32];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		c.prompt = name;
		c.route.client_addr.port = (uint16_t)(1000 + i);
		prom_rows_call(&f->r, &c, NULL);
	}
	metrics_stats(f->m, &st);
	assert_int_equal(st.values[LABEL_PROMPT], 64);
	c = stdio_call();
	c.agent = 77;
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		c.tool = name;
		c.route.client.pid = (uint32_t)(1000 + i);
		prom_rows_call(&f->r, &c, NULL);
	}
	metrics_stats(f->m, &st);
	assert_int_equal(st.values[LABEL_TOOL], 64);
	for (int i = 0; i < 200; i++) {
		struct who restarted = { .id = { .pid = 5000 + (uint32_t)i }, .agent = 78 };
		struct note n = { .method = name, .route = { .client = restarted.id } };

		snprintf(name, sizeof(name), "m%d", i);
		prom_rows_note(&f->r, &n, &(struct sink_peers){ &restarted, NULL });
	}
	metrics_stats(f->m, &st);
	assert_int_equal(st.values[LABEL_METHOD], 2 + 64);
}

static void test_sessions(void **state)
{
	struct rows *f = *state;
	struct session_event e = {
		.ts = 1,
		.session_no = 1,
		.client_name = "cli",
		.server_name = "files",
		.protocol_version = "2025-06-18",
		.duration_ns = 90000 * MS,
		.reason = "eof",
		.route = { .transport = TRANSPORT_STDIO, .client = { .pid = 10 }, .server = { .pid = 20 } },
	};

	prom_rows_session(&f->r, &e, &both); /* the start */
	e.end = true;
	prom_rows_session(&f->r, &e, &both);
	e.late = true;
	e.reason = "exit";
	prom_rows_session(&f->r, &e, &both);
	e.reason = "shutdown";
	prom_rows_session(&f->r, &e, &both);
	e = (struct session_event){ .end = true, .route = { .server = { .pid = 20 } }, .duration_ns = 5 };
	prom_rows_session(&f->r, &e, NULL);
	family_is(f, METRIC_CLIENT_SESSION, PIPE " 90000000000;");
	family_is(f, METRIC_SERVER_SESSION, PIPE " 90000000000; 5;");
	family_is(f, METRIC_SESSION_ENDS, "client=\"cli\",server=\"files\",transport=\"stdio\",reason=\"eof\" 1;"
					  "client=\"cli\",server=\"files\",transport=\"stdio\",reason=\"exit\" 1; 1;");
}

static void test_other_facts(void **state)
{
	struct rows *f = *state;
	struct call c = stdio_call();
	struct logical l = { .joined_by = "task", .ts = 1, .duration_ns = 61000 * MS, .first = &c };
	struct alert a = { .rule = "cycle", .severity = ALERT_HIGH, .state = ALERT_FIRING, .notified = 1 };

	c.outcome = CALL_TOOL_ERROR;
	prom_rows_logical(&f->r, &l, &both);
	l.open = true;
	prom_rows_logical(&f->r, &l, &both);
	family_is(f, METRIC_LOGICAL, "server=\"files\",tool=\"read_file\",joined_by=\"task\",error_type=\"tool_error\" "
				     "61000000000;");
	prom_rows_note(&f->r, &(struct note){ .method = STR("notifications/progress") }, NULL);
	family_is(f, METRIC_NOTIFICATIONS, "method=\"notifications/progress\" 1;");
	prom_rows_finding(&f->r, &(struct finding){ .name = "noise", .severity = "info", .count = 3 });
	prom_rows_finding(&f->r, &(struct finding){ .name = "noise", .severity = "info" });
	family_is(f, METRIC_FINDINGS, "finding=\"noise\",severity=\"info\" 4;");
	assert_true(prom_rows_alert(&f->r, &a));
	a.notified = 2;
	assert_false(prom_rows_alert(&f->r, &a));
	a.state = ALERT_RESOLVED;
	assert_false(prom_rows_alert(&f->r, &a));
	family_is(f, METRIC_ALERTS, "rule=\"cycle\",severity=\"high\",state=\"firing\" 1;"
				    "rule=\"cycle\",severity=\"high\",state=\"resolved\" 1;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_tool_over_stdio), TEST(test_errors_over_http), TEST(test_views),	TEST(test_exemplars),
		TEST(test_tools_list),	      TEST(test_owners),	   TEST(test_sessions), TEST(test_other_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
