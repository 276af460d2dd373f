/* SPDX-License-Identifier: Apache-2.0 */
/* resolve/boring: which functions are taken for SSL_read and SSL_write, and when none is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "resolve_code.h"
#include "resolve_found.h"
#include "tls_stack.h"

/* What differs from BoringSSL as it is compiled. */
struct variant {
	bool inlined;	  /* SSL_read contains SSL_peek */
	bool read_stores, second_write, second_reader;
	bool foreign, foreign_buf; /* SSL_peek reads something else than it was given, or to elsewhere */
	uint32_t lib;
	bool is_list;	  /* only the name of the file is there */
};

static struct image im;
static struct tls_found found;
static uint64_t at_read, at_write, at_handshake, at_new;

#define PUSHES	 EMIT(&im, 0x53, 0x41, 0x56, 0x48, 0x89, 0xfb, 0x49, 0x89, 0xf6) /* push rbx, r14; mov rbx, rdi; mov r14, rsi */
#define POPS	 (EMIT(&im, 0x41, 0x5e, 0x5b, 0xc3), code_end(&im, 0xcc))
#define OWN	 EMIT(&im, 0x48, 0x89, 0xdf) /* mov rdi, rbx */
#define OWN_BUF	 EMIT(&im, 0x4c, 0x89, 0xf7) /* mov rdi, r14 */
#define FOREIGN	 EMIT(&im, 0x48, 0x8b, 0x3b) /* mov rdi, [rbx] */
#define STORE	 EMIT(&im, 0x48, 0x89, 0x43, 0x10) /* mov [rbx+16], rax */

static void reading(const struct variant *v, const struct put *p, uint64_t impl)
{
	uint64_t peek = code_here(&im);

	PUSHES;
	code_put(&im, p, 0, 66);
	if (v->foreign)
		FOREIGN;
	else
		OWN;
	CALL(&im, impl);
	if (!v->foreign_buf)
		OWN_BUF;
	CALL(&im, p->callee);
	if (v->inlined)
		STORE;
	POPS;
	at_read = v->inlined ? peek : code_here(&im);
	for (int i = 0; !v->inlined && i < 1 + v->second_reader; i++) {
		EMIT(&im, 0x53, 0x48, 0x89, 0xfb); /* push rbx; mov rbx, rdi */
		CALL(&im, peek);
		if (v->read_stores)
			STORE;
		EMIT(&im, 0x5b, 0xc3);
		code_end(&im, 0xcc);
	}
}

static void writing(const struct put *p)
{
	PUSHES;
	code_put(&im, p, 0, 66);
	code_put(&im, p, 0, 226);
	code_put(&im, p, 0, 215);
	code_put(&im, p, 0, 111);
	OWN;
	CALL(&im, at_handshake);
	POPS;
}

static uint64_t raises(const struct put *p, uint32_t a, uint32_t b)
{
	uint64_t at = code_here(&im);

	PUSHES;
	code_put(&im, p, 0, a);
	if (b)
		code_put(&im, p, 0, b);
	POPS;
	return at;
}

static void library(const struct variant *v)
{
	struct put p = { .lib = v->lib };
	uint64_t calls[8], impl;

	image_init(&im, SHT_SYMTAB);
	p.file = image_data(&im, "../ssl/ssl_lib.cc", 18);
	p.callee = code_here(&im);
	EMIT(&im, 0x55, 0x5d, 0xc3);
	code_end(&im, 0xcc);
	if (v->is_list)
		return;
	impl = raises(&p, 226, 215);
	calls[0] = at_handshake = raises(&p, 134, 0);
	calls[1] = raises(&p, 68, 0);
	calls[2] = at_new = code_here(&im);
	EMIT(&im, 0x48, 0x85, 0xff); /* test rdi, rdi */
	code_put(&im, &p, 0, 185);
	EMIT(&im, 0xc3);
	code_end(&im, 0xcc);
	reading(v, &p, impl);
	calls[3] = at_read;
	calls[4] = at_write = code_here(&im);
	writing(&p);
	calls[5] = code_here(&im);
	if (v->second_write)
		writing(&p);
	for (int i = 0; i < 5 + v->second_write; i++)
		CALL(&im, calls[i]);
	EMIT(&im, 0xc3);
	code_end(&im, 0xcc);
}

static void resolve(const struct variant *v)
{
	library(v);
	image_finish(&im);
	assert_int_equal(image_resolve(&im, sizeof(im.b), &found), 0);
}

static void expect(unsigned int fn, uint64_t addr)
{
	if (image_stack_at(&found, fn, addr) != TLS_BORINGSSL)
		fail_msg("no %s: %s", tls_func_name(fn), found.why);
}

static void test_found(void **state)
{
	static const struct variant as[] = { { .lib = 16, .read_stores = true }, { .lib = 16, .inlined = true } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		resolve(&as[i]);
		expect(TLS_F_SSL_READ, at_read);
		expect(TLS_F_SSL_WRITE, at_write);
		expect(TLS_F_SSL_HANDSHAKE, at_handshake);
		expect(TLS_F_SSL_NEW, at_new);
		assert_int_equal(found.n, 4);
		assert_string_equal(found.why, "");
		assert_non_null(strstr(found.evidence, i ? "SSL_read raises 66" : "SSL_read calls SSL_peek"));
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct variant as;
		const char *why;
	} cases[] = {
		{ { .lib = 16 }, "BoringSSL without symbols: not sure of SSL_read" },
		{ { .lib = 16, .read_stores = true, .second_reader = true }, "BoringSSL without symbols: not sure of SSL_read" },
		{ { .lib = 16, .inlined = true, .foreign = true }, "BoringSSL without symbols: not sure of SSL_read" },
		{ { .lib = 16, .inlined = true, .foreign_buf = true }, "BoringSSL without symbols: not sure of SSL_read" },
		{ { .lib = 16, .inlined = true, .second_write = true }, "BoringSSL without symbols: not sure of SSL_write" },
		{ { .lib = 20, .inlined = true }, "BoringSSL without symbols: not sure of its errors" },
		{ { .lib = 16, .is_list = true }, "" },
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
