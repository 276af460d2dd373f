/* SPDX-License-Identifier: Apache-2.0 */
/* resolve/xref: strings, references, where functions begin and end, and which constants reach a call. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "resolve/xref.h"
#include "resolve_code.h"

static struct image im;
static struct look l;
static struct funcs *funcs;
static struct elf *elf;
static uint64_t start; /* of the first function, which is called */

static void begin(void)
{
	image_init(&im, SHT_SYMTAB);
	start = code_here(&im);
}

static void finish(void)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	image_finish(&im);
	assert_true(fd >= 0 && write(fd, im.b, sizeof(im.b)) == (ssize_t)sizeof(im.b));
	assert_int_equal(elf_open(fd, &elf), 0);
	close(fd);
	l = (struct look){ .elf = elf, .insns = insns_new() };
	assert_non_null(l.insns);
	assert_int_equal(funcs_new(&l, &funcs), 0);
}

static void done(void)
{
	funcs_free(funcs);
	insns_free(l.insns);
	elf_free(elf);
	funcs = NULL;
}

/* A last function, which calls @to. */
static void caller(uint64_t to)
{
	code_end(&im, 0xcc);
	CALL(&im, to);
	EMIT(&im, 0xc3);
	code_end(&im, 0xcc);
}

static uint64_t start_of(uint64_t addr)
{
	const struct body *b = funcs_at(funcs, addr);

	return b ? b->f.addr : 0;
}

/* --- Functions --------------------------------------------------------------------------------------------------- */

static void test_called(void **state)
{
	uint64_t second;

	(void)state;
	begin();
	EMIT(&im, 0x53, 0x31, 0xc0, 0x5b, 0xc3);
	code_end(&im, 0x00); /* padding of a linker's */
	second = code_here(&im);
	EMIT(&im, 0x55, 0x5d, 0xc3);
	caller(start);
	CALL(&im, second);
	finish();
	assert_int_equal(start_of(start), start);
	assert_int_equal(start_of(start + 2), start);
	assert_int_equal(funcs_at(funcs, start)->f.code.n, 5);
	assert_int_equal(start_of(second + 1), second);
	assert_int_equal(start_of(start + 8), 0); /* padding */
	assert_int_equal(errno, ENOENT);
	assert_int_equal(start_of(DATA_ADDR), 0);
	assert_true(funcs_called(funcs, second));
	assert_false(funcs_called(funcs, second + 1));
	done();
}

/* What looks like a call of the midst of a function is none of its start; a call that does not return ends one. */
static void test_not_called(void **state)
{
	uint64_t second, loop;

	(void)state;
	begin();
	EMIT(&im, 0x53, 0x31, 0xc0, 0x31, 0xc9); /* xor eax, eax; xor ecx, ecx */
	CALL(&im, start);
	code_end(&im, 0x90);
	second = code_here(&im);
	EMIT(&im, 0x55, 0x5d, 0xb9, 3, 0, 0, 0);
	CALL(&im, start);
	code_end(&im, 0x90);
	loop = code_here(&im);
	EMIT(&im, 0xff, 0xc9, 0x75, 0xfc, 0xc3); /* dec ecx; jne loop; ret */
	caller(start);
	CALL(&im, start + 3);
	finish();
	assert_int_equal(start_of(start + 3), start);
	assert_int_equal(start_of(second + 1), second);
	assert_string_equal(funcs_at(funcs, second)->by, "alignment");
	assert_int_equal(start_of(loop), second);
	done();
}

/* Jumps into a part that was put aside, in front; and a last call of a function that nobody calls. */
static void test_jumps(void **state)
{
	uint64_t aside, second, third;

	(void)state;
	begin();
	EMIT(&im, 0x53, 0x5b, 0xc3);
	code_end(&im, 0xcc);
	aside = code_here(&im);
	CALL(&im, start); /* belongs to the second function */
	code_end(&im, 0xcc);
	second = code_here(&im);
	EMIT(&im, 0x85, 0xff); /* test edi, edi */
	TO(&im, aside, 0x0f, 0x84);
	EMIT(&im, 0xc3);
	code_end(&im, 0xcc);
	third = code_here(&im);
	EMIT(&im, 0xf3, 0x0f, 0x1e, 0xfa, 0x31, 0xc0, 0xc3);
	code_end(&im, 0x90);
	JMP(&im, third);
	caller(start);
	CALL(&im, second);
	finish();
	assert_int_equal(start_of(second + 2), second);
	assert_int_equal(start_of(third + 4), third);
	done();
}

/* Both ways of a branch are one function, however they are aligned. */
static void test_branch(void **state)
{
	uint64_t other;

	(void)state;
	begin();
	EMIT(&im, 0x85, 0xff, 0x74, 0x0c, 0x31, 0xc0, 0xc3); /* test edi, edi; je other; xor eax, eax; ret */
	code_end(&im, 0x90);
	other = code_here(&im);
	EMIT(&im, 0x31, 0xc9, 0xc3);
	caller(start);
	finish();
	assert_int_equal(start_of(other), start);
	done();
}

/* Behind a jump by a table nobody knows what is a part of the same function, unless it is called. Data may point to such parts
 * where the table is one of addresses. */
static void test_table(void **state)
{
	static const struct {
		uint8_t code[5], n;
		bool alone, pointed; /* is what follows a function, with nothing that refers to it, and with a pointer? */
	} jumps[] = {
		{ { 0xff, 0xe0 }, 2, false, false },			/* jmp rax */
		{ { 0xff, 0x60, 0x08 }, 3, true, true },		/* jmp [rax+8] */
		{ { 0x48, 0x8b, 0x07, 0xff, 0xe0 }, 5, true, true },	/* mov rax, [rdi]; jmp rax */
		{ { 0xff, 0x24, 0xc8 }, 3, false, false },		/* jmp [rax+rcx*8] */
		{ { 0x48, 0x01, 0xc8, 0xff, 0xe0 }, 5, false, true },	/* add rax, rcx; jmp rax */
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(jumps) / sizeof(jumps[0]); i++) {
		bool pointer = i % 2, sure = pointer ? jumps[i / 2].pointed : jumps[i / 2].alone;
		uint64_t part, next;

		begin();
		EMIT(&im, 0x53);
		code_emit(&im, jumps[i / 2].code, jumps[i / 2].n);
		code_end(&im, 0x90);
		part = code_here(&im);
		EMIT(&im, 0x31, 0xc0, 0xc3);
		code_end(&im, 0x90);
		next = code_here(&im);
		EMIT(&im, 0x31, 0xc9, 0xc3);
		caller(start);
		CALL(&im, next);
		if (pointer)
			image_data(&im, &part, sizeof(part));
		finish();
		errno = 0;
		assert_int_equal(start_of(part), sure ? part : 0);
		assert_int_equal(errno, sure ? 0 : ENOTUNIQ);
		assert_int_equal(start_of(next), next);
		done();
	}
}

/* --- Constants --------------------------------------------------------------------------------------------------- */

static struct values at_call(unsigned int arg)
{
	const struct body *b = funcs_at(funcs, start);
	struct values v = { 0 };

	assert_non_null(b);
	for (uint32_t i = 0; i < b->n; i++) {
		if (b->in[i].kind == INSN_CALL) {
			values_of_arg(b, i, arg, &v);
			return v;
		}
	}
	fail();
	return v;
}

/* The first function is these bytes and a call. */
static void with(const uint8_t *code, size_t n)
{
	begin();
	code_emit(&im, code, n);
	CALL(&im, start);
	EMIT(&im, 0xc3);
	caller(start);
	finish();
}
#define WITH(...) with((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void test_values(void **state)
{
	struct values v;

	(void)state;
	WITH(0xba, 66, 0, 0, 0); /* mov edx, 66 */
	v = at_call(2);
	assert_true(values_is(&v, 66));
	v = at_call(1);
	assert_true(values_is_own(&v, 1));
	assert_false(values_is_own(&v, 0));
	done();
	WITH(0x31, 0xd2); /* xor edx, edx */
	v = at_call(2);
	assert_true(values_is(&v, 0));
	done();
	WITH(0x6a, 66, 0x5a); /* push 66; pop rdx */
	v = at_call(2);
	assert_true(values_is(&v, 66));
	done();
	WITH(0xbb, 66, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0x89, 0xda); /* mov ebx, 66; call; mov edx, ebx */
	v = at_call(2);
	assert_false(values_is(&v, 66)); /* at the first one */
	done();
	WITH(0xba, 66, 0, 0, 0, 0xb2, 1); /* mov dl, 1 */
	v = at_call(2);
	assert_true(v.unsure && !v.n);
	done();
	WITH(0xba, 66, 0, 0, 0, 0x0f, 0xa2); /* cpuid */
	v = at_call(2);
	assert_true(v.unsure && !v.n);
	done();
	WITH(0x48, 0x8b, 0x57, 0x08); /* mov rdx, [rdi+8] */
	v = at_call(2);
	assert_true(v.unsure && !values_is_own(&v, 2));
	done();
}

static void test_values_merged(void **state)
{
	struct values v;

	(void)state;
	/* test edi,edi; je 1f; mov edx,66; jmp 2f; nop; 1: mov edx,226; 2: call */
	WITH(0x85, 0xff, 0x74, 0x08, 0xba, 66, 0, 0, 0, 0xeb, 0x06, 0x90, 0xba, 226, 0, 0, 0);
	v = at_call(2);
	assert_int_equal(v.n, 2);
	assert_true(values_has(&v, 66) && values_has(&v, 226) && !v.unsure && !v.entry);
	assert_false(values_is(&v, 66));
	done();
	/* test edi,edi; je 1f; mov edx,66; 1: call */
	WITH(0x85, 0xff, 0x74, 0x05, 0xba, 66, 0, 0, 0);
	v = at_call(2);
	assert_int_equal(v.n, 1);
	assert_true(v.entry && !values_is(&v, 66) && !values_is_own(&v, 2));
	done();
}

static void test_values_kept(void **state)
{
	const struct body *b;
	struct values v;

	(void)state;
	begin();
	EMIT(&im, 0x49, 0x89, 0xf6, 0xbb, 66, 0, 0, 0, 0xba, 1, 0, 0, 0); /* mov r14, rsi; mov ebx, 66; mov edx, 1 */
	CALL(&im, start);
	EMIT(&im, 0x89, 0xda, 0x4c, 0x89, 0xf7); /* mov edx, ebx; mov rdi, r14 */
	CALL(&im, start);
	EMIT(&im, 0xc3);
	caller(start);
	finish();
	b = funcs_at(funcs, start);
	values_of_arg(b, 6, 2, &v);
	assert_int_equal(b->in[6].kind, INSN_CALL);
	assert_true(values_is(&v, 66));
	assert_true(hands(b, 1, 0) && !hands(b, 2, 0) && keeps(b, 1) && !keeps(b, 2));
	values_of_arg(b, 7, 2, &v); /* behind the call */
	assert_true(v.unsure);
	done();
}

/* --- Strings and references -------------------------------------------------------------------------------------- */

static void test_references(void **state)
{
	struct addrs a = { 0 }, whole = { 0 };
	uint64_t path, name, lea;
	static struct xrefs refs;
	struct bodies in;

	(void)state;
	begin();
	image_data(&im, "ssl/ssl_lib.cc.o", 17);
	path = image_data(&im, "../ssl/ssl_lib.cc", 18);
	name = image_data(&im, "\1ssl_lib.cc", 12) + 1;
	lea = code_here(&im) + 1;
	EMIT(&im, 0x53);
	LEA_RCX(&im, path);
	EMIT(&im, 0x48, 0xb8, 0x48, 0x8d, 0x0d); /* movabs rax, with what looks like lea rcx in it */
	code_u32(&im, path - code_here(&im) - 4);
	EMIT(&im, 0, 0xc3);
	caller(start);
	finish();
	strings_ending(elf, SV("ssl_lib.cc"), &a);
	assert_int_equal(a.n, 2);
	assert_true(addrs_has(&a, path) && addrs_has(&a, name) && !a.many);
	strings_near(elf, SV("lib.cc"), &a, &whole);
	assert_int_equal(whole.n, 2);
	assert_true(addrs_has(&whole, path + 11));
	xrefs_find(elf, &a, &refs);
	assert_int_equal(refs.n, 2);
	assert_int_equal(refs.ref[0].at, lea + 3);
	assert_int_equal(refs.ref[0].to, path);
	funcs_holding(funcs, &refs, &in);
	assert_int_equal(in.n, 1);
	assert_int_equal(in.unsure, 0);
	assert_int_equal(in.body[0]->f.addr, start);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_called),	    cmocka_unit_test(test_not_called), cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_branch),	    cmocka_unit_test(test_table),	    cmocka_unit_test(test_values),     cmocka_unit_test(test_values_merged),
		cmocka_unit_test(test_values_kept), cmocka_unit_test(test_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
