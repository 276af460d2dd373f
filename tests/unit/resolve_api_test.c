/* SPDX-License-Identifier: Apache-2.0 */
/* resolve/api and entry: stacks by their functions' names, and which instruction is probed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <fcntl.h>

#include "base/hash.h"
#include "resolve_image.h"
#include "tls_stack.h"

#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define PLAIN	  CODE(0x55, 0xc3) /* push rbp; ret */

static struct image im;
static struct tls_found found;

static void resolve(void)
{
	image_finish(&im);
	assert_int_equal(image_resolve(&im, sizeof(im.b), &found), 0);
}

static const struct tls_point *point_of(unsigned int fn)
{
	const struct tls_point *p = NULL;

	for (uint32_t i = 0; i < found.n; i++) {
		if (found.point[i].fn == fn) {
			assert_null(p);
			p = &found.point[i];
		}
	}
	assert_non_null(p);
	return p;
}

static void test_names(void **state)
{
	static const char *const names[] = { "SSL_read",      "SSL_write", "SSL_read_ex", "SSL_write_ex",
					     "SSL_write_ex2", "SSL_new",   "SSL_free",	  "SSL_set_fd" };
	const uint8_t body[] = { 0x55, 0x48, 0x89, 0xe5, 0x5d, 0xc3 };
	uint64_t addr[8];

	(void)state;
	for (int symtab = 0; symtab < 2; symtab++) {
		image_init(&im, symtab ? SHT_SYMTAB : SHT_DYNSYM);
		for (unsigned int i = 0; i < 8; i++)
			addr[i] = image_function(&im, names[i], body, sizeof(body));
		image_function(&im, "SSL_peek", PLAIN);
		resolve();
		assert_int_equal(found.n, 8);
		for (unsigned int i = 0; i < 8; i++) {
			const struct tls_point *p = point_of(TLS_F_SSL_READ + i);

			assert_int_equal(p->offset, addr[i] - TEXT_ADDR + TEXT_OFF);
			assert_int_equal(p->func, p->offset);
			assert_int_equal(p->stack, TLS_OPENSSL);
			assert_int_equal(p->nbytes, sizeof(body));
			assert_memory_equal(p->bytes, body, sizeof(body));
			assert_true(p->hash == hash_fixed(body, sizeof(body)));
			assert_string_equal(tls_func_name(p->fn), names[i]);
		}
		assert_string_equal(found.evidence, symtab ? "OpenSSL API by .symtab" : "OpenSSL API by .dynsym");
		assert_string_equal(found.why, "");
	}
}

/* Each is SSL_read's code; where the probe goes, from its start. */
static const struct {
	const char *what;
	uint8_t code[24];
	uint8_t n, at;
} entries[] = {
	{ "push", { 0x55, 0xc3 }, 2, 0 },
	{ "endbr64; push", { 0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xc3 }, 6, 4 },
	{ "endbr64; nop5; push r12", { 0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x1f, 0x44, 0, 0, 0x41, 0x54, 0xc3 }, 12, 9 },
	{ "endbr64; sub rsp: behind endbr64", { 0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x83, 0xec, 0x18, 0x55, 0xc3 }, 10, 4 },
	{ "sub rsp", { 0x48, 0x83, 0xec, 0x18, 0x55, 0xc3 }, 6, 0 },
	{ "test rdi,rdi; je", { 0x48, 0x85, 0xff, 0x74, 0x01, 0x55, 0xc3 }, 7, 3 },
	{ "mov eax,[rdi]; push", { 0x8b, 0x07, 0x55, 0xc3 }, 4, 2 },
	{ "mov [rsp-8],rdi; push", { 0x48, 0x89, 0x7c, 0x24, 0xf8, 0x55, 0xc3 }, 7, 5 },
	{ "mov edi,eax; push", { 0x89, 0xc7, 0x55, 0xc3 }, 4, 0 },
	{ "xor ecx,ecx; push", { 0x31, 0xc9, 0x55, 0xc3 }, 4, 0 },
	{ "mov sil,1; push", { 0x40, 0xb6, 0x01, 0x55, 0xc3 }, 5, 0 },
	{ "mov dh,1; push", { 0xb6, 0x01, 0x55, 0xc3 }, 4, 0 },
	{ "lea r8,[rsp]; push", { 0x4c, 0x8d, 0x04, 0x24, 0x55, 0xc3 }, 6, 0 },
	{ "xchg rdi,rax; push", { 0x48, 0x97, 0x55, 0xc3 }, 4, 0 },
	{ "mov eax,1; syscall; push", { 0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0x55, 0xc3 }, 9, 0 },
	{ "pop rax; push", { 0x58, 0x50, 0xc3 }, 3, 0 },
	{ "push imm; push", { 0x6a, 0x01, 0x55, 0xc3 }, 4, 0 },
	{ "jmp rax; push", { 0xff, 0xe0, 0x55, 0xc3 }, 4, 0 },
	{ "mov r8,rcx; xor ecx,ecx; jmp", { 0x49, 0x89, 0xc8, 0x31, 0xc9, 0xe9, 0, 0, 0, 0 }, 10, 0 },
	{ "mov eax,0; push; jmp to the push", { 0xb8, 0, 0, 0, 0, 0x55, 0xeb, 0xfd }, 8, 0 },
	{ "endbr64; sub rsp; jmp to the sub", { 0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x83, 0xec, 8, 0xeb, 0xfa }, 10, 0 },
	{ "endbr64; push; what cannot be decoded", { 0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xc3, 0x06 }, 7, 0 },
	{ "push; what cannot be decoded", { 0x55, 0xc3, 0x06 }, 3, 0 },
	{ "cut: only nops", { 0x90, 0x90, 0x90 }, 3, 255 },
	{ "cannot be decoded", { 0x06, 0x55, 0xc3 }, 3, 255 },
};

static void test_entry(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		image_init(&im, SHT_DYNSYM);
		image_function(&im, "SSL_read", entries[i].code, entries[i].n);
		image_function(&im, "SSL_write", PLAIN);
		resolve();
		if (entries[i].at == 255) {
			assert_int_equal(found.n, 0);
			assert_string_equal(found.why, "OpenSSL API: its functions by .dynsym are not what they are called");
			assert_string_equal(found.evidence, "");
			continue;
		}
		if (found.n != 2 || point_of(TLS_F_SSL_READ)->offset - TEXT_OFF != entries[i].at)
			fail_msg("%s: %u points, the first at +%ld", entries[i].what, found.n,
				 (long)(found.point[0].offset - TEXT_OFF));
		assert_int_equal(point_of(TLS_F_SSL_READ)->func, TEXT_OFF);
		assert_int_equal(point_of(TLS_F_SSL_READ)->nbytes,
				 entries[i].n - entries[i].at > TLS_BYTES ? TLS_BYTES : entries[i].n - entries[i].at);
		assert_true(point_of(TLS_F_SSL_READ)->hash ==
			    hash_fixed(im.b + TEXT_OFF, entries[i].at + point_of(TLS_F_SSL_READ)->nbytes));
	}
}

/* SSL_write as @s says, and a sound SSL_read. */
static void write_as(Elf64_Sym s)
{
	image_init(&im, SHT_DYNSYM);
	image_function(&im, "SSL_read", PLAIN);
	s.st_value = s.st_value ? s.st_value : image_code(&im, PLAIN);
	image_symbol(&im, "SSL_write", s);
	resolve();
}

static void test_symbols(void **state)
{
	const unsigned char function = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);

	(void)state;
	write_as((Elf64_Sym){ .st_info = function, .st_shndx = S_TEXT, .st_size = 2 });
	assert_int_equal(found.n, 2);
	write_as((Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC), .st_shndx = S_TEXT, .st_size = 2 });
	assert_int_equal(found.n, 2);
	write_as((Elf64_Sym){ .st_info = function, .st_shndx = SHN_UNDEF, .st_size = 2 });
	assert_int_equal(found.n, 0);
	assert_string_equal(found.why, "");
	write_as((Elf64_Sym){ .st_info = function, .st_shndx = S_TEXT, .st_size = 0 });
	assert_int_equal(found.n, 0);
	assert_string_equal(found.why, "");
	write_as((Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC), .st_shndx = S_TEXT, .st_size = 2 });
	assert_int_equal(found.n, 0);
	write_as((Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), .st_shndx = S_TEXT, .st_size = 2 });
	assert_int_equal(found.n, 0);
	/* Data, nowhere, beyond the code's end, at the end of all addresses: none of its functions is probed. */
	write_as((Elf64_Sym){ .st_info = function, .st_shndx = S_TEXT, .st_size = 2, .st_value = DATA_ADDR });
	assert_int_equal(found.n, 0);
	assert_int_equal(found.point[0].fn, 0);
	assert_string_not_equal(found.why, "");
	write_as((Elf64_Sym){ .st_info = function, .st_shndx = S_TEXT, .st_size = 2, .st_value = 0x1000 });
	assert_int_equal(found.n, 0);
	write_as((Elf64_Sym){ .st_info = function, .st_shndx = S_TEXT, .st_size = 0x10000, .st_value = TEXT_ADDR });
	assert_int_equal(found.n, 0);
	write_as((Elf64_Sym){ .st_info = function, .st_shndx = S_TEXT, .st_size = -1ull, .st_value = -1ull });
	assert_int_equal(found.n, 0);
}

/* SSL_read in two versions; one alias of it. */
static void test_versions(void **state)
{
	uint64_t first, second;

	(void)state;
	image_init(&im, SHT_DYNSYM);
	first = image_function(&im, "SSL_read", PLAIN);
	second = image_function(&im, "SSL_read", PLAIN);
	image_symbol(&im, "SSL_read", (Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = S_TEXT,
						   .st_value = first, .st_size = 2 });
	image_function(&im, "SSL_write", PLAIN);
	resolve();
	assert_int_equal(found.n, 3);
	assert_int_equal(found.point[0].offset, first - TEXT_ADDR + TEXT_OFF);
	assert_int_equal(found.point[1].offset, second - TEXT_ADDR + TEXT_OFF);
}

static void test_versions_without_end(void **state)
{
	(void)state;
	image_init(&im, SHT_DYNSYM);
	for (int i = 0; i < 65; i++)
		image_function(&im, "SSL_read", PLAIN);
	image_function(&im, "SSL_write", PLAIN);
	resolve();
	assert_int_equal(found.n, 0);
	assert_string_not_equal(found.why, "");
}

static const struct {
	const char *names[4], *why;
	uint8_t stack; /* of the last point */
	unsigned int n;
} stacks[] = {
	{ { "SSL_read", "SSL_write" }, "", TLS_OPENSSL, 2 },
	{ { "SSL_read", "SSL_write", "SSL_CTX_set_early_data_enabled" }, "", TLS_BORINGSSL, 2 },
	{ { "SSL_read", "SSL_write", "gnutls_record_send", "gnutls_record_recv" }, "", TLS_OPENSSL, 2 },
	{ { "SSL_read" }, "", 0, 0 },
	{ { "SSL_CTX_set_early_data_enabled" }, "", 0, 0 },
	{ { "SSL_reads", "xSSL_write" }, "", 0, 0 },
	{ { "SSL_ImportFD" }, "NSS: not read", 0, 0 },
	{ { "gnutls_record_send", "gnutls_record_recv", "gnutls_record_uncork" }, "", TLS_GNUTLS, 3 },
	{ { "gnutls_record_send", "gnutls_record_recv", "gnutls_record_uncork", "SSL_read" }, "", TLS_GNUTLS, 3 },
	{ { "gnutls_record_send", "gnutls_record_recv" }, "", 0, 0 },
	{ { "mbedtls_ssl_read", "mbedtls_ssl_write" }, "Mbed TLS: not read", 0, 0 },
	{ { "JNI_CreateJavaVM" }, "JSSE: Java encrypts in Java code, nothing native to probe", 0, 0 },
	{ { "s2n_send", "s2n_recv", "wolfSSL_read", "wolfSSL_write" }, "wolfSSL: not read; s2n-tls: not read", 0, 0 },
};

static const char *const by_dynsym[] = {
	[TLS_OPENSSL] = "OpenSSL API by .dynsym",
	[TLS_BORINGSSL] = "BoringSSL by .dynsym",
	[TLS_GNUTLS] = "GnuTLS by .dynsym",
};

static void test_stacks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
		image_init(&im, SHT_DYNSYM);
		for (unsigned int n = 0; n < 4 && stacks[i].names[n]; n++)
			image_function(&im, stacks[i].names[n], PLAIN);
		resolve();
		assert_string_equal(found.why, stacks[i].why);
		assert_int_equal(found.n, stacks[i].n);
		assert_string_equal(found.evidence, stacks[i].stack ? by_dynsym[stacks[i].stack] : "");
		for (unsigned int n = 0; n < found.n; n++)
			assert_int_equal(found.point[n].stack, stacks[i].stack);
	}
}

static void with_text(const char *text, size_t n, bool symbols)
{
	image_init(&im, SHT_DYNSYM);
	if (symbols) {
		image_function(&im, "SSL_read", PLAIN);
		image_function(&im, "SSL_write", PLAIN);
	} else {
		image_code(&im, PLAIN);
	}
	image_section(&im, ".rodata", image_data(&im, text, n), n);
	resolve();
}

static void test_strings(void **state)
{
	(void)state;
#define WITH(text, symbols) with_text(text, sizeof(text), symbols)
	WITH("OpenSSL \0OpenSSL 1.1 1\0OpenSSL 3.0.x\0OpenSSL 3.0.1 is\0OpenSSL 3.0.19+quic 27 Jan 2026", true);
	assert_string_equal(found.evidence, "OpenSSL 3.0.19+quic by .dynsym");
	WITH("OpenSSL 3.0.19", true);
	assert_string_equal(found.evidence, "OpenSSL API by .dynsym");
	WITH("../ssl/ssl_lib.cc", true);
	assert_string_equal(found.why, "");
	WITH("../ssl/ssl_lib.cc", false); /* the name of a file alone */
	assert_string_equal(found.why, "");
	WITH("../ssl/ssl_lib.c\0SSL_read\0ssl_read_internal\0SSL_write\0ssl_write_internal", false);
	assert_string_equal(found.why, "");
	WITH("rustls-0.", false); /* a list of such names */
	assert_string_equal(found.why, "");
	WITH("crypto/tls.(*Conn).Read", false); /* and no Go program */
	assert_string_equal(found.why, "");
	WITH("rustls-0.\0crates__rustls-0.23.4/src/conn.rs", false);
	assert_string_equal(found.why, "rustls, neither on AWS-LC nor on ring: not read yet");
}

/* The library of this system, if there is one, at the addresses that the loader gives. */
static void test_real(void **state)
{
	void *lib = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
	const char *code;
	Dl_info info;
	int fd;

	(void)state;
	lib = lib ? lib : dlopen("libssl.so.1.1", RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		skip();
	assert_int_not_equal(dladdr(dlsym(lib, "SSL_read"), &info), 0);
	fd = open(info.dli_fname, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(resolve_fd(fd, &found), 0);
	close(fd);
	assert_true(found.n >= 6);
	/* Code is loaded as it lies in the file, from where one function begins that is probed under its own name. A probe that
	 * somebody has on it is a breakpoint in this process. */
	code = (const char *)dlsym(lib, "SSL_free") - point_of(TLS_F_SSL_FREE)->func;
	assert_int_equal((uintptr_t)code & 0xfff, 0);
	for (uint32_t i = 0; i < found.n; i++) {
		const struct tls_point *p = &found.point[i];

		assert_int_equal(p->stack, TLS_OPENSSL);
		for (unsigned int n = 0; n < p->nbytes; n++) {
			if (code[p->offset + n] != '\xcc')
				assert_int_equal((uint8_t)code[p->offset + n], p->bytes[n]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	 cmocka_unit_test(test_entry),		     cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_versions), cmocka_unit_test(test_versions_without_end), cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_strings),	 cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
