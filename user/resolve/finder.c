/* SPDX-License-Identifier: Apache-2.0 */
/* What was found, as it is put together. */
#include "resolve/finder.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"

bool func_at(const struct look *l, uint64_t addr, uint64_t size, struct func *ret)
{
	struct sv code = elf_code(l->elf, addr);

	if (!size || size > code.n)
		return false;
	*ret = (struct func){ addr, { code.p, (size_t)size } };
	return true;
}

static bool is_there(const struct tls_found *found, uint64_t offset, uint8_t fn)
{
	for (uint32_t i = 0; i < found->n; i++) {
		if (found->point[i].offset == offset && found->point[i].fn == fn)
			return true;
	}
	return false;
}

int point_add(struct look *l, const struct func *f, uint64_t addr, uint8_t fn, uint8_t stack)
{
	size_t way = (size_t)(addr - f->addr), left = f->code.n - way, n = left < TLS_BYTES ? left : TLS_BYTES;
	uint64_t start = (uint64_t)(f->code.p - l->elf->file.p);
	struct tls_found *found = l->found;
	struct tls_point *p;

	if (way > TLS_FUNC_BYTES)
		return -ERANGE;
	if (is_there(found, start + way, fn))
		return 0;
	if (found->n == TLS_POINTS_MAX)
		return -ENOSPC;
	p = &found->point[found->n++];
	*p = (struct tls_point){
		.offset = start + way,
		.func = start,
		.hash = hash_fixed(f->code.p, way + n),
		.fn = fn,
		.stack = stack,
		.nbytes = (uint8_t)n,
	};
	memcpy(p->bytes, f->code.p + way, n);
	return 0;
}

void points_drop(struct look *l, uint32_t n)
{
	memset(&l->found->point[n], 0, (l->found->n - n) * sizeof(l->found->point[0]));
	l->found->n = n;
}

bool found_stack(const struct look *l, uint8_t stack)
{
	for (uint32_t i = 0; i < l->found->n; i++) {
		if (l->found->point[i].stack == stack)
			return true;
	}
	return false;
}

/* The bytes of a file can end up in here: what is not plain text becomes '?'. */
static void append(char *text, size_t size, const char *between, const char *fmt, va_list args)
{
	size_t n = strlen(text);

	if (n && n < size - 1)
		n += (size_t)snprintf(text + n, size - n, "%s", between);
	if (n < size - 1)
		vsnprintf(text + n, size - n, fmt, args);
	for (char *c = text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

void found_evidence(struct look *l, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	append(l->found->evidence, sizeof(l->found->evidence), ", ", fmt, args);
	va_end(args);
}

void found_why(struct look *l, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	append(l->found->why, sizeof(l->found->why), "; ", fmt, args);
	va_end(args);
}
