/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a JSON object by key, for test programs that read messages and records they know to
 * be well-formed. Depth and strings are respected; nothing is decoded. */
#ifndef MCPVIGIL_TESTS_PICK_H
#define MCPVIGIL_TESTS_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pick {
	const char *p;
	size_t n;
};

/* The raw value (quotes included) of @key in the object @in; p is NULL where it has none. */
struct pick pick(struct pick in, const char *key);
/* The value as a number, 0 where there is none. */
uint64_t pick_num(struct pick in, const char *key);
/* @v is the string @s (quotes added) or the bare word @s. */
bool pick_is(struct pick v, const char *s);
/* Copy the value, a string's quotes dropped; "" where there is none, cut to @size. */
void pick_copy(struct pick v, char *dst, size_t size);

#endif
