/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 out of hostile bytes, and which characters may not be shown as they are. */
#ifndef MCPVIGIL_BASE_UTF8_H
#define MCPVIGIL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sv.h"

#define UTF8_INVALID UINT32_MAX

/* The character at the front of @s, which is not empty; returns its length in bytes. Where the bytes
 * are no UTF-8, *ret_cp is UTF8_INVALID and the length is that of the maximal ill-formed part (Unicode
 * 3.9, "U+FFFD substitution of maximal subparts"), 1 to 3. */
size_t utf8_next(struct sv s, uint32_t *ret_cp);
/* true for C0 and C1 controls, DEL, bidirectional controls (U+200E/F, U+061C, U+202A..E, U+2066..9)
 * and line separators (U+2028/9). */
bool utf8_control(uint32_t cp);
/* Characters of @s, which is valid UTF-8. */
size_t utf8_count(struct sv s);

#endif
