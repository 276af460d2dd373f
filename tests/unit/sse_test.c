/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams: events, names, ids, in every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buf.h"
#include "proto/sse.h"

/* Events as text: name/id/data; for each dispatched, "-" for each blank line without data. */
static void note(struct sse *s, const struct sse_part *part, struct buf *data, struct buf *out)
{
	if (part->kind == SSE_DATA)
		buf_add_sv(data, part->data);
	if (part->kind == SSE_JOIN)
		buf_add_ch(data, '\n');
	if (part->kind != SSE_END)
		return;
	if (!part->dispatch) {
		buf_add_str(out, "-");
		return;
	}
	buf_add_sv(out, sse_event(s));
	buf_add_ch(out, '/');
	buf_add_sv(out, sse_id(s));
	buf_add_ch(out, '/');
	buf_add_sv(out, buf_sv(data));
	buf_add_ch(out, ';');
	buf_reset(data);
}

static void feed(struct sse *s, struct sv in, struct buf *data, struct buf *out)
{
	while (in.n) {
		struct sse_part part;
		ssize_t n = sse_next(s, in, &part);

		assert_true(n > 0 && (size_t)n <= in.n);
		note(s, &part, data, out);
		in.p += n;
		in.n -= (size_t)n;
	}
}

static void run(struct sv in, size_t cut, struct sv want)
{
	struct buf data, out;
	struct sse s;

	buf_init(&data, 1 << 16);
	buf_init(&out, 1 << 16);
	sse_init(&s);
	for (size_t i = 0; cut == SIZE_MAX && i < in.n; i++)
		feed(&s, (struct sv){ in.p + i, 1 }, &data, &out);
	if (cut != SIZE_MAX) {
		feed(&s, (struct sv){ in.p, cut }, &data, &out);
		feed(&s, (struct sv){ in.p + cut, in.n - cut }, &data, &out);
	}
	buf_add_ch(&out, 0);
	assert_string_equal(out.p, want.p);
	buf_done(&data);
	buf_done(&out);
}

static void sweep(struct sv in, struct sv want)
{
	for (size_t cut = 0; cut <= in.n; cut++)
		run(in, cut, want);
	run(in, SIZE_MAX, want);
}

static void events(void **state)
{
	(void)state;
	sweep(SV("data: {}\n\n"), SV("//{};"));
	sweep(SV("event: message\r\nid: 1\r\ndata: {}\r\n\r\n"), SV("message/1/{};"));
	sweep(SV("event:a\rdata:1\r\rdata:2\r\r"), SV("a//1;//2;"));
	sweep(SV("data: a\r\ndata\r\ndata:  b\r\n\r\n"), SV("//a\n\n b;"));
	sweep(SV(": ping\n\ndata: a\nevent: late\n\n"), SV("-late//a;"));
	sweep(SV("\xef\xbb\xbf"
		 "data: a\n\n\xef\xbb\xbf"
		 "data: b\n\n"),
	      SV("//a;-"));
	sweep(SV("\xef\xbb"
		 "data: a\n\n\xef\xbb\ndata: b\n\n"),
	      SV("-//b;"));
	sweep(SV("\xef\n\ndata: b\n\n"), SV("-//b;"));
	sweep(SV("data: a\n"), SV(""));
}

/* A TypeScript server's priming event: an id, empty data. */
static void ids(void **state)
{
	(void)state;
	sweep(SV("id: p1\ndata: \n\nevent: message\nid: p2\ndata: {}\n\ndata: x\n\n"),
	      SV("/p1/;message/p2/{};/p2/x;"));
	sweep(SV("id: p1\n\ndata: x\n\n"), SV("-/p1/x;"));
	sweep(SV("id: p1\ndata: x\n\nid\ndata: y\n\n"), SV("/p1/x;//y;"));
	sweep(SV("id: p1\nid: a\0b\ndata: x\n\n"), SV("/p1/x;"));
	sweep(SV("event: a\nevent: b\nevent\ndata: x\n\nevent: c\n\ndata: y\n\n"), SV("//x;-//y;"));
}

static void unknown_fields(void **state)
{
	(void)state;
	sweep(SV("retry: 3000\ndatax: 1\ndat: 2\n data: 3\nDATA: 4\n:data: 5\nfoo\ndatadatadata: "
		 "6\n\n"),
	      SV("-"));
	sweep(SV("data:{\"a\":\"b: c\"}\nx\n\n"), SV("//{\"a\":\"b: c\"};"));
}

static void long_names_are_cut(void **state)
{
	struct buf in;
	char name[1000];
	struct sse s;
	struct sse_part part = { 0 };

	(void)state;
	memset(name, 'n', sizeof(name));
	buf_init(&in, 1 << 16);
	buf_addf(&in, "event: %.*s\nid: %.*s\ndata: x\n\n", 1000, name, 1000, name);
	sse_init(&s);
	for (size_t at = 0; at < in.n;)
		at += (size_t)sse_next(&s, (struct sv){ in.p + at, in.n - at }, &part);
	assert_int_equal(part.kind, SSE_END);
	assert_int_equal(sse_event(&s).n, SSE_EVENT_MAX);
	assert_int_equal(sse_id(&s).n, SSE_ID_MAX);
	buf_done(&in);
}

static void resync(void **state)
{
	struct buf data, out;
	struct sse s;

	(void)state;
	buf_init(&data, 1 << 16);
	buf_init(&out, 1 << 16);
	sse_init(&s);
	feed(&s, SV("id: 3\nevent: a\ndata: 1"), &data, &out);
	buf_reset(&data);
	sse_resync(&s);
	feed(&s, SV("5}\r\ndata: no\r\n\r\ndata: yes\r\n\r\n"), &data, &out);
	buf_add_ch(&out, 0);
	assert_string_equal(out.p, "-/3/yes;");
	buf_done(&data);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events),	  cmocka_unit_test(ids),
		cmocka_unit_test(unknown_fields), cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(resync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
