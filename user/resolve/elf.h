/* SPDX-License-Identifier: Apache-2.0 */
/* An ELF file of this machine, mapped: what is loaded where, sections, symbols, pointers. Addresses are those that the file was
 * linked for; every view lies in the file. */
#ifndef MCPVIGIL_RESOLVE_ELF_H
#define MCPVIGIL_RESOLVE_ELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

#define ELF_SEGS_MAX 64
#define ELF_SECS_MAX 1024
#define ELF_NAME_MAX 96 /* longer symbols are left out */
#define ELF_FILE_MAX (1ull << 30)

/* A PT_LOAD, as far as the file fills it. */
struct elf_seg {
	uint64_t addr, offset, size;
	bool exec, write;
};

struct elf_sec {
	const char *name;
	struct sv bytes; /* empty where it has none in the file */
	uint64_t addr;
	uint32_t type, link;
	bool alloc, exec, write;
};

struct elf {
	struct sv file;
	unsigned int nseg, nsec;
	struct elf_seg seg[ELF_SEGS_MAX];
	struct elf_sec sec[ELF_SECS_MAX];
	struct sv rela; /* relocations with addends that the loader applies */
	void *lib;	/* holds the sections' names */
};

/* Map the file behind @fd, which may be closed then. 0, or -errno: -ENOEXEC no program or library of this machine, -EBADMSG,
 * -EFBIG, -ENOMEM, or what the file system says. */
int elf_open(int fd, struct elf **ret);
/* Takes NULL. */
void elf_free(struct elf *e);

/* From @addr to the end of what the file gives of its segment; empty where it gives nothing. */
struct sv elf_at(const struct elf *e, uint64_t addr);
/* The same where it is code. */
struct sv elf_code(const struct elf *e, uint64_t addr);
/* What was read of @s may leave memory; it comes back when it is read again. */
void elf_release(const struct elf *e, const struct elf_seg *s);
/* The first section of that name that is loaded, or NULL. */
const struct elf_sec *elf_section(const struct elf *e, const char *name);

/* The pointer at @addr, as it is once the file is loaded where it was linked for. false where there is none. */
bool elf_pointer(const struct elf *e, uint64_t addr, uint64_t *ret);
/* Call @fn with each aligned address in writable memory that holds a pointer to @to, until it returns true; so does this. */
bool elf_pointers_to(const struct elf *e, uint64_t to, bool (*fn)(void *ctx, uint64_t addr), void *ctx);
/* The same of those to anywhere in @to. */
struct elf_range {
	uint64_t addr, size;
};
bool elf_pointers_into(const struct elf *e, struct elf_range to, bool (*fn)(void *ctx, uint64_t addr), void *ctx);

/* Where the entry of a procedure linkage table at @addr leads, if to a function of this file that it offers others; else 0. */
uint64_t elf_plt(const struct elf *e, uint64_t addr);

struct elf_sym {
	struct sv name;
	uint64_t addr, size;
};

/* Call @fn with each function that a symbol table of @type (SHT_DYNSYM, SHT_SYMTAB) defines and gives a name and a size. */
void elf_functions(const struct elf *e, uint32_t type, void (*fn)(void *ctx, const struct elf_sym *s), void *ctx);

#endif
