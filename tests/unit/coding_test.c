/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings: each one, stacked, in every cut; broken and endless content. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "proto/coding.h"

#define TEXT                                                                                       \
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[{\"type\":\"text\",\"text\":"      \
	"\"hello hello hello hello hello hello hello hello \"}]}}"

/* TEXT by Node 20's zlib.brotliCompressSync, whose encoder is no dependency of ours. */
static const char brotli_text[] = "\x1b\x78\x00\xe8\x2c\x0e\xec\x36\x4f\x1f\xa4\x38\x0c\x1a\x83\x65"
				  "\x97\xa9\xfe\x08\x95\xde\x22\x7b"
				  "\x5b\x37\xab\xab\xaf\x61\x64\xc8\xd2\xb4\x0e\x8b\x8b\xc8\x16\x19"
				  "\x83\x93\xeb\x01\x37\xf1\x28\x6f"
				  "\x54\x88\x28\xa9\x92\xdd\x9a\x90\x30\xf5\x20\xa3\x9e\x2f\x78\x96"
				  "\x63\x49\x21\xa5\x3c\x3d\x06\x90"
				  "\x24\x1b\x8e\xa8\x06";
/* gzip of TEXT, then brotli. */
static const char gzip_brotli_text[] = "\x8b\x2e\x80\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x8d"
				       "\xc5\xb1\x09\x80\x30\x10\x40\xd1\x55\xe4"
				       "\xd7\x41\xc4\x46\xb8\x55\xc4\x4a\x0f\x54\x42\x12\x92\x13"
				       "\x94\x90\xdd\x2d\x5c\xc0\xe6\xbd\xca\x59"
				       "\x62\xc8\x69\x45\x18\xfb\x01\xc7\xb1\x21\x93\x23\x6b\xb9"
				       "\xbc\x21\x95\x35\x06\xd3\x60\xc8\x5c\xb1"
				       "\x27\x29\x82\xe9\x6d\xb8\x2f\x61\x57\xef\x63\xf7\x5f\xda"
				       "\xd2\xda\x0b\xfc\xc5\x72\x7c\x79\x00\x00"
				       "\x00\x03";
/* 3 MiB of zeros, brotli. */
static const char brotli_zeros[] = "\x9b\xff\xff\x2f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x05";

#define BYTES(a) ((struct sv){ (a), sizeof(a) - 1 })

struct blob {
	char p[1 << 16];
	size_t n;
};

static struct sv view(const struct blob *b)
{
	return (struct sv){ b->p, b->n };
}

/* @bits as deflateInit2 takes them: 31 gzip, 15 zlib, -15 raw. */
static void deflate_blob(struct blob *to, struct sv in, int bits)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.n };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = (Bytef *)to->p + to->n;
	z.avail_out = (uInt)(sizeof(to->p) - to->n);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	to->n = sizeof(to->p) - z.avail_out;
	deflateEnd(&z);
}

static void zstd_blob(struct blob *to, struct sv in)
{
	size_t n = ZSTD_compress(to->p + to->n, sizeof(to->p) - to->n, in.p, in.n, 3);

	assert_false(ZSTD_isError(n));
	to->n += n;
}

static void collect(void *ctx, struct sv bytes)
{
	assert_int_equal(buf_add_sv(ctx, bytes), 0);
}

/* Decode with one cut, byte by byte for SIZE_MAX. -> what coding_feed said last */
static int decode(struct sv name, struct sv in, size_t cut, struct buf *out)
{
	struct coding_opts opts = { .out_max = 4 << 20, .ratio = 1000, .out = collect, .ctx = out };
	struct coding *c = coding_new(name, &opts);
	int err = 0;

	assert_non_null(c);
	buf_reset(out);
	for (size_t at = 0, n; at < in.n && !err; at += n) {
		n = cut == SIZE_MAX ? 1 : (at < cut ? cut : in.n) - at;
		char *copy = malloc(n); /* exact, for the sanitizer */
		memcpy(copy, in.p + at, n);
		err = coding_feed(c, (struct sv){ copy, n });
		free(copy);
	}
	if (err)
		assert_int_equal(coding_feed(c, SV("x")), err);
	else
		err = coding_ended(c) ? 0 : 1;
	coding_free(c);
	return err;
}

static void sweep(struct sv name, struct sv in, struct sv want, int err)
{
	struct buf out;

	buf_init(&out, 8 << 20);
	for (size_t cut = 0; cut <= in.n; cut++) {
		assert_int_equal(decode(name, in, cut ? cut : SIZE_MAX, &out), err);
		assert_true(sv_eq(buf_sv(&out), want));
	}
	buf_done(&out);
}

static void each_coding(void **state)
{
	struct blob gz = { .n = 0 }, z = { .n = 0 }, raw = { .n = 0 }, zs = { .n = 0 };
	struct sv text = SV(TEXT);

	(void)state;
	deflate_blob(&gz, text, 31);
	deflate_blob(&z, text, 15);
	deflate_blob(&raw, text, -15);
	zstd_blob(&zs, text);
	sweep(SV("gzip"), view(&gz), text, 0);
	sweep(SV("X-GZIP"), view(&gz), text, 0);
	sweep(SV("deflate"), view(&z), text, 0);
	sweep(SV("deflate"), view(&raw), text, 0);
	sweep(SV("zstd"), view(&zs), text, 0);
	sweep(SV("br"), BYTES(brotli_text), text, 0);
	sweep(SV("identity"), text, text, 0);
	sweep(SV(""), text, text, 0);
}

static void stacked(void **state)
{
	struct blob a = { .n = 0 }, b = { .n = 0 }, c = { .n = 0 };

	(void)state;
	sweep(SV("gzip, br"), BYTES(gzip_brotli_text), SV(TEXT), 0);
	zstd_blob(&a, SV(TEXT));
	deflate_blob(&b, view(&a), 31);
	deflate_blob(&c, view(&b), -15);
	sweep(SV(" zstd ,identity,gzip,,\tdeflate"), view(&c), SV(TEXT), 0);
}

static void several_members(void **state)
{
	struct blob gz = { .n = 0 }, zs = { .n = 0 };

	(void)state;
	deflate_blob(&gz, SV("one "), 31);
	deflate_blob(&gz, SV("two"), 31);
	sweep(SV("gzip"), view(&gz), SV("one two"), 0);
	memcpy(gz.p + gz.n, "\0\0padding", 9);
	gz.n += 9;
	sweep(SV("gzip"), view(&gz), SV("one two"), 0);
	zstd_blob(&zs, SV("one "));
	zstd_blob(&zs, SV("two"));
	sweep(SV("zstd"), view(&zs), SV("one two"), 0);
}

static void broken(void **state)
{
	struct blob gz = { .n = 0 };

	(void)state;
	deflate_blob(&gz, SV(TEXT), 31);
	sweep(SV("gzip"), (struct sv){ gz.p, gz.n - 8 }, SV(TEXT), 1);
	sweep(SV("gzip"), SV("{\"jsonrpc\":\"2.0\"}"), SV(""), -EBADMSG);
	sweep(SV("zstd"), SV("{\"jsonrpc\":\"2.0\"}"), SV(""), -EBADMSG);
	/* zstd 0.7: the library knows it, HTTP does not */
	sweep(SV("zstd"), SV("\x27\xb5\x2f\xfd\x02\0\0\0"), SV(""), -EBADMSG);
	sweep(SV("zstd"), SV("\x28\xb5\x2f"), SV(""), 1);
	sweep(SV("br"), SV("\xff\xff\xff\xff"), SV(""), -EBADMSG);
	sweep(SV("deflate"), SV("\xff\xff\xff"), SV(""), -EBADMSG);
	sweep(SV("deflate"), SV("x"), SV(""), 1);
	gz.p[gz.n - 5] ^= 1;
	sweep(SV("gzip"), view(&gz), SV(TEXT), -EBADMSG);
}

static void unknown(void **state)
{
	static const char *const names[] = { "compress", "gzip, lzma", "gzip;q=1",
					     "gzip,gzip,gzip,gzip" };
	struct coding_opts opts = { .out = collect };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		errno = 0;
		assert_null(coding_new(sv_of(names[i]), &opts));
		assert_int_equal(errno, EPROTONOSUPPORT);
		assert_false(coding_is_identity(sv_of(names[i])));
	}
	assert_true(coding_is_identity(SV(", Identity")));
	assert_false(coding_is_identity(SV("br")));
	coding_free(NULL);
}

/* Decoded bytes of @in before the decoder gave up with -E2BIG. */
static size_t bomb(struct sv name, struct sv in)
{
	struct buf out;
	size_t n;

	buf_init(&out, 8 << 20);
	assert_int_equal(decode(name, in, in.n, &out), -E2BIG);
	n = out.n;
	buf_done(&out);
	return n;
}

static void bombs(void **state)
{
	struct blob gz = { .n = 0 }, gz2 = { .n = 0 }, zs = { .n = 0 };
	struct sv zeros = { calloc(1, 6 << 20), 6 << 20 };

	(void)state;
	/* deflate stays just above the ratio, so that the cap on the output stops it */
	deflate_blob(&gz, zeros, 31);
	assert_in_range(bomb(SV("gzip"), view(&gz)), 1 << 20, 4 << 20);
	zstd_blob(&zs, zeros);
	assert_in_range(bomb(SV("zstd"), view(&zs)), 1 << 20, (1 << 20) + 65536);
	assert_in_range(bomb(SV("br"), BYTES(brotli_zeros)), (1 << 20) - 65536, (1 << 20) + 65536);
	/* a bomb in a bomb stops between the layers */
	deflate_blob(&gz2, view(&gz), 31);
	assert_in_range(bomb(SV("gzip, gzip"), view(&gz2)), 1 << 19, (1 << 20) + 65536);
	free((char *)(uintptr_t)zeros.p);
}

/* A zstd frame that asks for a window of 2 GiB: refused, not allocated. */
static void windows_are_limited(void **state)
{
	static const char frame[] = "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00";

	(void)state;
	sweep(SV("zstd"), BYTES(frame), SV(""), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_coding),
		cmocka_unit_test(stacked),
		cmocka_unit_test(several_members),
		cmocka_unit_test(broken),
		cmocka_unit_test(unknown),
		cmocka_unit_test(bombs),
		cmocka_unit_test(windows_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
