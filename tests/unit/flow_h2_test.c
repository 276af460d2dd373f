/* SPDX-License-Identifier: Apache-2.0 */
/* flow/ on HTTP/2: times and processes of exchanges that overlap. */
#include "flow_record.h"
#include "h2_wire.h"

#define PING   "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}"
#define PONG   "{\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}"
#define POST   ":method: POST\n:scheme: https\n:path: /mcp\n"
#define GET    ":method: GET\n:scheme: https\n:path: /mcp\n"
#define EVENTS ":status: 200\ncontent-type: text/event-stream\n"
#define CLIENT 10

struct conn {
	struct flow *flow;
	uint64_t pos[2], now; /* ms */
	struct flow_http last;
	struct pump_http http;
	struct flow_msg msg;
	unsigned int msgs, dones;
};

static void heard(void *ctx, const struct flow_msg *m)
{
	struct conn *c = ctx;

	c->msg = *m;
	c->msgs++;
}

static void over(void *ctx, const struct flow_http *x)
{
	struct conn *c = ctx;

	c->last = *x;
	c->http = *x->http;
	c->dones++;
}

static void ignore_verdict(void *ctx, const struct ev_key *key, uint8_t code)
{
	(void)ctx;
	(void)key;
	(void)code;
}

static void conn_init(struct conn *c)
{
	struct flow_ops ops = { .msg = heard, .http_done = over, .verdict = ignore_verdict, .ctx = c };
	struct flow_opts opts = FLOW_OPTS_DEFAULT;

	memset(c, 0, sizeof(*c));
	c->flow = flow_new(&opts, &ops);
	assert_non_null(c->flow);
}

/* What the client has in hand of @w, each segment a millisecond after the one before, and decoded. */
static void play(struct conn *c, struct h2_wire *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct seg *s = &w->segs[i];
		struct seen via = { .flow = c->flow };

		put_cut(&via, (struct at){ { 0x99, !s->dir }, CHAN_TCP, s->dir ? END_READ : END_WRITE, c->pos[s->dir],
					   ++c->now * MS, CLIENT, 0 }, s->p, s->n, s->n);
		c->pos[s->dir] += s->n;
		flow_tick(c->flow, (c->now += 1000) * MS);
	}
	h2_done(w);
}

/* A stream of events stays open, and thousands of requests come on the same connection: each has its own times. */
static void beside_a_long_one(void **state)
{
	struct flow_stats stats;
	struct h2_wire w = { .n = 0 };
	struct conn c;

	(void)state;
	conn_init(&c);
	h2_hello(&w);
	h2_head(&w, 0, 1, HTTP2_END_HEADERS | HTTP2_END_STREAM, GET);
	h2_head(&w, 1, 1, HTTP2_END_HEADERS, EVENTS);
	play(&c, &w);
	for (uint32_t id = 3; id < 3 + 2 * 5000; id += 2) {
		uint64_t sent = c.now + 1;

		h2_head(&w, 0, id, HTTP2_END_HEADERS, POST);
		h2_data(&w, 0, id, HTTP2_END_STREAM, PING);
		h2_head(&w, 1, id, HTTP2_END_HEADERS, EVENTS);
		h2_data(&w, 1, id, HTTP2_END_STREAM, "data: " PONG "\n\n");
		play(&c, &w);
		assert_int_equal(c.last.first_w, sent * MS);
		assert_int_equal(c.msg.http_first_w, sent * MS);
		assert_int_equal(c.msg.t.first_r, (sent + 3 * 1001) * MS);
	}
	assert_int_equal(c.msgs, 2 * 5000);
	h2_data(&w, 1, 1, HTTP2_END_STREAM, "data: {\"jsonrpc\":\"2.0\",\"method\":\"bye\"}\n\n");
	play(&c, &w);
	assert_int_equal(c.last.first_w, (1 + 3 * 1001) * MS); /* after preface and both SETTINGS */
	assert_int_equal(c.last.client.pid, CLIENT);
	assert_int_equal(c.last.client_gone, 0);
	flow_stats(c.flow, &stats);
	assert_int_equal(stats.marks_full, 0);
	flow_free(c.flow);
}

/* What closing the connection is with HTTP/1. */
static void taken_back(void **state)
{
	struct h2_wire w = { .n = 0 };
	struct conn c;

	(void)state;
	conn_init(&c);
	h2_hello(&w);
	h2_head(&w, 0, 1, HTTP2_END_HEADERS, POST);
	h2_data(&w, 0, 1, HTTP2_END_STREAM, PING);
	h2_head(&w, 1, 1, HTTP2_END_HEADERS, EVENTS);
	h2_reset(&w, 0, 1);
	play(&c, &w);
	assert_int_equal(c.dones, 1);
	assert_true(c.http.aborted);
	assert_int_equal(c.last.client_gone, (1 + 6 * 1001) * MS);
	h2_data(&w, 1, 1, HTTP2_END_STREAM, "data: " PONG "\n\n");
	play(&c, &w);
	assert_int_equal(c.dones, 1);
	assert_int_equal(c.msgs, 1);
	flow_free(c.flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_a_long_one),
		cmocka_unit_test(taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
