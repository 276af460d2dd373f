/* SPDX-License-Identifier: Apache-2.0 */
/* user/pipeline: records about TLS, from the kernel side to JSON lines. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "event_tls.h"
#include "pipeline.h"
#include "sink/json.h"

#define SEC 1000000000ull
#define MS 1000000ull
#define T (100 * SEC)
#define SERVER 7
#define CLIENT 8

struct world {
	struct pipeline *p;
	int fd;
	uint64_t now, pos[2];
	char text[65536];
};

static void begin(struct world *w, bool no_tls)
{
	struct pipeline_opts o = { .no_tls = no_tls };

	facts_opts_default(&o.facts);
	w->p = pipeline_new(&o, NULL, NULL);
	assert_non_null(w->p);
	w->fd = memfd_create("records", MFD_CLOEXEC);
	assert_int_equal(sink_add(facts_sink(pipeline_facts(w->p)), &json_sink_ops, json_sink_new(w->fd, 0)), 0);
	w->now = T;
}

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	pipeline_free(w->p);
	close(w->fd);
	free(w);
	return 0;
}

static const char *printed(struct world *w)
{
	ssize_t n;

	pipeline_output(w->p);
	n = pread(w->fd, w->text, sizeof(w->text) - 1, 0);
	assert_true(n >= 0);
	w->text[n] = '\0';
	return w->text;
}

#define HEAD(type, k, p) { .size = sizeof(type), .kind = (k), .ts = w->now, .pid = (p), .tid = (p) }

static void program(struct world *w, uint32_t pid, const char *name)
{
	struct ev_exec e = { .hdr = HEAD(e, EV_EXEC, pid), .start = pid };

	snprintf(e.comm, sizeof(e.comm), "%s", name);
	e.path_len = (uint16_t)snprintf(e.path, sizeof(e.path), "/usr/bin/%s", name);
	pipeline_feed(w->p, &e.hdr);
}

static void unread(struct world *w)
{
	struct ev_hello h = {
		.hdr = HEAD(h, EV_HELLO, SERVER),
		.start = SERVER,
		.family = AF_INET,
		.rport = 40000,
		.raddr = { 10, 0, 0, 2 },
	};
	struct ev_hooked k = { .hdr = HEAD(k, EV_HOOKED, SERVER), .start = SERVER, .state = HOOKED_NOTHING };

	program(w, SERVER, "java");
	pipeline_feed(w->p, &h.hdr);
	pipeline_feed(w->p, &k.hdr);
	pipeline_tick(w->p, T + 5 * SEC);
}

static void test_opaque(void **state)
{
	struct world *w = *state;
	struct buf text;

	begin(w, false);
	unread(w);
	assert_string_equal(printed(w),
			    "{\"kind\":\"finding\",\"ts\":\"1970-01-01T00:01:45.000000000Z\",\"seq\":1,"
			    "\"finding\":\"opaque_tls\",\"severity\":\"notice\","
			    "\"process\":{\"pid\":7,\"comm\":\"java\",\"exe\":\"/usr/bin/java\"},"
			    "\"evidence\":{\"peer\":\"10.0.0.2:40000\",\"why\":\"no TLS code was found in its files\"},"
			    "\"count\":1}\n");
	buf_init(&text, 65536);
	pipeline_show_opaque(w->p, &text);
	assert_int_equal(buf_add_ch(&text, '\0'), 0);
	assert_string_equal(text.p, "\nopaque TLS  1 process not read, each with its first peer\n"
				    "  java(7) and 10.0.0.2:40000: no TLS code was found in its files\n");
	buf_done(&text);
}

static void test_not_asked(void **state)
{
	struct world *w = *state;
	struct buf text;

	begin(w, true);
	unread(w);
	assert_string_equal(printed(w), "");
	buf_init(&text, 64);
	pipeline_show_opaque(w->p, &text);
	assert_int_equal(text.n, 0);
	buf_done(&text);
}

/* One end of a connection: the library's object, whose directions are keyed by end. */
static struct ev_key key(uint32_t pid, enum ev_end end)
{
	return (struct ev_key){ .obj = 0x1000 + pid, .ino = (uint64_t)pid << 1 | (uint64_t)end };
}

static void opens(struct world *w, uint32_t pid, enum tls_stack stack, bool client)
{
	struct ev_open o = {
		.hdr = HEAD(o, EV_OPEN, pid),
		.start = pid,
		.key = key(pid, END_WRITE),
		.reverse = key(pid, END_READ),
		.chan = CHAN_TLS,
		.end = END_WRITE,
		.family = AF_INET,
		.lport = client ? 40000 : 443,
		.rport = client ? 443 : 40000,
		.netns = 1,
		.laddr = { 127, 0, 0, 1 },
		.raddr = { 127, 0, 0, 1 },
		.tls = stack,
	};

	pipeline_feed(w->p, &o.hdr);
}

/* @pid writes or reads @text; both do. */
static void passes(struct world *w, uint32_t pid, enum ev_end end, const char *text)
{
	size_t n = strlen(text), size = sizeof(struct ev_data) + n;
	bool request = (pid == CLIENT) == (end == END_WRITE);
	struct ev_data *d = calloc(1, size);

	w->now += MS;
	d->hdr = (struct ev_hdr)HEAD(*d, EV_DATA, pid);
	d->hdr.size = (uint32_t)size;
	d->start = pid;
	d->key = key(pid, end);
	d->pos = w->pos[request];
	d->want = d->have = (uint32_t)n;
	d->chan = CHAN_TLS;
	d->end = (uint8_t)end;
	memcpy(d->data, text, n);
	pipeline_feed(w->p, &d->hdr);
	free(d);
	if (end == END_READ)
		w->pos[request] += n;
}

#define CALL "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":{}}}"
#define RESULT "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}"
#define POST "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s"

/* The asking end's stack, HTTP, and a channel that is TCP. */
static void test_call(void **state)
{
	struct world *w = *state;
	char post[512], answer[512];

	begin(w, false);
	program(w, SERVER, "nginx");
	program(w, CLIENT, "agent");
	opens(w, CLIENT, TLS_GO, true);
	opens(w, SERVER, TLS_OPENSSL, false);
	snprintf(post, sizeof(post), POST, strlen(CALL), CALL);
	snprintf(answer, sizeof(answer), ANSWER, strlen(RESULT), RESULT);
	passes(w, CLIENT, END_WRITE, post);
	passes(w, SERVER, END_READ, post);
	passes(w, SERVER, END_WRITE, answer);
	passes(w, CLIENT, END_READ, answer);
	for (int i = 0; i < 100; i++)
		pipeline_tick(w->p, w->now += 20 * MS);
	pipeline_flush(w->p, w->now);
	assert_non_null(strstr(printed(w), "{\"kind\":\"call\","));
	assert_null(strstr(strstr(w->text, "{\"kind\":\"call\",") + 1, "{\"kind\":\"call\","));
	assert_non_null(strstr(strstr(w->text, "{\"kind\":\"call\","),
			       "\"transport\":\"http\",\"channel\":\"tcp\",\"http\":\"1.1\",\"tls\":\"go\","
			       "\"client\":{\"pid\":8,\"comm\":\"agent\",\"exe\":\"/usr/bin/agent\",\"addr\":\"127.0.0.1:40000\"},"
			       "\"server\":{\"pid\":7,"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_opaque, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_call, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
