/* SPDX-License-Identifier: Apache-2.0 */
/* SimHash. Sixty-four counters are kept as bytes, eight to a word, and spilled before they overflow: a feature costs
 * eight shifts and additions. */
#include "proto/simhash.h"

#define FNV_OFFSET 0xcbf29ce484222325ULL
#define FNV_PRIME  0x100000001b3ULL
#define LOW_BITS   (~0ULL / 255)

/* A token's byte in lower case; 0: it ends a token. */
static const uint8_t word[256] = {
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7',
	['8'] = '8', ['9'] = '9', ['_'] = '_', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e',
	['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm',
	['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u',
	['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c',
	['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k',
	['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's',
	['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
};

static inline uint64_t fnv(uint64_t h, uint8_t c)
{
	return (h ^ c) * FNV_PRIME;
}

static void spill(struct simhash *s)
{
	for (unsigned int i = 0; i < 8; i++)
		for (unsigned int k = 0; k < 8; k++)
			s->ones[8 * k + i] += s->bytes[i] >> (8 * k) & 255;
	memset(s->bytes, 0, sizeof(s->bytes));
	s->pending = 0;
}

static void feature(struct simhash *s, uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	for (unsigned int i = 0; i < 8; i++)
		s->bytes[i] += h >> i & LOW_BITS;
	s->n++;
	if (++s->pending == 255)
		spill(s);
}

void simhash_init(struct simhash *s)
{
	*s = (struct simhash){ 0 };
}

void simhash_add(struct simhash *s, struct sv text)
{
	const uint8_t *p = (const uint8_t *)text.p, *e = p + text.n;

	while (p != e) {
		uint64_t token, pair;
		uint8_t c = word[*p];

		if (!c) {
			simhash_break(s);
			for (p++; p != e && !word[*p]; p++)
				;
			continue;
		}
		token = s->in_token ? s->token : FNV_OFFSET;
		pair = s->in_token ? s->pair : fnv(s->last, ' ');
		for (; p != e && word[*p]; p++) {
			token = fnv(token, word[*p]);
			pair = fnv(pair, word[*p]);
		}
		s->token = token;
		s->pair = pair;
		s->in_token = true;
	}
}

void simhash_break(struct simhash *s)
{
	if (!s->in_token)
		return;
	feature(s, s->token);
	if (s->has_last)
		feature(s, s->pair);
	s->last = s->token;
	s->has_last = true;
	s->in_token = false;
}

void simhash_part(struct simhash *s)
{
	simhash_break(s);
	s->has_last = false;
}

uint64_t simhash_get(struct simhash *s)
{
	uint64_t bits = 0;

	simhash_break(s);
	spill(s);
	for (unsigned int b = 0; b < 64; b++)
		bits |= (uint64_t)(2 * (uint64_t)s->ones[b] > s->n) << b;
	return bits;
}
