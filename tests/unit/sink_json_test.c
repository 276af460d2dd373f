/* SPDX-License-Identifier: Apache-2.0 */
/* Records as JSON lines: every field, nothing unknown, nothing raw, no hole in seq. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sv.h"
#include "sink/content.h"
#include "sink/json.h"
#include "sink/sink.h"

#define STR(s) ((char *)(s))

struct out_file {
	int fd;
	struct sink sink;
	char text[65536];
};

static int setup(void **state)
{
	struct out_file *f = calloc(1, sizeof(*f));
	void *self;

	f->fd = memfd_create("records", MFD_CLOEXEC);
	self = json_sink_new(f->fd, 1700000000000000000);
	assert_non_null(self);
	assert_int_equal(sink_add(&f->sink, &json_sink_ops, self), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct out_file *f = *state;

	sink_done(&f->sink);
	close(f->fd);
	free(f);
	return 0;
}

/* What was printed so far is @want, nothing more. */
static void printed(struct out_file *f, const char *want)
{
	ssize_t n;

	sink_flush(&f->sink);
	n = pread(f->fd, f->text, sizeof(f->text) - 1, 0);
	assert_true(n >= 0);
	f->text[n] = '\0';
	assert_string_equal(f->text, want);
}

static void test_unknown_is_left_out(void **state)
{
	struct out_file *f = *state;

	sink_call(&f->sink, &(struct call){ .outcome = CALL_ORPHAN }, NULL);
	sink_note(&f->sink, &(struct note){ .from = SIDE_SERVER }, NULL);
	sink_session(&f->sink, &(struct session_event){ .session = "s" }, NULL);
	sink_finding(&f->sink, &(struct finding){ .name = "x" }, NULL);
	sink_loss(&f->sink, &(struct loss){ .name = "ring_full", .count = 2 });
	printed(f, "{\"kind\":\"call\",\"seq\":1,\"from\":\"client\",\"outcome\":\"orphan\"}\n"
		   "{\"kind\":\"notification\",\"seq\":2,\"from\":\"server\",\"bytes\":0}\n"
		   "{\"kind\":\"session\",\"seq\":3,\"event\":\"start\",\"session\":\"s\"}\n"
		   "{\"kind\":\"finding\",\"seq\":4,\"finding\":\"x\"}\n"
		   "{\"kind\":\"loss\",\"seq\":5,\"loss\":\"ring_full\",\"count\":2}\n");
}

static const struct who client = { .id = { .pid = 10 }, .comm = "claude", .exe = "/bin/claude" };
static const struct who server = { .id = { .pid = 20 }, .comm = "node" };
static const struct sink_peers both = { &client, &server };

static struct route a_route(void)
{
	return (struct route){
		.transport = TRANSPORT_HTTP,
		.channel = CHANNEL_TCP,
		.era = ERA_LEGACY,
		.http_version = 11,
		.client = { .pid = 10 },
		.server = { .pid = 20 },
		.client_addr = { .family = AF_INET, .port = 5000, .ip = { 127, 0, 0, 1 } },
		.server_addr = { .family = AF_INET6, .port = 3001, .ip = { [15] = 1 } },
	};
}

#define ROUTE_TEXT                                                                             \
	"\"transport\":\"http\",\"channel\":\"tcp\",\"http\":\"1.1\","                         \
	"\"client\":{\"pid\":10,\"comm\":\"claude\",\"exe\":\"/bin/claude\","                  \
	"\"addr\":\"127.0.0.1:5000\"},"                                                        \
	"\"server\":{\"pid\":20,\"comm\":\"node\",\"addr\":\"[::1]:3001\"}"

static struct call a_call(void)
{
	return (struct call){
		.ts = 1500000000,
		.start = 1000000001,
		.duration_ns = 499999999,
		.server_ns = 7,
		.has_duration = true,
		.has_server_ns = true,
		.id = STR("7"),
		.has_id = true,
		.view = VIEW_BOTH,
		.outcome = CALL_RPC_ERROR,
		.method = STR("tools/call"),
		.tool = STR("echo"),
		.prompt = STR("p"),
		.resource = STR("https://u:secret@h/p?token=secret"),
		.error_code = -32601,
		.has_error_code = true,
		.request_bytes = 100,
		.response_bytes = 200,
		.has_request = true,
		.has_response = true,
		.request_seen = 1,
		.response_seen = 2,
		.attempt = 3,
		.lost_bytes = 9,
		.order_uncertain = true,
		.session = STR("s1"),
		.protocol_version = STR("2025-11-25"),
		.trace_id = STR("aa"),
		.parent_span_id = STR("bb"),
		.params = STR("{\n \"a\": [1, 2]\r\n}"),
		.result = STR("[\"x\xff\"]"),
		.error = STR("{\"code\":-326"),
		.route = a_route(),
	};
}

#define CALL_TEXT(resource)                                                                    \
	"{\"kind\":\"call\",\"ts\":\"2023-11-14T22:13:21.500000000Z\",\"seq\":1,\"id\":7,"     \
	"\"from\":\"client\",\"method\":\"tools/call\",\"tool\":\"echo\",\"prompt\":\"p\","    \
	"\"resource\":\"" resource "\",\"start\":\"2023-11-14T22:13:21.000000001Z\","          \
	"\"duration_ns\":499999999,\"server_ns\":7,\"view\":\"both\","                         \
	"\"outcome\":\"rpc_error\",\"error_code\":-32601,\"request_bytes\":100,"               \
	"\"response_bytes\":200,\"response_seen\":2,\"session\":\"s1\",\"era\":\"legacy\","    \
	"\"protocol_version\":\"2025-11-25\"," ROUTE_TEXT ",\"attempt\":3,"                    \
	"\"trace_id\":\"aa\",\"parent_span_id\":\"bb\",\"order\":\"uncertain\",\"lost_bytes\":9"

static void test_call_without_content(void **state)
{
	struct out_file *f = *state;
	struct call c = a_call();

	sink_call(&f->sink, &c, &both);
	printed(f, CALL_TEXT("https://h/p") "}\n");
}

static void test_call_with_content(void **state)
{
	struct out_file *f = *state;
	struct call c = a_call();

	f->sink.content = true;
	sink_call(&f->sink, &c, &both);
	printed(f, CALL_TEXT("https://u:secret@h/p?token=secret")
		",\"params\":{  \"a\": [1, 2]  },\"result\":[\"x\xef\xbf\xbd\"],"
		"\"error_cut\":\"{\\\"code\\\":-326\"}\n");
}

static void test_other_records(void **state)
{
	struct out_file *f = *state;
	const struct note n = { .ts = 1, .method = STR("m"), .session = STR("s"), .bytes = 5,
				.lost_bytes = 6, .params = STR("{}"), .route = a_route() };
	const struct session_event e = {
		.end = true, .late = true, .ts = 1, .session = "s", .client_name = "c",
		.client_version = "1", .server_name = "d", .protocol_version = "2025-06-18",
		.requested_version = "2025-11-25", .calls = 3, .errors = 0, .duration_ns = 4,
		.reason = "eof",
	};
	const struct finding x = { .name = "noise_on_stdout", .severity = "notice",
				   .proc = { .pid = 20 }, .ts = 1, .count = 2,
				   .evidence = "{\"lines\":2}", .forgeable = true };

	sink_note(&f->sink, &n, &both);
	sink_session(&f->sink, &e, NULL);
	sink_finding(&f->sink, &x, &both);
	sink_loss(&f->sink, &(struct loss){ .name = "cut_bytes", .count = 1, .ts = 1, .where = "w" });
#define TS "\"ts\":\"2023-11-14T22:13:20.000000001Z\","
	printed(f, "{\"kind\":\"notification\"," TS "\"seq\":1,\"from\":\"client\",\"method\":\"m\","
		   "\"session\":\"s\",\"bytes\":5," ROUTE_TEXT ",\"lost_bytes\":6}\n"
		   "{\"kind\":\"session\"," TS "\"seq\":2,\"event\":\"end\",\"session\":\"s\","
		   "\"client_info\":{\"name\":\"c\",\"version\":\"1\"},\"server_info\":{\"name\":\"d\"},"
		   "\"protocol_version\":\"2025-06-18\",\"requested_version\":\"2025-11-25\","
		   "\"late\":true,\"calls\":3,\"errors\":0,\"duration_ns\":4,\"reason\":\"eof\"}\n"
		   "{\"kind\":\"finding\"," TS "\"seq\":3,\"finding\":\"noise_on_stdout\","
		   "\"severity\":\"notice\",\"process\":{\"pid\":20,\"comm\":\"node\"},"
		   "\"evidence\":{\"lines\":2},\"count\":2,\"forgeable\":true}\n"
		   "{\"kind\":\"loss\"," TS "\"seq\":4,\"loss\":\"cut_bytes\",\"count\":1,"
		   "\"where\":\"w\"}\n");
}

static void test_ids(void **state)
{
	static const struct {
		const char *id;
		bool string;
		const char *shown;
	} t[] = {
		{ "1", false, "1" },	  { "1", true, "\"1\"" },   { "-1.5e+3", false, "-1.5e+3" },
		{ "1e", false, "\"1e\"" }, { "", true, "\"\"" },    { "1,\"x\":2", false,
								      "\"1,\\\"x\\\":2\"" },
		{ "a\nb\xe2\x80\xae\xc2\x9b\xff", true, "\"a\\u000ab\\u202e\\u009b\xef\xbf\xbd\"" },
	};
	struct out_file *f = *state;
	struct buf want;

	buf_init(&want, 65536);
	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		sink_call(&f->sink, &(struct call){ .id = STR(t[i].id), .has_id = true,
						    .id_is_string = t[i].string }, NULL);
		buf_addf(&want, "{\"kind\":\"call\",\"seq\":%u,\"id\":%s,\"from\":\"client\","
				"\"outcome\":\"ok\"}\n", i + 1, t[i].shown);
	}
	buf_add_ch(&want, '\0');
	printed(f, want.p);
	buf_done(&want);
}

static void test_numbers(void **state)
{
	static const char *const good[] = { "0", "-0", "10", "1.0", "0.5", "1e5", "1E-5", "-1.25e+10" };
	static const char *const bad[] = { "", "-", "01", "+1", ".5", "1.", "1e", "1e+", "1 ", "0x1",
					   "NaN", "1.5.5", "--1" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(content_is_number(sv_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(content_is_number(sv_of(bad[i])));
}

/* No beginning of a value is taken for a whole one. */
static void test_cut_content(void **state)
{
	static const char *const whole[] = {
		"{}", "[]", "\"\"", "\"a\\\"b\\\\\"", "{\"a\":[\"}\",{\"b\":\"\\\\\"}]}", "[[[]],{}]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		struct sv s = sv_of(whole[i]);

		assert_true(content_is_whole(s));
		for (size_t n = 0; n < s.n; n++)
			assert_false(content_is_whole((struct sv){ s.p, n }));
	}
	assert_true(content_is_whole(SV("12")));
	assert_false(content_is_whole(SV("{]")));
	assert_false(content_is_whole(SV("}{")));
}

static void test_fan_out_is_full(void **state)
{
	struct sink s = { 0 };
	static const struct sink_ops none = { 0 };

	(void)state;
	for (int i = 0; i < SINKS_MAX; i++)
		assert_int_equal(sink_add(&s, &none, NULL), 0);
	assert_int_equal(sink_add(&s, &none, NULL), -ENOSPC);
	sink_call(&s, &(struct call){ 0 }, NULL);
	assert_int_equal(sink_broken(&s), 0);
	sink_done(&s);
}

/* The reader goes away: known at the next flush, with or without something to write. */
static void test_reader_gone(void **state)
{
	struct sink s = { 0 };
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	for (int with = 0; with < 2; with++) {
		assert_int_equal(pipe(fds), 0);
		sink_add(&s, &json_sink_ops, json_sink_new(fds[1], 0));
		sink_flush(&s);
		assert_int_equal(sink_broken(&s), 0);
		close(fds[0]);
		if (with)
			sink_loss(&s, &(struct loss){ .name = "x" });
		sink_flush(&s);
		assert_int_equal(sink_broken(&s), -EPIPE);
		sink_loss(&s, &(struct loss){ .name = "x" });
		sink_done(&s);
		close(fds[1]);
	}
}

/* More than the buffer, in small lines and in one: all of it arrives, in order. */
static void test_large_output(void **state)
{
	struct out_file *f = *state;
	char *big = malloc(300001);
	off_t size;

	memset(big, 'm', 300000);
	big[300000] = '\0';
	for (int i = 0; i < 2000; i++)
		sink_loss(&f->sink, &(struct loss){ .name = "ring_full", .count = 1 });
	sink_call(&f->sink, &(struct call){ .method = big }, NULL);
	sink_loss(&f->sink, &(struct loss){ .name = "last", .count = 1 });
	sink_flush(&f->sink);
	size = lseek(f->fd, 0, SEEK_END);
	assert_true(size > 300000 + 2000 * 50);
	assert_true(pread(f->fd, f->text, 64, size - 48) == 48);
	f->text[48] = '\0';
	assert_non_null(strstr(f->text, "\"seq\":2002,\"loss\":\"last\",\"count\":1}\n"));
	free(big);
}

static void test_tls(void **state)
{
	static const char *const names[] = { NULL, "openssl", "boringssl", "go", "gnutls", "rustls", "aws-lc", NULL };
	struct out_file *f = *state;
	char want[4096];
	int n = 0;

	for (uint8_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct route r = { .transport = TRANSPORT_HTTP, .channel = CHANNEL_TCP, .http_version = 20, .tls = i };
		const char *tls = names[i];

		sink_session(&f->sink, &(struct session_event){ .session = "s", .route = r }, NULL);
		n += snprintf(want + n, sizeof(want) - (size_t)n,
			 "{\"kind\":\"session\",\"seq\":%u,\"event\":\"start\",\"session\":\"s\",\"transport\":\"http\","
			 "\"channel\":\"tcp\",\"http\":\"2\"%s%s%s}\n",
			 i + 1, tls ? ",\"tls\":\"" : "", tls ? tls : "", tls ? "\"" : "");
	}
	printed(f, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unknown_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_call_without_content, setup, teardown),
		cmocka_unit_test_setup_teardown(test_call_with_content, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_output, setup, teardown),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_cut_content),
		cmocka_unit_test(test_fan_out_is_full),
		cmocka_unit_test(test_reader_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
