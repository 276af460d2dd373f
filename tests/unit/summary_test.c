/* SPDX-License-Identifier: Apache-2.0 */
/* The counts of a run, and the two ways to say them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sink/sink.h"
#include "sink/summary.h"

static void says(const struct summary *s, uint64_t ns, bool json, const char *want)
{
	struct buf b;

	buf_init(&b, 65536);
	assert_int_equal(json ? summary_json(s, ns, &b) : summary_text(s, ns, &b), 0);
	assert_int_equal(buf_add_ch(&b, '\0'), 0);
	assert_string_equal(b.p, want);
	buf_done(&b);
}

static void test_nothing(void **state)
{
	const struct summary s = { 0 };

	(void)state;
	says(&s, 0, true,
	     "{\"calls\":0,\"notifications\":0,\"by_outcome\":{},\"lost_bytes\":0,\"losses\":{},"
	     "\"seconds\":0.000}\n");
	says(&s, 0, false, "0 calls, 0 notifications in 0.000 s; nothing lost\n");
}

static void test_counts(void **state)
{
	struct summary s = { 0 };
	struct sink sink = { 0 };
	const struct call ok = { .outcome = CALL_OK, .lost_bytes = 5 };
	const struct call orphan = { .outcome = CALL_ORPHAN };
	const struct note note = { .lost_bytes = 7 };

	(void)state;
	assert_int_equal(sink_add(&sink, &summary_ops, &s), 0);
	sink_call(&sink, &ok, NULL);
	sink_call(&sink, &ok, NULL);
	sink_call(&sink, &orphan, NULL);
	sink_note(&sink, &note, NULL);
	sink_loss(&sink, &(struct loss){ .name = "ring_full", .count = 3 });
	sink_loss(&sink, &(struct loss){ .name = "cut_bytes", .count = 1 });
	sink_loss(&sink, &(struct loss){ .name = "ring_full", .count = 4 });
	sink_done(&sink);
	says(&s, 12345678901, true,
	     "{\"calls\":3,\"notifications\":1,\"by_outcome\":{\"ok\":2,\"orphan\":1},"
	     "\"lost_bytes\":17,\"losses\":{\"ring_full\":7,\"cut_bytes\":1},\"seconds\":12.345}\n");
	says(&s, 12345678901, false,
	     "3 calls (2 ok, 1 orphan), 1 notification in 12.345 s; "
	     "lost of these: 17B, ring_full 7, cut_bytes 1\n");
}

static void test_too_many_names(void **state)
{
	struct summary s = { 0 };
	char name[16];

	(void)state;
	for (int i = 0; i < SUMMARY_LOSSES + 10; i++) {
		snprintf(name, sizeof(name), "loss%d", i);
		summary_ops.loss(&s, &(struct loss){ .name = name, .count = 2 });
	}
	assert_int_equal(s.losses, SUMMARY_LOSSES);
	assert_string_equal(s.loss[SUMMARY_LOSSES - 2].name, "loss62");
	assert_string_equal(s.loss[SUMMARY_LOSSES - 1].name, "other");
	assert_int_equal(s.loss[SUMMARY_LOSSES - 1].count, 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_too_many_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
