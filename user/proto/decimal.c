/* SPDX-License-Identifier: Apache-2.0 */
/* JSON numbers by value. */
#include "proto/decimal.h"

#define EXP_DIGITS 15 /* of an exponent: sums of them stay far from overflow */
#define INT_DIGITS 15

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What is behind 'e'. */
static bool exponent(struct sv s, int64_t *ret)
{
	bool neg = s.n && s.p[0] == '-';
	size_t i = s.n && !digit(s.p[0]);
	int64_t v = 0;

	while (i < s.n && s.p[i] == '0')
		i++;
	if (s.n - i > EXP_DIGITS)
		return false;
	for (; i < s.n; i++)
		v = v * 10 + (s.p[i] - '0');
	*ret = neg ? -v : v;
	return true;
}

/* Drop the zeros at both ends of the digits. */
static void trim(struct decimal *d)
{
	uint8_t lead = 0;

	while (lead < d->n && d->digits[lead] == '0')
		lead++;
	while (d->n > lead && d->digits[d->n - 1] == '0') {
		d->n--;
		d->exp++;
	}
	d->n = (uint8_t)(d->n - lead);
	memmove(d->digits, d->digits + lead, d->n);
	if (d->n > 0)
		return;
	d->exp = 0;
	d->neg = false;
}

bool decimal_of(struct sv text, struct decimal *ret)
{
	size_t i = 0;
	bool point = false;
	int64_t exp = 0;

	ret->neg = text.n && text.p[0] == '-';
	ret->n = 0;
	ret->exp = 0;
	if (text.n > DECIMAL_TEXT)
		return false;
	for (i = ret->neg; i < text.n && (digit(text.p[i]) || text.p[i] == '.'); i++) {
		if (text.p[i] == '.') {
			point = true;
			continue;
		}
		ret->digits[ret->n++] = text.p[i];
		ret->exp -= point;
	}
	if (i < text.n && !exponent((struct sv){ text.p + i + 1, text.n - i - 1 }, &exp))
		return false;
	ret->exp += exp;
	trim(ret);
	return true;
}

bool decimal_int(const struct decimal *d, int64_t *ret_v)
{
	int64_t v = 0;

	if (d->exp < 0 || d->exp > INT_DIGITS || d->n + d->exp > INT_DIGITS)
		return false;
	for (uint8_t i = 0; i < d->n; i++)
		v = v * 10 + (d->digits[i] - '0');
	for (int64_t e = 0; e < d->exp; e++)
		v *= 10;
	*ret_v = d->neg ? -v : v;
	return true;
}

static char *put_digits(char *p, uint64_t v)
{
	char back[24], *from = back + sizeof(back);

	for (*--from = (char)('0' + v % 10); v >= 10; *--from = (char)('0' + v % 10))
		v /= 10;
	memcpy(p, from, (size_t)(back + sizeof(back) - from));
	return p + (back + sizeof(back) - from);
}

size_t decimal_canon(const struct decimal *d, char ret_text[DECIMAL_CANON])
{
	char *p = ret_text;

	if (d->neg)
		*p++ = '-';
	memcpy(p, d->digits, d->n);
	p += d->n;
	if (d->exp != 0 || d->n == 0) {
		*p++ = 'e';
		if (d->exp < 0)
			*p++ = '-';
		p = put_digits(p, (uint64_t)(d->exp < 0 ? -d->exp : d->exp));
	}
	return (size_t)(p - ret_text);
}
