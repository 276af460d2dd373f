/* SPDX-License-Identifier: Apache-2.0 */
/* Records as lines for people: aligned columns, colours, nothing from the wire raw. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sink/compact.h"

#define STR(s) ((char *)(s))

static const struct who client = { .id = { .pid = 10 }, .comm = "claude" };
static const struct who server = { .id = { .pid = 20 }, .comm = "node" };
static const struct sink_peers both = { &client, &server };

struct page {
	int fd;
	struct sink sink;
	char text[16384];
};

static void open_page(struct page *g, bool color)
{
	void *self;

	g->fd = memfd_create("page", MFD_CLOEXEC);
	g->sink = (struct sink){ 0 };
	self = compact_new(g->fd, 1700000000000000000, color);
	assert_non_null(self);
	assert_int_equal(sink_add(&g->sink, &compact_ops, self), 0);
}

static void close_page(struct page *g)
{
	ssize_t n;

	sink_done(&g->sink);
	n = pread(g->fd, g->text, sizeof(g->text) - 1, 0);
	assert_true(n >= 0);
	g->text[n] = '\0';
	close(g->fd);
}

static struct call a_call(void)
{
	return (struct call){
		.ts = 1234567890,
		.method = STR("tools/call"),
		.tool = STR("echo"),
		.outcome = CALL_OK,
		.duration_ns = 1234567,
		.has_duration = true,
		.request_bytes = 120,
		.response_bytes = 400123,
		.has_request = true,
		.has_response = true,
		.route = { .client = { .pid = 10 }, .server = { .pid = 20 } },
	};
}

static void test_columns(void **state)
{
	struct page g;
	struct call c = a_call();
	const struct note n = { .ts = 1, .method = STR("notifications/progress"), .from = SIDE_SERVER,
				.bytes = 99, .route = c.route };

	(void)state;
	open_page(&g, false);
	sink_call(&g.sink, &c, &both);
	c.from = SIDE_SERVER;
	c.method = STR("roots/list");
	c.tool = NULL;
	c.outcome = CALL_RPC_ERROR;
	c.error_code = -1;
	c.has_error_code = true;
	c.has_duration = c.has_request = false;
	c.attempt = 2;
	c.lost_bytes = 3;
	c.order_uncertain = true;
	sink_call(&g.sink, &c, &both);
	sink_note(&g.sink, &n, &both);
	close_page(&g);
	assert_string_equal(g.text,
		"22:13:21.234  claude(10) -> node(20)                    tools/call echo         "
		"          ok                 1.23ms     120B     391K\n"
		"22:13:21.234  claude(10) <- node(20)                    roots/list              "
		"          rpc_error -1            -        -     391K  attempt 2  order uncertain  3B lost\n"
		"22:13:20.000  claude(10) <- node(20)                    notifications/progress  "
		"          note                           99B\n");
}

/* Ends that are remote, unnamed or unknown. */
static void test_ends(void **state)
{
	struct page g;
	struct call c = a_call();

	(void)state;
	open_page(&g, false);
	c.route = (struct route){ .client = { .pid = 10 } };
	c.route.server_addr = (struct net_addr){ .family = AF_INET, .port = 80, .ip = { 10, 0, 0, 1 } };
	sink_call(&g.sink, &c, NULL);
	c.route = (struct route){ 0 };
	c.session = STR("train-1");
	sink_call(&g.sink, &c, NULL);
	c.session = NULL;
	sink_call(&g.sink, &c, NULL);
	close_page(&g);
	assert_non_null(strstr(g.text, "  ?(10) -> 10.0.0.1:80  "));
	assert_non_null(strstr(g.text, "  train-1 ->  "));
	assert_non_null(strstr(g.text, "  ? ->  "));
}

static void test_other_records(void **state)
{
	struct page g;
	const struct session_event start = { .late = true, .ts = 1, .session = "s",
					     .client_name = "cli", .client_version = "2",
					     .protocol_version = "2025-11-25" };
	const struct session_event end = { .end = true, .ts = 1, .session = "s", .calls = 3,
					   .errors = 1, .duration_ns = 2000000000, .reason = "eof" };
	const struct finding x = { .name = "noise_on_stdout", .severity = "notice", .ts = 1,
				   .proc = { .pid = 10 }, .count = 2, .evidence = "{\"lines\":2}" };

	(void)state;
	open_page(&g, false);
	sink_session(&g.sink, &start, NULL);
	sink_session(&g.sink, &end, NULL);
	sink_finding(&g.sink, &x, NULL);
	sink_loss(&g.sink, &(struct loss){ .name = "ring_full", .count = 7, .ts = 1, .where = "w" });
	close_page(&g);
	assert_non_null(strstr(g.text, "session joined  cli 2 -> ?  2025-11-25\n"));
	assert_non_null(strstr(g.text, "session end  3 calls, 1 errors, 2.00s, eof\n"));
	assert_non_null(strstr(g.text, "notice: noise_on_stdout  2 times  {\"lines\":2}\n"));
	assert_non_null(strstr(g.text, "22:13:20.000  lost: ring_full 7  w\n"));
}

/* Whatever a peer calls its things, the terminal sees printable text and our own newlines. */
static void test_hostile(void **state)
{
	static const char bad[] = "\033]0;owned\a\n\r\xe2\x80\xae\xc2\x9b\xff";
	struct who evil = { .id = { .pid = 1 }, .comm = "\033[2J\xff" };
	const struct sink_peers evils = { &evil, &evil };
	struct call c = a_call();
	struct page g;
	int lines = 0;

	(void)state;
	open_page(&g, false);
	g.sink.content = true;
	c.method = c.tool = c.session = STR(bad);
	c.params = STR("{\"a\":\"\x7f\xc2\x9b\"}");
	sink_call(&g.sink, &c, &evils);
	c.tool = NULL;
	c.resource = STR(bad);
	sink_call(&g.sink, &c, NULL);
	sink_note(&g.sink, &(struct note){ .method = STR(bad), .session = STR(bad) }, NULL);
	sink_session(&g.sink, &(struct session_event){ .session = bad, .client_name = bad,
		     .client_version = bad, .server_name = bad, .protocol_version = bad }, NULL);
	sink_finding(&g.sink, &(struct finding){ .name = "x", .session = bad, .evidence = bad }, NULL);
	sink_loss(&g.sink, &(struct loss){ .name = "x", .where = bad });
	close_page(&g);
	for (const char *p = g.text; *p; p++) {
		assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
		lines += *p == '\n';
	}
	assert_int_equal(lines, 6 + 2);
	assert_non_null(strstr(g.text, "\\x1b[2J\\xff(1) -> "));
	assert_non_null(strstr(g.text, "\\u{202e}\\u{9b}\\xff"));
}

/* A name of any length costs a bounded line. */
static void test_long_names(void **state)
{
	char *name = malloc(5001);
	struct call c = a_call();
	struct page g;

	(void)state;
	memset(name, 'x', 5000);
	name[5000] = '\0';
	open_page(&g, false);
	c.method = c.tool = name;
	sink_call(&g.sink, &c, NULL);
	close_page(&g);
	assert_true(strlen(g.text) < 400);
	assert_non_null(strstr(g.text, "xxx... xxx"));
	free(name);
}

/* Colours stand outside of the columns: without them the line is the same. */
static void test_color(void **state)
{
	struct call c = a_call();
	struct page plain, colored;
	char *to = colored.text;

	(void)state;
	open_page(&plain, false);
	open_page(&colored, true);
	sink_call(&plain.sink, &c, &both);
	sink_call(&colored.sink, &c, &both);
	close_page(&plain);
	close_page(&colored);
	assert_non_null(strstr(colored.text, "\033[32mok"));
	for (const char *p = colored.text; *p; p++) {
		if (*p == '\033')
			p = strchr(p, 'm');
		else
			*to++ = *p;
	}
	*to = '\0';
	assert_string_equal(colored.text, plain.text);
}

static int set_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),	       cmocka_unit_test(test_ends),
		cmocka_unit_test(test_other_records),  cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_long_names),     cmocka_unit_test(test_color),
	};

	return cmocka_run_group_tests(tests, set_utc, NULL);
}
