/* SPDX-License-Identifier: Apache-2.0 */
/* JSON numbers by value: 1, 1.0 and 10e-1 are one. Exact, no floating point. */
#ifndef MCPVIGIL_PROTO_DECIMAL_H
#define MCPVIGIL_PROTO_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

#define DECIMAL_TEXT 64 /* longest text that is understood */

/* digits * 10^exp, without zeros at either end of the digits; 0 has no digits and is not negative. */
struct decimal {
	bool neg;
	uint8_t n;
	int64_t exp;
	char digits[DECIMAL_TEXT];
};

/* @text is a number in JSON's grammar; false where it is longer than DECIMAL_TEXT or its exponent than 15 digits. */
bool decimal_of(struct sv text, struct decimal *ret);
/* Its value, where that is an integer of at most 15 digits. */
bool decimal_int(const struct decimal *d, int64_t *ret_v);
static inline bool decimal_whole(const struct decimal *d)
{
	return d->exp >= 0;
}
/* One text for equal values, for hashing; its length, at most DECIMAL_CANON. */
#define DECIMAL_CANON (DECIMAL_TEXT + 24)
size_t decimal_canon(const struct decimal *d, char ret_text[DECIMAL_CANON]);

#endif
