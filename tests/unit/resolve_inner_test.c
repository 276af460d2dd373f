/* SPDX-License-Identifier: Apache-2.0 */
/* resolve/inner, by api: functions that do their work in another, which is probed in their place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "resolve_image.h"

#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define PLAIN	  CODE(0x55, 0xc3) /* push rbp; ret */

static struct image im;
static struct tls_found found;

static void resolve(void)
{
	image_finish(&im);
	assert_int_equal(image_resolve(&im, sizeof(im.b), &found), 0);
}

#define NO	{ { 0 }, 0 }
#define SUB	0x48, 0x83, 0xec, 0x08	   /* sub rsp, 8 */
#define ADD_RET 0x48, 0x83, 0xc4, 0x08, 0xc3
#define CALL	0xe8, 'I', 0, 0, 0	   /* what is in the letter's place: where the call leads */
#define JUMP(c) 0xe9, c, 0, 0, 0
#define EX	{ { SUB, CALL, 0x31, 0xd2, 0x85, 0xc0, 0x0f, 0x48, 0xc2, ADD_RET }, 21 } /* no less than 0 */
/* test edx, edx; js the ret; mov rcx, rsp; movsxd rdx, edx; call; add rsp, 8; ret */
#define INT	{ { SUB, 0x85, 0xd2, 0x78, 15, 0x48, 0x89, 0xe1, 0x48, 0x63, 0xd2, CALL, ADD_RET }, 24 }
#define FORWARD(c) { { 0x49, 0x89, 0xc8, 0x31, 0xc9, JUMP(c) }, 10 } /* mov r8, rcx; xor ecx, ecx; jmp */

/* Leads to: the inner function I, its neighbour O, the one of the first name E, the entry P of the linkage table for that. */
static const struct meeting {
	const char *what;
	struct {
		uint8_t code[32];
		uint8_t n;
	} of[3]; /* SSL_write_ex2, SSL_write, SSL_write_ex; or SSL_read_ex, SSL_read */
	uint8_t inner; /* its first instruction: 0x55 a push, 0xf3 endbr64 and a push, 0x83 sub esp */
	bool met;
} meetings[] = {
	{ "both", { EX, INT, NO }, 0x55, true },
	{ "behind endbr64", { EX, INT, NO }, 0xf3, true },
	{ "three", { EX, INT, EX }, 0x55, true },
	{ "by the first of them", { EX, INT, FORWARD('E') }, 0x55, true },
	{ "by the linkage table", { EX, INT, FORWARD('P') }, 0x55, true },
	{ "an error is dealt with elsewhere", { EX, { { SUB, 0x85, 0xd2, 0x78, 0x70, CALL, ADD_RET }, 18 }, NO }, 0x55, true },
	{ "a branch inside", { { { SUB, CALL, 0x85, 0xc0, 0x79, 2, 0x31, 0xc0, ADD_RET }, 20 }, INT, NO }, 0x55, true },
	{ "the inner one is no cheaper", { EX, INT, NO }, 0x83, false },
	{ "no gain", { { { 0x55, CALL, 0x5d, 0xc3 }, 8 }, { { 0x55, CALL, 0x5d, 0xc3 }, 8 }, NO }, 0x55, false },
	{ "another inner one", { EX, { { SUB, 0xe8, 'O', 0, 0, 0, ADD_RET }, 14 }, NO }, 0x55, false },
	{ "elsewhere", { EX, INT, FORWARD('O') }, 0x55, false },
	{ "an argument is changed", { { { SUB, 0x89, 0xc6, CALL, ADD_RET }, 16 }, INT, NO }, 0x55, false },
	{ "its count", { { { SUB, 0x31, 0xc9, CALL, ADD_RET }, 16 }, INT, NO }, 0x55, false },
	{ "of the int's function", { EX, { { SUB, 0x89, 0xc6, CALL, ADD_RET }, 16 }, NO }, 0x55, false },
	{ "of the forwarding one", { EX, INT, { { 0x89, 0xc2, JUMP('E') }, 7 } }, 0x55, false },
	{ "what does anything", { { { SUB, 0x0f, 0x05, CALL, ADD_RET }, 16 }, INT, NO }, 0x55, false },
	{ "a second call", { { { SUB, CALL, CALL, ADD_RET }, 19 }, INT, NO }, 0x55, false },
	{ "a branch out", { { { SUB, CALL, 0x78, 0x70, ADD_RET }, 16 }, INT, NO }, 0x55, false },
	{ "a computed call", { EX, { { SUB, CALL, 0xff, 0xd0, ADD_RET }, 16 }, NO }, 0x55, false },
	{ "a computed jump", { EX, { { SUB, CALL, 0xff, 0xe0, ADD_RET }, 16 }, NO }, 0x55, false },
	{ "behind a return", { { { SUB, 0xc3, CALL, ADD_RET }, 15 }, INT, NO }, 0x55, false },
	{ "behind a jump", { EX, { { SUB, 0xeb, 0, CALL, ADD_RET }, 16 }, NO }, 0x55, false },
	{ "no call", { { { SUB, ADD_RET }, 9 }, INT, NO }, 0x55, false },
	{ "cannot be decoded to its end", { { { SUB, CALL, ADD_RET, 0x06 }, 15 }, INT, NO }, 0x55, false },
};

/* endbr64; jmp [rip + to the table's entry in the data], whose relocation names the symbol @nr. */
static uint64_t plt(unsigned int nr)
{
	static const uint64_t zero;
	const uint64_t slot = image_data(&im, &zero, sizeof(zero));
	const Elf64_Rela r = { .r_offset = slot, .r_info = ELF64_R_INFO(nr, R_X86_64_JUMP_SLOT) };
	uint8_t code[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, 0, 0, 0, 0 };
	const uint64_t at = TEXT_ADDR + im.text;
	const int32_t distance = (int32_t)(slot - (at + sizeof(code)));

	memcpy(code + 6, &distance, sizeof(distance));
	image_section(&im, ".rela.plt", image_data(&im, &r, sizeof(r)), sizeof(r));
	im.sec[S_EXTRA].sh_type = SHT_RELA;
	im.sec[S_EXTRA].sh_link = S_SYMS;
	return image_code(&im, code, sizeof(code));
}

static uint64_t inner_code(uint8_t first)
{
	if (first == 0x83)
		return image_code(&im, CODE(0x83, 0xec, 0x08, 0xc3));
	return first == 0xf3 ? image_code(&im, CODE(0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x5d, 0xc3)) : image_code(&im, PLAIN);
}

/* @m as reads and as writes, with and without the first name of theirs. */
static void meeting_make(const struct meeting *m, const char *const *name)
{
	uint64_t to['Z'] = { 0 };
	uint8_t code[32];

	image_init(&im, SHT_DYNSYM);
	to['I'] = inner_code(m->inner);
	to['O'] = image_code(&im, PLAIN);
	to['P'] = plt(1);
	for (unsigned int f = 0; f < 3 && name[f]; f++) {
		unsigned int n = m->of[f].n;

		memcpy(code, m->of[f].code, sizeof(code));
		for (unsigned int i = 0; i + 4 < n; i++) {
			const int32_t distance = (int32_t)(to[code[i + 1] % 'Z'] - (TEXT_ADDR + im.text + i + 5));

			if ((code[i] != 0xe8 && code[i] != 0xe9) || !to[code[i + 1] % 'Z'])
				continue;
			memcpy(code + i + 1, &distance, sizeof(distance));
			i += 4;
		}
		if (n) {
			uint64_t at = image_function(&im, name[f], code, n);

			to['E'] = f ? to['E'] : at;
		}
	}
}

static unsigned int points_of(unsigned int fn)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < found.n; i++)
		n += found.point[i].fn == fn;
	return n;
}

static void meeting_check(const struct meeting *m, unsigned int fn, unsigned int all)
{
	const struct tls_point *p = &found.point[0];

	if (points_of(fn) != 1)
		fail_msg("%s: %u probes of %s", m->what, points_of(fn), tls_func_name(fn));
	if (found.n != (m->met ? 2 : all + 1))
		fail_msg("%s: %u probes", m->what, found.n);
	if ((p->func == TEXT_OFF) != m->met)
		fail_msg("%s: the first in the function at 0x%lx", m->what, (unsigned long)p->func);
	if (m->met) {
		assert_int_equal(p->fn, fn);
		assert_int_equal(p->offset - p->func, m->inner == 0xf3 ? 4 : 0);
	}
}

static void test_meetings(void **state)
{
	static const char *const reads[] = { "SSL_read_ex", "SSL_read", NULL };
	static const char *const writes[] = { "SSL_write_ex2", "SSL_write", "SSL_write_ex" };
	static const char *const older[] = { "SSL_write_ex", "SSL_write", NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++) {
		const struct meeting *m = &meetings[i];
		unsigned int all = m->of[2].n ? 3 : 2;

		meeting_make(m, writes);
		image_function(&im, "SSL_read", PLAIN);
		resolve();
		meeting_check(m, TLS_F_SSL_WRITE_EX2, all);
		if (all == 3)
			continue;
		meeting_make(m, reads);
		image_function(&im, "SSL_write", PLAIN);
		resolve();
		meeting_check(m, TLS_F_SSL_READ_EX, 2);
		meeting_make(m, older);
		image_function(&im, "SSL_read", PLAIN);
		resolve();
		meeting_check(m, TLS_F_SSL_WRITE_EX, 2);
	}
}

/* What stands behind the inner function belongs to it where nothing has a name: a jump to the probe from there is one too many. */
static void test_entered(void **state)
{
	static const char *const reads[] = { "SSL_read_ex", "SSL_read", NULL };

	(void)state;
	for (int named = 0; named < 2; named++) {
		meeting_make(&meetings[1], reads); /* 16 bytes each: the inner one, its neighbour */
		memcpy(im.b + TEXT_OFF + 16, (const uint8_t[]){ 0xeb, 0xf2 }, 2);
		if (named)
			image_symbol(&im, "other", (Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_size = 2,
								.st_shndx = S_TEXT, .st_value = TEXT_ADDR + 16 });
		image_function(&im, "SSL_write", PLAIN);
		memset(im.b + TEXT_OFF + 7, 0x90, 9); /* as compilers fill up */
		memset(im.b + TEXT_OFF + 18, 0x90, 14);
		memset(im.b + TEXT_OFF + 42, 0x90, 6);
		resolve();
		assert_int_equal(found.n, named ? 2 : 3);
	}
}

/* A name with two versions has two codes, of which neither speaks for both. */
static void test_versions(void **state)
{
	static const char *const names[][3] = { { "SSL_read_ex", "SSL_read", "SSL_read" },
						{ "SSL_read_ex", "SSL_read", "SSL_read_ex" } };
	static const struct meeting m[] = { { "", { EX, INT, { { 0x55, 0xc3 }, 2 } }, 0x55, false },
					    { "", { { { 0x55, 0xc3 }, 2 }, INT, EX }, 0x55, false } };

	(void)state;
	for (int i = 0; i < 2; i++) {
		meeting_make(&m[i], names[i]);
		image_function(&im, "SSL_write", PLAIN);
		resolve();
		assert_int_equal(found.n, 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meetings),
		cmocka_unit_test(test_entered),
		cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
