/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 with a hole of any size at any place: a message is as it is without the hole, or absent; and never in the
 * exchange of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "h2_wire.h"
#include "pump_expect.h"

#define POST   ":method: POST\n:scheme: https\n:authority: a:1\n"
#define JSON   ":status: 200\n*content-type: application/json\n"
#define EVENTS ":status: 200\n*content-type: text/event-stream\n"
#define END_HEAD HTTP2_END_HEADERS
#define SEEN_MAX 32

/* One message, and its exchange. */
struct seen {
	uint8_t dir, kind;
	uint64_t beg, end, lost, http;
	char id[8], target[8];
};

struct seen_all {
	struct seen v[SEEN_MAX];
	size_t n, done;
};

static struct h2_wire w;

static int done(void **state)
{
	(void)state;
	h2_done(&w);
	return 0;
}

static void copy(char to[8], struct sv s)
{
	assert_in_range(s.n, 0, 7);
	if (s.n)
		memcpy(to, s.p, s.n);
	to[s.n] = 0;
}

static void on_msg(void *ctx, const struct pump_msg *m)
{
	struct seen_all *a = ctx;
	struct seen *s = &a->v[a->n++];

	assert_in_range(a->n, 1, SEEN_MAX);
	assert_non_null(m->http);
	*s = (struct seen){ m->dir, m->rpc->kind, m->beg, m->end, m->lost, m->http->id, "", "" };
	copy(s->id, m->rpc->f[RPC_F_ID].text);
	copy(s->target, m->http->target);
}

static void on_done(void *ctx, const struct pump_http *x)
{
	(void)x;
	((struct seen_all *)ctx)->done++;
}

/* Four calls and a stream of events, in frames that lie between each other. */
static void scene(void)
{
	h2_hello(&w);
	h2_head(&w, 0, 1, HTTP2_END_HEADERS | HTTP2_END_STREAM, ":method: GET\n*:path: /1\n");
	h2_head(&w, 0, 3, END_HEAD, POST "*:path: /3\n");
	h2_data(&w, 0, 3, 0, "{\"jsonrpc\":\"2.0\",\"id\":3,");
	h2_head(&w, 1, 1, END_HEAD, EVENTS);
	h2_data(&w, 1, 1, 0, "event: message\nid: 1\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\n");
	h2_head(&w, 0, 5, END_HEAD, POST "*:path: /5\n");
	h2_frame(&w, 0, (struct http2_frame){ .flags = HTTP2_PADDED | HTTP2_END_STREAM, .stream = 5 },
		 SV("\3{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}\0\0\0"));
	h2_data(&w, 0, 3, HTTP2_END_STREAM, "\"method\":\"tools/list\"}");
	h2_head(&w, 1, 3, END_HEAD, JSON);
	h2_data(&w, 1, 3, 0, "{\"jsonrpc\":\"2.0\",");
	h2_head(&w, 1, 5, END_HEAD, ":status: 200\n#63\n");
	h2_data(&w, 1, 1, 0, "data: {\"jsonrpc\":\"2.0\",\"method\":");
	h2_data(&w, 1, 3, HTTP2_END_STREAM, "\"id\":3,\"result\":{}}");
	h2_data(&w, 1, 5, 0, "data: {\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}\n\n");
	h2_data(&w, 1, 1, 0, "\"n\"}\n\n: a comment\n\n");
	h2_data(&w, 1, 5, HTTP2_END_STREAM, "");
	h2_head(&w, 0, 7, END_HEAD, POST "#63\n");
	h2_data(&w, 0, 7, HTTP2_END_STREAM, "[{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"x\"}]");
	h2_data(&w, 1, 1, 0, "data: {\"jsonrpc\":\"2.0\",\"method\":\"m\"}\n\n");
	h2_head(&w, 1, 7, END_HEAD, ":status: 200\n#62\n");
	h2_data(&w, 1, 7, HTTP2_END_STREAM, "[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}]");
	h2_head(&w, 0, 9, END_HEAD, POST "*:path: /9\n");
	h2_data(&w, 0, 9, HTTP2_END_STREAM, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"x\"}");
	h2_head(&w, 1, 9, END_HEAD, ":status: 200\n#62\n");
	h2_data(&w, 1, 9, HTTP2_END_STREAM, "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}");
	h2_data(&w, 1, 1, 0, "data: {\"jsonrpc\":\"2.0\",\"method\":\"last\"}\n\n");
}

static void run(struct seen_all *a, uint8_t hole_dir, uint64_t hole, uint64_t hole_end)
{
	struct pump_ops ops = { .msg = on_msg, .http_done = on_done, .ctx = a };
	struct pump *p = pump_new(&expect_opts, &ops);
	uint64_t pos[2] = { SEGS_ORIGIN(0), SEGS_ORIGIN(1) };

	assert_non_null(p);
	*a = (struct seen_all){ .n = 0 };
	for (const struct seg *s = w.segs; s->p; s++) {
		uint64_t from = pos[s->dir], to = from + s->n, head_end = to, tail = to;

		pos[s->dir] = to;
		if (s->dir == hole_dir && hole < to && hole_end > from) {
			head_end = hole > from ? hole : from;
			tail = hole_end < to ? hole_end : to;
		}
		pump_feed(p, s->dir, from, (struct sv){ s->p, head_end - from });
		if (tail > head_end)
			pump_gap(p, s->dir, head_end, tail - head_end);
		pump_feed(p, s->dir, tail, (struct sv){ s->p + (tail - from), to - tail });
	}
	pump_free(p);
}

static const struct seen *same(const struct seen_all *all, const struct seen *s)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].dir == s->dir && all->v[i].beg == s->beg)
			return &all->v[i];
	return NULL;
}

/* @a, with a hole, against @all. */
static void compare(const struct seen_all *all, const struct seen_all *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct seen *s = &a->v[i], *o = same(all, s);

		assert_non_null(o);
		assert_int_equal(s->end, o->end);
		assert_int_equal(s->kind, o->kind);
		assert_string_equal(s->id, o->id);
		if (*s->target)
			assert_string_equal(s->target, o->target);
		for (size_t j = 0; j < i; j++)
			if (a->v[j].http == s->http)
				assert_int_equal(same(all, &a->v[j])->http, o->http);
	}
}

static void anywhere(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 8, 9, 10, 33, 100, 400 }, least[] = { 11, 11, 11, 11, 11, 10, 9, 8 };
	static struct seen_all all, a;
	size_t kept[8] = { 0 }, total = 0;

	(void)state;
	scene();
	run(&all, 2, 0, 0);
	assert_int_equal(all.n, 12);
	assert_int_equal(all.done, 5);
	for (uint8_t dir = 0; dir < 2; dir++) {
		uint64_t n = 0;

		for (const struct seg *s = w.segs; s->p; s++)
			n += s->dir == dir ? s->n : 0;
		total += n;
		for (size_t k = 0; k < 8; k++) {
			for (uint64_t at = 0; at < n; at++) {
				run(&a, dir, SEGS_ORIGIN(dir) + at, SEGS_ORIGIN(dir) + at + sizes[k]);
				compare(&all, &a);
				kept[k] += a.n;
			}
		}
	}
	/* What a hole does not touch is still there: of 12 messages, at least so many on the average. */
	for (size_t k = 0; k < 8; k++)
		assert_in_range(kept[k], least[k] * total, 12 * total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(anywhere, expect_setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
