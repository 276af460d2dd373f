/* SPDX-License-Identifier: Apache-2.0 */
/* resolve/ossl: reads and writes by the names that errors carry, and when none is taken for one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "resolve_code.h"
#include "resolve_found.h"
#include "tls_stack.h"

enum { READ, WRITE, READ_IN, WRITE_IN, HANDSHAKE, NEW, N };

static const char *const names[N] = { "SSL_read", "SSL_write", "ssl_read_internal", "ssl_write_internal", "SSL_do_handshake",
				      "SSL_new" };
static const uint16_t numbers[N] = { 223, 208, 523, 524, 180, 186 };

/* What differs from OpenSSL as it is compiled. */
struct variant {
	bool old;	      /* 1.1.1 */
	bool inlined;	      /* SSL_read contains ssl_read_internal */
	bool flags;	      /* ssl_write_internal has them, from 3.3 on */
	bool no_call;	      /* SSL_write does its work elsewhere */
	bool other_callee;    /* an error is taken by something else */
	bool foreign;	      /* ssl_read_internal hands on something else than it was given */
	bool data;	      /* names and files alone, which code loads for calls of another shape */
};

static struct image im;
static struct tls_found found;
static struct put put;
static uint64_t name[N], at[N], other;

#define END (EMIT(&im, 0xc3), code_end(&im, 0xcc))

/* ERR_set_debug(file, line, name), or ERR_put_error(20, number, reason, file, line). */
static void raise_as(const struct variant *v, unsigned int n)
{
	if (v->old) {
		code_put(&im, &put, numbers[n], 276);
		return;
	}
	if (v->data)
		MOV_EDI(&im, 1);
	else
		LEA_RDI(&im, put.file);
	MOV_ESI(&im, 100);
	LEA_RDX(&im, name[n]);
	CALL(&im, v->other_callee && n == WRITE_IN ? other : put.callee);
}

/* Hand all arguments on to a method of the connection. */
static void inner(const struct variant *v, unsigned int n)
{
	EMIT(&im, 0x53); /* push rbx */
	if (n == WRITE_IN && v->flags)
		EMIT(&im, 0x4c, 0x89, 0xc3); /* mov rbx, r8 */
	if (n == READ_IN && v->foreign)
		EMIT(&im, 0x48, 0x8b, 0x7f, 0x08); /* mov rdi, [rdi+8] */
	EMIT(&im, 0x48, 0x8b, 0x07, 0xff, 0x50, 0x38); /* mov rax, [rdi]; call [rax+56] */
	raise_as(v, n);
	EMIT(&im, 0x5b);
}

static void outer(const struct variant *v, unsigned int n, unsigned int in)
{
	at[n] = code_here(&im);
	EMIT(&im, 0x53); /* push rbx */
	if (n == READ && v->inlined)
		inner(v, READ_IN);
	else if (n != WRITE || !v->no_call)
		CALL(&im, at[in]);
	raise_as(v, n);
	EMIT(&im, 0x5b);
	END;
}

static void simple(const struct variant *v, unsigned int n)
{
	at[n] = code_here(&im);
	EMIT(&im, 0x48, 0x85, 0xff); /* test rdi, rdi */
	CALL(&im, other);	     /* with its own argument */
	raise_as(v, n);
	END;
}

static void library(const struct variant *v)
{
	image_init(&im, SHT_SYMTAB);
	put = (struct put){ .lib = 20, .file = image_data(&im, "ssl/ssl_lib.c", 14) };
	for (unsigned int i = 0; i < N; i++)
		name[i] = image_data(&im, names[i], strlen(names[i]) + 1);
	put.callee = code_here(&im);
	EMIT(&im, 0x55, 0x5d);
	END;
	other = code_here(&im);
	EMIT(&im, 0x53, 0x5b);
	END;
	for (unsigned int n = READ_IN; n <= WRITE_IN; n++) {
		at[n] = code_here(&im);
		inner(v, n);
		END;
	}
	outer(v, READ, READ_IN);
	outer(v, WRITE, WRITE_IN);
	simple(v, HANDSHAKE);
	simple(v, NEW);
	for (unsigned int i = 0; i < N; i++)
		CALL(&im, at[i]);
	END;
}

static void resolve(const struct variant *v)
{
	library(v);
	image_finish(&im);
	assert_int_equal(image_resolve(&im, sizeof(im.b), &found), 0);
}

static void expect(unsigned int fn, uint64_t addr)
{
	if (image_stack_at(&found, fn, addr) != TLS_OPENSSL)
		fail_msg("no %s: %s", tls_func_name(fn), found.why);
}

static void test_found(void **state)
{
	static const struct variant as[] = { { .old = true }, { 0 }, { .flags = true }, { .inlined = true } };

	(void)state;
	for (size_t i = 0; i < sizeof(as) / sizeof(as[0]); i++) {
		resolve(&as[i]);
		expect(TLS_F_SSL_READ_EX, at[READ_IN]);
		expect(as[i].flags ? TLS_F_SSL_WRITE_EX2 : TLS_F_SSL_WRITE_EX, at[WRITE_IN]);
		if (as[i].inlined)
			expect(TLS_F_SSL_READ, at[READ]);
		expect(TLS_F_SSL_HANDSHAKE, at[HANDSHAKE]);
		expect(TLS_F_SSL_NEW, at[NEW]);
		assert_int_equal(found.n, 4 + as[i].inlined);
		assert_string_equal(found.why, "");
		assert_string_equal(found.evidence, as[i].old ? "OpenSSL 1.1.1 without symbols: functions by the numbers that their errors carry" :
								 "OpenSSL 3 without symbols: functions by the names that their errors carry");
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct variant as;
		const char *why;
	} cases[] = {
		{ { .no_call = true }, "OpenSSL without symbols: not sure of SSL_write" },
		{ { .other_callee = true }, "OpenSSL without symbols: not sure of where its functions begin" },
		{ { .foreign = true }, "OpenSSL without symbols: not sure of ssl_read_internal" },
		{ { .data = true }, "" },
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
