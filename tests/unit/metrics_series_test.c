/* SPDX-License-Identifier: Apache-2.0 */
/* Series: what is counted where, the caps against peers that invent names, expiry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sink/metrics.h"

#define MINUTE 60000000000ULL

static const struct metrics_opts usual = { 4096, 512, 64, 10 * MINUTE };

static struct metrics *make(struct metrics_opts o)
{
	struct metrics *m = metrics_new(&o);

	assert_non_null(m);
	return m;
}

/* One call of @tool by @owner. */
static void call_raw(struct metrics *m, uint64_t owner, uint64_t now, struct sv tool)
{
	struct metric_set s;

	metrics_begin(&s, owner, now);
	metrics_label(m, &s, LABEL_TOOL, tool);
	metrics_label(m, &s, LABEL_OUTCOME, SV("ok"));
	metrics_count(m, &s, METRIC_CALLS, 1);
	metrics_end(m, &s);
}

static void call(struct metrics *m, uint64_t owner, uint64_t now, const char *tool)
{
	call_raw(m, owner, now, sv_of(tool));
}

static const struct metric_series *find(const struct metrics *m, enum metric_id id, const char *labels)
{
	const struct metric_series *s = metrics_next(m, id, 0);

	while (s && !sv_eq(s->labels, sv_of(labels)))
		s = metrics_next(m, id, s->slot + 1);
	return s;
}

static uint64_t value(const struct metrics *m, enum metric_id id, const char *labels)
{
	const struct metric_series *s = find(m, id, labels);

	assert_non_null(s);
	return s->v;
}

static uint64_t total(const struct metrics *m, enum metric_id id)
{
	uint64_t sum = 0;

	for (const struct metric_series *s = metrics_next(m, id, 0); s; s = metrics_next(m, id, s->slot + 1))
		sum += s->v;
	return sum;
}

static struct metrics_stats stats_of(const struct metrics *m)
{
	struct metrics_stats st;

	metrics_stats(m, &st);
	return st;
}

static void test_counts(void **state)
{
	struct metrics *m = make(usual);

	(void)state;
	call(m, 1, 1, "a");
	call(m, 1, 2, "b");
	call(m, 1, 3, "a");
	call(m, 1, 3, NULL);
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"a\",outcome=\"ok\""), 2);
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"b\",outcome=\"ok\""), 1);
	assert_int_equal(value(m, METRIC_CALLS, "outcome=\"ok\""), 1);
	assert_int_equal(stats_of(m).series, 3);
	metrics_free(m);
}

static void test_one_event_in_several_families(void **state)
{
	struct metrics *m = make(usual);
	struct metric_set s;

	(void)state;
	metrics_begin(&s, 1, 1);
	metrics_label(m, &s, LABEL_METHOD, SV("tools/call"));
	metrics_label(m, &s, LABEL_TOOL, SV("t"));
	metrics_label(m, &s, LABEL_SERVER, SV("srv"));
	metrics_count(m, &s, METRIC_REQUEST_BYTES, 7);
	metrics_gauge(m, &s, METRIC_TOOLS_LIST_BYTES, 10);
	metrics_gauge(m, &s, METRIC_TOOLS_LIST_BYTES, 9);
	metrics_observe(m, &s, METRIC_CLIENT_OPERATION, 1, NULL);
	metrics_end(m, &s);
	assert_int_equal(value(m, METRIC_REQUEST_BYTES, "server=\"srv\",method=\"tools/call\",tool=\"t\""), 7);
	assert_int_equal(value(m, METRIC_TOOLS_LIST_BYTES, "server=\"srv\""), 9);
	assert_int_equal(value(m, METRIC_CLIENT_OPERATION, "mcp_method_name=\"tools/call\",gen_ai_tool_name=\"t\""), 1);
	metrics_free(m);
}

static void test_buckets(void **state)
{
	static const uint64_t ns[] = { 0, 10000000, 10000001, 300000000000, 300000000001 };
	struct metrics *m = make(usual);
	const struct metric_series *s;
	struct metric_set set;

	(void)state;
	metrics_begin(&set, 1, 1);
	for (size_t i = 0; i < 5; i++)
		metrics_observe(m, &set, METRIC_SERVER_SESSION, ns[i], NULL);
	metrics_end(m, &set);
	s = metrics_next(m, METRIC_SERVER_SESSION, 0);
	assert_int_equal(s->bucket[0], 2);
	assert_int_equal(s->bucket[1], 1);
	assert_int_equal(s->bucket[13], 1);
	assert_int_equal(s->bucket[14], 1);
	assert_int_equal(s->v, 600020000002);
	assert_null(s->exemplar);
	metrics_free(m);
}

static void test_exemplars(void **state)
{
	struct prom_exemplar e = { .trace_id = "0af7651916cd43dd8448eb211c80319c", .wall_ns = 5 }, none = { .wall_ns = 6 };
	struct metrics *m = make(usual);
	const struct metric_series *s;
	struct metric_set set;

	(void)state;
	metrics_begin(&set, 1, 1);
	metrics_observe(m, &set, METRIC_SERVER_SESSION, 7, &e);
	metrics_observe(m, &set, METRIC_SERVER_SESSION, 9, &none); /* does not take the other's place */
	e.wall_ns = 8;
	metrics_observe(m, &set, METRIC_SERVER_SESSION, 400000000000, &e);
	metrics_end(m, &set);
	s = metrics_next(m, METRIC_SERVER_SESSION, 0);
	assert_int_equal(s->exemplar[0].v, 7);
	assert_int_equal(s->exemplar[0].wall_ns, 5);
	assert_string_equal(s->exemplar[1].trace_id, "");
	assert_int_equal(s->exemplar[14].v, 400000000000);
	assert_int_equal(s->exemplar[14].wall_ns, 8);
	metrics_free(m);
}

/* Names that become the same must be one series: a label set that is there twice spoils the whole page. */
static void test_names_that_look_alike(void **state)
{
	struct metrics *m = make((struct metrics_opts){ 4096, 4, 2, MINUTE });

	(void)state;
	call_raw(m, 1, 1, (struct sv){ "x\xff", 2 });
	call_raw(m, 1, 1, (struct sv){ "x\xfe", 2 });
	call_raw(m, 1, 1, (struct sv){ "x\0", 2 });
	call_raw(m, 1, 1, (struct sv){ "", 0 });
	call_raw(m, 1, 1, (struct sv){ NULL, 0 });
	call(m, 1, 1, "_other_");
	call(m, 1, 1, "second");
	call(m, 1, 1, "third");
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"x\xef\xbf\xbd\",outcome=\"ok\""), 3);
	assert_int_equal(value(m, METRIC_CALLS, "outcome=\"ok\""), 2);
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"second\",outcome=\"ok\""), 1);
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"_other_\",outcome=\"ok\""), 2);
	assert_int_equal(stats_of(m).series, 4);
	assert_int_equal(stats_of(m).label_overflow[LABEL_TOOL], 1);
	metrics_free(m);
}

static void flood(struct metrics *m, uint64_t owner, uint64_t now, int names)
{
	char name[32];

	for (int i = 0; i < names; i++) {
		snprintf(name, sizeof(name), "%d of %d", i, (int)owner);
		call(m, owner, now, name);
	}
}

static void test_one_client_floods(void **state)
{
	struct metrics *m = make(usual);

	(void)state;
	call(m, 2, 1, "before");
	flood(m, 1, 1, 100000);
	assert_int_equal(stats_of(m).values[LABEL_TOOL], 65);
	assert_int_equal(stats_of(m).series, 66);
	assert_int_equal(stats_of(m).label_overflow[LABEL_TOOL], 100000 - 64);
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"_other_\",outcome=\"ok\""), 100000 - 64);
	call(m, 2, 2, "before");
	call(m, 2, 2, "after");
	call(m, 3, 2, "new client");
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"before\",outcome=\"ok\""), 2);
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"after\",outcome=\"ok\""), 1);
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"new client\",outcome=\"ok\""), 1);
	assert_int_equal(total(m, METRIC_CALLS), 100004);
	metrics_free(m);
}

/* By combining values of several labels: each is within its cap, the series are not. */
static void test_one_client_combines(void **state)
{
	struct metrics *m = make(usual);
	struct metric_set s;
	char a[16], b[16];

	(void)state;
	for (int i = 0; i < 64 * 64; i++) {
		snprintf(a, sizeof(a), "a%d", i % 64);
		snprintf(b, sizeof(b), "b%d", i / 64);
		metrics_begin(&s, 1, 1);
		metrics_label(m, &s, LABEL_METHOD, sv_of(a));
		metrics_label(m, &s, LABEL_TOOL, sv_of(b));
		metrics_count(m, &s, METRIC_CALLS, 1);
		metrics_end(m, &s);
	}
	assert_int_equal(stats_of(m).series, 1024 + 1);
	assert_int_equal(stats_of(m).overflow, 4096 - 1024);
	assert_int_equal(value(m, METRIC_CALLS, "method=\"_other_\",tool=\"_other_\""), 4096 - 1024);
	call(m, 2, 1, "good");
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"good\",outcome=\"ok\""), 1);
	metrics_free(m);
}

static void test_many_clients_flood(void **state)
{
	struct metrics *m = make((struct metrics_opts){ 256, 200, 64, MINUTE });
	struct metrics_stats st;

	(void)state;
	for (uint64_t owner = 1; owner <= 500; owner++)
		flood(m, owner, 1, 100);
	st = stats_of(m);
	assert_int_equal(st.series, 201);
	assert_int_equal(st.values[LABEL_TOOL], 200);
	assert_int_equal(st.dropped, 0);
	assert_int_equal(total(m, METRIC_CALLS), 50000);
	metrics_free(m);
}

static void test_full_is_counted(void **state)
{
	struct metrics *m = make((struct metrics_opts){ 8, 100, 100, MINUTE });
	struct metric_set s;

	(void)state;
	flood(m, 1, 1, 3);  /* a quarter of 8, and one for the rest */
	flood(m, 2, 1, 3);
	flood(m, 3, 1, 3);
	flood(m, 4, 1, 3);
	assert_int_equal(stats_of(m).series, 7);
	for (int i = 0; i < 3; i++) {
		metrics_begin(&s, 5, 1);
		metrics_label(m, &s, LABEL_RULE, sv_of(i == 0 ? "r0" : i == 1 ? "r1" : "r2"));
		metrics_count(m, &s, METRIC_ALERTS, 1);
		metrics_end(m, &s);
	}
	assert_int_equal(stats_of(m).series, 8);
	assert_int_equal(stats_of(m).dropped, 2);
	metrics_free(m);
}

static void alert(struct metrics *m, uint64_t now)
{
	struct metric_set s;

	metrics_begin(&s, 0, now);
	metrics_label(m, &s, LABEL_RULE, SV("cycle"));
	metrics_count(m, &s, METRIC_ALERTS, 1);
	metrics_end(m, &s);
}

static void test_expiry(void **state)
{
	struct metrics *m = make((struct metrics_opts){ 4096, 64, 64, 10 * MINUTE });
	struct metric_set s;

	(void)state;
	alert(m, MINUTE); /* of fixed words only: it stays */
	flood(m, 1, MINUTE, 100);
	call(m, 2, 5 * MINUTE, "busy"); /* no value is left for it */
	metrics_expire(m, 11 * MINUTE - 1);
	assert_int_equal(stats_of(m).series, 66);
	metrics_expire(m, 11 * MINUTE);
	assert_int_equal(stats_of(m).series, 2);
	assert_int_equal(stats_of(m).expired, 64);
	assert_int_equal(stats_of(m).values[LABEL_TOOL], 0);
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"_other_\",outcome=\"ok\""), 37);
	call(m, 2, 12 * MINUTE, "busy");
	assert_int_equal(value(m, METRIC_CALLS, "tool=\"busy\",outcome=\"ok\""), 1);

	metrics_begin(&s, 2, 21 * MINUTE);
	metrics_label(m, &s, LABEL_SERVER, SV("srv"));
	metrics_gauge(m, &s, METRIC_TOOLS_LIST_BYTES, 5);
	s.now = 30 * MINUTE;
	metrics_keep(m, &s, METRIC_TOOLS_LIST_BYTES);
	metrics_end(m, &s);
	metrics_expire(m, 39 * MINUTE);
	assert_int_equal(value(m, METRIC_TOOLS_LIST_BYTES, "server=\"srv\""), 5);
	assert_int_equal(value(m, METRIC_ALERTS, "rule=\"cycle\""), 1);
	assert_int_equal(stats_of(m).series, 2);
	metrics_expire(m, 41 * MINUTE);
	assert_int_equal(stats_of(m).series, 1);
	metrics_free(m);
}

/* A reader that goes on slot by slot, with series coming and going meanwhile. */
static void test_reading_goes_on(void **state)
{
	struct metrics *m = make((struct metrics_opts){ 4096, 512, 512, MINUTE });
	const struct metric_series *s;
	unsigned int seen = 0;
	uint32_t at = 0;

	(void)state;
	flood(m, 1, 1, 200);
	flood(m, 2, MINUTE, 100);
	for (int i = 0; i < 100; i++) {
		s = metrics_next(m, METRIC_CALLS, at);
		at = s->slot + 1;
	}
	metrics_expire(m, MINUTE + 1);
	assert_int_equal(stats_of(m).series, 100);
	flood(m, 3, MINUTE, 10); /* in slots behind the reader */
	for (s = metrics_next(m, METRIC_CALLS, at); s; s = metrics_next(m, METRIC_CALLS, s->slot + 1)) {
		assert_non_null(memmem(s->labels.p, s->labels.n, " of 2\"", 6));
		seen++;
	}
	assert_int_equal(seen, 100);
	assert_null(metrics_next(m, METRIC_CALLS, 4096));
	metrics_free(m);
}

static long rss_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size = 0, pages = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &pages), 2);
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* From ever new clients, with expiry going on: everything is made and forgotten all the time. */
static void test_a_million_names(void **state)
{
	struct metrics *m = make(usual);
	char name[64];
	long before = 0;

	(void)state;
	for (uint64_t i = 0; i < 1000000; i++) {
		snprintf(name, sizeof(name), "tool number %d of a million", (int)i);
		call(m, i / 100, i * (MINUTE / 100), name);
		if (i % 100 == 0)
			metrics_expire(m, i * (MINUTE / 100));
		if (i == 20000)
			before = rss_kib();
	}
	assert_int_equal(stats_of(m).dropped, 0);
	assert_true(stats_of(m).values[LABEL_TOOL] <= 512);
	assert_true(stats_of(m).expired > 400000);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what is freed */
	assert_true(rss_kib() - before < 256);
#endif
	(void)before;
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_one_event_in_several_families),
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_exemplars),
		cmocka_unit_test(test_names_that_look_alike),
		cmocka_unit_test(test_one_client_floods),
		cmocka_unit_test(test_one_client_combines),
		cmocka_unit_test(test_many_clients_flood),
		cmocka_unit_test(test_full_is_counted),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_reading_goes_on),
		cmocka_unit_test(test_a_million_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
