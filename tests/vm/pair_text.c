/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers, growing bytes, and text that is hard on a scanner. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

static uint64_t state = 88172645463325252ull;

uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

void rnd_seed(uint64_t seed)
{
	state = (seed + 1) * 0x9e3779b97f4a7c15ull;
	if (!state)
		state = 1;
	rnd();
	rnd();
}

size_t rnd_size(size_t max)
{
	unsigned int bits = 1;
	size_t n;

	while (bits < 63 && (1ull << bits) <= max)
		bits++;
	n = 1ull << rnd() % bits;
	n += rnd() % n;
	return n > max ? max : n;
}

bool one_in(unsigned int n)
{
	return rnd() % n == 0;
}

static void text_room(struct text *t, size_t n)
{
	if (t->n + n <= t->cap)
		return;
	t->cap = (t->n + n) * 2 + 256;
	t->p = realloc(t->p, t->cap);
	if (!t->p)
		die("memory");
}

void text_add(struct text *t, const char *p, size_t n)
{
	text_room(t, n + 1);
	if (n)
		memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = 0;
}

void text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_fmt(struct text *t, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_str(t, line);
}

void text_filler(struct text *t, size_t n)
{
	static const char *const odd[] = {
		"\\\"id\\\":99,",
		"\\\\",
		"\\\\\\\"",
		"\\n",
		"\\u00e9",
		"\\ud83d\\ude00",
		"}",
		"{",
		"]}",
		"[{",
		"\xc3\xa9",
		"\xe6\xbc\xa2\xe5\xad\x97",
		"\xf0\x9f\x98\x80",
		"\\\"method\\\":\\\"ping\\\"",
		"\\\"}}",
		"\\/",
		"\\t",
		"data: {",
		"HTTP/1.1 200 OK",
		" ",
	};
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,";
	size_t end = t->n + n, run;
	uint64_t r;

	text_room(t, n + 128);
	while (t->n < end) {
		r = rnd();
		run = 1 + r % 60;
		for (; run && t->n < end; run--, r = r >> 3 | r << 61)
			t->p[t->n++] = plain[r % (sizeof(plain) - 1)];
		text_str(t, odd[rnd() % (sizeof(odd) / sizeof(*odd))]);
	}
}

/* FNV-1a, over words of eight: enough to tell that every byte came across, in order. */
uint64_t text_sum(const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325ull, w;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * 0x100000001b3ull;
		h ^= h >> 29;
	}
	while (n--)
		h = (h ^ (unsigned char)*p++) * 0x100000001b3ull;
	return h;
}
