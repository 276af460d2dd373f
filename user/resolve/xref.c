/* SPDX-License-Identifier: Apache-2.0 */
/* References from code, by one pass over its bytes. What is no instruction is found along with what is; the functions decoded
 * around it tell (funcs.c). x86-64. */
#include "resolve/xref.h"

struct targets {
	const struct addrs *to;
	uint64_t low, span;
};

static bool is_target(const struct targets *t, uint64_t addr)
{
	return addr - t->low <= t->span && addrs_has(t->to, addr);
}

static void ref_add(struct xrefs *ret, uint64_t at, uint64_t to)
{
	if (ret->n < XREFS_MAX)
		ret->ref[ret->n++] = (struct xref){ at, to };
	else
		ret->many = true;
}

/* The displacement of lea, or the constant of mov: four bytes behind the opcode. Constants of eight bytes begin with those four
 * of the addresses that linkers give. */
static void refs_in(const struct elf_seg *s, const char *code, const struct targets *t, struct xrefs *ret)
{
	for (uint64_t at = 1; at + 4 <= s->size; at++) {
		uint64_t addr = s->addr + at, near, far;
		int32_t v;

		memcpy(&v, code + at, sizeof(v));
		near = addr + sizeof(v) + (uint64_t)(int64_t)v;
		far = (uint32_t)v;
		if (near - t->low > t->span && far - t->low > t->span)
			continue;
		if (((uint8_t)code[at - 1] & 0xc7) == 0x05 && is_target(t, near))
			ref_add(ret, addr, near);
		else if (((uint8_t)code[at - 1] & 0xf8) == 0xb8 && is_target(t, far))
			ref_add(ret, addr, far);
	}
}

void xrefs_find(const struct elf *e, const struct addrs *to, struct xrefs *ret)
{
	struct targets t = { .to = to, .low = UINT64_MAX };

	ret->n = 0;
	ret->many = false;
	for (unsigned int i = 0; i < to->n; i++)
		t.low = to->addr[i] < t.low ? to->addr[i] : t.low;
	for (unsigned int i = 0; i < to->n; i++)
		t.span = to->addr[i] - t.low > t.span ? to->addr[i] - t.low : t.span;
	for (unsigned int i = 0; to->n && i < e->nseg && !ret->many; i++) {
		if (e->seg[i].exec)
			refs_in(&e->seg[i], e->file.p + e->seg[i].offset, &t, ret);
		elf_release(e, &e->seg[i]);
	}
}

static void callers_in(const struct elf_seg *s, const char *code, uint64_t to, uint8_t opcode, struct addrs *ret)
{
	const char *end = code + s->size;

	for (const char *p = code; end - p >= 5;) {
		uint64_t addr;
		int32_t v;

		p = memchr(p, opcode, (size_t)(end - p - 4));
		if (!p)
			return;
		addr = s->addr + (uint64_t)(p - code);
		memcpy(&v, ++p, sizeof(v));
		if (addr + 5 + (uint64_t)(int64_t)v == to)
			addrs_add(ret, addr);
	}
}

void callers_find(const struct elf *e, uint64_t to, uint8_t opcode, struct addrs *ret)
{
	for (unsigned int i = 0; i < e->nseg && !ret->many; i++) {
		if (e->seg[i].exec)
			callers_in(&e->seg[i], e->file.p + e->seg[i].offset, to, opcode, ret);
		elf_release(e, &e->seg[i]);
	}
}
