/* SPDX-License-Identifier: Apache-2.0 */
/* A small ELF file, made piece by piece: code, one table of symbols, writable data, and a section that the test names. */
#ifndef MCPVIGIL_TESTS_RESOLVE_IMAGE_H
#define MCPVIGIL_TESTS_RESOLVE_IMAGE_H

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "resolve/resolve.h"

#define TEXT_OFF  0x200
#define TEXT_ADDR 0x401200
#define DATA_OFF  0x800
#define DATA_ADDR 0x602800
#define IMAGE_MAX 0x2000

enum { S_NULL, S_TEXT, S_SYMS, S_STRINGS, S_NAMES, S_EXTRA, S_N };
enum { SYMS_OFF = 0x1000, STRINGS_OFF = 0x1800, NAMES_OFF = 0x1c00, SECTIONS_OFF = 0x1d00 };

struct image {
	uint8_t b[IMAGE_MAX];
	size_t text, data, syms, strings; /* bytes in use */
	uint64_t dynamic, ndynamic;
	Elf64_Shdr sec[S_N];
	bool no_sections;
};

static const char image_names[] = "\0.text\0.syms\0.strings\0.names\0"; /* the test's own behind them */

static inline void image_init(struct image *im, uint32_t symbols)
{
	memset(im, 0, sizeof(*im));
	memset(im->b + TEXT_OFF, 0xcc, DATA_OFF - TEXT_OFF);
	memcpy(im->b + NAMES_OFF, image_names, sizeof(image_names));
	im->strings = 1;
	im->syms = sizeof(Elf64_Sym);
	im->sec[S_TEXT] = (Elf64_Shdr){ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
					.sh_addr = TEXT_ADDR, .sh_offset = TEXT_OFF };
	im->sec[S_SYMS] = (Elf64_Shdr){ .sh_name = 7, .sh_type = symbols, .sh_offset = SYMS_OFF, .sh_link = S_STRINGS,
					.sh_entsize = sizeof(Elf64_Sym) };
	im->sec[S_STRINGS] = (Elf64_Shdr){ .sh_name = 13, .sh_type = SHT_STRTAB, .sh_offset = STRINGS_OFF };
	im->sec[S_NAMES] = (Elf64_Shdr){ .sh_name = 22, .sh_type = SHT_STRTAB, .sh_offset = NAMES_OFF, .sh_size = 0x100 };
}

/* A function behind the last one, 16-aligned; its address. */
static inline uint64_t image_code(struct image *im, const void *code, size_t n)
{
	uint64_t at = im->text;

	memcpy(im->b + TEXT_OFF + at, code, n);
	im->text = (at + n + 15) & ~15ull;
	return TEXT_ADDR + at;
}

/* The same as data, 8-aligned. */
static inline uint64_t image_data(struct image *im, const void *data, size_t n)
{
	uint64_t at = im->data;

	memcpy(im->b + DATA_OFF + at, data, n);
	im->data = (at + n + 7) & ~7ull;
	return DATA_ADDR + at;
}

static inline void image_symbol(struct image *im, const char *name, Elf64_Sym s)
{
	s.st_name = (uint32_t)im->strings;
	memcpy(im->b + STRINGS_OFF + im->strings, name, strlen(name) + 1);
	im->strings += strlen(name) + 1;
	memcpy(im->b + SYMS_OFF + im->syms, &s, sizeof(s));
	im->syms += sizeof(s);
}

/* A global function of these bytes. */
static inline uint64_t image_function(struct image *im, const char *name, const void *code, size_t n)
{
	uint64_t addr = image_code(im, code, n);

	image_symbol(im, name, (Elf64_Sym){ .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = S_TEXT,
					    .st_value = addr, .st_size = n });
	return addr;
}

/* Name a piece of the data. */
static inline void image_section(struct image *im, const char *name, uint64_t addr, uint64_t size)
{
	uint32_t at = sizeof(image_names);

	memcpy(im->b + NAMES_OFF + at, name, strlen(name) + 1);
	im->sec[S_EXTRA] = (Elf64_Shdr){ .sh_name = at, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = addr,
					 .sh_offset = addr - DATA_ADDR + DATA_OFF, .sh_size = size };
}

static inline void image_finish(struct image *im)
{
	const Elf64_Phdr ph[] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = TEXT_OFF, .p_vaddr = TEXT_ADDR, .p_filesz = im->text,
		  .p_memsz = im->text },
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = DATA_OFF, .p_vaddr = DATA_ADDR,
		  .p_filesz = im->data + 8, .p_memsz = im->data + 8 },
		{ .p_type = im->dynamic ? PT_DYNAMIC : PT_NULL, .p_offset = im->dynamic - DATA_ADDR + DATA_OFF,
		  .p_vaddr = im->dynamic, .p_filesz = im->ndynamic, .p_memsz = im->ndynamic },
	};
	Elf64_Ehdr h = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = sizeof(h), .e_ehsize = sizeof(h),
		.e_phentsize = sizeof(ph[0]), .e_phnum = sizeof(ph) / sizeof(ph[0]), .e_shentsize = sizeof(Elf64_Shdr),
	};

	im->sec[S_TEXT].sh_size = im->text;
	im->sec[S_SYMS].sh_size = im->syms;
	im->sec[S_STRINGS].sh_size = im->strings;
	if (!im->no_sections) {
		h.e_shoff = SECTIONS_OFF;
		h.e_shnum = im->sec[S_EXTRA].sh_type ? S_N : S_EXTRA;
		h.e_shstrndx = S_NAMES;
	}
	memcpy(im->b, &h, sizeof(h));
	memcpy(im->b + sizeof(h), ph, sizeof(ph));
	memcpy(im->b + SECTIONS_OFF, im->sec, sizeof(im->sec));
}

/* What resolve_fd says of the first @n bytes of the image. */
static inline int image_resolve(const struct image *im, size_t n, struct tls_found *ret)
{
	int fd = memfd_create("image", MFD_CLOEXEC), err = -EIO;

	if (fd >= 0 && write(fd, im->b, n) == (ssize_t)n)
		err = resolve_fd(fd, ret);
	if (fd >= 0)
		close(fd);
	return err;
}

#endif
