/* SPDX-License-Identifier: Apache-2.0 */
/* A trace over the control socket to its end: what hangs is told, what came too late is not; and `calls`. */
#include "ctl_world.h"

#include <time.h>

#include "mcp_channel.h"

#define LONG_NS (3600 * NSEC_PER_SEC)

/* The agent's pairing, fed by hand, at the time it is. */
static void feed(struct world *w, struct peers *p)
{
	memset(p, 0, sizeof(*p));
	p->m = facts_mcp(w->f);
	p->now = clock_boot_ns() - 100 * MS; /* messages take 1 ms each, and are to be over */
}

static void begin(struct peers *p)
{
	mcp_stdio_set(p->m, UP, DOWN, words_proc(SERVER));
	channel_up(p, words_request("0", "initialize"));
	channel_down(p, words_welcome("0"));
	channel_up(p, words_note("notifications/initialized"));
}

static bool first_watches(struct world *w)
{
	return text_has(&w->a[0].err, "watching");
}

static bool first_is_gone(struct world *w)
{
	return w->a[0].gone;
}

static bool second_is_gone(struct world *w)
{
	return w->a[1].gone;
}

static bool both_watch(struct world *w)
{
	return first_watches(w) && text_has(&w->a[1].err, "watching");
}

static size_t count(const struct buf *b, const char *part)
{
	size_t n = 0, at = 0;

	while (at < b->n) {
		const char *p = memmem(b->p + at, b->n - at, part, strlen(part));

		if (!p)
			break;
		n++;
		at = (size_t)(p - b->p) + strlen(part);
	}
	return n;
}

static void last_line_is(const struct buf *b, const char *from, const char *to)
{
	size_t end = b->n - 1, at = end;

	assert_int_equal(b->p[end], '\n');
	while (at && b->p[at - 1] != '\n')
		at--;
	assert_true(end - at > strlen(from) + strlen(to));
	assert_memory_equal(b->p + at, from, strlen(from));
	assert_memory_equal(b->p + end - strlen(to), to, strlen(to));
}

static void test_unanswered(void **state)
{
	struct peers p;
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	feed(&w, &p);
	begin(&p);
	channel_up(&p, words_request("1", "tools/call")); /* before the traces */
	ask(&w, 0, "trace\0plain\0-o\0json");
	ask(&w, 1, "trace\0plain\0-o\0json");
	until(&w, both_watch);
	nanosleep(&(struct timespec){ .tv_nsec = 10 * MS }, NULL);
	p.now = clock_boot_ns() - 8 * MS;
	channel_up(&p, words_request("2", "tools/call"));
	channel_up(&p, words_request("3", "tools/list"));
	channel_down(&p, words_result("2"));
	shutdown(w.a[0].fd, SHUT_WR);
	until(&w, first_is_gone);
	assert_int_equal(w.a[0].status, 0);
	assert_int_equal(count(&w.a[0].out, "\n"), 2);
	assert_int_equal(count(&w.a[0].out, "\"id\":2,\"from\":\"client\",\"method\":\"tools/call\",\"tool\":\"echo\""), 1);
	assert_int_equal(count(&w.a[0].out, "\"outcome\":\"ok\""), 1);
	assert_int_equal(count(&w.a[0].out, "\"seq\":2,\"id\":3,\"from\":\"client\",\"method\":\"tools/list\""), 1);
	assert_int_equal(count(&w.a[0].out, "\"outcome\":\"unanswered\""), 1);
	last_line_is(&w.a[0].err,
		     "{\"calls\":2,\"notifications\":0,\"by_outcome\":{\"ok\":1,\"unanswered\":1},\"lost_bytes\":0,"
		     "\"losses\":{},\"seconds\":", "}");
	/* To the other one it still hangs, and then does not. */
	assert_int_equal(count(&w.a[1].out, "\"unanswered\""), 0);
	channel_down(&p, words_result("3"));
	shutdown(w.a[1].fd, SHUT_WR);
	until(&w, second_is_gone);
	assert_int_equal(count(&w.a[1].out, "\n"), 2);
	assert_int_equal(count(&w.a[1].out, "\"ok\""), 2);
	world_close(&w);
}

static bool has_one_line(struct world *w)
{
	return lines_of(&w->a[0].out) >= 1;
}

/* While it settles: what was complete before the end is told, what was not is unanswered, what is new is nothing. */
static void test_settling(void **state)
{
	struct call c = { .method = (char *)"ping", .attempt = 1, .has_id = true };
	struct world w;
	uint64_t end;

	(void)state;
	world_open(&w, false, LONG_NS);
	ask(&w, 0, "trace\0plain\0-o\0json");
	until(&w, first_watches);
	shutdown(w.a[0].fd, SHUT_WR);
	while (w.drains < 2)
		until(&w, first_watches);
	end = clock_boot_ns();
	c.id = (char *)"1";
	c.start = c.ts = end + NSEC_PER_SEC;
	sink_call(facts_sink(w.f), &c, NULL);
	c.id = (char *)"2";
	c.start = 1;
	sink_call(facts_sink(w.f), &c, NULL); /* hung before the trace began */
	sink_note(facts_sink(w.f), &(struct note){ .ts = c.ts, .method = (char *)"late" }, NULL);
	sink_session(facts_sink(w.f), &(struct session_event){ .ts = c.ts, .session = "late" }, NULL);
	sink_finding(facts_sink(w.f), &(struct finding){ .ts = c.ts, .name = "late" }, NULL);
	sink_alert(facts_sink(w.f), &(struct alert){ .ts = c.ts, .rule = "late", .state = ALERT_FIRING }, NULL);
	c.id = (char *)"3";
	c.ts = 5;
	sink_call(facts_sink(w.f), &c, NULL);
	until(&w, has_one_line);
	assert_int_equal(count(&w.a[0].out, "\n"), 1);
	assert_int_equal(count(&w.a[0].out, "\"id\":3,"), 1);
	world_close(&w);
}

static bool second_settles(struct world *w)
{
	return w->drains >= 3;
}

static void test_hangs_at_the_end(void **state)
{
	struct call c = { .method = (char *)"ping", .id = (char *)"1", .has_id = true, .has_duration = true,
			  .duration_ns = 77, .has_error_code = true, .error_code = -1, .has_response = true };
	struct world w;

	(void)state;
	world_open(&w, false, LONG_NS);
	ask(&w, 0, "trace\0plain\0-o\0json");
	ask(&w, 1, "trace\0plain\0-o\0json");
	until(&w, both_watch);
	c.start = clock_boot_ns();
	shutdown(w.a[0].fd, SHUT_WR);
	until(&w, second_settles);
	c.ts = c.start + LONG_NS;
	sink_call(facts_sink(w.f), &c, NULL);
	until(&w, has_one_line);
	assert_int_equal(count(&w.a[0].out, "\"outcome\":\"unanswered\""), 1);
	assert_int_equal(count(&w.a[0].out, "duration_ns"), 0);
	assert_int_equal(count(&w.a[0].out, "error_code"), 0);
	assert_int_equal(count(&w.a[0].out, "response_bytes"), 0);
	assert_int_equal(count(&w.a[1].out, "\"outcome\":\"ok\",\"error_code\":-1"), 1);
	world_close(&w);
}

/* The agent ends: traces end as if they had been told to. */
static void test_stop(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false, LONG_NS);
	ask(&w, 0, "trace\0plain");
	asker_connect(&w.a[1], w.path);
	until(&w, first_watches);
	ctl_stop(w.c);
	listen_to(&w.a[0]);
	listen_to(&w.a[1]);
	assert_true(w.a[0].gone && w.a[1].gone);
	assert_int_equal(w.a[0].status, 0);
	last_line_is(&w.a[0].err, "0 calls, 0 notifications in ", " s; nothing lost");
	assert_int_equal(access(w.path, F_OK), -1);
	world_close(&w);
}

static void ask_calls(struct world *w, bool json)
{
	if (json)
		ask(w, 0, "calls\0plain\0-o\0json");
	else
		ask(w, 0, "calls\0plain\0-w5");
	until(w, first_is_gone);
	assert_int_equal(w->a[0].status, 0);
}

static void test_calls_empty(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	ask_calls(&w, false);
	text_is(&w.a[0].out, "in flight\n  none\nservers that have not answered initialize\n  none\n"
			     "servers that died\n  none\nstarts of sessions\n  0\n");
	asker_close(&w.a[0]);
	ask_calls(&w, true);
	assert_int_equal(count(&w.a[0].out, "\n"), 1);
	assert_true(text_has(&w.a[0].out, "\"seq\":1,\"in_flight\":0,\"shown\":0,\"deaths\":0,\"starts\":0}"));
	world_close(&w);
}

static void test_calls(void **state)
{
	struct peers p;
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	feed(&w, &p);
	begin(&p);
	channel_up(&p, words_request("7", "tools/call"));
	mcp_stdio_set(p.m, 21, 22, words_proc(300));
	words_say(&p, words_line(&p, 21, CLIENT, 300), words_request("0", "initialize"));
	mcp_tick(p.m, p.now + 2 * NSEC_PER_SEC); /* nobody answers: it is let go of */
	ask_calls(&w, true);
	assert_int_equal(count(&w.a[0].out, "\n"), 3);
	assert_int_equal(count(&w.a[0].out, "\"kind\":\"in_flight\""), 2);
	assert_int_equal(count(&w.a[0].out, "\"id\":7,\"from\":\"client\",\"method\":\"tools/call\",\"tool\":\"echo\""), 1);
	assert_int_equal(count(&w.a[0].out, "\"age_ns\":"), 2);
	assert_int_equal(count(&w.a[0].out, "outcome"), 0);
	assert_int_equal(count(&w.a[0].out, "\"in_flight\":2,\"shown\":2,"), 1);
	asker_close(&w.a[0]);
	ask_calls(&w, false);
	assert_int_equal(count(&w.a[0].out, "?(100)"), 2);
	assert_int_equal(count(&w.a[0].out, "?(200)"), 1);
	assert_int_equal(count(&w.a[0].out, "?(300)"), 1);
	assert_int_equal(count(&w.a[0].out, "  tools/call echo  "), 1);
	assert_int_equal(count(&w.a[0].out, "none"), 1);
	world_close(&w);
}

/* More than is shown is counted, and what stands behind is still there. */
static void test_calls_many(void **state)
{
	char id[8];
	struct peers p;
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	feed(&w, &p);
	begin(&p);
	for (int i = 0; i < 1500; i++) {
		snprintf(id, sizeof(id), "%d", i + 1);
		channel_up(&p, words_request(id, "tools/call"));
	}
	ask_calls(&w, false);
	assert_int_equal(count(&w.a[0].out, "tools/call"), 1000);
	assert_int_equal(count(&w.a[0].out, "  and 500 more\n"), 1);
	assert_int_equal(count(&w.a[0].out, "starts of sessions\n"), 1);
	asker_close(&w.a[0]);
	ask_calls(&w, true);
	assert_int_equal(count(&w.a[0].out, "\"kind\":\"in_flight\""), 1000);
	assert_int_equal(count(&w.a[0].out, "\"in_flight\":1500,\"shown\":1000,"), 1);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_settling),
		cmocka_unit_test(test_hangs_at_the_end),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_calls_empty),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_calls_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
