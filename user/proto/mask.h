/* SPDX-License-Identifier: Apache-2.0 */
/* Masking of what changes though nothing happened: the bytes of a text without its ids, times and durations.
 *
 * From left to right, the leftmost match first, at one place in this order; each becomes one letter:
 *
 * 	R  the string value of a key request_id or requestid (any case, quotes plain or with backslashes before
 * 	   them) in text that is JSON itself, up to the next quote; key and quotes stay
 * 	U  a UUID: hex 8-4-4-4-12 with a decimal digit in it
 * 	T  YYYY-MM-DD, 'T' or a space, HH:MM, perhaps :SS and .digits (12), perhaps Z or +HH:MM or +HHMM
 * 	D  whole words: a number (18 digits, perhaps . and 18 more), at most one space, ms milliseconds seconds secs s
 * 	E  a whole word of 10 or 13 digits that begins with 15 to 19, perhaps . and digits (12)
 * 	H  a whole word of 16 or more hex digits, one of them decimal and that after at most MASK_LETTERS letters;
 * 	   from that one on MASK_LONG hex digits are enough, whatever follows
 *
 * Words are of [A-Za-z0-9_]. What a byte becomes depends on MASK_BEHIND bytes before it and MASK_AHEAD behind
 * it, so that the text may come in any pieces; linear time. */
#ifndef MCPVIGIL_PROTO_MASK_H
#define MCPVIGIL_PROTO_MASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

#define MASK_LETTERS 64
#define MASK_LONG    128
#define MASK_BEHIND  96
#define MASK_AHEAD   160
#define MASK_KEPT    (MASK_BEHIND + MASK_AHEAD) /* bytes that mask_run may leave, at most */

struct mask {
	char before;	/* the byte before the next piece */
	uint8_t inside; /* a value or a hex word of which the letter was written */
};

/* A new text. */
void mask_init(struct mask *m);

struct mask_out {
	void (*put)(void *ctx, const char *p, size_t n);
	void *ctx;
};

/* Take the next piece: what earlier calls left, and what is new. Returns how much of it was taken; with @last all. */
size_t mask_run(struct mask *m, struct sv in, bool last, const struct mask_out *out);
/* Something in @text, whole, may be masked: a quick look. */
bool mask_any(struct sv text);
/* @key is one whose value is masked whole. */
bool mask_key(struct sv key);

#endif
