/* SPDX-License-Identifier: Apache-2.0 */
/* ring's AEAD functions: what rustls encrypts and decrypts its records with where ring is its provider. An aead::Algorithm is a
 * constant that points to them, so that they are functions of their own in any build:
 *
 *	{ init, seal, open, length of its keys, ... }	AES-GCM has two, of 16 and of 32 bytes, which differ in init; ChaCha20 one
 *
 * By their names. Without symbols by what they say as they panic: each loads the address of a Location { file, line, column },
 * which begins with the name of its source file, and seal stands in front of open in it. */
#include "resolve/xref.h"

#include <elf.h>

#include "tls_stack.h"

#define FILE_NAME "/src/aead/algorithm.rs"
#define FILE_OF	  "ring-0."
#define FNS_MAX	  32
#define PATH_BACK 256 /* so far back it may begin */

struct fn {
	struct func f;
	uint32_t line;
};

struct ring {
	struct look *l;
	struct funcs *funcs;
	uint64_t end;		/* of the name of the source, as it is looked for */
	struct addrs locations; /* with it */
	uint32_t lines[ADDRS_MAX];
	unsigned int n;
	struct fn fn[FNS_MAX];
	struct fn seal[2], open[2]; /* AES-GCM, ChaCha20 */
	unsigned int lengths[2];    /* of the keys of those */
	const struct fn *at;	    /* whose pointers are looked at */
	bool unsure;
};

/* --- Symbols ----------------------------------------------------------------------------------------------------- */

/* Rust's names hold a path, each part behind its length; the module's is the same in both kinds of mangling. */
static const struct sv paths[2][2] = {
	{ SV("4ring4aead9algorithm12aes_gcm_seal"), SV("4ring4aead9algorithm12aes_gcm_open") },
	{ SV("4ring4aead9algorithm22chacha20_poly1305_seal"), SV("4ring4aead9algorithm22chacha20_poly1305_open") },
};

static bool is_called(struct sv name, struct sv path)
{
	const char *at = memmem(name.p, name.n, path.p, path.n);
	size_t behind = at ? (size_t)(name.p + name.n - at) - path.n : 0;

	/* Its hash, or nothing more. */
	return at && (!behind || memcmp(at + path.n, "17h", behind < 3 ? behind : 3) == 0);
}

static void on_function(void *ctx, const struct elf_sym *sym)
{
	struct ring *s = ctx;

	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int end = 0; end < 2; end++) {
			struct fn *to = end ? &s->open[i] : &s->seal[i], is = { .line = 0 };

			if (!is_called(sym->name, paths[i][end]) || !func_at(s->l, sym->addr, sym->size, &is.f))
				continue;
			s->unsure |= to->f.addr && to->f.addr != is.f.addr;
			*to = is;
		}
	}
}

/* --- Panics ------------------------------------------------------------------------------------------------------ */

/* A number of @size bytes at @addr, or 0. */
static uint64_t number_at(const struct elf *e, uint64_t addr, size_t size)
{
	struct sv at = elf_at(e, addr);
	uint64_t v = 0;

	if (at.n >= size)
		memcpy(&v, at.p, size);
	return v;
}

/* @addr holds a pointer to somewhere in front of s->end. */
static bool on_location(void *ctx, uint64_t addr)
{
	struct ring *s = ctx;
	unsigned int n = s->locations.n;
	uint64_t path, length = number_at(s->l->elf, addr + 8, 8);
	const char *text;

	if (!elf_pointer(s->l->elf, addr, &path) || length != s->end - path)
		return false;
	text = elf_at(s->l->elf, path).p;
	if (!memmem(text, length, FILE_OF, sizeof(FILE_OF) - 1))
		return false;
	addrs_add(&s->locations, addr);
	if (s->locations.n > n)
		s->lines[n] = (uint32_t)number_at(s->l->elf, addr + 16, 4);
	return s->locations.many;
}

static void locations(struct ring *s)
{
	const struct elf *e = s->l->elf;
	const struct sv text = SV(FILE_NAME);

	for (unsigned int i = 0; i < e->nseg && !s->locations.n; i++) {
		const char *begin = e->file.p + e->seg[i].offset, *end = begin + e->seg[i].size;
		const char *at = memmem(begin, (size_t)(end - begin), text.p, text.n);

		for (; at && !s->locations.n; at = memmem(at, (size_t)(end - at), text.p, text.n)) {
			uint64_t back = (uint64_t)(at - begin) < PATH_BACK ? (uint64_t)(at - begin) : PATH_BACK;

			at += text.n;
			s->end = e->seg[i].addr + (uint64_t)(at - begin);
			/* A name is not apart from what stands in front of it: a Location says how long it is. */
			elf_pointers_into(e, (struct elf_range){ s->end - text.n - back, back }, on_location, s);
		}
		elf_release(e, &e->seg[i]);
	}
}

static uint32_t line_of(const struct ring *s, uint64_t location)
{
	for (unsigned int i = 0; i < s->locations.n; i++) {
		if (s->locations.addr[i] == location)
			return s->lines[i];
	}
	return 0;
}

static const struct fn *fn_at(const struct ring *s, uint64_t addr)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->fn[i].f.addr == addr)
			return &s->fn[i];
	}
	return NULL;
}

/* The functions that panic in that file, and in which line first. */
static void functions(struct ring *s)
{
	struct xrefs refs;

	xrefs_find(s->l->elf, &s->locations, &refs);
	if (refs.many || !refs.n || funcs_new(s->l, &s->funcs))
		return;
	for (unsigned int i = 0; i < refs.n; i++) {
		const struct body *b = funcs_at(s->funcs, refs.ref[i].at);
		struct fn *f = b ? (struct fn *)(uintptr_t)fn_at(s, b->f.addr) : NULL;
		uint32_t line = line_of(s, refs.ref[i].to);

		s->unsure |= b && !f && s->n == FNS_MAX;
		if (b && !f && s->n < FNS_MAX)
			s->fn[s->n++] = (struct fn){ b->f, line };
		else if (f && line < f->line)
			f->line = line;
	}
}

/* @addr holds a pointer to what may be an algorithm's seal. */
static bool on_seal(void *ctx, uint64_t addr)
{
	struct ring *s = ctx;
	const struct elf *e = s->l->elf;
	uint64_t init, to, length = number_at(e, addr + 16, 8);
	const struct fn *open;
	unsigned int i;

	if ((length != 16 && length != 32) || !elf_pointer(e, addr - 8, &init) || !elf_code(e, init).n ||
	    !elf_pointer(e, addr + 8, &to))
		return false;
	open = fn_at(s, to);
	if (!open || open == s->at)
		return false;
	i = s->seal[1].f.addr && s->seal[1].f.addr != s->at->f.addr ? 0 : 1; /* for now: which it is, its lengths say */
	s->unsure |= open->line <= s->at->line || (s->seal[i].f.addr && s->seal[i].f.addr != s->at->f.addr) ||
		     (s->open[i].f.addr && s->open[i].f.addr != open->f.addr);
	s->seal[i] = *s->at;
	s->open[i] = *open;
	s->lengths[i] |= (unsigned int)length;
	return false;
}

/* AES-GCM is what has keys of both lengths. */
static void algorithms(struct ring *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		s->at = &s->fn[i];
		elf_pointers_to(s->l->elf, s->at->f.addr, on_seal, s);
	}
	if (s->lengths[1] == (16 | 32)) {
		struct fn seal = s->seal[0], open = s->open[0];
		unsigned int lengths = s->lengths[0];

		s->seal[0] = s->seal[1];
		s->open[0] = s->open[1];
		s->lengths[0] = s->lengths[1];
		s->seal[1] = seal;
		s->open[1] = open;
		s->lengths[1] = lengths;
	}
	s->unsure |= s->lengths[0] != (16 | 32) || (s->lengths[1] && s->lengths[1] != 32);
}

/* --- Result ------------------------------------------------------------------------------------------------------ */

static int add(struct ring *s, const struct fn *f, uint8_t fn)
{
	uint64_t at = f->f.addr ? entry_of_c(s->l, &f->f) : 0;

	return !f->f.addr ? 0 : at ? point_add(s->l, &f->f, at, fn, TLS_RUSTLS) : -1;
}

static bool result(struct ring *s, const char *by)
{
	uint32_t before = s->l->found->n;
	bool bad = s->unsure || !s->seal[0].f.addr;

	for (unsigned int i = 0; i < 2 && !bad; i++) {
		bad = !s->seal[i].f.addr != !s->open[i].f.addr || add(s, &s->seal[i], TLS_F_RING_SEAL) ||
		      add(s, &s->open[i], TLS_F_RING_OPEN);
	}
	if (bad) {
		points_drop(s->l, before);
		found_why(s->l, "ring by %s: not sure which function is which", by);
		return false;
	}
	found_evidence(s->l, "ring: AEAD by %s%s", by, s->seal[1].f.addr ? "" : ", without ChaCha20");
	return true;
}

void ring_bare_find(struct look *l)
{
	struct ring s = { .l = l };

	if (found_stack(l, TLS_RUSTLS) || !rustls_is_in(l))
		return;
	locations(&s);
	if (!s.locations.n)
		return;
	functions(&s);
	algorithms(&s);
	if (s.n)
		result(&s, "its panics");
	funcs_free(s.funcs);
}

void ring_find(struct look *l)
{
	struct ring s = { .l = l };

	elf_functions(l->elf, SHT_SYMTAB, on_function, &s);
	if (!s.seal[0].f.addr || !result(&s, ".symtab"))
		ring_bare_find(l);
}
