/* SPDX-License-Identifier: Apache-2.0 */
/* Masking.
 *
 * Each pattern but R has a decimal digit in it, and most text has few, so the text is searched for digits (and for
 * the q of "request_id"); everything is decided at the first digit of a run of hex digits. A digit is looked at only
 * when MASK_AHEAD bytes behind it are at hand or the text ends there, so that no pattern meets the end of a piece. */
#include "proto/mask.h"

#include <strings.h>
#if defined(__SSE2__) && !defined(MASK_NO_SSE2)
#define MASK_SSE2
#include <emmintrin.h>
#endif

enum { INSIDE_NOTHING, INSIDE_VALUE, INSIDE_HEX };
enum { DIGIT = 1, HEX = 2, WORD = 4 };

#define BLANKS	   16 /* around the colon, and backslashes before a quote */
#define INT_DIGITS 18
#define SUB_DIGITS 12 /* of a second */

static const uint8_t kind[256] = {
	['0' ... '9'] = DIGIT | HEX | WORD,
	['A' ... 'F'] = HEX | WORD,
	['a' ... 'f'] = HEX | WORD,
	['G' ... 'Z'] = WORD,
	['g' ... 'z'] = WORD,
	['_'] = WORD,
};

/* A run of hex digits around the digit at @at, in @in. */
struct run {
	const char *in, *end; /* the piece */
	const char *floor;    /* behind the last match */
	const char *beg, *at, *e;
	bool bounded; /* no word goes on before it, and it begins at @beg */
};

struct hit {
	const char *beg, *e;
	char letter;
};

static inline bool is(char c, uint8_t what)
{
	return kind[(uint8_t)c] & what;
}

static inline const char *pass(const char *p, const char *e, uint8_t what)
{
	while (p != e && is(*p, what))
		p++;
	return p;
}

/* The end of a point and at most @max digits at @p, if any are there. */
static inline const char *fraction(const char *p, const char *e, size_t max)
{
	if (e - p < 2 || *p != '.' || !is(p[1], DIGIT))
		return p;
	p++;
	return pass(p, (size_t)(e - p) > max ? p + max : e, DIGIT);
}

/* The end of @n digits at @p, or NULL. */
static inline const char *digits(const char *p, const char *e, unsigned int n)
{
	if (!p || (size_t)(e - p) < n)
		return NULL;
	for (; n > 0; n--)
		if (!is(*p++, DIGIT))
			return NULL;
	return p;
}

static inline const char *one_of(const char *p, const char *e, char a, char b)
{
	return p && p != e && (*p == a || *p == b) ? p + 1 : NULL;
}

/* @p begins no word's continuation. */
static inline bool ends_word(const char *p, const char *e)
{
	return p == e || !is(*p, WORD);
}

static inline bool anchor(char c)
{
	return is(c, DIGIT) || (c | 0x20) == 'q';
}

/* The first decimal digit or q from @p on. */
static const char *next_anchor(const char *p, const char *e)
{
#ifdef MASK_SSE2
	const __m128i zero = _mm_set1_epi8('0'), nine = _mm_set1_epi8(9);
	const __m128i low = _mm_set1_epi8(0x20), q = _mm_set1_epi8('q');

	for (; e - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p), d = _mm_sub_epi8(v, zero);
		__m128i hit = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(d, nine), d),
					   _mm_cmpeq_epi8(_mm_or_si128(v, low), q));
		unsigned int bits = (unsigned int)_mm_movemask_epi8(hit);

		if (bits)
			return p + __builtin_ctz(bits);
	}
#endif
	while (p != e && !anchor(*p))
		p++;
	return p;
}

static bool is_uuid(const char *p)
{
	static const uint8_t group[] = { 8, 4, 4, 4, 12 };
	uint8_t all = 0;

	if (p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
		return false;
	for (unsigned int g = 0; g < sizeof(group); g++, p++) {
		for (unsigned int i = 0; i < group[g]; i++, p++) {
			if (!is(*p, HEX))
				return false;
			all |= kind[(uint8_t)*p];
		}
	}
	return all & DIGIT;
}

static bool uuid_at(const struct run *r, const char *p, struct hit *ret)
{
	if (p < r->floor || r->end - p < 36 || !is_uuid(p))
		return false;
	*ret = (struct hit){ p, p + 36, 'U' };
	return true;
}

/* A UUID that begins before the run: the run is a later group of it. */
static bool uuid_before(const struct run *r, struct hit *ret)
{
	static const uint8_t back[] = { 19, 14, 9 };
	size_t n = (size_t)(r->e - r->beg), room = (size_t)(r->beg - r->floor);

	if ((n != 4 && n < 12) || r->beg == r->in || r->beg[-1] != '-')
		return false;
	if (n >= 12)
		return room >= 24 && uuid_at(r, r->beg - 24, ret);
	for (unsigned int i = 0; i < sizeof(back); i++)
		if (room >= back[i] && uuid_at(r, r->beg - back[i], ret))
			return true;
	return false;
}

static const char *zone(const char *p, const char *e)
{
	const char *z;

	if (p == e || (*p != 'Z' && *p != '+' && *p != '-'))
		return p;
	if (*p == 'Z')
		return p + 1;
	z = digits(p + 1, e, 2);
	if (z && z != e && *z == ':')
		z++;
	z = digits(z, e, 2);
	return z ? z : p;
}

/* @p is at the last four digits before a '-'. */
static bool time_at(const struct run *r, const char *p, struct hit *ret)
{
	const char *e = r->end, *q = digits(p, e, 4), *more;

	q = digits(q ? one_of(q, e, '-', '-') : NULL, e, 2);
	q = digits(one_of(q, e, '-', '-'), e, 2);
	q = digits(one_of(q, e, 'T', ' '), e, 2);
	q = digits(one_of(q, e, ':', ':'), e, 2);
	if (!q)
		return false;
	more = digits(one_of(q, e, ':', ':'), e, 2);
	if (more) {
		q = more;
		q = fraction(q, e, SUB_DIGITS);
	}
	*ret = (struct hit){ p, zone(q, e), 'T' };
	return true;
}

/* The end of a unit of time that ends its word, or NULL. */
static const char *unit(const char *p, const char *e)
{
	static const char *const units[] = { "ms", "milliseconds", "seconds", "secs", "s" };

	if (p == e || (*p != 'm' && *p != 's'))
		return NULL;
	for (unsigned int i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = strlen(units[i]);

		if ((size_t)(e - p) >= n && memcmp(p, units[i], n) == 0 && ends_word(p + n, e))
			return p + n;
	}
	return NULL;
}

/* The run is a number by itself: a duration or a time since the epoch. */
static bool number_at(const struct run *r, struct hit *ret)
{
	const char *p = r->e, *e = r->end, *found;
	size_t n = (size_t)(r->e - r->beg);

	if ((n == 10 || n == 13) && ends_word(p, e) && r->beg[0] == '1' && r->beg[1] >= '5')
		*ret = (struct hit){ r->beg, fraction(p, e, SUB_DIGITS), 'E' };
	/* A duration has precedence. */
	if (n > INT_DIGITS)
		return ret->letter;
	p = fraction(p, e, INT_DIGITS);
	if (p != e && *p == ' ')
		p++;
	found = unit(p, e);
	if (found)
		*ret = (struct hit){ r->beg, found, 'D' };
	return ret->letter;
}

/* What begins at the run's first byte and is a word. */
static bool word_at(const struct run *r, struct hit *ret)
{
	bool numeric = r->beg == r->at && pass(r->beg, r->e, DIGIT) == r->e;

	if (!r->bounded)
		return false;
	if (numeric && number_at(r, ret))
		return true;
	*ret = (struct hit){ r->beg, r->e, 'H' };
	return r->e - r->beg >= 16 && ends_word(r->e, r->end);
}

/* Most runs are a short number or a piece of a word, and what stands next to them says that nothing matches. */
static inline bool dull(const struct run *r)
{
	char c = r->e == r->end ? '\0' : *r->e;

	if (c == '-' || (r->beg != r->in && r->beg[-1] == '-'))
		return false;
	if (!r->bounded)
		return true;
	return r->e - r->beg < 10 && c != '.' && c != ' ' && c != 'm' && c != 's';
}

/* What begins in the run or before it, the leftmost first. */
static bool match(const struct run *r, struct hit *ret)
{
	size_t n = (size_t)(r->e - r->beg);
	bool dash = r->e != r->end && *r->e == '-';

	*ret = (struct hit){ 0 };
	if (dull(r))
		return false;
	if (uuid_before(r, ret) || (dash && n == 8 && uuid_at(r, r->beg, ret)) ||
	    (dash && n == 4 && time_at(r, r->beg, ret)) || word_at(r, ret))
		return true;
	return dash && ((n > 8 && uuid_at(r, r->e - 8, ret)) || (n > 4 && time_at(r, r->e - 4, ret)));
}

/* The run around the digit at @at; @before is the byte before the piece. */
static void run_find(struct run *r, char before)
{
	size_t room = (size_t)(r->at - r->floor);
	const char *least = r->at - (room < MASK_LETTERS ? room : MASK_LETTERS);

	r->beg = r->at;
	while (r->beg > least && is(r->beg[-1], HEX) && !is(r->beg[-1], DIGIT))
		r->beg--;
	r->bounded = !is(r->beg == r->in ? before : r->beg[-1], WORD);
	r->e = pass(r->at, r->end - r->at > MASK_LONG ? r->at + MASK_LONG : r->end, HEX);
}

/* The end of at most BLANKS bytes out of @set at @p. */
static const char *some_of(const char *p, const char *e, const char *set)
{
	for (unsigned int n = 0; p && p != e && *p && strchr(set, *p) && n < BLANKS; n++)
		p++;
	return p;
}

/* A word at @p in any case, or NULL. */
static const char *spelled(const char *p, const char *e, struct sv lower)
{
	if (!p || (size_t)(e - p) < lower.n || strncasecmp(p, lower.p, lower.n) != 0)
		return NULL;
	return p + lower.n;
}

/* Where the value of a request id begins, whose key's q is at @q; NULL: none. */
static const char *value_of(const char *in, const char *q, const char *e)
{
	const char *p;

	if (q - in < 3 || q[-3] != '"' || (q[-2] | 0x20) != 'r' || (q[-1] | 0x20) != 'e')
		return NULL;
	p = spelled(q, e, SV("quest"));
	if (p && p != e && *p == '_')
		p++;
	p = spelled(p, e, SV("id"));
	p = one_of(some_of(p, e, "\\"), e, '"', '"');
	p = one_of(some_of(p, e, " \t\r\n"), e, ':', ':');
	p = some_of(p, e, " \t\r\n");
	return one_of(some_of(p, e, "\\"), e, '"', '"');
}

static void put(const struct mask_out *out, const char *p, const char *e)
{
	if (p != e)
		out->put(out->ctx, p, (size_t)(e - p));
}

/* The end of what began in an earlier piece or just now. */
static const char *leave(struct mask *m, const char *p, const char *e)
{
	if (m->inside == INSIDE_HEX)
		p = pass(p, e, HEX);
	else if (m->inside == INSIDE_VALUE)
		p = p == e ? e : memchr(p, '"', (size_t)(e - p));
	if (!p)
		return e;
	if (p != e)
		m->inside = INSIDE_NOTHING;
	return p;
}

/* Decide at the anchor @r->at. Returns whether there is a hit; else @ret->e is where to go on. */
static bool decide(struct mask *m, struct run *r, struct hit *ret)
{
	const char *value;

	if (!is(*r->at, DIGIT)) {
		value = value_of(r->floor, r->at, r->end);
		*ret = (struct hit){ value, value ? value : r->at + 1, 'R' };
		m->inside = value ? INSIDE_VALUE : INSIDE_NOTHING;
		return value;
	}
	run_find(r, m->before);
	if (r->e - r->at < MASK_LONG) {
		if (match(r, ret))
			return true;
		ret->e = r->e;
		return false;
	}
	if (uuid_before(r, ret))
		return true;
	/* A UUID may still begin in the last eight digits of the run: go on before them. */
	*ret = (struct hit){ r->beg, r->bounded ? r->e : r->e - 8, 'H' };
	m->inside = r->bounded ? INSIDE_HEX : INSIDE_NOTHING;
	return r->bounded;
}

/* Look at every digit before @limit. What comes before the result is written. */
static const char *search(struct mask *m, struct run *r, const char *limit, const struct mask_out *out)
{
	const char *at = r->floor;
	struct hit hit;

	for (; !m->inside && at < limit; at = hit.e) {
		r->at = next_anchor(at, limit);
		hit.e = limit;
		if (r->at == limit || !decide(m, r, &hit))
			continue;
		put(out, r->floor, hit.beg);
		out->put(out->ctx, &hit.letter, 1);
		hit.e = leave(m, hit.e, r->end);
		r->floor = hit.e;
	}
	return at > limit ? at : limit;
}

size_t mask_run(struct mask *m, struct sv in, bool last, const struct mask_out *out)
{
	const char *e = in.p + in.n, *limit = e, *at, *stay;
	struct run r = { .in = in.p, .end = e, .floor = leave(m, in.p, e) };

	if (!last)
		limit = in.n > MASK_AHEAD ? e - MASK_AHEAD : in.p;
	at = search(m, &r, limit, out);
	/* What the next digit may need of the text before it stays. */
	stay = at - r.floor > MASK_BEHIND ? at - MASK_BEHIND : r.floor;
	if (last)
		stay = e;
	put(out, r.floor, stay);
	if (stay != in.p)
		m->before = stay[-1];
	return (size_t)(stay - in.p);
}

void mask_init(struct mask *m)
{
	*m = (struct mask){ 0 };
}

bool mask_any(struct sv text)
{
	const char *e = text.p + text.n;

	return next_anchor(text.p, e) != e;
}

bool mask_key(struct sv key)
{
	return sv_ieq(key, SV("request_id")) || sv_ieq(key, SV("requestid"));
}
