/* SPDX-License-Identifier: Apache-2.0 */
/* The table of metrics, and the two formats byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/prom_text.h"

static const char *text(struct buf *b)
{
	assert_int_equal(buf_add_ch(b, '\0'), 0);
	b->n--;
	return b->p;
}

static void becomes(struct sv raw, const char *want)
{
	char room[PROM_VALUE_MAX];
	struct sv got = prom_value(raw, room);

	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

static void test_values(void **state)
{
	(void)state;
	becomes(SV("read_file"), "read_file");
	becomes(SV("a\"b\\c\nd"), "a\"b\\c\nd");
	becomes(SV("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
	becomes(SV("a\xff" "b\xc3"), "a\xef\xbf\xbd" "b\xef\xbf\xbd");
	becomes(SV("\r\x1b[2J\0\x7f"), "\xef\xbf\xbd\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd");
	becomes(SV("x\xe2\x80\xae"), "x\xef\xbf\xbd"); /* U+202E turns what follows around */
}

#define A16 "aaaaaaaaaaaaaaaa"
#define A96 A16 A16 A16 A16 A16 A16

/* Cut at a character, with a mark, and never longer than allowed. */
static void test_long_values(void **state)
{
	(void)state;
	becomes(SV(A96 A16 A16), A96 A16 A16);
	becomes(SV(A96 A16 A16 "b"), A96 A16 "aaaaaaaaaaaaa\xe2\x80\xa6");
	becomes(SV(A96 A16 "aaaaaaaaaaaaaa\xc3\xbc"), A96 A16 "aaaaaaaaaaaaaa\xc3\xbc");
	becomes(SV(A96 A16 "aaaaaaaaaaaa\xc3\xbc" "bcd"), A96 A16 "aaaaaaaaaaaa\xe2\x80\xa6");
	becomes(SV(A96 A16 "aaaaaaaaaaaaaaa\xff"), A96 A16 "aaaaaaaaaaaaa\xe2\x80\xa6");
}

static void test_labels(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1024);
	prom_label(&b, "tool", SV("a\"b\\c\nd"));
	prom_label(&b, "x", SV(""));
	assert_string_equal(text(&b), "tool=\"a\\\"b\\\\c\\nd\",x=\"\"");
	buf_done(&b);
}

static void test_numbers(void **state)
{
	static const struct {
		uint64_t v;
		bool ns;
		const char *want;
	} cases[] = {
		{ 0, false, "0" },
		{ 0, true, "0" },
		{ 1, true, "0.000000001" },
		{ 1500000000, true, "1.5" },
		{ 20000000000, true, "20" },
		{ 1234567890, false, "1234567890" },
		{ UINT64_MAX, false, "18446744073709551615" },
		{ UINT64_MAX, true, "18446744073.709551615" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		prom_number(&b, cases[i].v, cases[i].ns);
		assert_string_equal(text(&b), cases[i].want);
		buf_reset(&b);
	}
	buf_done(&b);
}

static void test_heads(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	prom_head(&b, &metric_table[METRIC_REQUEST_BYTES], false);
	prom_head(&b, &metric_table[METRIC_REQUEST_BYTES], true);
	prom_head(&b, &metric_table[METRIC_BUILD], false);
	prom_head(&b, &metric_table[METRIC_BUILD], true);
	assert_string_equal(text(&b), "# HELP mcpvigil_request_bytes_total Size of requests, as JSON.\n"
				      "# TYPE mcpvigil_request_bytes_total counter\n"
				      "# HELP mcpvigil_request_bytes Size of requests, as JSON.\n"
				      "# TYPE mcpvigil_request_bytes counter\n"
				      "# UNIT mcpvigil_request_bytes bytes\n"
				      "# HELP mcpvigil_build_info Which mcpvigil this is.\n"
				      "# TYPE mcpvigil_build_info gauge\n"
				      "# HELP mcpvigil_build Which mcpvigil this is.\n"
				      "# TYPE mcpvigil_build info\n");
	buf_done(&b);
}

static void test_samples(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	prom_sample(&b, &metric_table[METRIC_SESSIONS], (struct sv){ 0 }, 3);
	prom_sample(&b, &metric_table[METRIC_CPU], (struct sv){ 0 }, 250000000);
	prom_sample(&b, &metric_table[METRIC_LOST], SV("loss=\"ring_full\""), 0);
	assert_string_equal(text(&b), "mcpvigil_sessions 3\nprocess_cpu_seconds_total 0.25\n"
				      "mcpvigil_lost_total{loss=\"ring_full\"} 0\n");
	buf_done(&b);
}

#define NAME "mcpvigil_tool_result_text_bytes"

static void test_histogram(void **state)
{
	const uint64_t bucket[] = { 1, 0, 2, 0, 0, 0, 0, 0, 5 };
	const struct prom_exemplar e[9] = { [2] = { "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 4000,
						    1700000000250000000 },
					    [8] = { .trace_id = "00000000000000000000000000000001", .v = 9000000 } };
	struct buf b;

	(void)state;
	buf_init(&b, 8192);
	prom_histogram(&b, &metric_table[METRIC_RESULT_TEXT], SV("tool=\"t\""),
		       &(struct prom_histogram){ bucket, 12345, e });
	assert_string_equal(text(&b), NAME "_bucket{tool=\"t\",le=\"256.0\"} 1\n" NAME
					   "_bucket{tool=\"t\",le=\"1024.0\"} 1\n" NAME
					   "_bucket{tool=\"t\",le=\"4096.0\"} 3 # {trace_id=\"0af7651916cd43dd8448eb211"
					   "c80319c\",span_id=\"b7ad6b7169203331\"} 4000 1700000000.25\n" NAME
					   "_bucket{tool=\"t\",le=\"16384.0\"} 3\n" NAME
					   "_bucket{tool=\"t\",le=\"65536.0\"} 3\n" NAME
					   "_bucket{tool=\"t\",le=\"262144.0\"} 3\n" NAME
					   "_bucket{tool=\"t\",le=\"1048576.0\"} 3\n" NAME
					   "_bucket{tool=\"t\",le=\"4194304.0\"} 3\n" NAME
					   "_bucket{tool=\"t\",le=\"+Inf\"} 8 # {trace_id=\"0000000000000000000000000000"
					   "0001\"} 9000000 0\n" NAME "_count{tool=\"t\"} 8\n" NAME
					   "_sum{tool=\"t\"} 12345\n");
	buf_reset(&b);
	prom_histogram(&b, &metric_table[METRIC_RESULT_TEXT], (struct sv){ 0 },
		       &(struct prom_histogram){ bucket, 12345, NULL });
	assert_non_null(strstr(text(&b), NAME "_bucket{le=\"4096.0\"} 3\n"));
	assert_non_null(strstr(text(&b), NAME "_count 8\n"));
	assert_null(strchr(text(&b), '#'));
	buf_done(&b);
}

static void test_accept(void **state)
{
	static const struct {
		const char *accept;
		bool openmetrics;
	} cases[] = {
		{ NULL, false },
		{ "", false },
		{ "*/*", false },
		{ "text/plain", false },
		{ "application/openmetrics-text", true },
		{ "application/openmetrics-text; version=1.0.0", true },
		{ "application/openmetrics-text;version=0.0.1", false },
		{ "application/openmetrics-text;version=1.0.0;q=0", false },
		{ "application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.3", false },
		{ "Application/OpenMetrics-Text ; Q=0.5 , text/plain;q=0.3", true },
		/* Prometheus 2.42 and 3.5. */
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true },
		{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;"
		  "version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;"
		  "q=0.2,*/*;q=0.1", true },
		{ "application/openmetrics-text;q=1.1", false },
		{ "application/openmetrics-text;q=abc", false },
		{ ",;=,;;q,=", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(prom_wants_openmetrics(cases[i].accept), cases[i].openmetrics);
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

static void check_row(const struct metric *m)
{
	assert_non_null(m->name);
	assert_non_null(m->help);
	assert_true(ends_in(m->help, "."));
	assert_null(strpbrk(m->help, "\\\"\n|"));
	assert_true(!m->unit[0] || ends_in(m->name, m->unit));
	assert_int_equal(m->nanoseconds, strcmp(m->unit, "seconds") == 0);
	assert_int_equal(m->type == METRIC_HISTOGRAM, m->buckets != NULL);
	assert_false(ends_in(m->name, "_total") || ends_in(m->name, "_info"));
	assert_int_equal(m->label[METRIC_LABELS], LABEL_NONE);
	for (const uint8_t *l = m->label; *l; l++)
		assert_true(m >= metric_table + METRIC_STORED || *l < LABEL_STORED);
}

static void test_table(void **state)
{
	(void)state;
	for (int i = 0; i < METRIC_N; i++) {
		check_row(&metric_table[i]);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(metric_table[i].name, metric_table[j].name);
	}
	for (int i = LABEL_NONE + 1; i < LABEL_N; i++) {
		assert_non_null(metric_labels[i].name);
		assert_non_null(metric_labels[i].help);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(metric_labels[i].name, metric_labels[j].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	cmocka_unit_test(test_long_values), cmocka_unit_test(test_labels),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_heads),	    cmocka_unit_test(test_samples),
		cmocka_unit_test(test_histogram), cmocka_unit_test(test_accept),    cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
