/* SPDX-License-Identifier: Apache-2.0 */
/* resolve/gotab, go and entry: Go programs made by hand, with all that a linker may leave out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/hash.h"
#include "resolve_image.h"
#include "tls_stack.h"

#define CONN "crypto/tls.(*Conn)."

/* As Go 1.21 and later compile it. */
static const uint8_t body[] = {
	0x49, 0x3b, 0x66, 0x10,	      /* cmp rsp, [r14+16] */
	0x76, 0x0e,		      /* jbe +20 */
	0x55,			      /* +6: push rbp */
	0x48, 0x89, 0xe5,	      /* mov rbp, rsp */
	0x84, 0xc0,		      /* test al, al */
	0x74, 0x02,		      /* je +16 */
	0x5d, 0xc3,		      /* pop rbp; +15: ret */
	0x31, 0xc0, 0x5d, 0xc3,	      /* xor eax, eax; pop rbp; +19: ret */
	0x48, 0x89, 0x44, 0x24, 0x08, /* +20: mov [rsp+8], rax */
	0xe8, 0, 0, 0, 0,	      /* call runtime.morestack_noctxt */
	0x48, 0x8b, 0x44, 0x24, 0x08, /* mov rax, [rsp+8] */
	0xeb, 0xdb,		      /* jmp +0 */
};
enum { BODY_ENTRY = 6, BODY_RET1 = 15, BODY_RET2 = 19, BODY_MORESTACK = 20, BODY_JMP = 36 };

static struct image im;
static struct tls_found found;

/* What the program is like; all else is like Go 1.26's. */
static struct go {
	uint32_t magic;
	bool no_section, text_in_header, relocated, no_module, no_sections;
	const uint8_t *read; /* other code of Read */
	size_t nread;
	const char *read_name;
	int64_t text_wrong;
	uint32_t read_wrong;
	uint64_t nfunc;
} go;

static const char *const functions[] = { "runtime.text", CONN "Read", CONN "Write", CONN "Write", CONN "Close",
					 CONN "clientHandshake", CONN "serverHandshake", "main.main" };
#define FUNCTIONS 8
enum { F_READ = 1, F_WRITE, F_WRITE_ABI0, F_CLOSE, F_CLIENT, F_SERVER };

static uint64_t start[FUNCTIONS + 1];
static const uint8_t small[] = { 0xe9, 0, 0, 0, 0, 0xcc };

static void functions_make(void)
{
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		if (i == F_READ && go.read)
			start[i] = image_code(&im, go.read, go.nread);
		else if (i == F_WRITE_ABI0)
			start[i] = image_code(&im, small, sizeof(small));
		else
			start[i] = image_code(&im, body, sizeof(body));
	}
	start[FUNCTIONS] = image_code(&im, small, sizeof(small));
}

/* The table; its address. */
static uint64_t table_make(void)
{
	struct {
		uint32_t magic;
		uint8_t zero[2], quantum, pointer;
		uint64_t nfunc, nfiles, text, names, cus, files, pctabs, funcs;
		uint32_t entry[FUNCTIONS][2], end, pad;
		uint32_t func[FUNCTIONS][2];
		char name[FUNCTIONS][64];
	} t = { .magic = go.magic ? go.magic : 0xfffffff1, .quantum = 1, .pointer = 8,
		.nfunc = go.nfunc ? go.nfunc : FUNCTIONS };

	t.names = offsetof(typeof(t), name);
	t.funcs = offsetof(typeof(t), entry);
	t.text = go.text_in_header && !go.relocated ? TEXT_ADDR : 0;
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		t.entry[i][0] = t.func[i][0] = (uint32_t)(start[i] - TEXT_ADDR);
		t.entry[i][1] = (uint32_t)(offsetof(typeof(t), func) - t.funcs + i * 8);
		t.func[i][1] = i * 64;
		snprintf(t.name[i], sizeof(t.name[i]), "%s", i == F_READ && go.read_name ? go.read_name : functions[i]);
	}
	t.func[F_READ][0] += go.read_wrong;
	t.end = (uint32_t)(start[FUNCTIONS] - TEXT_ADDR);
	return image_data(&im, &t, sizeof(t));
}

static void relocate(Elf64_Rela *r, unsigned int *n, uint64_t at, uint64_t to)
{
	r[(*n)++] = (Elf64_Rela){ at, ELF64_R_INFO(0, R_X86_64_RELATIVE), (int64_t)to };
}

/* runtime.firstmoduledata, and the relocations of it and of the table. */
static void module_make(uint64_t table)
{
	uint64_t module[24] = { 0 }, addr, text = TEXT_ADDR + (uint64_t)go.text_wrong;
	Elf64_Rela r[8];
	Elf64_Dyn d[3] = { { .d_tag = DT_RELA }, { .d_tag = DT_RELASZ } };
	unsigned int n = 0;

	module[0] = table;
	module[1] = table + 72 + FUNCTIONS * 16 + 8; /* the function names */
	module[20] = start[0];
	module[21] = start[FUNCTIONS];
	module[22] = text;
	image_data(&im, &table, sizeof(table)); /* some other pointer to it */
	addr = image_data(&im, go.relocated ? (uint64_t[24]){ 0 } : module, sizeof(module));
	if (!go.relocated)
		return;
	if (go.text_in_header)
		relocate(r, &n, table + 24, TEXT_ADDR);
	for (unsigned int i = 0; i < 24; i++) {
		if (module[i] && !go.no_module)
			relocate(r, &n, addr + i * 8, module[i]);
	}
	d[0].d_un.d_ptr = image_data(&im, r, n * sizeof(r[0]));
	d[1].d_un.d_val = n * sizeof(r[0]);
	im.dynamic = image_data(&im, d, sizeof(d));
	im.ndynamic = sizeof(d);
}

static void resolve(struct go like)
{
	static const char info[] = "\xff Go buildinf:\x08\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08go1.26.8\0";
	uint64_t table, at;

	go = like;
	image_init(&im, SHT_SYMTAB);
	functions_make();
	table = table_make();
	if (!go.no_module || go.relocated)
		module_make(table);
	at = image_data(&im, info, sizeof(info));
	if (go.no_section)
		image_section(&im, ".go.buildinfo", at, sizeof(info));
	else
		image_section(&im, ".gopclntab", table, im.data - (table - DATA_ADDR));
	im.no_sections = go.no_sections;
	image_finish(&im);
	assert_int_equal(image_resolve(&im, sizeof(im.b), &found), 0);
}

static void expect(unsigned int i, unsigned int fn, unsigned int f, unsigned int at)
{
	const struct tls_point *p = &found.point[i];
	uint64_t off = start[f] - TEXT_ADDR + TEXT_OFF;

	assert_true(i < found.n);
	assert_int_equal(p->fn, fn);
	assert_int_equal(p->stack, TLS_GO);
	assert_int_equal(p->func, off);
	assert_int_equal(p->offset, off + at);
	assert_memory_equal(p->bytes, im.b + p->offset, p->nbytes);
	assert_true(p->hash == hash_fixed(im.b + off, at + p->nbytes));
}

static void expect_all(void)
{
	assert_string_equal(found.why, "");
	assert_int_equal(found.n, 9);
	expect(0, TLS_F_GO_READ, F_READ, BODY_ENTRY);
	expect(1, TLS_F_GO_READ_RET, F_READ, BODY_RET1);
	expect(2, TLS_F_GO_READ_RET, F_READ, BODY_RET2);
	expect(3, TLS_F_GO_WRITE, F_WRITE, BODY_ENTRY);
	expect(4, TLS_F_GO_WRITE_RET, F_WRITE, BODY_RET1);
	expect(5, TLS_F_GO_WRITE_RET, F_WRITE, BODY_RET2);
	expect(6, TLS_F_GO_HANDSHAKE, F_CLIENT, BODY_ENTRY);
	expect(7, TLS_F_GO_HANDSHAKE, F_SERVER, BODY_ENTRY);
	expect(8, TLS_F_GO_CLOSE, F_CLOSE, BODY_ENTRY);
}

static void test_forms(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 64; i++) {
		const struct go like = { .no_section = i & 1, .text_in_header = i & 2, .relocated = i & 4,
					 .no_module = i & 8, .no_sections = i & 16, .magic = i & 32 ? 0xfffffff0 : 0xfffffff1 };

		resolve(like);
		if (like.no_module && !like.text_in_header) {
			assert_int_equal(found.n, 0);
			assert_string_equal(found.why, "Go crypto/tls: where the program's code begins was not found");
			continue;
		}
		expect_all();
		assert_string_equal(found.evidence, like.no_section && !like.no_sections ? "go1.26.8 crypto/tls by pclntab" :
											     "Go crypto/tls by pclntab");
	}
}

static void expect_why(const char *why)
{
	assert_int_equal(found.n, 0);
	assert_string_equal(found.evidence, "");
	assert_string_equal(found.why, why);
}

static void test_refused(void **state)
{
	(void)state;
	resolve((struct go){ .magic = 0xfffffffa });
	expect_why("Go crypto/tls: made by Go before 1.18, not read");
	resolve((struct go){ .magic = 0xfffffffb, .no_section = true });
	expect_why("Go crypto/tls: made by Go before 1.18, not read");
	resolve((struct go){ .magic = 0xfffffff2 });
	expect_why("Go crypto/tls: the program's table of functions makes no sense");
	resolve((struct go){ .text_wrong = 16 });
	expect_why("Go crypto/tls: where the program's code begins was not found");
	resolve((struct go){ .nfunc = FUNCTIONS + 1 });
	expect_why("Go crypto/tls: the program's table of functions makes no sense");
	resolve((struct go){ .nfunc = 1ull << 61 });
	expect_why("Go crypto/tls: the program's table of functions makes no sense");
	resolve((struct go){ .nfunc = FUNCTIONS - 1 }); /* the end that the module tells is another one */
	expect_why("Go crypto/tls: where the program's code begins was not found");
	resolve((struct go){ .read_name = CONN "Reads" });
	expect_why("Go crypto/tls: (*Conn).Read is not in it");
	resolve((struct go){ .read_wrong = 1 }); /* its two halves disagree */
	expect_why("Go crypto/tls: (*Conn).Read is not in it");
	/* No TLS, no word of it. */
	resolve((struct go){ .magic = 0xfffffffa, .read_name = "main.Read" });
	expect_why("");
}

static void read_is(const uint8_t *code, size_t n)
{
	resolve((struct go){ .read = code, .nread = n });
}

static void test_taken_apart(void **state)
{
	static const char why[] = "Go crypto/tls: (*Conn).Read cannot be taken apart";
	static uint8_t returns[TLS_POINTS_MAX + 1];
	uint8_t code[sizeof(body)];

	(void)state;
	memcpy(code, body, sizeof(body));
	code[BODY_ENTRY] = 0x06; /* no instruction */
	read_is(code, sizeof(code));
	expect_why(why);
	memcpy(code, body, sizeof(body));
	code[BODY_RET2 + 1] = 0x06; /* behind its returns as well */
	read_is(code, sizeof(code));
	expect_why(why);
	memcpy(code, body, sizeof(body));
	code[BODY_JMP] = 0x7f; /* out of the function */
	read_is(code, sizeof(code));
	expect_why(why);
	memcpy(code, body, sizeof(body));
	code[BODY_RET1] = code[BODY_RET2] = 0x90; /* it never returns */
	read_is(code, sizeof(code));
	expect_why(why);
	memset(returns, 0xc3, sizeof(returns)); /* there is no room for all of them */
	read_is(returns, sizeof(returns));
	expect_why(why);
}

static void test_entry(void **state)
{
	static const uint8_t no_check[] = { 0x48, 0x83, 0xec, 0x08, 0x48, 0x83, 0xc4, 0x08, 0xc3 };
	static const uint8_t large[] = {
		0x4c, 0x8d, 0x64, 0x24, 0x98, 0x4d, 0x3b, 0x66, 0x10, /* lea r12, [rsp-104]; cmp r12, [r14+16] */
		0x76, 0x04,					      /* jbe +15 */
		0x48, 0x83, 0xec, 0x78,				      /* +11: sub rsp, 120; nothing else of it */
		0xe8, 0, 0, 0, 0, 0xeb, 0xea,			      /* +15: call; jmp +0 */
		0xc3,
	};
	uint8_t code[sizeof(body)];

	(void)state;
	read_is(no_check, sizeof(no_check));
	expect(0, TLS_F_GO_READ, F_READ, 0);
	read_is(large, sizeof(large));
	expect(0, TLS_F_GO_READ, F_READ, 11);

	memcpy(code, body, sizeof(body));
	code[BODY_JMP] += 7; /* the block does not lead back to the start */
	read_is(code, sizeof(code));
	expect(0, TLS_F_GO_READ, F_READ, 0);
	memcpy(code, body, sizeof(body));
	memset(code + BODY_MORESTACK + 5, 0x90, 5); /* ... and calls nothing */
	read_is(code, sizeof(code));
	expect(0, TLS_F_GO_READ, F_READ, 0);
	memcpy(code, body, sizeof(body));
	memcpy(code, "\x48\x8b\x00\x90", 4); /* mov rax, [rax] in front: the receiver is gone */
	read_is(code, sizeof(code));
	expect(0, TLS_F_GO_READ, F_READ, 0);
	memcpy(code, body, sizeof(body));
	code[13] = 0xf8; /* a loop to the push */
	read_is(code, sizeof(code));
	expect(0, TLS_F_GO_READ, F_READ, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_taken_apart),
		cmocka_unit_test(test_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
