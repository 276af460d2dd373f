/* SPDX-License-Identifier: Apache-2.0 */
/* resolve/elf: what is no ELF file of this machine, cut files, and numbers that lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>

#include "probe/resolved.h"
#include "resolve_image.h"

#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static struct image im, good;
static struct tls_found found;

static int setup(void **state)
{
	(void)state;
	image_init(&good, SHT_DYNSYM);
	image_function(&good, "SSL_read", CODE(0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xc3));
	image_function(&good, "SSL_write", CODE(0x55, 0xc3));
	image_data(&good, "../ssl/ssl_lib.cc\0b/rustls-0.23.4/src/conn.rs", 46);
	image_finish(&good);
	return 0;
}

static int header(size_t at, uint8_t v)
{
	im = good;
	im.b[at] = v;
	return image_resolve(&im, sizeof(im.b), &found);
}

static void test_no_elf(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(resolve_fd(fd, &found), -ENOEXEC);
	close(fd);
	assert_int_equal(resolve_fd(-1, &found), -EBADF);
	assert_int_equal(image_resolve(&good, 0, &found), -ENOEXEC);
	assert_int_equal(image_resolve(&good, 3, &found), -ENOEXEC);
	assert_int_equal(image_resolve(&good, 63, &found), -EBADMSG);
	assert_int_equal(header(0, 'E'), -ENOEXEC);
	assert_int_equal(header(EI_CLASS, ELFCLASS32), -ENOEXEC);
	assert_int_equal(header(EI_DATA, ELFDATA2MSB), -ENOEXEC);
	assert_int_equal(header(16, ET_REL), -ENOEXEC);
	assert_int_equal(header(16, ET_CORE), -ENOEXEC);
	assert_int_equal(header(16, ET_EXEC), 0);
	assert_int_equal(found.n, 2);
	assert_int_equal(header(18, EM_AARCH64), -ENOEXEC);
	assert_int_equal(header(54, 55), -EBADMSG); /* e_phentsize */
	assert_int_equal(header(61, 5), -EBADMSG);  /* e_shnum 1280 */
	assert_int_equal(header(60, 0), -EBADMSG);  /* ... 0 with a table: their number stands in the table, up to 2^32 */
	assert_int_equal(header(56, 0), -EBADMSG);  /* e_phnum */
	assert_int_equal(header(33, 0xff), -EBADMSG); /* e_phoff */
}

static void test_sparse(void **state)
{
	int fd = memfd_create("sparse", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0 && write(fd, good.b, sizeof(good.b)) == sizeof(good.b));
	assert_int_equal(ftruncate(fd, 1 << 30), 0);
	assert_int_equal(resolve_fd(fd, &found), 0);
	assert_int_equal(found.n, 2);
	assert_int_equal(ftruncate(fd, (1 << 30) + 1), 0);
	assert_int_equal(resolve_fd(fd, &found), -EFBIG);
	assert_int_equal(ftruncate(fd, 10ll << 30), 0);
	assert_int_equal(resolve_fd(fd, &found), -EFBIG);
	close(fd);
}

/* Whatever is said, it is what the contract allows, and true of the file. */
static void check(size_t n)
{
	struct resolved *r = calloc(1, sizeof(*r));
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_non_null(r);
	assert_true(fd >= 0 && write(fd, im.b, n) == (ssize_t)n);
	r->size = n;
	r->err = resolve_fd(fd, &r->f);
	assert_true(resolved_check(r));
	assert_int_equal(resolved_match(r, fd), 0);
	close(fd);
	free(r);
}

static void test_cut(void **state)
{
	(void)state;
	im = good;
	for (size_t n = 0; n < sizeof(im.b); n += n < 0x400 ? 1 : 97)
		check(n);
}

static void test_lies(void **state)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };

	(void)state;
	for (size_t at = 0; at < SECTIONS_OFF + sizeof(good.sec); at++) {
		if (at == 64 + 3 * sizeof(Elf64_Phdr))
			at = SYMS_OFF;
		if (at == SYMS_OFF + 3 * sizeof(Elf64_Sym))
			at = SECTIONS_OFF;
		for (size_t v = 0; v < sizeof(values); v++) {
			im = good;
			im.b[at] = values[v];
			check(sizeof(im.b));
		}
	}
}

static void test_sections_missing(void **state)
{
	(void)state;
	assert_int_equal(image_resolve(&good, sizeof(good.b), &found), 0);
	assert_int_equal(found.n, 2);
	/* The table of sections is cut off: the program runs all the same, and without symbols. */
	assert_int_equal(image_resolve(&good, SECTIONS_OFF, &found), 0);
	assert_int_equal(found.n, 0);
	assert_string_equal(found.why, "rustls, neither on AWS-LC nor on ring: not read yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_elf), cmocka_unit_test(test_sparse), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lies),   cmocka_unit_test(test_sections_missing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
