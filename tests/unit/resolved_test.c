/* SPDX-License-Identifier: Apache-2.0 */
/* probe/resolved: results there and back as text, and every field that anybody may have made up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "event_tls.h"
#include "probe/resolved.h"

#define TEXT_OF(n) #n
#define TEXT(n) TEXT_OF(n)
#define HEAD "mcpvigil resolved " TEXT(RESOLVE_VERSION) "\n"
#define SIZE 200000

static struct resolved sample(void)
{
	struct resolved r = { .size = SIZE };

	r.f.n = 2;
	r.f.point[0] = (struct tls_point){ 4100, 4096, 0x0123456789abcdefULL, TLS_F_SSL_READ, TLS_OPENSSL, 3,
					   { 0x41, 0x57, 0x00 } };
	r.f.point[1] = (struct tls_point){ SIZE - 16, SIZE - 16 - TLS_FUNC_BYTES, 1, TLS_F_GO_WRITE_RET, TLS_GO, 16,
					   { 0xc3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255 } };
	r.f.shaped = 1U << TLS_GO;
	snprintf(r.f.evidence, sizeof(r.f.evidence), "OpenSSL 3.0.19 by .dynsym");
	return r;
}

static const char sample_text[] = HEAD
				  "size 200000\n"
				  "error 0\n"
				  "shaped 8\n"
				  "evidence OpenSSL 3.0.19 by .dynsym\n"
				  "why \n"
				  "point 1 1 4100 4096 0123456789abcdef 415700\n"
				  "point 12 3 199984 134448 0000000000000001 c30102030405060708090a0b0c0d0eff\n"
				  "end\n";

static void test_text(void **state)
{
	struct resolved r = sample(), back, none = { .size = 64 }, error = { .size = 5, .err = -EBADMSG };
	struct buf b;

	(void)state;
	assert_true(resolved_check(&r));
	buf_init(&b, RESOLVED_TEXT_MAX);
	assert_int_equal(resolved_write(&r, &b), 0);
	assert_int_equal(b.n, sizeof(sample_text) - 1);
	assert_memory_equal(b.p, sample_text, b.n);
	assert_int_equal(resolved_read(buf_sv(&b), &back), 0);
	assert_memory_equal(&back, &r, sizeof(r));
	buf_reset(&b);
	snprintf(none.f.why, sizeof(none.f.why), "BoringSSL without symbols");
	assert_int_equal(resolved_write(&none, &b), 0);
	assert_int_equal(resolved_read(buf_sv(&b), &back), 0);
	assert_memory_equal(&back, &none, sizeof(none));
	buf_reset(&b);
	assert_int_equal(resolved_write(&error, &b), 0);
	assert_int_equal(resolved_read(buf_sv(&b), &back), 0);
	assert_memory_equal(&back, &error, sizeof(error));
	buf_done(&b);
}

/* The largest there can be has room. */
static void test_largest(void **state)
{
	struct resolved r = { .size = UINT64_MAX }, back;
	struct buf b;

	(void)state;
	r.f.n = TLS_POINTS_MAX;
	for (unsigned int i = 0; i < TLS_POINTS_MAX; i++)
		r.f.point[i] = (struct tls_point){ UINT64_MAX - 100 - i, UINT64_MAX - 200, UINT64_MAX, 14, 6, 16, { 0 } };
	memset(r.f.evidence, 'e', sizeof(r.f.evidence) - 1);
	memset(r.f.why, '~', sizeof(r.f.why) - 1);
	assert_true(resolved_check(&r));
	buf_init(&b, RESOLVED_TEXT_MAX);
	assert_int_equal(resolved_write(&r, &b), 0);
	assert_int_equal(resolved_read(buf_sv(&b), &back), 0);
	assert_memory_equal(&back, &r, sizeof(r));
	buf_done(&b);
}

/* Cut anywhere, or with any byte another one: refused, or the one text of another result. */
static void test_damaged(void **state)
{
	const size_t n = sizeof(sample_text) - 1;
	struct resolved r;
	char text[sizeof(sample_text)];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(resolved_read((struct sv){ sample_text, i }, &r), -EBADMSG);
	buf_init(&b, RESOLVED_TEXT_MAX);
	for (size_t i = 0; i < n; i++) {
		for (int c = 0; c < 256; c++) {
			memcpy(text, sample_text, sizeof(text));
			text[i] = (char)c;
			if (resolved_read((struct sv){ text, n }, &r))
				continue;
			buf_reset(&b);
			assert_true(resolved_check(&r));
			assert_int_equal(resolved_write(&r, &b), 0);
			assert_true(sv_eq(buf_sv(&b), (struct sv){ text, n }));
		}
	}
	buf_done(&b);
}

static void test_refused_texts(void **state)
{
	static const char *const heads[] = {
		"mcpvigil resolved 1\nsize 9\nerror 0\nshaped 0\nevidence \nwhy \nend\n",
		HEAD "size 09\nerror 0\nshaped 0\nevidence \nwhy \nend\n",
		HEAD "size 9\nerror 0\nshaped 0\nevidence \nwhy \nend\n\n",
		HEAD "size 9\nerror 0\nshaped 0\nevidence \nwhy \nend\nend\n",
		HEAD "size 9\nerror 0\nshaped 0\nevidence\nwhy \nend\n",
		HEAD "size 9\nerror 0\nwhy \nevidence \nend\n",
		HEAD "size 9\nerror 12\nshaped 0\nevidence \nwhy \nend\n", /* ENOMEM does not last */
		HEAD "size 9\nerror 1\nshaped 0\nevidence \nwhy \nend\n",
		HEAD "size 9\nerror 8\nshaped 0\nevidence x\nwhy \nend\n",
		HEAD "size 9\nerror 0\nshaped 0\nevidence \nwhy \npoint 1 1 8 8 0000000000000000 0000\nend\n",
		HEAD "size 9\nerror 0\nshaped 0\nevidence \nwhy \npoint 1 1 8 8 0000000000000000 0A\nend\n",
		HEAD "size 9\nerror 0\nshaped 0\nevidence \nwhy \npoint 1 1 8 8 0 00\nend\n",
		HEAD "size 9\nerror 0\nshaped 0\nevidence \nwhy \npoint 257 1 8 8 0000000000000000 00\nend\n",
		"",
	};
	struct resolved r;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		assert_int_equal(resolved_read(sv_of(heads[i]), &r), -EBADMSG);
	assert_int_equal(resolved_read(SV(HEAD "size 9\nerror 8\nshaped 0\nevidence \nwhy \nend\n"), &r), 0);
	assert_int_equal(r.err, -ENOEXEC);
}

/* 97 points, each of them good. */
static void test_too_many(void **state)
{
	struct resolved r;
	struct buf b;

	(void)state;
	buf_init(&b, RESOLVED_TEXT_MAX);
	buf_add_str(&b, HEAD "size 900\nerror 0\nshaped 0\nevidence \nwhy \n");
	for (int i = 0; i <= TLS_POINTS_MAX; i++)
		buf_addf(&b, "point 1 1 %d 0 0000000000000000 00\n", i);
	buf_add_str(&b, "end\n");
	assert_false(b.full);
	assert_int_equal(resolved_read(buf_sv(&b), &r), -EBADMSG);
	buf_done(&b);
}

#define REFUSED(change)                                \
	do {                                           \
		r = sample();                          \
		change;                                \
		assert_false(resolved_check(&r));      \
	} while (0)

static void test_check(void **state)
{
	struct tls_point *p;
	struct resolved r;

	(void)state;
	p = &r.f.point[1];
	REFUSED(r.zero = 1);
	REFUSED(r.err = 1);
	REFUSED(r.err = -EPERM);
	REFUSED(r.f.n = TLS_POINTS_MAX + 1);
	REFUSED(r.f.n = UINT32_MAX);
	REFUSED(r.f.n = 3); /* a point of zeroes */
	REFUSED(p->fn = 0);
	REFUSED(p->fn = TLS_FUNCS);
	REFUSED(p->stack = 0);
	REFUSED(p->stack = TLS_STACKS);
	REFUSED(p->nbytes = 0);
	REFUSED(p->nbytes = TLS_BYTES + 1);
	REFUSED(p->offset++);
	REFUSED(p->offset = UINT64_MAX);
	REFUSED(p->offset = SIZE);
	REFUSED(p->func--);
	REFUSED(p->func = p->offset + 1);
	REFUSED(p->func = 0);
	REFUSED(r.size--);
	REFUSED(r.size = 0);
	REFUSED(r.f.point[1] = r.f.point[0]);
	REFUSED(r.f.shaped = 1);
	REFUSED(r.f.evidence[0] = '\n');
	REFUSED(r.f.evidence[0] = '\033');
	REFUSED(r.f.evidence[0] = (char)0xc3);
	REFUSED(r.f.why[0] = 0x7f);
	REFUSED(memset(r.f.evidence, 'x', sizeof(r.f.evidence)));
	REFUSED(memset(r.f.why, 'x', sizeof(r.f.why)));
}

/* What stands where nobody looks is gone: it would be kept and handed on. */
static void test_unused(void **state)
{
	struct resolved r = sample(), want = sample();

	(void)state;
	r.f.point[0].bytes[3] = 9;
	r.f.point[TLS_POINTS_MAX - 1].hash = 9;
	r.f.evidence[sizeof(r.f.evidence) - 1] = 9;
	r.f.why[1] = '\n';
	assert_true(resolved_check(&r));
	assert_memory_equal(&r, &want, sizeof(r));
	want = (struct resolved){ .size = SIZE, .err = -ENOEXEC };
	r.err = -ENOEXEC;
	assert_true(resolved_check(&r));
	assert_memory_equal(&r, &want, sizeof(r));
	r.err = -ENOMEM;
	assert_true(resolved_check(&r));
	assert_false(resolved_lasts(&r));
}

static void test_match(void **state)
{
	char path[] = "/tmp/mcpvigil-resolved-XXXXXX";
	int fd = mkstemp(path);
	struct resolved r = sample();
	uint8_t *bytes = malloc(SIZE);

	(void)state;
	assert_true(fd >= 0 && bytes);
	unlink(path);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(write(fd, bytes, SIZE), SIZE);
	for (unsigned int i = 0; i < r.f.n; i++) {
		struct tls_point *p = &r.f.point[i];

		memcpy(p->bytes, bytes + p->offset, p->nbytes);
		p->hash = hash_fixed(bytes + p->func, p->offset + p->nbytes - p->func);
	}
	assert_true(resolved_check(&r));
	assert_int_equal(resolved_match(&r, fd), 0);
	r.f.point[1].bytes[15]++;
	assert_int_equal(resolved_match(&r, fd), -ESTALE);
	r.f.point[1].bytes[15]--;
	/* On the way to the second one, and behind the first. */
	assert_int_equal(pwrite(fd, "\0", 1, SIZE - 16 - TLS_FUNC_BYTES), 1);
	assert_int_equal(resolved_match(&r, fd), -ESTALE);
	assert_int_equal(pwrite(fd, bytes + SIZE - 16 - TLS_FUNC_BYTES, 1, SIZE - 16 - TLS_FUNC_BYTES), 1);
	assert_int_equal(pwrite(fd, "\0", 1, 4103), 1);
	assert_int_equal(resolved_match(&r, fd), 0);
	assert_int_equal(ftruncate(fd, SIZE - 1), 0);
	assert_int_equal(resolved_match(&r, fd), -ESTALE);
	close(fd);
	assert_int_equal(resolved_match(&r, fd), -EBADF);
	r.f.n = 0;
	assert_int_equal(resolved_match(&r, fd), 0);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	      cmocka_unit_test(test_largest),
		cmocka_unit_test(test_damaged),	      cmocka_unit_test(test_refused_texts),
		cmocka_unit_test(test_too_many),      cmocka_unit_test(test_check),
		cmocka_unit_test(test_unused),	      cmocka_unit_test(test_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
