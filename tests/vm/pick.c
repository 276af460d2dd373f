/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a JSON object by key. */
#include <string.h>

#include "pick.h"

/* The byte after the string that begins at @p. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
	}
	return p < end ? p + 1 : end;
}

/* The byte after the value that begins at @p. */
static const char *skip_value(const char *p, const char *end)
{
	int depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			if (!depth)
				return p;
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && --depth <= 0)
			return depth < 0 ? p : p + 1;
		else if (!depth && (*p == ',' || *p == ' ' || *p == '\n' || *p == '\r'))
			return p;
		p++;
	}
	return end;
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p))
		p++;
	return p;
}

struct pick pick(struct pick in, const char *key)
{
	const char *p = in.p, *end = in.p + in.n, *k, *v;
	size_t len = strlen(key);

	if (!p)
		return in;
	p = skip_space(p, end);
	if (p == end || *p++ != '{')
		return (struct pick){ NULL, 0 };
	for (;;) {
		while (p < end && *p != '"' && *p != '}')
			p++;
		if (p >= end || *p == '}')
			return (struct pick){ NULL, 0 };
		k = p + 1;
		p = skip_string(p, end);
		v = skip_space(p, end);
		if (v < end && *v == ':')
			v = skip_space(v + 1, end);
		if ((size_t)(p - 1 - k) == len && !memcmp(k, key, len))
			return (struct pick){ v, (size_t)(skip_value(v, end) - v) };
		p = skip_value(v, end);
	}
}

uint64_t pick_num(struct pick in, const char *key)
{
	struct pick v = pick(in, key);
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < v.n && v.p[i] >= '0' && v.p[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(v.p[i] - '0');
	return n;
}

bool pick_is(struct pick v, const char *s)
{
	size_t len = strlen(s);

	if (!v.p)
		return false;
	if (v.n == len + 2 && *v.p == '"')
		return !memcmp(v.p + 1, s, len);
	return v.n == len && !memcmp(v.p, s, len);
}

void pick_copy(struct pick v, char *dst, size_t size)
{
	if (v.p && v.n >= 2 && *v.p == '"')
		v.p++, v.n -= 2;
	if (!v.p)
		v.n = 0;
	if (v.n >= size)
		v.n = size - 1;
	if (v.n)
		memcpy(dst, v.p, v.n);
	dst[v.n] = 0;
}
