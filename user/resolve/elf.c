/* SPDX-License-Identifier: Apache-2.0 */
/* An ELF file, mapped. libelf finds the tables; what they point to is read here, held against the file's size.
 *
 * The mapping is read-only, and shared: into a private one the kernel writes the breakpoints of every uprobe that somebody has
 * on the file (valid_vma() in kernel/events/uprobes.c). Who can write the file can change it under our eyes, so that whatever
 * decides on memory is read once; who truncates it sends SIGBUS. Neither harms where this runs (probe/resolver.h): on a copy of
 * the file, in a process of its own. */
#include "resolve/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <gelf.h>

#define PHDRS_MAX 512

/* @n bytes from @offset on, or nothing where the file ends before them. */
static struct sv part(const struct elf *e, uint64_t offset, uint64_t n)
{
	if (offset > e->file.n || e->file.n - offset < n)
		return (struct sv){ NULL, 0 };
	return (struct sv){ e->file.p + offset, (size_t)n };
}

/* --- Opening ---------------------------------------------------------------------------------------------------- */

static int map(int fd, struct elf *e)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)SELFMAG)
		return -ENOEXEC;
	if ((uint64_t)st.st_size > ELF_FILE_MAX)
		return -EFBIG;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	e->file = (struct sv){ p, (size_t)st.st_size };
	return 0;
}

/* What libelf allocates grows with the number of sections, which may be 2^32. */
static int head_check(const struct elf *e)
{
	Elf64_Ehdr h;

	if (memcmp(e->file.p, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if (e->file.n < sizeof(h))
		return -EBADMSG;
	memcpy(&h, e->file.p, sizeof(h));
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB || h.e_machine != EM_X86_64)
		return -ENOEXEC;
	if (h.e_type != ET_EXEC && h.e_type != ET_DYN)
		return -ENOEXEC;
	if (h.e_phentsize != sizeof(Elf64_Phdr) || h.e_shnum > ELF_SECS_MAX || (h.e_shoff && !h.e_shnum))
		return -EBADMSG;
	return 0;
}

static void dynamic(struct elf *e, struct sv d)
{
	uint64_t addr = 0, size = 0;
	Elf64_Dyn dyn;

	for (size_t at = 0; d.n - at >= sizeof(dyn); at += sizeof(dyn)) {
		memcpy(&dyn, d.p + at, sizeof(dyn));
		if (dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag == DT_RELA)
			addr = dyn.d_un.d_ptr;
		else if (dyn.d_tag == DT_RELASZ)
			size = dyn.d_un.d_val;
	}
	e->rela = elf_at(e, addr);
	if (e->rela.n > size)
		e->rela.n = (size_t)size;
}

static int segments(struct elf *e)
{
	struct sv dyn = { NULL, 0 };
	size_t n = 0;
	GElf_Phdr h;

	if (elf_getphdrnum(e->lib, &n) || n > PHDRS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(e->lib, (int)i, &h))
			return -EBADMSG;
		if (h.p_type == PT_DYNAMIC)
			dyn = part(e, h.p_offset, h.p_filesz);
		if (h.p_type != PT_LOAD || !h.p_filesz)
			continue;
		if (e->nseg == ELF_SEGS_MAX || !part(e, h.p_offset, h.p_filesz).n || h.p_vaddr + h.p_filesz < h.p_vaddr)
			return -EBADMSG;
		e->seg[e->nseg++] = (struct elf_seg){
			.addr = h.p_vaddr,
			.offset = h.p_offset,
			.size = h.p_filesz,
			.exec = h.p_flags & PF_X,
			.write = h.p_flags & PF_W,
		};
	}
	dynamic(e, dyn);
	return e->nseg ? 0 : -EBADMSG;
}

static void section(const struct elf *e, const GElf_Shdr *h, const char *name, struct elf_sec *ret)
{
	ret->name = name ? name : "";
	ret->type = h->sh_type;
	ret->link = h->sh_link;
	ret->addr = h->sh_addr;
	ret->alloc = h->sh_flags & SHF_ALLOC;
	ret->exec = h->sh_flags & SHF_EXECINSTR;
	ret->write = h->sh_flags & SHF_WRITE;
	if (h->sh_type != SHT_NOBITS && !(h->sh_flags & SHF_COMPRESSED))
		ret->bytes = part(e, h->sh_offset, h->sh_size);
}

/* No program needs its sections to run, so that what cannot be read of them is no error. */
static void sections(struct elf *e)
{
	size_t names = 0, n = 0;

	if (elf_getshdrnum(e->lib, &n) || elf_getshdrstrndx(e->lib, &names))
		return;
	for (size_t i = 0; i < n && i < ELF_SECS_MAX; i++) {
		GElf_Shdr h;

		e->sec[i].name = "";
		if (gelf_getshdr(elf_getscn(e->lib, i), &h))
			section(e, &h, elf_strptr(e->lib, names, h.sh_name), &e->sec[i]);
		e->nsec++;
	}
}

int elf_open(int fd, struct elf **ret)
{
	struct elf *e = calloc(1, sizeof(*e));
	int err = e ? map(fd, e) : -ENOMEM;

	if (!err)
		err = head_check(e);
	if (err)
		goto out;
	elf_version(EV_CURRENT);
	e->lib = elf_memory((char *)(uintptr_t)e->file.p, e->file.n);
	err = !e->lib || elf_kind(e->lib) != ELF_K_ELF ? -EBADMSG : segments(e);
	if (!err)
		sections(e);
out:
	if (err) {
		elf_free(e);
		return err;
	}
	*ret = e;
	return 0;
}

void elf_free(struct elf *e)
{
	if (!e)
		return;
	if (e->lib)
		elf_end(e->lib);
	if (e->file.n)
		munmap((void *)(uintptr_t)e->file.p, e->file.n);
	free(e);
}

/* --- By address ------------------------------------------------------------------------------------------------- */

static struct sv loaded(const struct elf *e, uint64_t addr, bool code)
{
	for (unsigned int i = 0; i < e->nseg; i++) {
		const struct elf_seg *s = &e->seg[i];

		if (addr >= s->addr && addr - s->addr < s->size && (s->exec || !code))
			return part(e, s->offset + (addr - s->addr), s->size - (addr - s->addr));
	}
	return (struct sv){ NULL, 0 };
}

struct sv elf_at(const struct elf *e, uint64_t addr)
{
	return loaded(e, addr, false);
}

struct sv elf_code(const struct elf *e, uint64_t addr)
{
	return loaded(e, addr, true);
}

void elf_release(const struct elf *e, const struct elf_seg *s)
{
	uint64_t page = 4096, begin = (s->offset + page - 1) & -page, end = (s->offset + s->size) & -page;

	if (begin < end)
		madvise((void *)(uintptr_t)(e->file.p + begin), (size_t)(end - begin), MADV_DONTNEED);
}

const struct elf_sec *elf_section(const struct elf *e, const char *name)
{
	for (unsigned int i = 0; i < e->nsec; i++) {
		if (e->sec[i].alloc && strcmp(e->sec[i].name, name) == 0)
			return &e->sec[i];
	}
	return NULL;
}

/* --- Pointers --------------------------------------------------------------------------------------------------- */

/* Of a file that may be loaded anywhere, a pointer is what its relocation says; the linker leaves 0 in its place, or the same. */
bool elf_pointer(const struct elf *e, uint64_t addr, uint64_t *ret)
{
	struct sv at = elf_at(e, addr);
	Elf64_Rela r;

	if (at.n < sizeof(*ret))
		return false;
	for (size_t i = 0; e->rela.n - i >= sizeof(r); i += sizeof(r)) {
		memcpy(&r, e->rela.p + i, sizeof(r));
		if (r.r_offset == addr && ELF64_R_TYPE(r.r_info) == R_X86_64_RELATIVE) {
			*ret = (uint64_t)r.r_addend;
			return true;
		}
	}
	memcpy(ret, at.p, sizeof(*ret));
	return true;
}

static bool pointers_in_place(const struct elf *e, struct elf_range to, bool (*fn)(void *ctx, uint64_t addr), void *ctx)
{
	uint64_t v;

	for (unsigned int i = 0; i < e->nseg; i++) {
		const struct elf_seg *s = &e->seg[i];
		const char *p = e->file.p + s->offset;

		if (!s->write)
			continue;
		for (uint64_t at = -s->addr % sizeof(v); at < s->size && s->size - at >= sizeof(v); at += sizeof(v)) {
			memcpy(&v, p + at, sizeof(v));
			if (v - to.addr < to.size && fn(ctx, s->addr + at))
				return true;
		}
	}
	return false;
}

bool elf_pointers_into(const struct elf *e, struct elf_range to, bool (*fn)(void *ctx, uint64_t addr), void *ctx)
{
	Elf64_Rela r;

	for (size_t i = 0; e->rela.n - i >= sizeof(r); i += sizeof(r)) {
		memcpy(&r, e->rela.p + i, sizeof(r));
		if ((uint64_t)r.r_addend - to.addr < to.size && ELF64_R_TYPE(r.r_info) == R_X86_64_RELATIVE && fn(ctx, r.r_offset))
			return true;
	}
	return pointers_in_place(e, to, fn, ctx);
}

bool elf_pointers_to(const struct elf *e, uint64_t to, bool (*fn)(void *ctx, uint64_t addr), void *ctx)
{
	return elf_pointers_into(e, (struct elf_range){ to, 1 }, fn, ctx);
}

/* --- Symbols ---------------------------------------------------------------------------------------------------- */

/* The string at @at of a table; empty where there is none, or a long one. */
static struct sv string_at(struct sv table, uint32_t at)
{
	size_t left = at < table.n ? table.n - at : 0, max = left < ELF_NAME_MAX ? left : ELF_NAME_MAX;
	const char *p = left ? table.p + at : NULL, *end = p ? memchr(p, 0, max) : NULL;

	return end ? (struct sv){ p, (size_t)(end - p) } : (struct sv){ NULL, 0 };
}

/* An undefined symbol may have an address, that of a jump to the function; STT_GNU_IFUNC has that of a function that says which
 * one it is. Nothing says where a function without a size ends. */
static bool is_function(const Elf64_Sym *s)
{
	return ELF64_ST_TYPE(s->st_info) == STT_FUNC && s->st_shndx != SHN_UNDEF && s->st_shndx != SHN_ABS &&
	       s->st_shndx != SHN_COMMON && s->st_size;
}

static void functions_of(const struct elf *e, const struct elf_sec *table,
			 void (*fn)(void *ctx, const struct elf_sym *s), void *ctx)
{
	struct sv strings = table->link < e->nsec ? e->sec[table->link].bytes : (struct sv){ NULL, 0 };
	Elf64_Sym s;

	for (size_t at = 0; table->bytes.n - at >= sizeof(s); at += sizeof(s)) {
		struct elf_sym f;

		memcpy(&s, table->bytes.p + at, sizeof(s));
		if (!is_function(&s))
			continue;
		f = (struct elf_sym){ string_at(strings, s.st_name), s.st_value, s.st_size };
		if (f.name.n)
			fn(ctx, &f);
	}
}

/* The function whose address the loader writes to @slot. */
static uint64_t imported(const struct elf *e, uint64_t slot)
{
	const struct elf_sec *rela = elf_section(e, ".rela.plt");
	struct sv syms = rela && rela->link < e->nsec ? e->sec[rela->link].bytes : (struct sv){ NULL, 0 };
	Elf64_Rela r;
	Elf64_Sym s;

	for (size_t at = 0; rela && rela->bytes.n - at >= sizeof(r); at += sizeof(r)) {
		memcpy(&r, rela->bytes.p + at, sizeof(r));
		if (r.r_offset != slot || ELF64_R_TYPE(r.r_info) != R_X86_64_JUMP_SLOT)
			continue;
		if (ELF64_R_SYM(r.r_info) >= syms.n / sizeof(s))
			return 0;
		memcpy(&s, syms.p + ELF64_R_SYM(r.r_info) * sizeof(s), sizeof(s));
		return is_function(&s) ? s.st_value : 0;
	}
	return 0;
}

/* endbr64 or not, bnd or not, jmp [rip + distance]. */
uint64_t elf_plt(const struct elf *e, uint64_t addr)
{
	struct sv code = elf_code(e, addr);
	size_t at = 0;
	int32_t distance;

	if (code.n >= 4 && memcmp(code.p, "\xf3\x0f\x1e\xfa", 4) == 0)
		at += 4;
	if (at < code.n && code.p[at] == '\xf2')
		at++;
	if (code.n - at < 6 || memcmp(code.p + at, "\xff\x25", 2) != 0)
		return 0;
	memcpy(&distance, code.p + at + 2, sizeof(distance));
	return imported(e, addr + at + 6 + (uint64_t)(int64_t)distance);
}

void elf_functions(const struct elf *e, uint32_t type, void (*fn)(void *ctx, const struct elf_sym *s), void *ctx)
{
	for (unsigned int i = 0; i < e->nsec; i++) {
		if (e->sec[i].type == type) {
			functions_of(e, &e->sec[i], fn, ctx);
			return; /* there is one of each */
		}
	}
}
