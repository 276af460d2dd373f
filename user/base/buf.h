/* SPDX-License-Identifier: Apache-2.0 */
/* Byte buffer that grows up to a cap given at init, and never beyond. */
#ifndef MCPVIGIL_BASE_BUF_H
#define MCPVIGIL_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/sv.h"

struct buf {
	char *p;
	size_t n;   /* bytes in use */
	size_t cap; /* bytes allocated */
	size_t max; /* bytes allowed */
	bool full;  /* an append was refused since the last buf_reset */
};

/* No allocation happens before the first append. */
void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
/* Length 0 and full cleared; memory is kept unless it is above 64 KiB. */
void buf_reset(struct buf *b);
/* Append all of @n bytes or nothing. 0, -ENOSPC past the cap (sets full), -ENOMEM. */
int buf_add(struct buf *b, const void *p, size_t n);
static inline int buf_add_sv(struct buf *b, struct sv s)
{
	return buf_add(b, s.p, s.n);
}
static inline int buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}
static inline int buf_add_ch(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}
__attribute__((format(printf, 2, 3))) int buf_addf(struct buf *b, const char *fmt, ...);
/* Drop @n bytes at the front. */
void buf_cut(struct buf *b, size_t n);
static inline struct sv buf_sv(const struct buf *b)
{
	return (struct sv){ b->p, b->n };
}

#endif
