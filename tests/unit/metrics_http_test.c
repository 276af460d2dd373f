/* SPDX-License-Identifier: Apache-2.0 */
/* What the listening side answers, and readers that misbehave. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sink/metric_table.h"
#include "sink/prom.h"

#define STR(s)	 ((char *)(s))
#define PAGE_MAX (64 << 20)

struct server {
	struct prom *p;
	struct sink sink;
	struct self_stats self;
	struct buf got;
};

static int setup(void **state)
{
	static struct server s;
	struct prom_opts o;

	prom_opts_default(&o);
	assert_string_equal(o.listen, "127.0.0.1:9464");
	snprintf(o.listen, sizeof(o.listen), "127.0.0.1:0");
	s = (struct server){ .p = prom_new(&o) };
	assert_non_null(s.p);
	assert_int_equal(sink_add(&s.sink, &prom_ops, s.p), 0);
	buf_init(&s.got, PAGE_MAX);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct server *s = *state;

	sink_done(&s->sink);
	buf_done(&s->got);
	return 0;
}

static int dial(const struct server *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(prom_port(s->p)) };
	struct timeval limit = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static const char *hear(struct server *s, int fd)
{
	char block[65536];
	ssize_t n;

	buf_reset(&s->got);
	do {
		n = recv(fd, block, sizeof(block), 0);
		assert_int_equal(buf_add(&s->got, block, n > 0 ? (size_t)n : 0), 0);
	} while (n > 0);
	assert_int_equal(buf_add_ch(&s->got, '\0'), 0);
	close(fd);
	return s->got.p;
}

/* HTTP/1.0, so that the body is not chunked. */
static const char *request(struct server *s, const char *method, const char *path, const char *more)
{
	char text[512];
	int fd = dial(s);

	snprintf(text, sizeof(text), "%s %s HTTP/1.0\r\n%s\r\n", method, path, more);
	say(fd, text);
	return hear(s, fd);
}

static const char *body(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static void test_ready(void **state)
{
	struct server *s = *state;
	const char *a = request(s, "GET", "/readyz", "");

	assert_non_null(strstr(a, " 503 "));
	assert_string_equal(body(a), "capture: not on\n");
	s->self.capturing = true;
	s->self.sinks = 2;
	snprintf(s->self.sink[0].name, sizeof(s->self.sink[0].name), "log");
	snprintf(s->self.sink[1].name, sizeof(s->self.sink[1].name), "webhook http://x");
	s->self.sink[1].failing = true;
	prom_self(s->p, &s->self);
	a = request(s, "GET", "/readyz", "");
	assert_non_null(strstr(a, " 503 "));
	assert_string_equal(body(a), "output failing: webhook http://x\n");
	s->self.sink[1].failing = false;
	prom_self(s->p, &s->self);
	a = request(s, "GET", "/readyz", "");
	assert_non_null(strstr(a, " 200 "));
	assert_string_equal(body(a), "ok\n");
	a = request(s, "GET", "/healthz", "");
	assert_non_null(strstr(a, " 200 "));
	assert_string_equal(body(a), "ok\n");
}

static void test_other_requests(void **state)
{
	struct server *s = *state;
	const char *a = request(s, "GET", "/", "");

	assert_non_null(strstr(a, " 404 "));
	a = request(s, "GET", "/metrics/../etc", "");
	assert_non_null(strstr(a, " 404 "));
	a = request(s, "POST", "/metrics", "Content-Length: 3\r\n");
	assert_non_null(strstr(a, " 405 "));
	assert_non_null(strstr(a, "Allow: GET, HEAD\r\n"));
	a = request(s, "DELETE", "/metrics", "");
	assert_non_null(strstr(a, " 405 "));
	a = request(s, "HEAD", "/metrics", "");
	assert_non_null(strstr(a, " 200 "));
	assert_string_equal(body(a), "");
	a = request(s, "GET", "/healthz", "Host: elsewhere.example\r\n");
	assert_non_null(strstr(a, " 200 "));
	assert_non_null(strstr(a, "Connection: close\r\n"));
}

static void call(struct server *s, const char *tool)
{
	struct call c = {
		.ts = 1,
		.view = VIEW_ASKER,
		.has_duration = true,
		.duration_ns = 15000000,
		.method = STR("tools/call"),
		.tool = STR(tool),
		.trace_id = STR("0af7651916cd43dd8448eb211c80319c"),
	};

	sink_call(&s->sink, &c, NULL);
}

static void test_formats(void **state)
{
	static const char *const om = "Accept: application/openmetrics-text;version=1.0.0\r\n";
	struct server *s = *state;
	const char *a;

	call(s, "t");
	a = request(s, "GET", "/metrics", "");
	assert_non_null(strstr(a, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(a, "\nmcpvigil_calls_total{method=\"tools/call\",tool=\"t\",outcome=\"ok\"} 1\n"));
	assert_null(strstr(a, "# EOF"));
	assert_null(strstr(a, "trace_id"));
	assert_int_equal(a[strlen(a) - 1], '\n');
	a = request(s, "GET", "/metrics", om);
	assert_non_null(strstr(a, "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
	assert_non_null(strstr(a, "\",le=\"0.02\"} 1 # {trace_id=\"0af7651916cd43dd8448eb211c80319c\"} 0.015 "));
	assert_string_equal(a + strlen(a) - 6, "# EOF\n");
}

/* Every family of the table, in its order, and nothing else. */
static void test_page_is_the_table(void **state)
{
	struct server *s = *state;
	const char *at = body(request(s, "GET", "/metrics", ""));
	char head[128];

	for (int i = 0; i < METRIC_N; i++) {
		const struct metric *m = &metric_table[i];

		snprintf(head, sizeof(head), "# TYPE %s%s ", m->name, metric_suffix(m));
		at = strstr(at, "# TYPE ");
		assert_non_null(at);
		assert_memory_equal(at, head, strlen(head));
		at++;
	}
	assert_null(strstr(at, "# TYPE "));
}

static void test_own_state(void **state)
{
	static const struct alert loop = { .rule = "cycle", .severity = ALERT_HIGH, .state = ALERT_FIRING, .notified = 1 };
	static const struct alert rule = { .rule = "mine", .severity = ALERT_HIGH, .state = ALERT_FIRING, .notified = 1 };
	struct server *s = *state;
	const char *a = request(s, "GET", "/metrics", "");

	assert_non_null(strstr(a, "\nmcpvigil_lost_total{loss=\"ring_full\"} 0\n")); /* from the start */
	assert_null(strstr(a, "\nmcpvigil_build_info"));
	s->self = (struct self_stats){
		.version = "1.2", .tier = "tp_btf", .capturing = true, .progs = 2, .sinks = 2, .rules = 1, .tables = 1,
		.prog = { { .name = "sys_exit", .hook = "tp_btf/sys_exit", .attached = true, .runs = 3, .run_ns = 1500 },
			  { .name = "sys_enter", .hook = "tp", .missed = 4 } },
		.sink = { { .name = "webhook x" }, { .name = "webhook x", .failing = true } },
		.rule = { { "cycle", 1 } },
		.table = { { "sessions", 1, 10, 2 } },
	};
	prom_self(s->p, &s->self);
	sink_alert(&s->sink, &loop, NULL);
	sink_alert(&s->sink, &rule, NULL);
	a = request(s, "GET", "/metrics", "");
	assert_non_null(strstr(a, "\nmcpvigil_build_info{version=\"1.2\"} 1\n"));
	assert_non_null(strstr(a, "\nmcpvigil_capturing{tier=\"tp_btf\"} 1\n"));
	assert_non_null(strstr(a, "\nmcpvigil_program_attached{program=\"sys_enter\",hook=\"tp\"} 0\n"));
	assert_non_null(strstr(a, "\nmcpvigil_program_run_seconds_total{program=\"sys_exit\",hook=\"tp_btf/sys_exit\"} "
				  "0.0000015\n"));
	assert_null(strstr(a, "\nmcpvigil_program_runs_total{program=\"sys_enter\""));
	assert_non_null(strstr(a, "\nmcpvigil_sink_up{sink=\"webhook x\"} 1\n"));
	assert_non_null(strstr(a, "\nmcpvigil_sink_up{sink=\"webhook x #2\"} 0\n"));
	assert_non_null(strstr(a, "\nmcpvigil_table_evictions_total{table=\"sessions\"} 2\n"));
	assert_non_null(strstr(a, "\nmcpvigil_loops_active{rule=\"cycle\"} 1\n"));
	assert_non_null(strstr(a, "\nmcpvigil_loop_alerts_total{rule=\"cycle\",severity=\"high\"} 1\n"));
	assert_non_null(strstr(a, "\nmcpvigil_loop_alerts_total{rule=\"cycle\",severity=\"notice\"} 0\n"));
	assert_null(strstr(a, "\nmcpvigil_loop_alerts_total{rule=\"mine\""));
	assert_non_null(strstr(a, "\nmcpvigil_alerts_total{rule=\"mine\",severity=\"high\",state=\"firing\"} 1\n"));
	assert_null(strstr(a, "\nprocess_resident_memory_bytes 0\n"));
	assert_null(strstr(a, "\nprocess_start_time_seconds 0\n"));
}

static void test_half_closed(void **state)
{
	struct server *s = *state;
	int fd = dial(s);
	const char *a;

	say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	shutdown(fd, SHUT_WR);
	a = hear(s, fd);
	assert_non_null(strstr(a, " 200 "));
	assert_non_null(strstr(a, "process_start_time_seconds"));
}

static void many_names(struct server *s)
{
	struct call c = { .view = VIEW_ASKER, .has_duration = true, .method = STR("tools/call") };
	char name[160];

	for (unsigned int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "%0100u", i);
		c.tool = name;
		c.ts = i;
		c.agent = 1 + i / 50;
		sink_call(&s->sink, &c, NULL);
	}
}

/* Readers that ask and do not read, ask by halves, or say nothing: others are answered, updates go on. */
static void test_slow_readers(void **state)
{
	struct server *s = *state;
	int idle[9];
	const char *a;

	many_names(s);
	for (size_t i = 0; i < 9; i++) {
		int small = 4096;

		idle[i] = dial(s);
		setsockopt(idle[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		if (i % 3 != 2)
			say(idle[i], i % 3 ? "GET /metr" : "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	call(s, "after");
	a = request(s, "GET", "/metrics", "");
	assert_non_null(strstr(a, "tool=\"after\""));
	for (size_t i = 0; i < 9; i++)
		close(idle[i]);
}

static void *keep_calling(void *arg)
{
	struct server *s = arg;

	for (int i = 0; i < 30; i++)
		many_names(s);
	return NULL;
}

/* In a page rendered while series change, no series is there twice and buckets never fall. */
static void check_page(const char *at)
{
	unsigned long long last = 0, v;
	char series[512] = "", before[512] = "";

	for (at = strstr(at, "\nmcp_client_operation_duration_seconds_"); at; at = strchr(at, '\n')) {
		const char *value = strstr(++at, "} ");

		if (strncmp(at, "mcp_client_operation", 20) != 0 || !value || value - at >= 500)
			return;
		snprintf(series, sizeof(series), "%.*s", (int)(value - at), at);
		assert_string_not_equal(series, before);
		v = strtoull(value + 2, NULL, 10);
		if (strstr(series, "_bucket") && !strstr(series, "le=\"0.01\""))
			assert_true(v >= last);
		last = v;
		memcpy(before, series, sizeof(before));
	}
}

static void test_reading_while_counting(void **state)
{
	struct server *s = *state;
	pthread_t t;

	many_names(s);
	assert_int_equal(pthread_create(&t, NULL, keep_calling, s), 0);
	for (int i = 0; i < 5; i++)
		check_page(body(request(s, "GET", "/metrics", "")));
	assert_int_equal(pthread_join(t, NULL), 0);
}

static void cannot_listen(const char *where)
{
	struct prom_opts o;

	prom_opts_default(&o);
	snprintf(o.listen, sizeof(o.listen), "%s", where);
	errno = 0;
	assert_null(prom_new(&o));
	assert_int_not_equal(errno, 0);
}

static void test_listen(void **state)
{
	struct server *s = *state;
	char taken[64];

	snprintf(taken, sizeof(taken), "127.0.0.1:%u", prom_port(s->p));
	cannot_listen(taken);
	cannot_listen("127.0.0.1");
	cannot_listen("127.0.0.1:65536");
	cannot_listen("127.0.0.1:-1");
	cannot_listen("localhost:1");
	cannot_listen("[::1:1");
	cannot_listen("192.0.2.1:0"); /* not ours */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ready),     TEST(test_other_requests), TEST(test_formats),
		TEST(test_page_is_the_table), TEST(test_own_state), TEST(test_half_closed),
		TEST(test_slow_readers), TEST(test_reading_while_counting), TEST(test_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
