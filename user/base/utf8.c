/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 decoder by the table of well-formed sequences (Unicode 15, table 3-7). */
#include "base/utf8.h"

/* What may follow a lead byte: the range of the second byte differs, and that alone excludes overlong
 * forms, surrogates and everything above U+10FFFF. Later bytes are 80..BF. */
struct lead {
	uint8_t first, last; /* range of lead bytes */
	uint8_t low, high;   /* range of the second byte */
	uint8_t len;
	uint8_t bits; /* of the lead byte that count */
};

static const struct lead leads[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f }, { 0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f },
	{ 0xe1, 0xec, 0x80, 0xbf, 3, 0x0f }, { 0xed, 0xed, 0x80, 0x9f, 3, 0x0f },
	{ 0xee, 0xef, 0x80, 0xbf, 3, 0x0f }, { 0xf0, 0xf0, 0x90, 0xbf, 4, 0x07 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4, 0x07 }, { 0xf4, 0xf4, 0x80, 0x8f, 4, 0x07 },
};

static const struct lead *lead_of(uint8_t c)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (c >= leads[i].first && c <= leads[i].last)
			return &leads[i];
	return NULL;
}

size_t utf8_next(struct sv s, uint32_t *ret_cp)
{
	const uint8_t *p = (const uint8_t *)s.p;
	const struct lead *l;
	uint32_t cp;

	if (p[0] < 0x80) {
		*ret_cp = p[0];
		return 1;
	}
	*ret_cp = UTF8_INVALID;
	l = lead_of(p[0]);
	if (!l || s.n < 2 || p[1] < l->low || p[1] > l->high)
		return 1;
	cp = (uint32_t)(p[0] & l->bits) << 6 | (p[1] & 0x3f);
	for (size_t i = 2; i < l->len; i++) {
		if (i >= s.n || (p[i] & 0xc0) != 0x80)
			return i;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	*ret_cp = cp;
	return l->len;
}

bool utf8_control(uint32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return true;
	if (cp == 0x061c || cp == 0x200e || cp == 0x200f)
		return true;
	return (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

size_t utf8_count(struct sv s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}
