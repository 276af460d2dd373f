/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: every record to everyone who keeps up, and nobody in another's way. */
#include "ctl_world.h"

#include <sys/mman.h>

#include "ctl_sub.h"
#include "sink/json.h"

static struct sink *records(struct world *w)
{
	return facts_sink(w->f);
}

static bool first_watches(struct world *w)
{
	return text_has(&w->a[0].err, "watching");
}

static bool both_watch(struct world *w)
{
	return first_watches(w) && text_has(&w->a[1].err, "watching");
}

static bool first_is_gone(struct world *w)
{
	return w->a[0].gone;
}

/* One record of each kind; without times, which the agent knows better than a test. */
static void say_all(struct sink *s)
{
	struct call c = { .method = (char *)"tools/call", .tool = (char *)"find", .session = (char *)"s1",
			  .resource = (char *)"https://me:pw@host/x?key=1", .request_seen = 1, .attempt = 1,
			  .params = (char *)"{\"secret\":1}", .outcome = CALL_OK };
	const struct logical l = { .name = "l1", .joined_by = "task", .first = &c, .requests = 2 };
	const struct note n = { .method = (char *)"notifications/progress", .bytes = 7 };
	const struct session_event e = { .session = "s1", .client_name = "agent" };
	const struct finding f = { .name = "noise_on_stdout", .severity = "info", .count = 3 };
	const struct alert a = { .rule = "A1", .severity = ALERT_HIGH, .state = ALERT_FIRING, .count = 5 };
	const struct loss lost = { "ring_full", 4, 0, NULL }, ours = { CTL_LOSS, 4, 0, NULL };

	sink_session(s, &e, NULL);
	sink_call(s, &c, NULL);
	c.outcome = CALL_TOOL_ERROR;
	sink_call(s, &c, NULL);
	sink_note(s, &n, NULL);
	sink_finding(s, &f, NULL);
	sink_logical(s, &l, NULL);
	sink_alert(s, &a, NULL);
	sink_loss(s, &lost);
	sink_loss(s, &ours); /* somebody's, and he was told */
}

/* What a printer of its own, with the same options, makes of it. */
static void print_all(struct buf *ret, bool content)
{
	int fd = memfd_create("records", MFD_CLOEXEC);
	struct sink s = { .content = content };
	char text[65536];
	ssize_t n;

	assert_int_equal(sink_add(&s, &json_sink_ops, json_sink_new(fd, 0)), 0);
	say_all(&s);
	sink_done(&s);
	n = pread(fd, text, sizeof(text), 0);
	assert_true(n > 0);
	close(fd);
	buf_init(ret, sizeof(text));
	buf_add(ret, text, (size_t)n);
	/* The last line is the loss that a trace of its own cannot have. */
	ret->n--;
	while (ret->p[ret->n - 1] != '\n')
		ret->n--;
	buf_add_ch(ret, '\0');
}

static bool has_eight(struct world *w)
{
	return lines_of(&w->a[0].out) >= 8 && lines_of(&w->a[1].out) >= 8;
}

static void test_exact(void **state)
{
	struct buf want, want_content;
	struct world w;

	(void)state;
	print_all(&want, false);
	print_all(&want_content, true);
	world_open(&w, true, 0);
	ask(&w, 0, "trace\0plain\0-o\0json");
	ask(&w, 1, "trace\0plain\0-o\0json\0--content");
	until(&w, both_watch);
	assert_int_equal(w.drains, 2);
	say_all(records(&w));
	until(&w, has_eight);
	text_is(&w.a[0].out, want.p);
	text_is(&w.a[1].out, want_content.p);
	world_close(&w);
	buf_done(&want);
	buf_done(&want_content);
}

static bool errors_came(struct world *w)
{
	return lines_of(&w->a[0].out) >= 3 && lines_of(&w->a[1].out) >= 3;
}

/* Filter and colour are each trace's own; seq counts what it was shown. */
static void test_own_options(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	ask(&w, 0, "trace\0color\0-o\0json\0--errors\0--tool=find");
	ask(&w, 1, "trace\0color\0--errors\0--tool\0find\0--socket=/x");
	until(&w, both_watch);
	say_all(records(&w));
	until(&w, errors_came);
	assert_true(text_has(&w.a[0].out, "\"seq\":1,\"from\":\"client\",\"method\":\"tools/call\",\"tool\":\"find\","
					  "\"resource\":\"https://host/x\""));
	assert_true(text_has(&w.a[0].out, "\"seq\":2,"));
	assert_false(text_has(&w.a[0].out, "\033["));
	assert_true(text_has(&w.a[1].out, "\033[31mtool_error"));
	assert_false(text_has(&w.a[1].out, " ok "));
	assert_false(text_has(&w.a[0].out, "secret"));
	world_close(&w);
}

#define BATCHES 60
#define BATCH 1000

static struct {
	size_t lines;
} expect;

static bool first_has_all(struct world *w)
{
	return lines_of(&w->a[0].out) >= expect.lines;
}

static bool second_was_told(struct world *w)
{
	return text_has(&w->a[1].out, "\"subscriber_dropped\"");
}

static uint64_t number_behind(const struct buf *b, const char *part)
{
	const char *at = memmem(b->p, b->n, part, strlen(part));

	assert_non_null(at);
	return strtoull(at + strlen(part), NULL, 10);
}

static void has_no_hole(const struct buf *b)
{
	size_t n = 0, at = 0;
	char want[32];

	while (at < b->n) {
		const char *end = memchr(b->p + at, '\n', b->n - at);
		size_t len = (size_t)(end - (b->p + at));

		snprintf(want, sizeof(want), "\"seq\":%zu,", ++n);
		assert_non_null(memmem(b->p + at, len, want, strlen(want)));
		at += len + 1;
	}
}

static void test_slow_reader(void **state)
{
	struct call c = { .method = (char *)"tools/call", .tool = (char *)"find", .session = (char *)"s1" };
	struct ctl_stats stats;
	size_t whole;
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	ask(&w, 0, "trace\0plain\0-o\0json");
	ask(&w, 1, "trace\0plain\0-o\0json");
	until(&w, both_watch);
	w.a[1].deaf = true;
	for (int i = 1; i <= BATCHES; i++) {
		for (int k = 0; k < BATCH; k++)
			sink_call(records(&w), &c, NULL);
		expect.lines = (size_t)i * BATCH;
		until(&w, first_has_all);
	}
	assert_int_equal(lines_of(&w.a[0].out), BATCHES * BATCH);
	has_no_hole(&w.a[0].out);
	ctl_stats(w.c, &stats);
	assert_true(stats.dropped > 0);
	w.a[1].deaf = false;
	until(&w, second_was_told);
	whole = lines_of(&w.a[1].out) - 1;
	has_no_hole(&w.a[1].out);
	assert_int_equal(number_behind(&w.a[1].out, "\"subscriber_dropped\",\"count\":"), stats.dropped);
	assert_int_equal(whole + stats.dropped, BATCHES * BATCH);
	assert_false(text_has(&w.a[0].out, "subscriber_dropped"));
	world_close(&w);
}

/* It ends without ever having read: the loss, the summary and the status still fit. */
static void test_deaf_to_the_end(void **state)
{
	struct call c = { .method = (char *)"tools/call", .tool = (char *)"find", .session = (char *)"s1" };
	struct ctl_stats stats;
	struct world w;
	char want[64];

	(void)state;
	world_open(&w, false, 0);
	ask(&w, 0, "trace\0plain\0-o\0json");
	until(&w, first_watches);
	w.a[0].deaf = true;
	for (int k = 0; k < BATCHES * BATCH; k++)
		sink_call(records(&w), &c, NULL);
	shutdown(w.a[0].fd, SHUT_WR);
	ctl_stats(w.c, &stats);
	w.a[0].deaf = false;
	until(&w, first_is_gone);
	snprintf(want, sizeof(want), "\"losses\":{\"subscriber_dropped\":%llu}", (unsigned long long)stats.dropped);
	assert_true(stats.dropped > 0);
	assert_true(text_has(&w.a[0].err, want));
	assert_int_equal(w.a[0].status, 0);
	assert_int_equal(lines_of(&w.a[0].out) - 1 + stats.dropped, BATCHES * BATCH);
	world_close(&w);
}

static bool sixteen_watch(struct world *w)
{
	for (int i = 0; i < CTL_CLIENTS; i++) {
		if (!text_has(&w->a[i].err, "watching"))
			return false;
	}
	return true;
}

static bool last_is_gone(struct world *w)
{
	return w->a[CTL_CLIENTS].gone;
}

static bool all_have_one(struct world *w)
{
	for (int i = 0; i < CTL_CLIENTS; i++) {
		if (!lines_of(&w->a[i].out))
			return false;
	}
	return true;
}

static void test_sixteen(void **state)
{
	const struct call c = { .method = (char *)"ping" };
	struct ctl_stats stats;
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	for (int i = 0; i < CTL_CLIENTS; i++)
		ask(&w, i, "trace\0plain\0-o\0json");
	until(&w, sixteen_watch);
	asker_connect(&w.a[CTL_CLIENTS], w.path);
	until(&w, last_is_gone);
	text_is(&w.a[CTL_CLIENTS].err, "mcpvigil: the agent has as many traces as it can have\n");
	assert_int_equal(w.a[CTL_CLIENTS].status, 1);
	ctl_stats(w.c, &stats);
	assert_int_equal(stats.clients, CTL_CLIENTS);
	assert_int_equal(stats.refused, 1);
	sink_call(records(&w), &c, NULL);
	until(&w, all_have_one);
	world_close(&w);
}

/* Whoever connects and says nothing has to give his place up. */
static void test_silent_gives_way(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	for (int i = 1; i <= CTL_CLIENTS; i++)
		asker_connect(&w.a[i], w.path);
	ask(&w, 0, "doctor\0plain");
	until(&w, first_is_gone);
	assert_true(text_has(&w.a[0].out, "all is well\n"));
	assert_int_equal(w.a[0].status, 0);
	assert_true(w.a[1].gone);
	assert_false(w.a[2].gone);
	world_close(&w);
}

static bool one_client(struct world *w)
{
	struct ctl_stats stats;

	ctl_stats(w->c, &stats);
	return stats.clients == 1;
}

/* Killed: nobody is left to settle for, and the loop must not turn for him. */
static void killed_client(bool with_a_record)
{
	const struct call c = { .method = (char *)"ping" };
	struct world w;

	world_open(&w, false, 3600 * NSEC_PER_SEC);
	ask(&w, 0, "trace\0plain");
	ask(&w, 1, "trace\0plain");
	until(&w, both_watch);
	asker_close(&w.a[0]);
	if (with_a_record)
		sink_call(records(&w), &c, NULL);
	until(&w, one_client);
	world_close(&w);
}

static void test_killed_client(void **state)
{
	(void)state;
	killed_client(true);
	killed_client(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_own_options),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_deaf_to_the_end),
		cmocka_unit_test(test_sixteen),
		cmocka_unit_test(test_silent_gives_way),
		cmocka_unit_test(test_killed_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
