/* SPDX-License-Identifier: Apache-2.0 */
/* Header blocks of which the first ones were missed, against an encoder that knows its table: what is said is true, and
 * whatever is not said is admitted. */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "proto/http2.h"

#define BLOCKS	  160
#define BLOCK_MAX 512

struct block {
	uint8_t p[BLOCK_MAX];
	size_t n;
	uint16_t status;
	char path[32], session[32], type[32];
};

static struct block blocks[BLOCKS];
static uint32_t seed, pad_max;

static uint32_t chance(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE };
}

/* Few values, so that they are found in the table again; and padding that pushes them out. */
static void make(nghttp2_hd_deflater *d, struct block *b)
{
	static const uint16_t statuses[] = { 200, 404, 500, 202, 401, 503 };
	char status[8], pad[200];
	nghttp2_nv v[5];
	ssize_t n;

	*b = (struct block){ .status = statuses[chance(6)] };
	snprintf(status, sizeof(status), "%u", b->status);
	snprintf(b->path, sizeof(b->path), "/%u", chance(3));
	snprintf(b->session, sizeof(b->session), "s-%u", chance(4));
	snprintf(b->type, sizeof(b->type), "%s", chance(2) ? "text/event-stream" : "application/json");
	memset(pad, 'x', sizeof(pad));
	snprintf(pad + chance(pad_max), 20, "%u", chance(400));
	v[0] = field(":status", status);
	v[1] = field(":path", b->path);
	v[2] = field("mcp-session-id", b->session);
	v[3] = field("content-type", b->type);
	v[4] = field(chance(2) ? "x-pad" : "user-agent", pad);
	n = nghttp2_hd_deflate_hd(d, b->p, sizeof(b->p), v, 5);
	assert_in_range(n, 1, BLOCK_MAX);
	b->n = (size_t)n;
}

static void make_all(size_t table, bool resize)
{
	nghttp2_hd_deflater *d;

	assert_int_equal(nghttp2_hd_deflate_new(&d, table), 0);
	assert_int_equal(nghttp2_hd_deflate_change_table_size(d, table), 0);
	for (size_t i = 0; i < BLOCKS; i++) {
		if (resize && i % 23 == 22)
			assert_int_equal(nghttp2_hd_deflate_change_table_size(d, chance(3) * table / 2), 0);
		make(d, &blocks[i]);
	}
	nghttp2_hd_deflate_del(d);
}

/* @return fields that are known. */
static unsigned int compare(const struct http1_head *h, const struct block *b)
{
	const struct {
		struct sv got, want;
	} v[] = {
		{ h->target, sv_of(b->path) }, { h->session_id, sv_of(b->session) }, { h->content_type, sv_of(b->type) },
	};
	unsigned int known = h->status != 0;

	assert_true(h->status == b->status || (!h->status && h->partial));
	for (size_t i = 0; i < 3; i++) {
		assert_true(sv_eq(v[i].got, v[i].want) || (v[i].got.n == 0 && h->partial));
		known += v[i].got.n != 0;
	}
	return known;
}

/* From block @first on. @ret_lost: how often the table was given up. @return fields that are known, of those of a block. */
static unsigned int join(size_t first, unsigned int *ret_lost)
{
	struct http2_fields *f = http2_fields_late();
	struct http1_head h;
	unsigned int known = 0;

	for (size_t i = first; i < BLOCKS; i++) {
		const struct block *b = &blocks[i];
		size_t cut = chance((uint32_t)b->n);
		int r;

		assert_non_null(f);
		r = http2_fields_feed(f, (struct sv){ (const char *)b->p, cut }, false, &h);
		if (r == 0)
			r = http2_fields_feed(f, (struct sv){ (const char *)b->p + cut, b->n - cut }, true, &h);
		if (r == 1) {
			known += compare(&h, b);
			http2_fields_drop(f);
			continue;
		}
		assert_int_equal(r, -EBADMSG);
		http2_fields_free(f);
		f = http2_fields_late();
		(*ret_lost)++;
	}
	http2_fields_free(f);
	return known;
}

static void joined_anywhere(void **state)
{
	static const struct {
		size_t table;
		bool resize;
		uint32_t pad_max;
	} of[] = { { 4096, false, 180 }, { 4096, true, 180 }, { 4096, false, 1 }, { 512, false, 180 }, { 160, true, 9 },
		   { 0, false, 180 } };

	(void)state;
	for (size_t k = 0; k < sizeof(of) / sizeof(of[0]); k++) {
		unsigned int known = 0, lost = 0, all = 0;

		seed = (uint32_t)k;
		pad_max = of[k].pad_max;
		make_all(of[k].table, of[k].resize);
		for (size_t first = 0; first < BLOCKS; first++) {
			known += join(first, &lost);
			all += 4 * (unsigned int)(BLOCKS - first);
		}
		assert_int_equal(lost, 0);
		assert_in_range(known, all / 2, of[k].table ? all - 1 : all);
	}
}

/* A table that is larger than ours: nothing else is said than what is true. */
static void larger_table(void **state)
{
	unsigned int known = 0, lost = 0;

	(void)state;
	pad_max = 180;
	for (int resize = 0; resize < 2; resize++) {
		make_all(32768, resize);
		for (size_t first = 1; first < BLOCKS; first++)
			known += join(first, &lost);
	}
	assert_in_range(known, 1, 1 << 20);
	assert_in_range(lost, 1, 1 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joined_anywhere),
		cmocka_unit_test(larger_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
