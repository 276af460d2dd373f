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
	uint8_t code; /* the last verdict */
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

static void on_code(void *ctx, const struct ev_key *key, uint8_t code)
{
	struct conn *c = ctx;

	(void)key;
	c->code = code;
}

static void conn_init(struct conn *c)
{
	struct flow_ops ops = { .msg = heard, .http_done = over, .verdict = on_code, .ctx = c };
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

static void web(struct conn *c, uint32_t first, uint32_t n)
{
	struct h2_wire w = { .n = 0 };

	for (uint32_t id = first; id < first + 2 * n; id += 2) {
		h2_head(&w, 0, id, HTTP2_END_HEADERS | HTTP2_END_STREAM, GET);
		h2_head(&w, 1, id, HTTP2_END_HEADERS | HTTP2_END_STREAM, ":status: 204\n");
		play(c, &w);
	}
}

/* @n as above; one that is no request of JSON-RPC begins nothing anew. */
static void given_up(struct conn *c, uint32_t n)
{
	struct h2_wire w = { .n = 0 };

	conn_init(c);
	h2_hello(&w);
	play(c, &w);
	web(c, 1, n);
	c->dones = 0;
	h2_head(&w, 0, 2 * n + 1, HTTP2_END_HEADERS, POST);
	h2_data(&w, 0, 2 * n + 1, HTTP2_END_STREAM, "{\"query\":\"{ jsonrpc }\"}");
	h2_data(&w, 1, 2 * n + 1, HTTP2_END_STREAM, "{\"result\":1}");
	play(c, &w);
}

/* One connection, at first for web traffic, then for MCP. */
static void web_first(void **state)
{
	struct h2_wire w = { .n = 0 };
	struct conn c;

	(void)state;
	for (uint32_t n = 64; n <= 1023; n += 1023 - 64) {
		given_up(&c, n);
		assert_int_equal(c.code, 0);
		h2_head(&w, 0, 2 * n + 3, HTTP2_END_HEADERS, POST);
		h2_data(&w, 0, 2 * n + 3, HTTP2_END_STREAM, PING);
		play(&c, &w);
		assert_int_equal(c.code, V_RPC);
		assert_int_equal(c.msgs, 1);
		flow_free(c.flow);
	}
}

static void merge(struct h2_wire *w, size_t a)
{
	struct seg *s = &w->segs[a];
	char *both = malloc(s[0].n + s[1].n);

	memcpy(both, s[0].p, s[0].n);
	memcpy(both + s[0].n, s[1].p, s[1].n);
	free((char *)s[0].p);
	free((char *)s[1].p);
	s[0].p = both;
	s[0].n += s[1].n;
	s[1] = s[2];
	w->n--;
}

/* As encoders do, with names of the static table: who asks is to be found out anew. */
static void head(struct h2_wire *w, uint8_t dir, uint32_t stream, struct sv block)
{
	h2_frame(w, dir, (struct http2_frame){ .type = HTTP2_HEADERS, .flags = HTTP2_END_HEADERS, .stream = stream }, block);
}

/* Given up, and opened again by a request's body: whole where its head is in the same call. */
static void opened_again(void **state)
{
	struct h2_wire w = { .n = 0 };
	struct conn c;

	(void)state;
	for (int whole = 0; whole < 2; whole++) {
		given_up(&c, 1024);
		assert_int_equal(c.code, V_NO_HTTP);
		assert_int_equal(c.dones, 0);
		head(&w, 0, 4001, SV("\x83\x04\4/mcp"));
		h2_data(&w, 0, 4001, HTTP2_END_STREAM, "{\"method\":\"ping\",\"jsonrpc\":\"2.0\",\"id\":1}");
		if (whole)
			merge(&w, 0);
		play(&c, &w);
		assert_int_equal(c.code, whole ? V_RPC : V_NONE);
		assert_int_equal(c.msgs, whole);
		head(&w, 0, 4003, SV("\x83\x04\4/mcp"));
		h2_data(&w, 0, 4003, HTTP2_END_STREAM, PING);
		head(&w, 1, 4003, SV("\x88"));
		h2_data(&w, 1, 4003, HTTP2_END_STREAM, PONG);
		play(&c, &w);
		assert_int_equal(c.code, V_RPC);
		assert_int_equal(c.msgs, 2 + whole);
		flow_free(c.flow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_a_long_one),
		cmocka_unit_test(taken_back),
		cmocka_unit_test(web_first),
		cmocka_unit_test(opened_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
