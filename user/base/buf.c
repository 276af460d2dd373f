/* SPDX-License-Identifier: Apache-2.0 */
/* Byte buffer with a cap. Grows by doubling, so that appending stays linear. */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 256
#define KEEP_BYTES  (64 * 1024)

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->full = false;
	if (b->cap <= KEEP_BYTES)
		return;
	free(b->p);
	b->p = NULL;
	b->cap = 0;
}

/* Make room for @n more bytes. */
static int reserve(struct buf *b, size_t n)
{
	size_t need, cap = b->cap ? b->cap : FIRST_BYTES;
	char *p;

	if (n > b->max - b->n) {
		b->full = true;
		return -ENOSPC;
	}
	need = b->n + n;
	if (need <= b->cap)
		return 0;
	while (cap < need)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	if (cap > b->max)
		cap = b->max;
	p = realloc(b->p, cap);
	if (!p)
		return -ENOMEM;
	b->p = p;
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
	int err;

	if (n == 0)
		return 0;
	err = reserve(b, n);
	if (err)
		return err;
	memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	char small[128], *text = small;
	va_list ap;
	int n, err;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return -EINVAL;
	if ((size_t)n >= sizeof(small)) {
		/* vsnprintf writes a NUL past the text; the cap has no room to promise for it. */
		text = malloc((size_t)n + 1);
		if (!text)
			return -ENOMEM;
		va_start(ap, fmt);
		vsnprintf(text, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	err = buf_add(b, text, (size_t)n);
	if (text != small)
		free(text);
	return err;
}

void buf_cut(struct buf *b, size_t n)
{
	if (n > b->n)
		n = b->n;
	b->n -= n;
	if (b->n > 0)
		memmove(b->p, b->p + n, b->n);
}
