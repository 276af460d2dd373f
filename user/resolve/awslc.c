/* SPDX-License-Identifier: Apache-2.0 */
/* AWS-LC's AEAD functions: what rustls encrypts and decrypts its records with where aws-lc-rs is its provider. rustls's own
 * functions are put into others by optimised builds; these stay, as they are of another language, and have C's ABI.
 *
 * By their names, which its crates give a prefix of their own. Without symbols by the errors that they raise: each is a call
 * ERR_put_error(30, 0, reason, file, line), the name of the file stays, and reasons are numbers of the API. So the functions of
 * aead.c are known by which of them they raise:
 *
 *	EVP_AEAD_CTX_seal_scatter	112 and 115, not 117
 *	EVP_AEAD_CTX_seal		117, 103 and 115; it does not call the former
 *	EVP_AEAD_CTX_open_gather	104 and 115, not 101
 *	EVP_AEAD_CTX_open		101, 103 and 115; it calls, or contains, the former
 *	EVP_AEAD_CTX_init...		120: the birth of a context, of which each key of a connection has one
 *
 * Which of the two seals and of the two opens is called depends on the version of aws-lc-rs, and on that of TLS. */
#include "resolve/xref.h"

#include <elf.h>

#include "tls_stack.h"

#define LIB_CIPHER 30

enum {
	R_BAD_DECRYPT = 1,
	R_BUFFER = 2,
	R_NOT_IMPLEMENTED = 4,
	R_OPERATION = 8,
	R_ALIASES = 16,
	R_TOO_LARGE = 32,
	R_KEY_SIZE = 64,
	R_NOT_INITIALIZED = 128,
};

static const struct reason reasons[] = {
	{ 101, R_BAD_DECRYPT }, { 103, R_BUFFER },    { 104, R_NOT_IMPLEMENTED }, { 108, R_NOT_INITIALIZED },
	{ 112, R_OPERATION },	{ 115, R_ALIASES },   { 117, R_TOO_LARGE },	  { 120, R_KEY_SIZE },
};

/* A function is in the file where one raises all of @all and none of @none. */
static const struct fn {
	struct sv name; /* behind a prefix */
	uint8_t fn;	/* enum tls_func */
	bool needed;
	uint16_t all, none;
} fns[] = {
	{ SV("_EVP_AEAD_CTX_seal_scatter"), TLS_F_AEAD_SEAL_SCATTER, true, R_OPERATION | R_ALIASES, R_TOO_LARGE },
	{ SV("_EVP_AEAD_CTX_open_gather"), TLS_F_AEAD_OPEN_GATHER, true, R_NOT_IMPLEMENTED | R_ALIASES, R_BAD_DECRYPT },
	{ SV("_EVP_AEAD_CTX_init_with_direction"), TLS_F_AEAD_INIT, true, R_KEY_SIZE, 0 },
	{ SV("_EVP_AEAD_CTX_seal"), TLS_F_AEAD_SEAL, false, R_TOO_LARGE | R_BUFFER | R_ALIASES, 0 },
	{ SV("_EVP_AEAD_CTX_open"), TLS_F_AEAD_OPEN, false, R_BAD_DECRYPT | R_BUFFER | R_ALIASES, 0 },
};

#define FNS (sizeof(fns) / sizeof(fns[0]))
#define SAME_MAX 2 /* functions that raise the same: EVP_AEAD_CTX_init may contain what it calls */

struct awslc {
	struct look *l;
	struct funcs *funcs;
	struct addrs files;
	struct bodies in;
	struct func func[FNS][SAME_MAX];
	unsigned int n[FNS];
	bool many; /* one of them more often than that */
};

static void add(struct awslc *s, size_t i, struct func f)
{
	for (unsigned int k = 0; k < s->n[i]; k++) {
		if (s->func[i][k].addr == f.addr)
			return;
	}
	if (s->n[i] == SAME_MAX || (s->n[i] && fns[i].fn != TLS_F_AEAD_INIT))
		s->many = true;
	else
		s->func[i][s->n[i]++] = f;
}

/* --- Symbols ----------------------------------------------------------------------------------------------------- */

static bool ends(struct sv text, struct sv with)
{
	return text.n >= with.n && memcmp(text.p + text.n - with.n, with.p, with.n) == 0;
}

static void on_function(void *ctx, const struct elf_sym *sym)
{
	const struct sv prefix = SV("aws_lc_");
	struct awslc *s = ctx;
	struct func f;

	if (sym->name.n < prefix.n || memcmp(sym->name.p, prefix.p, prefix.n) != 0)
		return;
	for (size_t i = 0; i < FNS; i++) {
		if (ends(sym->name, fns[i].name) && func_at(s->l, sym->addr, sym->size, &f))
			add(s, i, f);
	}
}

/* --- Errors ------------------------------------------------------------------------------------------------------ */

static void identify(struct awslc *s, unsigned int file)
{
	struct puterr e = { &s->files, file, sizeof(reasons) / sizeof(reasons[0]), LIB_CIPHER, reasons };

	for (unsigned int k = 0; k < s->in.n; k++) {
		uint16_t r = puterr_raised(&e, s->in.body[k]);

		for (size_t i = 0; i < FNS; i++) {
			if ((r & fns[i].all) == fns[i].all && !(r & fns[i].none))
				add(s, i, s->in.body[k]->f);
		}
	}
}

/* NULL, or of what it is not sure. */
static const char *missing(const struct awslc *s)
{
	for (size_t i = 0; i < FNS; i++) {
		if (fns[i].needed && !s->n[i])
			return fns[i].name.p + 1;
	}
	/* One that is not sure may be the one that is called. */
	return s->many || s->in.unsure ? "which function is which" : NULL;
}

static void on_export(void *ctx, const struct elf_sym *sym)
{
	const struct sv name = SV("EVP_AEAD_CTX_init");

	*(bool *)ctx |= sym->name.n == name.n && memcmp(sym->name.p, name.p, name.n) == 0;
}

/* Is it there for a TLS library of its kind (AWS-LC's own, BoringSSL), here or elsewhere? That is read by its reads and writes. */
static bool serves_ssl(const struct look *l)
{
	struct addrs ssl = { 0 };
	bool exported = false;

	strings_ending(l->elf, SV("/ssl_lib.cc"), &ssl);
	elf_functions(l->elf, SHT_DYNSYM, on_export, &exported);
	return ssl.n || exported || found_stack(l, TLS_BORINGSSL);
}

/* Is there anything of its code? */
static bool by_errors(struct awslc *s)
{
	struct xrefs refs;

	strings_ending(s->l->elf, SV("/crypto/fipsmodule/cipher/aead.c"), &s->files);
	if (!s->files.n || serves_ssl(s->l))
		return false;
	xrefs_find(s->l->elf, &s->files, &refs);
	if (!refs.n || refs.many || funcs_new(s->l, &s->funcs))
		return refs.n;
	funcs_holding(s->funcs, &refs, &s->in);
	identify(s, 3);
	if (!s->n[0])
		identify(s, 2);
	return s->in.n + s->in.unsure > 0;
}

/* --- Result ------------------------------------------------------------------------------------------------------ */

static const char *points(struct awslc *s)
{
	uint32_t before = s->l->found->n;

	for (size_t i = 0; i < FNS; i++) {
		for (unsigned int k = 0; k < s->n[i]; k++) {
			const struct func *f = &s->func[i][k];
			uint64_t at = entry_of_c(s->l, f);

			if (!at || point_add(s->l, f, at, fns[i].fn, TLS_AWS_LC)) {
				points_drop(s->l, before);
				return "an instruction to probe";
			}
		}
	}
	return NULL;
}

static bool result(struct awslc *s, const char *by)
{
	const char *what = missing(s);

	if (!what)
		what = points(s);
	if (what)
		found_why(s->l, "AWS-LC by %s: not sure of %s", by, what);
	else
		found_evidence(s->l, "AWS-LC: AEAD by %s", by);
	return !what;
}

void awslc_bare_find(struct look *l)
{
	struct awslc s = { .l = l };

	if (!found_stack(l, TLS_AWS_LC) && rustls_is_in(l) && by_errors(&s))
		result(&s, "its errors (112+115, 104+115, 120)");
	funcs_free(s.funcs);
}

void awslc_find(struct look *l)
{
	struct awslc s = { .l = l };

	elf_functions(l->elf, SHT_SYMTAB, on_function, &s);
	if (!s.n[0] || !result(&s, ".symtab"))
		awslc_bare_find(l);
}
