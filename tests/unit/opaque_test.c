/* SPDX-License-Identifier: Apache-2.0 */
/* user/opaque: who is named, when exactly, once, and why. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event_tls.h"
#include "opaque.h"

#define SEC 1000000000ull
#define T (100 * SEC) /* of the first TLS record, in most tests */
#define START (90 * SEC)

struct told {
	struct opaque *o;
	unsigned int n;
	uint64_t ts;
	uint32_t pid;
	char evidence[1024];
};

static void on_finding(void *ctx, const struct finding *f)
{
	struct told *t = ctx;

	assert_string_equal(f->name, "opaque_tls");
	assert_string_equal(f->severity, "notice");
	assert_null(f->session);
	assert_false(f->forgeable);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->proc.start, START);
	t->n++;
	t->ts = f->ts;
	t->pid = f->proc.pid;
	snprintf(t->evidence, sizeof(t->evidence), "%s", f->evidence);
}

static int set_up(void **state)
{
	struct told *t = calloc(1, sizeof(*t));

	t->o = opaque_new(on_finding, t);
	*state = t;
	return t->o ? 0 : -1;
}

static int tear_down(void **state)
{
	struct told *t = *state;

	opaque_free(t->o);
	free(t);
	return 0;
}

#define HEAD(type, k, p, at) { .size = sizeof(type), .kind = (k), .ts = (at), .pid = (p), .tid = (p) }

static void hello(struct told *t, uint32_t pid, uint64_t ts)
{
	struct ev_hello h = {
		.hdr = HEAD(h, EV_HELLO, pid, ts),
		.start = START,
		.family = AF_INET,
		.lport = 40000,
		.rport = 443,
		.laddr = { 10, 0, 0, 1 },
		.raddr = { 10, 0, 0, 2 },
	};

	opaque_feed(t->o, &h.hdr);
}

static void hooked(struct told *t, uint32_t pid, uint64_t ts, enum hooked_state s, const char *why)
{
	struct ev_hooked h = { .hdr = HEAD(h, EV_HOOKED, pid, ts), .start = START, .state = (uint8_t)s };

	snprintf(h.why, sizeof(h.why), "%s", why);
	opaque_feed(t->o, &h.hdr);
}

static void opened(struct told *t, uint32_t pid, uint64_t ts, uint8_t chan)
{
	struct ev_open e = { .hdr = HEAD(e, EV_OPEN, pid, ts), .start = START, .chan = chan };

	opaque_feed(t->o, &e.hdr);
}

static void plaintext(struct told *t, uint32_t pid, uint64_t ts)
{
	opened(t, pid, ts, CHAN_TLS);
}

static void became(struct told *t, uint32_t pid, uint64_t ts, uint16_t flags)
{
	struct ev_exec e = { .hdr = HEAD(e, EV_EXEC, pid, ts), .start = START };

	e.hdr.flags = flags;
	opaque_feed(t->o, &e.hdr);
}

static void ended(struct told *t, uint32_t pid, uint64_t ts)
{
	struct ev_exit e = { .hdr = HEAD(e, EV_EXIT, pid, ts), .start = START };

	opaque_feed(t->o, &e.hdr);
}

/* Nothing until @ts, then @n in all. */
static void assert_told(struct told *t, unsigned int n, uint64_t ts)
{
	opaque_tick(t->o, ts - 1);
	assert_int_equal(t->n, n - 1);
	opaque_tick(t->o, ts);
	assert_int_equal(t->n, n);
}

#define PEER "{\"peer\":\"10.0.0.2:443\",\"why\":\""

static void test_why(void **state)
{
	struct told *t = *state;
	char long_why[EV_WHY_MAX];

	hello(t, 1, T);
	assert_told(t, 1, T + 5 * SEC);
	assert_int_equal(t->ts, T + 5 * SEC);
	assert_int_equal(t->pid, 1);
	assert_string_equal(t->evidence, PEER "not looked at\"}");
	hooked(t, 2, T, HOOKED_NOTHING, "");
	hello(t, 2, T + 10 * SEC);
	assert_told(t, 2, T + 15 * SEC);
	assert_string_equal(t->evidence, PEER "no TLS code was found in its files\"}");
	hello(t, 3, T + 20 * SEC);
	hooked(t, 3, T + 20 * SEC, HOOKED_REFUSED, "Java's own TLS");
	assert_told(t, 3, T + 25 * SEC);
	assert_string_equal(t->evidence, PEER "Java's own TLS\"}");
	hooked(t, 4, T, HOOKED_NOTHING, "");
	hooked(t, 4, T, HOOKED_YES, "/lib/libssl.so.3");
	hello(t, 4, T + 30 * SEC);
	assert_told(t, 4, T + 35 * SEC);
	assert_string_equal(t->evidence, PEER "hooks are attached to /lib/libssl.so.3 but saw nothing of this connection\"}");
	memset(long_why, '\\', sizeof(long_why));
	long_why[sizeof(long_why) - 1] = 0;
	hooked(t, 5, T, HOOKED_YES, long_why);
	hello(t, 5, T + 40 * SEC);
	assert_told(t, 5, T + 45 * SEC);
	assert_int_equal(strlen(t->evidence), strlen(PEER "\"}") + 2 * (EV_WHY_MAX - 1) +
						      strlen("hooks are attached to  but saw nothing of this connection"));
}

static void test_read(void **state)
{
	struct told *t = *state;
	struct opaque_row row;

	hello(t, 1, T);
	plaintext(t, 1, T + 5 * SEC); /* in the nick of time */
	hello(t, 2, T);
	plaintext(t, 2, T + 5 * SEC + 1); /* too late, and nobody has said that hooks are there */
	hello(t, 3, T);
	opened(t, 3, T + SEC, CHAN_TCP);
	hooked(t, 4, T, HOOKED_REFUSED, "x");
	plaintext(t, 4, T + SEC); /* before the record that it follows */
	hello(t, 4, T);
	opaque_tick(t->o, T + 5 * SEC);
	assert_int_equal(t->n, 1);
	assert_int_equal(t->pid, 3);
	opaque_tick(t->o, T + 60 * SEC);
	assert_int_equal(t->n, 1);
	hooked(t, 5, T, HOOKED_REFUSED, "x");
	hello(t, 5, T + 100 * SEC);
	plaintext(t, 5, T + 105 * SEC + 1);
	assert_told(t, 2, T + 105 * SEC);
	assert_int_equal(t->pid, 5);
	assert_int_equal(opaque_rows(t->o, &row, 1), 1); /* it is read by now */
	assert_int_equal(row.proc.pid, 3);
}

/* Its hooks work; the second connection only waits. Where other code of it is not read, it may be that one. */
static void test_quiet(void **state)
{
	struct told *t = *state;

	hooked(t, 1, T, HOOKED_YES, "a");
	hello(t, 1, T);
	plaintext(t, 1, T + SEC);
	hello(t, 1, T + 10 * SEC);
	opaque_tick(t->o, T + 60 * SEC);
	assert_int_equal(t->n, 0);
	hooked(t, 1, T + 61 * SEC, HOOKED_REFUSED, "b");
	hello(t, 1, T + 62 * SEC);
	assert_told(t, 1, T + 67 * SEC);
}

/* Probes that were in the wrong place: named as they are taken off, whatever they seemed to read. */
static void test_odd(void **state)
{
	struct opaque_row row[2];
	struct told *t = *state;
	struct ev_odd odd = { .hdr = HEAD(odd, EV_ODD, 1, T + 2 * SEC), .start = START, .stack = 2, .what = ODD_LENGTH };

	hooked(t, 1, T, HOOKED_YES, "a");
	hello(t, 1, T);
	plaintext(t, 1, T + SEC);
	opaque_feed(t->o, &odd.hdr);
	assert_int_equal(t->n, 0);
	hooked(t, 1, T + 3 * SEC, HOOKED_REFUSED, "bun: probes withdrawn");
	assert_int_equal(t->n, 1);
	assert_int_equal(t->pid, 1);
	assert_int_equal(t->ts, T + 3 * SEC);
	assert_string_equal(t->evidence, PEER "bun: probes withdrawn\"}");
	assert_int_equal(opaque_rows(t->o, row, 2), 1);
	hooked(t, 1, T + 4 * SEC, HOOKED_REFUSED, "again");
	assert_int_equal(t->n, 1);
	became(t, 1, T + 5 * SEC, 0);
	hooked(t, 1, T + 6 * SEC, HOOKED_REFUSED, "another program");
	assert_int_equal(t->n, 1);
}

static void test_once(void **state)
{
	struct opaque_row row[2];
	struct told *t = *state;

	hello(t, 1, T);
	hello(t, 1, T + SEC);
	assert_told(t, 1, T + 5 * SEC);
	assert_int_equal(opaque_rows(t->o, row, 2), 1);
	assert_int_equal(row[0].proc.pid, 1);
	assert_int_equal(row[0].peer.port, 443);
	assert_string_equal(row[0].why, "not looked at");
	hello(t, 1, T + 7 * SEC);
	opaque_tick(t->o, T + 60 * SEC);
	assert_int_equal(t->n, 1);
	hello(t, 2, T + 60 * SEC);
	hello(t, 3, T + 60 * SEC);
	opaque_tick(t->o, T + 65 * SEC);
	assert_int_equal(t->n, 3);
	assert_int_equal(opaque_rows(t->o, row, 2), 3);
	assert_int_equal(row[0].proc.pid, 3);
	assert_int_equal(row[1].proc.pid, 2);
	plaintext(t, 3, T + 70 * SEC); /* hooks came late */
	ended(t, 2, T + 70 * SEC);
	assert_int_equal(opaque_rows(t->o, row, 2), 1);
	assert_int_equal(row[0].proc.pid, 1);
}

static void test_exec(void **state)
{
	struct told *t = *state;

	hooked(t, 1, T, HOOKED_NOTHING, "");
	hello(t, 1, T);
	became(t, 1, T + SEC, 0);
	opaque_tick(t->o, T + 60 * SEC);
	assert_int_equal(t->n, 0);
	hello(t, 1, T + SEC - 1); /* of the program before: it came by the other ring */
	plaintext(t, 1, T + SEC - 1);
	opaque_tick(t->o, T + 60 * SEC);
	assert_int_equal(t->n, 0);
	hello(t, 1, T + 60 * SEC);
	assert_told(t, 1, T + 65 * SEC);
	assert_string_equal(t->evidence, PEER "not looked at\"}");
	became(t, 1, T + 66 * SEC, EV_F_LATE);
	hello(t, 1, T + 67 * SEC);
	opaque_tick(t->o, T + 80 * SEC);
	assert_int_equal(t->n, 1); /* the same program still */
	became(t, 1, T + 81 * SEC, 0);
	hello(t, 1, T + 82 * SEC);
	assert_told(t, 2, T + 87 * SEC);
}

static void test_ended(void **state)
{
	struct told *t = *state;

	hello(t, 1, T);
	hooked(t, 1, T, HOOKED_YES, "a");
	ended(t, 1, T + SEC - 1); /* nobody can tell */
	hello(t, 2, T);
	ended(t, 2, T + SEC);
	assert_told(t, 1, T + 2 * SEC);
	assert_int_equal(t->pid, 2);
	assert_int_equal(t->ts, T + SEC);
	ended(t, 3, T + SEC); /* before what it did, as rings are emptied */
	hooked(t, 3, T, HOOKED_REFUSED, "x");
	hello(t, 3, T + SEC - 1);
	assert_told(t, 2, T + 2 * SEC);
	assert_int_equal(t->pid, 3);
	assert_int_equal(t->ts, T + SEC);
	assert_string_equal(t->evidence, PEER "x\"}");
	ended(t, 4, T + SEC);
	hello(t, 4, T + 1);
	hello(t, 5, T);
	ended(t, 5, T + SEC);
	plaintext(t, 5, T + 1);
	opaque_tick(t->o, T + 60 * SEC);
	assert_int_equal(t->n, 2);
	hello(t, 6, T + 100 * SEC);
	ended(t, 6, T + 105 * SEC); /* it lived long enough, whatever becomes of it */
	assert_told(t, 3, T + 105 * SEC);
	assert_int_equal(t->ts, T + 105 * SEC);
	opaque_tick(t->o, T + 200 * SEC);
	assert_int_equal(t->n, 3);
}

static void test_flush(void **state)
{
	struct told *t = *state;

	hooked(t, 1, T, HOOKED_YES, "a");
	hello(t, 1, T);
	hello(t, 2, T);
	hooked(t, 3, T, HOOKED_NOTHING, "");
	hello(t, 3, T + 2 * SEC);
	opaque_flush(t->o, T + 3 * SEC - 1);
	assert_int_equal(t->n, 0);
	hello(t, 3, T + 2 * SEC);
	hooked(t, 4, T, HOOKED_REFUSED, "x");
	hello(t, 4, T + 3 * SEC);
	opaque_flush(t->o, T + 3 * SEC);
	assert_int_equal(t->n, 2);
}

static void test_full(void **state)
{
	struct told *t = *state;

	for (uint32_t i = 1; i <= OPAQUE_PROCS + 3; i++)
		hello(t, i, T);
	assert_int_equal(opaque_evicted(t->o), 3);
	for (uint32_t i = 1; i <= OPAQUE_PROCS + 2; i++)
		hooked(t, i, T, HOOKED_NOTHING, "");
	assert_int_equal(opaque_evicted(t->o), 5);
	opaque_tick(t->o, T + 5 * SEC);
	assert_int_equal(t->n, OPAQUE_PROCS);
	for (uint32_t i = 1; i <= OPAQUE_PROCS + 3; i++)
		ended(t, i, T + 6 * SEC);
	opaque_tick(t->o, T + 7 * SEC);
	for (uint32_t i = 1; i <= OPAQUE_PROCS; i++)
		hello(t, 1000000 + i, T + 8 * SEC);
	for (uint32_t i = 1; i <= OPAQUE_PROCS; i++)
		hooked(t, 1000000 + i, T + 8 * SEC, HOOKED_NOTHING, "");
	assert_int_equal(opaque_evicted(t->o), 5);
}

static void on_any(void *ctx, const struct finding *f)
{
	unsigned int *n = ctx;

	assert_true(f->proc.pid < 8 && f->evidence);
	++*n;
}

/* Whatever order they come in, as in a recording that somebody made. */
static void test_any_order(void **state)
{
	union {
		struct ev_hdr h;
		struct ev_hello hello;
		struct ev_hooked hooked;
		struct ev_open open;
		struct ev_exec exec;
		struct ev_exit end;
	} r;
	struct opaque_row row[4];
	unsigned int n = 0;
	struct opaque *o = opaque_new(on_any, &n);

	(void)state;
	assert_non_null(o);
	srand(1);
	for (int i = 0; i < 300000; i++) {
		uint64_t ts = (uint64_t)rand() % 100 * SEC / 4;

		memset(&r, 0, sizeof(r));
		r.h.kind = (uint16_t)(rand() % 9);
		r.h.ts = rand() % 50 ? ts : UINT64_MAX - ts;
		r.h.pid = (uint32_t)rand() % 8;
		r.h.flags = rand() % 4 ? 0 : EV_F_LATE;
		if (r.h.kind == EV_OPEN)
			r.open.chan = rand() % 2 ? CHAN_TLS : CHAN_TCP;
		if (r.h.kind == EV_HOOKED)
			r.hooked.state = (uint8_t)(rand() % 5);
		opaque_feed(o, &r.h);
		if (rand() % 3 == 0)
			opaque_tick(o, ts);
		assert_true(opaque_rows(o, row, 4) <= 8);
	}
	opaque_flush(o, UINT64_MAX);
	assert_true(n > 100);
	assert_int_equal(opaque_evicted(o), 0);
	opaque_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_why, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_quiet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_odd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_exec, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flush, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test(test_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
