/* SPDX-License-Identifier: Apache-2.0 */
/* Go's table of functions, as cmd/link/internal/ld/pcln.go writes it and debug/gosym reads it.
 *
 *	header		magic, 0, 0, quantum, size of a pointer, nfunc, nfiles, textStart, then offsets from the header's start:
 *			function names, cu, files, pc tables, functions
 *	functions	nfunc times { entry, offset of its struct _func from here }, then the end of the last one
 *	_func		entry, offset in the function names, ...
 *
 * Entries are relative to textStart. From Go 1.26 on that is 0 in the header, as it takes a relocation; and in older programs
 * that can be loaded anywhere, the relocation is all there is of it. Where the header has none, it stands in
 * runtime.firstmoduledata, which begins with a pointer to the header and repeats what the table says, so that it can be told from
 * chance. */
#include "resolve/gotab.h"

#include <errno.h>

#define MAGIC_1_20 0xfffffff1u
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_16 0xfffffffau
#define MAGIC_1_2  0xfffffffbu

#define TRIES_MAX 64

/* On amd64: instructions of any length, pointers of 8 bytes. */
struct header {
	uint32_t magic;
	uint8_t zero[2], quantum, pointer;
	uint64_t nfunc, nfiles, text, names, cus, files, pctabs, funcs;
};

struct entry {
	uint32_t text, func;
};

struct func_head {
	uint32_t entry, name;
};

/* Offsets in struct moduledata of runtime/symtab.go, 1.18 to 1.26. */
enum { MOD_NAMES = 8, MOD_MINPC = 160, MOD_MAXPC = 168, MOD_TEXT = 176 };

/* --- The table --------------------------------------------------------------------------------------------------- */

static bool entry_at(const struct gotab *t, uint64_t i, struct entry *ret)
{
	uint64_t at = t->funcs + i * sizeof(*ret);

	if (at > t->table.n || t->table.n - at < sizeof(*ret))
		return false;
	memcpy(ret, t->table.p + at, sizeof(*ret));
	return true;
}

/* The end of the last function is an entry without the second half. */
static bool text_at(const struct gotab *t, uint64_t i, uint32_t *ret)
{
	uint64_t at = t->funcs + i * sizeof(struct entry);

	if (at > t->table.n || t->table.n - at < sizeof(*ret))
		return false;
	memcpy(ret, t->table.p + at, sizeof(*ret));
	return true;
}

static struct sv name_at(const struct gotab *t, uint64_t offset)
{
	uint64_t at = t->names + offset;
	const char *p, *end;

	if (at >= t->table.n)
		return (struct sv){ NULL, 0 };
	p = t->table.p + at;
	end = memchr(p, 0, t->table.n - at < ELF_NAME_MAX ? (size_t)(t->table.n - at) : ELF_NAME_MAX);
	return end ? (struct sv){ p, (size_t)(end - p) } : (struct sv){ p, 0 };
}

bool gotab_func(const struct gotab *t, uint64_t i, struct gofunc *ret)
{
	struct func_head f;
	struct entry e;
	uint32_t next;
	uint64_t at;

	if (!entry_at(t, i, &e) || !text_at(t, i + 1, &next) || next < e.text)
		return false;
	at = t->funcs + e.func;
	if (at > t->table.n || t->table.n - at < sizeof(f))
		return false;
	memcpy(&f, t->table.p + at, sizeof(f));
	if (f.entry != e.text)
		return false;
	*ret = (struct gofunc){ t->text + e.text, next - e.text, name_at(t, f.name) };
	return true;
}

static int header_at(struct sv table, struct header *ret)
{
	struct header h;

	if (table.n < sizeof(h))
		return -EBADMSG;
	memcpy(&h, table.p, sizeof(h));
	if (h.zero[0] || h.zero[1] || h.quantum != 1 || h.pointer != 8)
		return -EBADMSG;
	if (h.magic == MAGIC_1_16 || h.magic == MAGIC_1_2)
		return -ENOTSUP;
	if (h.magic != MAGIC_1_18 && h.magic != MAGIC_1_20)
		return -EBADMSG;
	*ret = h;
	return 0;
}

static int table_at(const struct elf *e, uint64_t addr, struct gotab *ret)
{
	struct gotab t = { .elf = e, .addr = addr, .table = elf_at(e, addr) };
	struct gofunc first, last;
	struct header h;
	int err = header_at(t.table, &h);

	if (err)
		return err;
	if (h.names >= t.table.n || h.funcs >= t.table.n || !h.nfunc ||
	    h.nfunc > (t.table.n - h.funcs) / sizeof(struct entry))
		return -EBADMSG;
	t.nfunc = h.nfunc;
	t.names = h.names;
	t.funcs = h.funcs;
	if (!gotab_func(&t, 0, &first) || !gotab_func(&t, h.nfunc - 1, &last))
		return -EBADMSG;
	*ret = t;
	return 0;
}

/* --- Where its code begins --------------------------------------------------------------------------------------- */

struct module {
	struct gotab *tab;
	unsigned int tries;
};

static bool is_module(const struct gotab *t, uint64_t addr, uint64_t *ret_text)
{
	uint64_t names = 0, minpc = 0, maxpc = 0, text = 0;
	uint32_t first, end;

	if (!elf_pointer(t->elf, addr + MOD_NAMES, &names) || names != t->addr + t->names ||
	    !elf_pointer(t->elf, addr + MOD_MINPC, &minpc) || !elf_pointer(t->elf, addr + MOD_MAXPC, &maxpc) ||
	    !elf_pointer(t->elf, addr + MOD_TEXT, &text))
		return false;
	if (!text_at(t, 0, &first) || !text_at(t, t->nfunc, &end) || minpc != text + first || maxpc != text + end)
		return false;
	*ret_text = text;
	return true;
}

/* Stops at the module, and when there was enough of what is none. */
static bool on_pointer(void *ctx, uint64_t addr)
{
	struct module *m = ctx;

	return is_module(m->tab, addr, &m->tab->text) || ++m->tries == TRIES_MAX;
}

static int find_text(struct gotab *t)
{
	struct module m = { .tab = t };
	uint32_t end;

	if (!elf_pointer(t->elf, t->addr + offsetof(struct header, text), &t->text))
		return -EBADMSG;
	if (!t->text)
		elf_pointers_to(t->elf, t->addr, on_pointer, &m);
	if (!t->text || !text_at(t, t->nfunc, &end) || elf_code(t->elf, t->text).n < end)
		return -ESRCH;
	return 0;
}

/* --- Where it is ------------------------------------------------------------------------------------------------- */

/* Without a section of its own it is a part of .data.rel.ro, as some linkers leave it; and a program without section headers is
 * as good as any. All tables begin with the same bytes, but for the first. */
static int search(const struct elf *e, const struct elf_seg *s, struct gotab *ret)
{
	static const char head[] = { '\xff', '\xff', '\xff', 0, 0, 1, 8 };
	struct sv all = { e->file.p + s->offset, (size_t)s->size }, in = all;
	int err = -ENOENT;

	for (unsigned int i = 0; i < TRIES_MAX && in.n; i++) {
		const char *at = memmem(in.p, in.n, head, sizeof(head));
		uint64_t addr;

		if (!at)
			break;
		addr = s->addr + (uint64_t)(at - all.p) - 1;
		in = (struct sv){ at + 1, in.n - (size_t)(at + 1 - in.p) };
		if (at == all.p || addr % 8)
			continue;
		err = table_at(e, addr, ret);
		if (!err || err == -ENOTSUP)
			return err;
	}
	return err;
}

static int find_table(const struct elf *e, struct gotab *ret)
{
	const struct elf_sec *s = elf_section(e, ".gopclntab");
	int err = -ENOENT;

	if (!s)
		s = elf_section(e, ".data.rel.ro.gopclntab");
	if (s)
		return table_at(e, s->addr, ret);
	if (e->nsec && !elf_section(e, ".go.buildinfo") && !elf_section(e, ".note.go.buildid"))
		return -ENOENT;
	for (unsigned int i = 0; i < e->nseg && err && err != -ENOTSUP; i++) {
		int one = search(e, &e->seg[i], ret);

		if (one != -ENOENT)
			err = one;
	}
	return err;
}

int gotab_open(const struct elf *e, struct gotab *ret)
{
	struct gotab t = { 0 };
	int err = find_table(e, &t);

	if (!err)
		err = find_text(&t);
	if (!err)
		*ret = t;
	return err;
}

/* --- Version ----------------------------------------------------------------------------------------------------- */

static bool is_version_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '+';
}

/* debug/buildinfo: from 1.18 on the string itself, behind its length. */
struct sv go_version(const struct elf *e)
{
	static const char magic[] = "\xff Go buildinf:\x08\x02";
	const struct elf_sec *s = elf_section(e, ".go.buildinfo");
	size_t n, len;

	if (!s || s->bytes.n < 34 || memcmp(s->bytes.p, magic, sizeof(magic) - 1) != 0)
		return (struct sv){ NULL, 0 };
	len = (unsigned char)s->bytes.p[32];
	for (n = 0; n < len && n < s->bytes.n - 33 && n < 32 && is_version_char(s->bytes.p[33 + n]); n++)
		;
	return (struct sv){ s->bytes.p + 33, n };
}
