/* SPDX-License-Identifier: Apache-2.0 */
/* resolve/awslc: which functions are taken for AWS-LC's AEAD, and when none is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "resolve_code.h"
#include "resolve_found.h"
#include "tls_stack.h"

/* What differs from AWS-LC as it is compiled. */
struct variant {
	uint32_t lib;
	bool named;	   /* .symtab has the names */
	bool contains;	   /* EVP_AEAD_CTX_open contains EVP_AEAD_CTX_open_gather, EVP_AEAD_CTX_init what it calls */
	bool short_of_one; /* EVP_AEAD_CTX_open_gather raises nothing */
	bool second_seal;
	bool ssl;	 /* a TLS library of its own is there */
	bool no_rustls;
};

enum { SCATTER, GATHER, INIT, SEAL, OPEN, INIT_OUTER, FUNCS };

static const unsigned int fns[FUNCS] = {
	TLS_F_AEAD_SEAL_SCATTER, TLS_F_AEAD_OPEN_GATHER, TLS_F_AEAD_INIT, TLS_F_AEAD_SEAL, TLS_F_AEAD_OPEN, TLS_F_AEAD_INIT,
};
static const char *const names[FUNCS] = {
	"aws_lc_0_47_0_EVP_AEAD_CTX_seal_scatter", "aws_lc_0_47_0_EVP_AEAD_CTX_open_gather",
	"aws_lc_0_47_0_EVP_AEAD_CTX_init_with_direction", "aws_lc_0_47_0_EVP_AEAD_CTX_seal",
	"aws_lc_0_47_0_EVP_AEAD_CTX_open", "aws_lc_0_47_0_EVP_AEAD_CTX_init",
};
static struct image im;
static struct tls_found found;
static uint64_t at[FUNCS];

static uint64_t raises(const struct put *p, const uint32_t *reasons)
{
	uint64_t start = code_here(&im);

	EMIT(&im, 0x53); /* push rbx */
	for (; *reasons; reasons++)
		code_put(&im, p, 0, *reasons);
	EMIT(&im, 0x5b, 0xc3);
	code_end(&im, 0xcc);
	return start;
}

static void library(const struct variant *v)
{
	static const uint32_t seal[] = { 117, 103, 115, 0 }, scatter[] = { 115, 112, 0 }, open[] = { 115, 101, 103, 0 },
			      open_all[] = { 115, 101, 103, 104, 0 }, gather[] = { 115, 104, 0 }, init[] = { 120, 0 },
			      init_all[] = { 124, 120, 0 }, init_outer[] = { 124, 0 }, copy[] = { 108, 104, 0 }, none[] = { 0 };
	static const char file[] = "../aws-lc/crypto/fipsmodule/cipher/aead.c", ssl[] = "../aws-lc/ssl/ssl_lib.cc";
	struct put p = { .lib = v->lib };
	uint64_t calls[FUNCS + 2];
	size_t n = 0;

	image_init(&im, SHT_SYMTAB);
	if (!v->no_rustls)
		image_rustls(&im);
	p.file = image_data(&im, file, sizeof(file));
	if (v->ssl)
		image_data(&im, ssl, sizeof(ssl));
	p.callee = code_here(&im);
	EMIT(&im, 0x55, 0x5d, 0xc3);
	code_end(&im, 0xcc);
	calls[n++] = at[SEAL] = raises(&p, seal);
	calls[n++] = at[SCATTER] = raises(&p, scatter);
	calls[n++] = at[OPEN] = raises(&p, v->contains ? open_all : open);
	calls[n++] = at[GATHER] = raises(&p, v->short_of_one ? none : gather);
	calls[n++] = at[INIT] = raises(&p, init);
	calls[n++] = at[INIT_OUTER] = raises(&p, v->contains ? init_all : init_outer);
	calls[n++] = v->second_seal ? raises(&p, scatter) : raises(&p, copy);
	for (size_t i = 0; i < n; i++)
		CALL(&im, calls[i]);
	EMIT(&im, 0xc3);
	code_end(&im, 0xcc);
	for (size_t i = 0; v->named && i < FUNCS; i++)
		image_symbol(&im, names[i], (Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = S_TEXT,
							 .st_value = at[i], .st_size = 16 });
}

static void resolve(const struct variant *v)
{
	library(v);
	image_finish(&im);
	assert_int_equal(image_resolve(&im, sizeof(im.b), &found), 0);
}

static bool is_found(unsigned int fn, uint64_t addr)
{
	return image_stack_at(&found, fn, addr) == TLS_AWS_LC;
}

static void test_found(void **state)
{
	static const struct variant as[] = {
		{ .lib = 30 }, { .lib = 30, .contains = true }, { .named = true }, { .named = true, .ssl = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(as) / sizeof(as[0]); i++) {
		resolve(&as[i]);
		for (int k = 0; k < INIT_OUTER; k++)
			assert_true(is_found(fns[k], at[k]));
		assert_int_equal(is_found(TLS_F_AEAD_INIT, at[INIT_OUTER]), as[i].contains);
		assert_int_equal(found.n, as[i].contains ? 6 : 5);
		assert_string_equal(found.why, "");
		assert_non_null(strstr(found.evidence, as[i].named ? "by .symtab" : "by its errors"));
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct variant as;
		const char *why;
	} cases[] = {
		{ { .lib = 30, .short_of_one = true }, "AWS-LC by its errors (112+115, 104+115, 120): not sure of EVP_AEAD_CTX_open_gather" },
		{ { .lib = 30, .second_seal = true }, "AWS-LC by its errors (112+115, 104+115, 120): not sure of which function is which" },
		{ { .lib = 16 }, "AWS-LC by its errors (112+115, 104+115, 120): not sure of EVP_AEAD_CTX_seal_scatter" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		resolve(&cases[i].as);
		assert_nothing_found(&found, cases[i].why);
	}
}

/* Records would be told of twice, or are nobody's. */
static void test_left_alone(void **state)
{
	static const struct variant as[] = { { .lib = 30, .ssl = true }, { .lib = 30, .no_rustls = true } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		resolve(&as[i]);
		assert_int_equal(found.n, 0);
		assert_null(strstr(found.why, "AWS-LC by"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
