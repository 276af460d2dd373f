/* SPDX-License-Identifier: Apache-2.0 */
/* Masking as mask.h words it: every pattern tried at every byte of a whole text. Included by the tests of the fast
 * one. */
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "proto/mask.h"

struct slow {
	const char *p;
	size_t n;
};

static int slow_at(const struct slow *t, size_t i)
{
	return i < t->n ? (unsigned char)t->p[i] : -1;
}

static bool slow_digit(const struct slow *t, size_t i)
{
	return slow_at(t, i) >= '0' && slow_at(t, i) <= '9';
}

static bool slow_hex(const struct slow *t, size_t i)
{
	int c = slow_at(t, i) | 0x20;

	return slow_digit(t, i) || (slow_at(t, i) > 0x20 && c >= 'a' && c <= 'f');
}

static bool slow_word(const struct slow *t, size_t i)
{
	int c = slow_at(t, i);

	return c > 0 && c < 0x80 && (isalnum(c) || c == '_');
}

static bool slow_bound(const struct slow *t, size_t i)
{
	return i == 0 || !slow_word(t, i - 1);
}

/* Each returns the end of what matches at @i, or 0. Letters of the template: d digit, x hex digit, others themselves.
 * */
static size_t slow_template(const struct slow *t, size_t i, const char *pattern)
{
	for (; *pattern; pattern++, i++) {
		bool fits = *pattern == 'd'   ? slow_digit(t, i) :
			    *pattern == 'x'   ? slow_hex(t, i) :
			    *pattern == '\x1' ? slow_at(t, i) == 'T' || slow_at(t, i) == ' ' :
						slow_at(t, i) == (unsigned char)*pattern;

		if (!fits)
			return 0;
	}
	return i;
}

static size_t slow_uuid(const struct slow *t, size_t i)
{
	size_t e = slow_template(t, i, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");

	for (size_t k = i; k < e; k++)
		if (slow_digit(t, k))
			return e;
	return 0;
}

static size_t slow_fraction(const struct slow *t, size_t i, size_t max)
{
	size_t n = 0;

	if (slow_at(t, i) != '.' || !slow_digit(t, i + 1))
		return i;
	while (n < max && slow_digit(t, i + 1 + n))
		n++;
	return i + 1 + n;
}

static size_t slow_time(const struct slow *t, size_t i)
{
	size_t e = slow_template(t, i, "dddd-dd-dd\x1" "dd:dd"), z;

	if (!e)
		return 0;
	if (slow_template(t, e, ":dd"))
		e = slow_fraction(t, e + 3, 12);
	if (slow_at(t, e) == 'Z')
		return e + 1;
	if (slow_at(t, e) != '+' && slow_at(t, e) != '-')
		return e;
	z = slow_template(t, e + 1, "dd:dd");
	z = z ? z : slow_template(t, e + 1, "dddd");
	return z ? z : e;
}

static size_t slow_duration(const struct slow *t, size_t i)
{
	static const char *const units[] = { "ms", "milliseconds", "seconds", "secs", "s" };
	size_t e = i;

	if (!slow_bound(t, i))
		return 0;
	while (slow_digit(t, e))
		e++;
	if (e == i || e - i > 18)
		return 0;
	e = slow_fraction(t, e, 18);
	e += slow_at(t, e) == ' ';
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		size_t got = slow_template(t, e, ""), n = strlen(units[u]);

		got = t->n - e >= n && memcmp(t->p + e, units[u], n) == 0 ? e + n : 0;
		if (got && !slow_word(t, got))
			return got;
	}
	return 0;
}

static size_t slow_epoch(const struct slow *t, size_t i)
{
	size_t e = i;

	while (slow_digit(t, e))
		e++;
	if (!slow_bound(t, i) || (e - i != 10 && e - i != 13) || slow_word(t, e))
		return 0;
	return t->p[i] == '1' && t->p[i + 1] >= '5' ? slow_fraction(t, e, 12) : 0;
}

static size_t slow_hexword(const struct slow *t, size_t i)
{
	size_t first = i, e;

	while (slow_hex(t, first) && !slow_digit(t, first))
		first++;
	if (!slow_bound(t, i) || !slow_digit(t, first) || first - i > MASK_LETTERS)
		return 0;
	for (e = first; slow_hex(t, e); e++)
		;
	if (e - first >= MASK_LONG)
		return e;
	return e - i >= 16 && !slow_word(t, e) ? e : 0;
}

static size_t slow_some(const struct slow *t, size_t i, const char *set)
{
	size_t n = 0;

	while (n < 16 && slow_at(t, i + n) > 0 && strchr(set, slow_at(t, i + n)))
		n++;
	return i + n;
}

/* A request id's value begins at @i: the key lies behind @from. */
static bool slow_value(const struct slow *t, size_t from, size_t i)
{
	/* A key and what may stand behind it is not longer than that. */
	for (size_t k = i - from > 128 ? i - 128 : from; k < i; k++) {
		size_t e;

		if (t->p[k] != '"')
			continue;
		if (t->n - k > 11 && strncasecmp(t->p + k + 1, "request_id", 10) == 0)
			e = k + 11;
		else if (t->n - k > 10 && strncasecmp(t->p + k + 1, "requestid", 9) == 0)
			e = k + 10;
		else
			continue;
		e = slow_some(t, e, "\\");
		if (slow_at(t, e) != '"')
			continue;
		e = slow_some(t, e + 1, " \t\r\n");
		if (slow_at(t, e) != ':')
			continue;
		e = slow_some(t, slow_some(t, e + 1, " \t\r\n"), "\\");
		if (slow_at(t, e) == '"' && e + 1 == i)
			return true;
	}
	return false;
}

/* @ret has room for @n bytes; its length. */
static size_t mask_slow(const char *p, size_t n, char *ret)
{
	static size_t (*const patterns[])(const struct slow *t, size_t i) = { slow_uuid, slow_time, slow_duration,
									      slow_epoch, slow_hexword };
	const struct slow t = { p, n };
	size_t i = 0, out = 0, from = 0;

	while (i < n) {
		size_t e = 0, k;

		for (k = 0; k < 5 && !e; k++)
			e = patterns[k](&t, i);
		if (!e) {
			ret[out++] = p[i++];
		} else {
			ret[out++] = "UTDEH"[k - 1];
			i = from = e;
		}
		if (!slow_value(&t, from, i))
			continue;
		ret[out++] = 'R';
		while (i < n && p[i] != '"')
			i++;
		from = i;
	}
	return out;
}
