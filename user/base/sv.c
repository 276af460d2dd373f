/* SPDX-License-Identifier: Apache-2.0 */
/* String views: the comparisons that are too long for the header. */
#include "base/sv.h"

/* ASCII only, whatever the locale says. */
static unsigned char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : (unsigned char)c;
}

bool sv_ieq(struct sv a, struct sv b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (fold(a.p[i]) != fold(b.p[i]))
			return false;
	return true;
}

bool sv_ihas(struct sv s, struct sv needle)
{
	if (needle.n == 0)
		return true;
	for (size_t i = 0; needle.n <= s.n && i <= s.n - needle.n; i++)
		if (sv_ieq((struct sv){ s.p + i, needle.n }, needle))
			return true;
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct sv sv_trim(struct sv s)
{
	while (s.n > 0 && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}
