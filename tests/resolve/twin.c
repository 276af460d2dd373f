/* SPDX-License-Identifier: Apache-2.0 */
/* twin FILE...: what the finders that need no symbols say of files, against the symbols that these have. Each function that they
 * find must be called what they take it for, and a file with reads and writes by name must have both without. A function inside
 * the library that .dynsym does not name is not held against them. Prints a line a file, and the offsets of what was found behind
 * it; exit status 1 where they disagree. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "resolve/finder.h"
#include "tls_stack.h"

/* What a function may be called that a point takes for its own. */
static const char *const names[TLS_FUNCS][4] = {
	[TLS_F_SSL_READ] = { "SSL_read" },
	[TLS_F_SSL_WRITE] = { "SSL_write" },
	[TLS_F_SSL_READ_EX] = { "SSL_read_ex", "ssl_read_internal" },
	[TLS_F_SSL_WRITE_EX] = { "SSL_write_ex", "ssl_write_internal" },
	[TLS_F_SSL_WRITE_EX2] = { "SSL_write_ex2", "ssl_write_internal" },
	[TLS_F_SSL_NEW] = { "SSL_new" },
	[TLS_F_SSL_SET_FD] = { "SSL_set_fd" },
	[TLS_F_AEAD_SEAL] = { "_EVP_AEAD_CTX_seal" },
	[TLS_F_AEAD_SEAL_SCATTER] = { "_EVP_AEAD_CTX_seal_scatter" },
	[TLS_F_AEAD_OPEN] = { "_EVP_AEAD_CTX_open" },
	[TLS_F_AEAD_OPEN_GATHER] = { "_EVP_AEAD_CTX_open_gather" },
	[TLS_F_AEAD_INIT] = { "_EVP_AEAD_CTX_init", "_EVP_AEAD_CTX_init_with_direction" },
	[TLS_F_RING_SEAL] = { "4ring4aead9algorithm12aes_gcm_seal", "4ring4aead9algorithm22chacha20_poly1305_seal" },
	[TLS_F_RING_OPEN] = { "4ring4aead9algorithm12aes_gcm_open", "4ring4aead9algorithm22chacha20_poly1305_open" },
	[TLS_F_SSL_HANDSHAKE] = { "SSL_do_handshake", "SSL_connect", "SSL_accept" },
};

struct check {
	const struct tls_point *p;
	uint64_t addr;
	bool named, right;
	char name[ELF_NAME_MAX + 1];
};

/* A compiler's own copy of a function has the name of that and a suffix: ssl_write_internal.part.0. AWS-LC's have a prefix,
 * Rust's more than that. */
static bool is_called(struct sv name, const char *as)
{
	size_t n = strlen(as);

	if (as[0] == '_')
		return name.n > n && memcmp(name.p + name.n - n, as, n) == 0;
	if (as[0] == '4')
		return memmem(name.p, name.n, as, n) != NULL;
	return name.n >= n && memcmp(name.p, as, n) == 0 && (name.n == n || name.p[n] == '.');
}

static void on_function(void *ctx, const struct elf_sym *s)
{
	struct check *c = ctx;

	if (s->addr != c->addr)
		return;
	c->named = true;
	memcpy(c->name, s->name.p, s->name.n);
	c->name[s->name.n] = 0;
	for (unsigned int i = 0; i < 4 && names[c->p->fn][i]; i++)
		c->right |= is_called(s->name, names[c->p->fn][i]);
}

static uint64_t addr_of(const struct elf *e, uint64_t offset)
{
	for (unsigned int i = 0; i < e->nseg; i++) {
		if (e->seg[i].exec && offset - e->seg[i].offset < e->seg[i].size)
			return e->seg[i].addr + (offset - e->seg[i].offset);
	}
	return 0;
}

/* Some keep a table that says little: it has to say all where it says one of these. */
static void on_static(void *ctx, const struct elf_sym *s)
{
	for (unsigned int fn = 0; fn < TLS_FUNCS; fn++) {
		for (unsigned int i = 0; i < 4 && names[fn][i]; i++)
			*(bool *)ctx |= is_called(s->name, names[fn][i]);
	}
}

static unsigned int check(const struct elf *e, const struct tls_found *f)
{
	unsigned int wrong = 0;
	bool all = false;

	elf_functions(e, SHT_SYMTAB, on_static, &all);
	for (uint32_t i = 0; i < f->n; i++) {
		struct check c = { .p = &f->point[i], .addr = addr_of(e, f->point[i].func) };

		elf_functions(e, SHT_DYNSYM, on_function, &c);
		elf_functions(e, SHT_SYMTAB, on_function, &c);
		if (c.right || (!c.named && !all))
			continue;
		printf("# %s at 0x%llx is %s\n", tls_func_name(c.p->fn), (unsigned long long)c.addr,
		       c.named ? c.name : "the start of nothing that has a name");
		wrong++;
	}
	return wrong;
}

/* Bits: reads, writes, of the API; of AWS-LC's AEAD; of ring's. */
static unsigned int directions(const struct tls_found *f)
{
	unsigned int ret = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		uint8_t fn = f->point[i].fn;

		ret |= fn == TLS_F_SSL_READ || fn == TLS_F_SSL_READ_EX ? 1 : 0;
		ret |= fn == TLS_F_SSL_WRITE || fn == TLS_F_SSL_WRITE_EX || fn == TLS_F_SSL_WRITE_EX2 ? 2 : 0;
		ret |= fn == TLS_F_AEAD_OPEN_GATHER ? 4 : fn == TLS_F_AEAD_SEAL_SCATTER ? 8 : 0;
		ret |= fn == TLS_F_RING_OPEN ? 16 : fn == TLS_F_RING_SEAL ? 32 : 0;
	}
	return ret;
}

static bool compare(const char *path, int fd)
{
	static struct tls_found by_name, without;
	struct look l = { .found = &without };
	unsigned int wrong, want;
	struct elf *e = NULL;

	memset(&without, 0, sizeof(without));
	if (resolve_fd(fd, &by_name) || elf_open(fd, &e)) {
		printf("%s: cannot be read\n", path);
		return false;
	}
	l.elf = e;
	l.insns = insns_new();
	if (l.insns) {
		boring_find(&l);
		ossl_find(&l);
		awslc_bare_find(&l);
		ring_bare_find(&l);
	}
	wrong = check(e, &without);
	want = directions(&by_name);
	printf("%s %s: %s%s\n", want & ~directions(&without) || wrong ? "DIFFERS" : "agrees", path, without.evidence, without.why);
	for (uint32_t i = 0; i < without.n; i++)
		printf("  %s %s 0x%llx\n", tls_stack_name(without.point[i].stack), tls_func_name(without.point[i].fn),
		       (unsigned long long)without.point[i].func);
	insns_free(l.insns);
	elf_free(e);
	return !(want & ~directions(&without)) && !wrong;
}

int main(int argc, char **argv)
{
	bool ok = argc > 1;

	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);

		ok = fd >= 0 && compare(argv[i], fd) && ok;
		if (fd >= 0)
			close(fd);
	}
	return ok ? 0 : 1;
}
