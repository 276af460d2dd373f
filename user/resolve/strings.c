/* SPDX-License-Identifier: Apache-2.0 */
/* Strings that stripping leaves, since errors carry them. */
#include "resolve/xref.h"

#define STRING_MAX 512

bool addrs_has(const struct addrs *a, uint64_t addr)
{
	for (unsigned int i = 0; i < a->n; i++) {
		if (a->addr[i] == addr)
			return true;
	}
	return false;
}

void addrs_add(struct addrs *a, uint64_t addr)
{
	if (addrs_has(a, addr))
		return;
	if (a->n < ADDRS_MAX)
		a->addr[a->n++] = addr;
	else
		a->many = true;
}

/* Where the string begins that ends in front of @end, and no further back than @begin. */
static const char *string_start(const char *begin, const char *end)
{
	const char *p = end;

	while (p > begin && end - p < STRING_MAX && p[-1] >= ' ' && p[-1] <= '~')
		p--;
	return p;
}

/* @text with a NUL behind it, in the segment @s. A linker keeps one copy of two strings that end alike, so that what stands in
 * front of a whole string says nothing; whether it is used as one, its references say. */
static void strings_in(const struct elf *e, const struct elf_seg *s, struct sv text, bool whole, struct addrs *ret)
{
	const char *begin = e->file.p + s->offset, *end = begin + s->size;

	for (const char *at = begin;; at++) {
		at = memmem(at, (size_t)(end - at), text.p, text.n);
		if (!at)
			break;
		if (at + text.n < end && !at[text.n])
			addrs_add(ret, s->addr + (uint64_t)((whole ? at : string_start(begin, at)) - begin));
	}
	elf_release(e, s);
}

void strings_ending(const struct elf *e, struct sv text, struct addrs *ret)
{
	for (unsigned int i = 0; i < e->nseg && !ret->many; i++)
		strings_in(e, &e->seg[i], text, false, ret);
}

static bool holds_any(const struct elf_seg *s, const struct addrs *a)
{
	for (unsigned int i = 0; i < a->n; i++) {
		if (a->addr[i] - s->addr < s->size)
			return true;
	}
	return false;
}

void strings_near(const struct elf *e, struct sv text, const struct addrs *near, struct addrs *ret)
{
	for (unsigned int i = 0; i < e->nseg && !ret->many; i++) {
		if (holds_any(&e->seg[i], near))
			strings_in(e, &e->seg[i], text, true, ret);
	}
}
