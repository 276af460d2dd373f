/* SPDX-License-Identifier: Apache-2.0 */
/* String view: pointer and length into bytes that somebody else owns. */
#ifndef MCPVIGIL_BASE_SV_H
#define MCPVIGIL_BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct sv {
	const char *p;
	size_t n;
};

#define SV(lit) ((struct sv){ (lit), sizeof(lit) - 1 })

static inline struct sv sv_of(const char *s)
{
	return (struct sv){ s, s ? strlen(s) : 0 };
}

static inline bool sv_eq(struct sv a, struct sv b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool sv_starts(struct sv s, struct sv prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* ASCII case folded comparison, as HTTP header names need (RFC 9110 5.1). */
bool sv_ieq(struct sv a, struct sv b);
/* true where @s contains @needle, ASCII case folded. */
bool sv_ihas(struct sv s, struct sv needle);
/* @s without leading and trailing space, tab, CR and LF. */
struct sv sv_trim(struct sv s);

#endif
