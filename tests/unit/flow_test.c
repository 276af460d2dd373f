/* SPDX-License-Identifier: Apache-2.0 */
/* flow/: one sequence of bytes a direction, fed by two ends in any order. */
#include "flow_record.h"

static const struct ev_key pipe_key = { 0x1000, 7 };

#define M1 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"
#define M2 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n"
#define M3 "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}\n"
#define LEN (sizeof(M1) - 1)

static struct at wr(uint64_t pos, uint64_t ts)
{
	return (struct at){ pipe_key, CHAN_PIPE, END_WRITE, pos, ts, 10, 0 };
}

static struct at rd(uint64_t pos, uint64_t ts)
{
	return (struct at){ pipe_key, CHAN_PIPE, END_READ, pos, ts, 20, 0 };
}

static void reader_wins(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	/* The writer changed its buffer before its call ended: what was read counts. */
	put(&s, wr(0, 1 * MS), M3);
	put(&s, rd(0, 2 * MS), M1);
	assert_string_equal(s.text, "1 10-20\n");
	assert_int_equal(s.last.t.first_w, 1 * MS);
	assert_int_equal(s.last.t.last_r, 2 * MS);
	flow_flush(s.flow, 3 * MS);
	assert_string_equal(s.text, "1 10-20\n");
	flow_free(s.flow);
}

static void reader_record_first(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	put(&s, wr(0, 1 * MS), M1);
	put(&s, rd(0, 2 * MS), M1);
	seen_clear(&s);
	put(&s, rd(LEN, 3 * MS), M2);
	assert_string_equal(s.text, ""); /* the writer's record is on its way */
	put(&s, wr(LEN, 4 * MS), M2);
	assert_string_equal(s.text, "2 10-20\n");
	assert_int_equal(s.last.t.first_w, 4 * MS);
	/* ... and where it never comes, the message does not wait for ever */
	put(&s, rd(2 * LEN, 5 * MS), M3);
	flow_tick(s.flow, 50 * MS);
	assert_string_equal(s.text, "2 10-20\n");
	flow_tick(s.flow, 150 * MS);
	assert_string_equal(s.text, "2 10-20\n3 0-20\n");
	assert_int_equal(s.last.t.first_w, 0);
	flow_free(s.flow);
}

static void nobody_reads(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	put(&s, wr(0, 1 * MS), M1);
	flow_tick(s.flow, 500 * MS);
	assert_string_equal(s.text, "");
	flow_tick(s.flow, 1500 * MS);
	assert_string_equal(s.text, "1 10-0\n");
	/* read later: not a second message */
	put(&s, rd(0, 1600 * MS), M1);
	flow_flush(s.flow, 1700 * MS);
	assert_string_equal(s.text, "1 10-0\n");
	flow_free(s.flow);
}

static void writers_race_without_reader(void **state)
{
	struct seen s;
	struct at a = wr(0, 1 * MS), b = wr(LEN, 2 * MS);

	(void)state;
	b.pid = 11;
	seen_init(&s);
	put(&s, a, M1);
	put(&s, b, M2);
	flow_flush(s.flow, 3 * MS);
	assert_string_equal(s.text, "1 10-0\n2 11-0 uncertain\n");
	flow_free(s.flow);
}

static void hole_loses_what_it_touches(void **state)
{
	struct seen s;
	struct flow_stats st;

	(void)state;
	seen_init(&s);
	put(&s, wr(0, 1 * MS), M1);
	put(&s, rd(0, 1 * MS), M1);
	put(&s, wr(2 * LEN, 3 * MS), M3);
	put(&s, rd(2 * LEN, 3 * MS), M3);
	assert_string_equal(s.text, "1 10-20\n"); /* M2 may still come */
	flow_tick(s.flow, 300 * MS);
	assert_string_equal(s.text, "1 10-20\n3 10-20 lost\n");
	flow_stats(s.flow, &st);
	assert_int_equal(st.gap_bytes[FLOW_GAP_MISSING], LEN);
	flow_free(s.flow);
}

static void writer_fills_what_reader_lacks(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	put(&s, wr(0, 1 * MS), M1);
	put_cut(&s, rd(0, 2 * MS), M1, LEN, 10); /* the rest was over the limit of one call */
	flow_tick(s.flow, 500 * MS);
	assert_string_equal(s.text, "1 10-20\n");
	flow_free(s.flow);
}

/* Beyond the limit of one call the reader alone has the bytes: it may be slow. */
static void cut_waits_for_its_reader(void **state)
{
	struct at cut = wr(LEN + 10, 3 * MS);
	struct seen s;

	(void)state;
	seen_init(&s);
	put(&s, wr(0, 1 * MS), M1);
	put(&s, rd(0, 2 * MS), M1);
	cut.flags = EV_F_CUT;
	put_cut(&s, wr(LEN, 3 * MS), M2, 10, 10);
	put_cut(&s, cut, "", LEN - 10, 0);
	flow_tick(s.flow, 5000 * MS);
	assert_string_equal(s.text, "1 10-20\n");
	put(&s, rd(LEN, 5001 * MS), M2);
	flow_tick(s.flow, 5200 * MS);
	assert_string_equal(s.text, "1 10-20\n2 10-20\n");
	flow_free(s.flow);
}

static void spliced_bytes_are_a_hole(void **state)
{
	struct at w = wr(LEN, 2 * MS), r = rd(LEN, 2 * MS);
	struct flow_stats st;
	struct seen s;

	w.flags = r.flags = EV_F_SPLICE;
	(void)state;
	seen_init(&s);
	put(&s, wr(0, 1 * MS), M1);
	put(&s, rd(0, 1 * MS), M1);
	put_cut(&s, w, "", LEN, 0);
	put_cut(&s, r, "", LEN, 0);
	put(&s, wr(2 * LEN, 3 * MS), M3);
	put(&s, rd(2 * LEN, 3 * MS), M3);
	flow_flush(s.flow, 4 * MS);
	assert_string_equal(s.text, "1 10-20\n3 10-20 lost\n");
	flow_stats(s.flow, &st);
	assert_int_equal(st.gap_bytes[FLOW_GAP_SPLICED], LEN);
	assert_int_equal(st.gap_bytes[FLOW_GAP_MISSING], 0);
	flow_free(s.flow);
}

static void end_of_file(void **state)
{
	struct ev_close e = { .hdr = { sizeof(e), EV_CLOSE, 0, 3 * MS, 20, 20, 0 },
			      .key = pipe_key, .pos = LEN, .chan = CHAN_PIPE };
	struct seen s;

	(void)state;
	seen_init(&s);
	put(&s, wr(0, 1 * MS), M1);
	put(&s, rd(0, 2 * MS), M1);
	flow_feed(s.flow, &e.hdr);
	flow_feed(s.flow, &e.hdr);
	assert_string_equal(s.text, "1 10-20\nend eof\n");
	/* A FIFO that is opened again goes on where it was. */
	put(&s, wr(LEN, 4 * MS), M2);
	put(&s, rd(LEN, 5 * MS), M2);
	assert_string_equal(s.text, "1 10-20\nend eof\n2 10-20\n");
	flow_free(s.flow);
}

/* Both ends cut the same bytes at random places, and the ring mixes their records at random. */
static void any_interleaving(void **state)
{
	static const char all[] = M1 M2 M3 M1 M2 M3;

	(void)state;
	srand(1);
	for (int round = 0; round < 3000; round++) {
		size_t pos[2] = { 0, 0 }, n = sizeof(all) - 1;
		struct seen s;

		seen_init(&s);
		for (uint64_t ts = MS; pos[0] < n || pos[1] < n; ts += MS / 100) {
			int end = rand() & 1;
			size_t k = 1 + rand() % 60;

			if (pos[end] == n)
				end = !end;
			if (k > n - pos[end])
				k = n - pos[end];
			put_cut(&s, end ? wr(pos[1], ts) : rd(pos[0], ts), all + pos[end], k, k);
			pos[end] += k;
		}
		flow_flush(s.flow, 100 * MS);
		assert_string_equal(s.text, "1 10-20\n2 10-20\n3 10-20\n1 10-20\n2 10-20\n3 10-20\n");
		flow_free(s.flow);
	}
}

static void other_traffic_is_given_up(void **state)
{
	struct seen s;
	char text[] = "2026-01-01 some log line\n";

	(void)state;
	seen_init(&s);
	for (uint64_t pos = 0; pos < 20000 && !s.verdicts; pos += strlen(text)) {
		put(&s, wr(pos, MS + pos), text);
		put(&s, rd(pos, MS + pos), text);
	}
	assert_int_equal(s.code, V_NO);
	flow_free(s.flow);
}

static void too_many_connections(void **state)
{
	struct seen s;
	struct flow_stats st;

	(void)state;
	seen_init(&s);
	for (uint64_t i = 1; i < 1000; i++) {
		struct at a = wr(0, i * MS);

		a.key.obj = i;
		put(&s, a, M1);
	}
	flow_stats(s.flow, &st);
	assert_true(st.conns <= 128);
	assert_int_equal(st.evicted + st.conns, 999);
	flow_free(s.flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_wins),
		cmocka_unit_test(reader_record_first),
		cmocka_unit_test(nobody_reads),
		cmocka_unit_test(writers_race_without_reader),
		cmocka_unit_test(hole_loses_what_it_touches),
		cmocka_unit_test(writer_fills_what_reader_lacks),
		cmocka_unit_test(cut_waits_for_its_reader),
		cmocka_unit_test(spliced_bytes_are_a_hole),
		cmocka_unit_test(end_of_file),
		cmocka_unit_test(any_interleaving),
		cmocka_unit_test(other_traffic_is_given_up),
		cmocka_unit_test(too_many_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
