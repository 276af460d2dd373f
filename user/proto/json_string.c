/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of JSON strings: runs of plain bytes, escapes, surrogates. */
#include "proto/json_string.h"

#include <errno.h>
#if defined(__SSE2__) && !defined(JSON_NO_SSE2)
#define JSON_SSE2
#include <emmintrin.h>
#endif

static inline bool plain(char c)
{
	return (uint8_t)c >= 0x20 && c != '"' && c != '\\';
}

#ifndef JSON_SSE2
/* 8 bytes at a time in plain C. A byte of the result is non-zero where the byte of @v is a control
 * character, a quote or a backslash; higher bytes than the first such one may be wrong, which
 * costs a look only. */
static inline uint64_t special8(uint64_t v)
{
	const uint64_t ones = ~0ULL / 255, high = ones * 128;
	uint64_t q = v ^ (ones * '"'), b = v ^ (ones * '\\');

	return (((v - ones * 0x20) & ~v) | ((q - ones) & ~q) | ((b - ones) & ~b)) & high;
}
#endif

static inline const char *plain_end(const char *p, const char *e)
{
#ifdef JSON_SSE2
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\');
	const __m128i ctl = _mm_set1_epi8(0x1f);

	for (; e - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		__m128i m = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back));
		int hit =
			_mm_movemask_epi8(_mm_or_si128(m, _mm_cmpeq_epi8(_mm_min_epu8(v, ctl), v)));

		if (hit)
			return p + __builtin_ctz((unsigned int)hit);
	}
#else
	for (; e - p >= 8; p += 8) {
		uint64_t v;

		memcpy(&v, p, 8);
		if (special8(v))
			break;
	}
#endif
	while (p != e && plain(*p))
		p++;
	return p;
}

/* Hexadecimal digits, one more than their value; 0: none. */
static const uint8_t digits[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static inline int hex_digit(char c)
{
	return (int)digits[(uint8_t)c] - 1;
}

static bool four_digits(const char *p)
{
	return (hex_digit(p[0]) | hex_digit(p[1]) | hex_digit(p[2]) | hex_digit(p[3])) >= 0;
}

/* What a one-letter escape stands for; 0: there is none. */
static const char letters[256] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

static char escape_of(char c)
{
	return letters[(uint8_t)c];
}

const char *json_plain(const char *p, const char *e)
{
	return plain_end(p, e);
}

const char *json_passed(const char *p, const char *e)
{
	for (;;) {
		p = plain_end(p, e);
		if (e - p < 6 || *p != '\\')
			return p;
		if (escape_of(p[1]))
			p += 2;
		else if (p[1] == 'u' && four_digits(p + 2))
			p += 6;
		else
			return p;
	}
}

static size_t utf8_put(char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (char)(0xc0 | c >> 6);
		p[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (char)(0xe0 | c >> 12);
		p[1] = (char)(0x80 | (c >> 6 & 63));
		p[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	p[0] = (char)(0xf0 | c >> 18);
	p[1] = (char)(0x80 | (c >> 12 & 63));
	p[2] = (char)(0x80 | (c >> 6 & 63));
	p[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* Copy plain bytes from *@p to @o, at most up to @oe. The end of what was written. */
static inline char *plain_copy(const char **p, const char *e, char *o, char *oe)
{
	const char *from = *p;
#ifdef JSON_SSE2
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\');
	const __m128i ctl = _mm_set1_epi8(0x1f);

	for (; e - from >= 16 && oe - o >= 16; from += 16, o += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)from);
		__m128i m = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back));
		unsigned int hit = (unsigned int)_mm_movemask_epi8(
			_mm_or_si128(m, _mm_cmpeq_epi8(_mm_min_epu8(v, ctl), v)));

		_mm_storeu_si128((__m128i *)o, v);
		if (hit) {
			*p = from + __builtin_ctz(hit);
			return o + __builtin_ctz(hit);
		}
	}
#endif
	while (from != e && o != oe && plain(*from))
		*o++ = *from++;
	*p = from;
	return o;
}

size_t json_unescape(const char **ret_p, const char *e, char *out, size_t room)
{
	const char *p = *ret_p;
	char *o = out, *oe = out + room;
	uint32_t unit;

	for (;;) {
		o = plain_copy(&p, e, o, oe);
		if (e - p < 6 || oe - o < 4 || *p != '\\')
			break;
		if (escape_of(p[1])) {
			*o++ = escape_of(p[1]);
			p += 2;
			continue;
		}
		if (p[1] != 'u' || !four_digits(p + 2))
			break;
		unit = (uint32_t)(hex_digit(p[2]) << 12 | hex_digit(p[3]) << 8 | hex_digit(p[4]) << 4 |
				  hex_digit(p[5]));
		if (unit >= 0xd800 && unit < 0xe000)
			break;
		o += utf8_put(o, unit);
		p += 6;
	}
	*ret_p = p;
	return (size_t)(o - out);
}

/* Code unit @c came out of an escape. Bytes now in @j->text; 0 while a pair is incomplete. */
static size_t unit_done(struct json *j, uint32_t c)
{
	bool low = c >= 0xdc00 && c < 0xe000, high = c >= 0xd800 && c < 0xdc00;
	uint32_t before = j->high;
	size_t n = 0;

	j->high = high ? c : 0;
	if (before && low)
		return utf8_put(j->text, 0x10000 + ((before - 0xd800) << 10) + (c - 0xdc00));
	if (before)
		n = utf8_put(j->text, 0xfffd);
	if (high)
		return n;
	return n + utf8_put(j->text + n, low ? 0xfffd : c);
}

int json_lone(struct json *j)
{
	j->high = 0;
	return (int)utf8_put(j->text, 0xfffd);
}

int json_escape_byte(struct json *j)
{
	char c = *j->p++;
	int d;

	if (j->escape == 1 && c == 'u') {
		j->escape = 2;
		j->unit = 0;
		return 0;
	}
	if (j->escape == 1) {
		j->escape = 0;
		c = escape_of(c);
		return c ? (int)unit_done(j, (uint8_t)c) : -EBADMSG;
	}
	d = hex_digit(c);
	if (d < 0)
		return -EBADMSG;
	j->unit = j->unit << 4 | (uint32_t)d;
	if (++j->escape < 6)
		return 0;
	j->escape = 0;
	return (int)unit_done(j, j->unit);
}
