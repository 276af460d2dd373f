/* SPDX-License-Identifier: Apache-2.0 */
/* The alert engine and its sinks, as the agent joins them, driven by hand for tests/alerts/run:
 * drive KEY=VALUE...
 *
 * alertmanager=URL and webhook=URL, each as often as wanted; secret=KEY, timeout_ms=N, resend_ms=N, before them. Obeys
 * words on standard input, a line each, and answers "done": fire SESSION COUNT, resolve SESSION (a loop); calls N (so
 * many records go through, outputs flushed as they do). "self" answers with one JSON object an output, on one line.
 * Ends with its input. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/num.h"
#include "detect/alerts.h"
#include "sink/alertmanager.h"
#include "sink/webhook.h"

#define MS	   NSEC_PER_MSEC
#define OUTPUTS	   8
#define FLUSH_CALLS 100

struct output {
	void *self;
	void (*show)(const void *self, struct self_sink *ret);
};

static struct {
	struct alerts *alerts;
	struct sink sink;
	struct output output[OUTPUTS];
	unsigned int outputs;
	char secret[128];
	uint64_t timeout_ns, resend_ns;
	uint64_t keys;
	int64_t wall_offset;
} d = { .timeout_ns = 300 * MS, .resend_ns = 1000 * MS };

static const struct alert_labels labels = { .v = { { "cluster", "test" } }, .n = 1 };

static void on_alert(void *ctx, const struct alert *a)
{
	(void)ctx;
	sink_alert(&d.sink, a, NULL);
}

static int add(const struct sink_ops *ops, void *self, void (*show)(const void *self, struct self_sink *ret))
{
	if (!self || d.outputs == OUTPUTS)
		return -1;
	d.output[d.outputs++] = (struct output){ self, show };
	return sink_add(&d.sink, ops, self);
}

static int add_alertmanager(const char *url)
{
	struct alertmanager_opts o;

	alertmanager_opts_default(&o);
	snprintf(o.url, sizeof(o.url), "%s", url);
	o.timeout_ns = d.timeout_ns;
	o.resend_ns = d.resend_ns;
	o.labels = &labels;
	o.wall_offset = d.wall_offset;
	return add(&alertmanager_ops, alertmanager_new(&o), alertmanager_self);
}

static int add_webhook(const char *url)
{
	struct webhook_opts o;

	webhook_opts_default(&o);
	snprintf(o.url, sizeof(o.url), "%s", url);
	snprintf(o.secret, sizeof(o.secret), "%s", d.secret);
	o.timeout_ns = d.timeout_ns;
	o.group_wait_ns = 200 * MS;
	o.retry_ns = 100 * MS;
	o.retry_max_ns = d.resend_ns;
	o.labels = &labels;
	o.wall_offset = d.wall_offset;
	return add(&webhook_ops, webhook_new(&o), webhook_self);
}

static int configure(const char *arg)
{
	const char *value = strchr(arg, '=');
	struct sv key = { arg, value ? (size_t)(value - arg) : 0 };
	uint64_t n = 0;

	if (!value)
		return -1;
	value++;
	if (sv_eq(key, SV("alertmanager")))
		return add_alertmanager(value);
	if (sv_eq(key, SV("webhook")))
		return add_webhook(value);
	if (sv_eq(key, SV("secret")))
		return snprintf(d.secret, sizeof(d.secret), "%s", value) < 0;
	if (num_u64(sv_of(value), &n) < 0)
		return -1;
	if (sv_eq(key, SV("timeout_ms")))
		d.timeout_ns = n * MS;
	else if (sv_eq(key, SV("resend_ms")))
		d.resend_ns = n * MS;
	else
		return -1;
	return 0;
}

/* A loop of the session named, whose number is its key. */
static void loop(const char *session, uint8_t state, uint64_t count)
{
	uint64_t now = clock_boot_ns();
	struct alert a = {
		.key = 1 + (uint64_t)strtoull(session + 1, NULL, 10),
		.rule = "same_call_same_error",
		.severity = ALERT_HIGH,
		.state = state,
		.ts = now,
		.since = now - 10 * NSEC_PER_SEC,
		.ended = state == ALERT_RESOLVED ? now : 0,
		.count = count,
		.session = session,
		.tool = "read_file",
		.server = "files",
		.client = "agent",
		.calls = count,
		.bytes = 100 * count,
		.busy_ns = count * MS,
		.evidence = "{\"period\":1}",
		.summary = "The same call fails with the same error.",
		.advice = "Stop the agent.",
	};

	alerts_loop(d.alerts, &a);
}

static void calls(uint64_t n)
{
	char tool[] = "read_file", method[] = "tools/call";

	for (uint64_t i = 0; i < n; i++) {
		struct call c = { .ts = clock_boot_ns(), .tool = tool, .method = method, .outcome = CALL_OK };

		alerts_call(d.alerts, &c, "agent", "files");
		if (i % FLUSH_CALLS == 0)
			sink_flush(&d.sink);
	}
}

static void show_self(void)
{
	struct self_sink s;
	struct buf out;
	struct jsonw w;

	buf_init(&out, 65536);
	jsonw_init(&w, &out);
	jsonw_open(&w, NULL, '[');
	for (unsigned int i = 0; i < d.outputs; i++) {
		d.output[i].show(d.output[i].self, &s);
		jsonw_open(&w, NULL, '{');
		jsonw_cstr(&w, "name", s.name);
		jsonw_bool(&w, "failing", s.failing);
		jsonw_u64(&w, "sent", s.sent);
		jsonw_u64(&w, "failed", s.failed);
		jsonw_u64(&w, "dropped", s.dropped);
		jsonw_u64(&w, "queued", s.queued);
		jsonw_close(&w, '}');
	}
	jsonw_close(&w, ']');
	printf("%.*s\n", (int)out.n, out.p);
	buf_done(&out);
}

/* false: no such word. */
static bool obey(char *line)
{
	char *save = NULL;
	const char *word = strtok_r(line, " \n", &save), *first = strtok_r(NULL, " \n", &save);
	const char *second = strtok_r(NULL, " \n", &save);
	uint64_t n = 0;

	if (!word || (strcmp(word, "self") != 0 && !first))
		return false;
	if (strcmp(word, "self") == 0) {
		show_self();
		return true;
	}
	if (strcmp(word, "resolve") == 0)
		loop(first, ALERT_RESOLVED, 3);
	else if (strcmp(word, "fire") == 0 && second && num_u64(sv_of(second), &n) == 0)
		loop(first, ALERT_FIRING, n);
	else if (strcmp(word, "calls") == 0 && num_u64(sv_of(first), &n) == 0)
		calls(n);
	else
		return false;
	puts("done");
	return true;
}

/* As the agent's loop: flush ten times a second and more, whatever comes in. */
static int run(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[256];

	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		int n = poll(&in, 1, 20);

		alerts_tick(d.alerts, clock_boot_ns());
		sink_flush(&d.sink);
		if (n <= 0)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		if (!obey(line))
			return 1;
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct alerts_opts o;
	int err = 0;

	d.wall_offset = clock_wall_offset_ns();
	alerts_opts_default(&o);
	o.rules = 1;
	o.rule[0] = (struct rule){ .id = "busy", .metric = RULE_RATE, .by = RULE_BY_TOOL, .above = 1000 };
	d.alerts = alerts_new(&o, &(struct alerts_ops){ on_alert, NULL });
	for (int i = 1; i < argc && !err; i++)
		err = configure(argv[i]);
	if (err || !d.alerts) {
		fprintf(stderr, "drive: bad argument, or %s\n", strerror(errno));
		return 2;
	}
	err = run();
	sink_done(&d.sink);
	alerts_free(d.alerts);
	return err;
}
