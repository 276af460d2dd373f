/* SPDX-License-Identifier: Apache-2.0 */
/* flow/parts: bytes that are told of before it is known of which connection they are a part. */
#include "flow_record.h"

#include "event_tls.h"
#include "flow/parts.h"

#define REQ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"
#define REQ2 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n"
#define REQ3 "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}\n"
#define CONN ((struct ev_key){ 0x50, 100 << 1 | END_WRITE })
#define PART ((struct ev_key){ 0xc0, 200 << 1 | END_WRITE })
#define SEC (1000 * MS)

static struct at at(struct ev_key key, uint64_t pos, uint64_t ts)
{
	return (struct at){ key, CHAN_TLS, END_WRITE, pos, ts, 10, key.obj == 0xc0 ? EV_F_PART : 0 };
}

static void opened(struct seen *s, uint64_t ts)
{
	struct ev_open o = {
		.hdr = { sizeof(o), EV_OPEN, 0, ts, 10, 10, 0 },
		.start = 10,
		.key = CONN,
		.reverse = { 0x50, 100 << 1 | END_READ },
		.chan = CHAN_TLS,
		.end = END_WRITE,
		.tls = TLS_AWS_LC,
		.family = 2,
		.lport = 1111,
		.rport = 8888,
	};

	flow_feed(s->flow, &o.hdr);
}

static void join(struct seen *s, uint64_t pos, uint64_t ts)
{
	struct ev_join j = {
		.hdr = { sizeof(j), EV_JOIN, 0, ts, 10, 10, 0 }, .start = 10, .part = PART, .key = CONN, .pos = pos, .end = END_WRITE,
	};

	flow_feed(s->flow, &j.hdr);
}

static uint64_t dropped(struct seen *s)
{
	struct flow_stats st;

	flow_stats(s->flow, &st);
	return st.parts_dropped;
}

static void joined(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	opened(&s, 1 * MS);
	put(&s, at(CONN, 0, 2 * MS), REQ);
	put(&s, at(PART, 0, 3 * MS), REQ2);
	put(&s, at(PART, strlen(REQ2), 4 * MS), REQ3);
	flow_tick(s.flow, 900 * MS);
	assert_string_equal(s.text, "1 10-0\n");
	join(&s, strlen(REQ), 901 * MS);
	flow_tick(s.flow, 3 * SEC);
	assert_string_equal(s.text, "1 10-0\n2 10-0\n3 10-0\n");
	assert_int_equal(s.last.t.first_w, 4 * MS);
	assert_int_equal(dropped(&s), 0);
	join(&s, 0, 902 * MS); /* nothing is left */
	flow_tick(s.flow, 6 * SEC);
	assert_string_equal(s.text, "1 10-0\n2 10-0\n3 10-0\n");
	flow_free(s.flow);
}

static void not_asked_for(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	opened(&s, 1 * MS);
	put(&s, at(PART, 0, 1 * MS), REQ);
	flow_tick(s.flow, PART_HOLD_NS);
	assert_int_equal(dropped(&s), 0);
	flow_tick(s.flow, PART_HOLD_NS + 1 * MS);
	assert_int_equal(dropped(&s), 1);
	join(&s, 0, 12 * SEC);
	flow_tick(s.flow, 15 * SEC);
	assert_string_equal(s.text, "");
	put(&s, at(PART, 0, 20 * SEC), REQ); /* freed with the flow */
	flow_free(s.flow);
}

static void bad_positions(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	opened(&s, 1 * MS);
	put(&s, at(PART, 1ull << 63, 1 * MS), REQ);
	put(&s, at(PART, 0, 1 * MS), REQ);
	join(&s, 1ull << 63, 2 * MS);
	assert_int_equal(dropped(&s), 1);
	flow_free(s.flow);
}

/* No table, and no part, takes more than it may. */
static void bounded(void **state)
{
	static char big[1 << 16];
	struct seen s;

	(void)state;
	seen_init(&s);
	memset(big, 'x', sizeof(big) - 1);
	for (int i = 0; i < 64; i++)
		put(&s, at(PART, (uint64_t)i << 16, 1 * MS), big);
	assert_in_range(dropped(&s), 64 - (PART_BYTES >> 16), 64 - (PART_BYTES >> 16) + 1);
	flow_free(s.flow);
	seen_init(&s);
	for (int i = 0; i < PARTS_MAX + 3; i++)
		put(&s, (struct at){ { 0x1000 + (uint64_t)i, 1 }, CHAN_TLS, END_WRITE, 0, 1 * MS, 10, EV_F_PART }, REQ);
	assert_int_equal(dropped(&s), 3);
	for (int i = 0; i < PARTS_MAX; i++)
		put(&s, (struct at){ { 0x1003 + (uint64_t)i, 1 }, CHAN_TLS, END_WRITE, 0, 1 * MS, 10, EV_F_PART }, big);
	assert_in_range(dropped(&s), 3 + PARTS_MAX - (PARTS_BYTES >> 16), 3 + PARTS_MAX - (PARTS_BYTES >> 16) + 8);
	flow_free(s.flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joined),	cmocka_unit_test(not_asked_for), cmocka_unit_test(bad_positions),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
