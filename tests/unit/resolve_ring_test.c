/* SPDX-License-Identifier: Apache-2.0 */
/* resolve/ring: which functions are taken for ring's AEAD, and when none is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "resolve_code.h"
#include "resolve_found.h"
#include "tls_stack.h"

/* What differs from ring as it is compiled. */
struct variant {
	bool named, v0; /* .symtab has the names; in the newer mangling */
	bool no_chacha, no_aes256, swapped, second, foreign, bad_length, no_rustls;
};

enum { SEAL, OPEN, SEAL_CHACHA, OPEN_CHACHA, INIT, FUNCS };

static struct image im;
static struct tls_found found;
static uint64_t at[FUNCS + 2];

static const char *const names[2][4] = {
	{ "_ZN4ring4aead9algorithm12aes_gcm_seal17ha36d3d60881faa16E", "_ZN4ring4aead9algorithm12aes_gcm_open17h01079d05c2af2220E",
	  "_ZN4ring4aead9algorithm22chacha20_poly1305_seal17h386397e08d1fb11dE",
	  "_ZN4ring4aead9algorithm22chacha20_poly1305_open17he2c72f7e2c8707d9E" },
	{ "_RNvNtNtCs3sQ_4ring4aead9algorithm12aes_gcm_seal", "_RNvNtNtCs3sQ_4ring4aead9algorithm12aes_gcm_open",
	  "_RNvNtNtCs3sQ_4ring4aead9algorithm22chacha20_poly1305_seal",
	  "_RNvNtNtCs3sQ_4ring4aead9algorithm22chacha20_poly1305_open" },
};

/* Loads the address of a Location with that line. */
static uint64_t panics(uint64_t panic, uint64_t path, uint64_t length, uint32_t line)
{
	const uint64_t location[] = { path, length, line | 9ull << 32 };
	uint64_t where = image_data(&im, location, sizeof(location)), start = code_here(&im);

	EMIT(&im, 0x53); /* push rbx */
	LEA_RDX(&im, where);
	CALL(&im, panic);
	EMIT(&im, 0x5b, 0xc3);
	code_end(&im, 0xcc);
	return start;
}

static void algorithm(uint64_t seal, uint64_t open, uint64_t length)
{
	const uint64_t words[] = { at[INIT], seal, open, length, 1 };

	image_data(&im, words, sizeof(words));
}

static void library(const struct variant *v)
{
	static const char text[] = "unwrap failed/build/cargo/ring-0.17.14/src/aead/algorithm.rsunknown";
	static const char other[] = "unwrap failed/build/cargo/rong-0.17.14/src/aead/algorithm.rsunknown";
	const uint64_t length = sizeof("/build/cargo/ring-0.17.14/src/aead/algorithm.rs") - 1;
	uint64_t path, panic;

	image_init(&im, SHT_SYMTAB);
	if (!v->no_rustls)
		image_rustls(&im);
	path = image_data(&im, v->foreign ? other : text, sizeof(text)) + sizeof("unwrap failed") - 1;
	panic = code_here(&im);
	EMIT(&im, 0x55, 0x5d, 0xc3);
	code_end(&im, 0xcc);
	at[INIT] = code_here(&im);
	EMIT(&im, 0x53, 0x5b, 0xc3);
	code_end(&im, 0xcc);
	at[SEAL] = panics(panic, path, length + v->bad_length, v->swapped ? 213 : 197);
	at[OPEN] = panics(panic, path, length + v->bad_length, 212);
	at[SEAL_CHACHA] = panics(panic, path, length + v->bad_length, 248);
	at[OPEN_CHACHA] = panics(panic, path, length + v->bad_length, 264);
	at[FUNCS] = panics(panic, path, length + v->bad_length, 300);
	at[FUNCS + 1] = panics(panic, path, length + v->bad_length, 310);
	algorithm(at[SEAL], at[OPEN], 16);
	if (!v->no_aes256)
		algorithm(at[SEAL], at[OPEN], 32);
	if (!v->no_chacha)
		algorithm(at[SEAL_CHACHA], at[OPEN_CHACHA], 32);
	if (v->second)
		algorithm(at[FUNCS], at[FUNCS + 1], 32);
	for (size_t i = 0; v->named && i < 4; i++)
		image_symbol(&im, names[v->v0][i], (Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = S_TEXT,
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
	return image_stack_at(&found, fn, addr) == TLS_RUSTLS;
}

static void test_found(void **state)
{
	static const struct variant as[] = {
		{ 0 }, { .no_chacha = true }, { .named = true }, { .named = true, .v0 = true, .bad_length = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(as) / sizeof(as[0]); i++) {
		resolve(&as[i]);
		assert_true(is_found(TLS_F_RING_SEAL, at[SEAL]));
		assert_true(is_found(TLS_F_RING_OPEN, at[OPEN]));
		assert_int_equal(is_found(TLS_F_RING_SEAL, at[SEAL_CHACHA]), !as[i].no_chacha);
		assert_int_equal(is_found(TLS_F_RING_OPEN, at[OPEN_CHACHA]), !as[i].no_chacha);
		assert_int_equal(found.n, as[i].no_chacha ? 2 : 4);
		assert_string_equal(found.why, "");
		assert_string_equal(found.evidence, as[i].named ? "ring: AEAD by .symtab" :
						    as[i].no_chacha ? "ring: AEAD by its panics, without ChaCha20" :
								      "ring: AEAD by its panics");
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct variant as;
		const char *why;
	} cases[] = {
		{ { .no_aes256 = true }, "ring by its panics: not sure which function is which" },
		{ { .swapped = true }, "ring by its panics: not sure which function is which" },
		{ { .second = true }, "ring by its panics: not sure which function is which" },
		{ { .foreign = true }, "rustls, neither on AWS-LC nor on ring: not read yet" },
		{ { .bad_length = true }, "rustls, neither on AWS-LC nor on ring: not read yet" },
		{ { .no_rustls = true }, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		resolve(&cases[i].as);
		assert_nothing_found(&found, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
