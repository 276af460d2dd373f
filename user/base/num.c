/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in and out of text. */
#include "base/num.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int num_u64(struct sv s, uint64_t *ret_v)
{
	uint64_t v = 0;
	bool range = false;

	if (s.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return -EINVAL;
		range |= __builtin_mul_overflow(v, 10, &v);
		range |= __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v);
	}
	if (range)
		return -ERANGE;
	*ret_v = v;
	return 0;
}

int num_i64(struct sv s, int64_t *ret_v)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t v;
	int err;

	if (minus) {
		s.p++;
		s.n--;
	}
	err = num_u64(s, &v);
	if (err)
		return err;
	if (v > (uint64_t)INT64_MAX + minus)
		return -ERANGE;
	*ret_v = minus ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int num_hex(struct sv s, uint8_t *ret, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	if (s.n % 2 || s.n / 2 != n)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		const char *d = s.p[i] ? strchr(digits, s.p[i]) : NULL;

		if (!d)
			return -EINVAL;
		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | (d - digits));
	}
	return 0;
}

static size_t digits(struct sv s)
{
	size_t n = 0;

	while (n < s.n && is_digit(s.p[n]))
		n++;
	return n;
}

static uint64_t duration_unit(struct sv s)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", NSEC_PER_MSEC },
		{ "s", NSEC_PER_SEC },
		{ "m", 60 * NSEC_PER_SEC },
		{ "h", 3600 * NSEC_PER_SEC },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (sv_eq(s, sv_of(units[i].name)))
			return units[i].ns;
	return 0;
}

int num_duration(struct sv s, uint64_t *ret_ns)
{
	struct sv whole = { s.p, digits(s) }, part = { s.p, 0 };
	struct sv rest = { s.p + whole.n, s.n - whole.n };
	uint64_t v, unit;
	int err;

	if (rest.n > 0 && rest.p[0] == '.') {
		part = (struct sv){ rest.p + 1, digits((struct sv){ rest.p + 1, rest.n - 1 }) };
		if (part.n == 0)
			return -EINVAL;
		rest = (struct sv){ part.p + part.n, rest.n - 1 - part.n };
	}
	unit = duration_unit(rest);
	if (unit == 0)
		return -EINVAL;
	err = num_u64(whole, &v);
	if (err)
		return err;
	if (__builtin_mul_overflow(v, unit, &v))
		return -ERANGE;
	for (size_t i = 0; i < part.n && unit > 0; i++) {
		unit /= 10;
		if (__builtin_add_overflow(v, unit * (uint64_t)(part.p[i] - '0'), &v))
			return -ERANGE;
	}
	*ret_ns = v;
	return 0;
}

static unsigned int size_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return 0;
	}
}

int num_size(struct sv s, uint64_t *ret_bytes)
{
	unsigned int shift = s.n > 0 ? size_shift(s.p[s.n - 1]) : 0;
	uint64_t v;
	int err;

	if (shift)
		s.n--;
	err = num_u64(s, &v);
	if (err)
		return err;
	if (v > UINT64_MAX >> shift)
		return -ERANGE;
	*ret_bytes = v << shift;
	return 0;
}

/* Three digits of @v in @unit, rounded down: a duration is never shown as longer than it was. */
static void show_digits(char ret_s[16], uint64_t v, uint64_t unit, const char *name)
{
	unsigned int whole = (unsigned int)(v / unit % 1000);
	unsigned int part = (unsigned int)(v % unit * 100 / unit);

	if (whole < 10)
		snprintf(ret_s, 16, "%u.%02u%s", whole, part, name);
	else if (whole < 100)
		snprintf(ret_s, 16, "%u.%u%s", whole, part / 10, name);
	else
		snprintf(ret_s, 16, "%u%s", whole, name);
}

void num_show_ns(uint64_t ns, char ret_s[16])
{
	uint64_t sec = ns / NSEC_PER_SEC;
	unsigned int s = (unsigned int)(sec % 60), m = (unsigned int)(sec / 60 % 60);

	if (ns < 1000)
		snprintf(ret_s, 16, "%uns", (unsigned int)ns);
	else if (ns < NSEC_PER_MSEC)
		show_digits(ret_s, ns, 1000, "us");
	else if (ns < NSEC_PER_SEC)
		show_digits(ret_s, ns, NSEC_PER_MSEC, "ms");
	else if (sec < 60)
		show_digits(ret_s, ns, NSEC_PER_SEC, "s");
	else if (sec < 3600)
		snprintf(ret_s, 16, "%um%02us", m, s);
	else if (sec < 1000 * 3600)
		snprintf(ret_s, 16, "%uh%02um", (unsigned int)(sec / 3600), m);
	else
		snprintf(ret_s, 16, "%ud", (unsigned int)(sec / 86400));
}

void num_show_bytes(uint64_t bytes, char ret_s[16])
{
	static const char units[] = "KMGTPE";
	unsigned int i = 0;
	uint64_t tenths; /* of the unit, rounded to nearest */

	if (bytes < 1024) {
		snprintf(ret_s, 16, "%uB", (unsigned int)bytes);
		return;
	}
	/* Up to a unit where the rounded figure stays below 1024. */
	while (i < 5 && (bytes >> (10 * i)) >= 1024 * 1024 - 512)
		i++;
	bytes >>= 10 * i;
	tenths = (bytes * 10 + 512) / 1024;
	if (tenths < 100)
		snprintf(ret_s, 16, "%u.%u%c", (unsigned int)(tenths / 10),
			 (unsigned int)(tenths % 10), units[i]);
	else
		snprintf(ret_s, 16, "%u%c", (unsigned int)((bytes + 512) / 1024), units[i]);
}
