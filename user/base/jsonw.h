/* SPDX-License-Identifier: Apache-2.0 */
/* JSON writer into a struct buf. Every string from the wire is made harmless here, and only here:
 * invalid UTF-8 becomes U+FFFD; C0 and C1 controls, DEL, bidirectional controls (U+200E/F, U+061C,
 * U+202A..E, U+2066..9) and line separators (U+2028/9) are written as \u escapes. */
#ifndef MCPVIGIL_BASE_JSONW_H
#define MCPVIGIL_BASE_JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sv.h"

#define JSONW_DEPTH 32

struct jsonw {
	struct buf *out;
	unsigned int depth;
	bool comma[JSONW_DEPTH];
	bool bad; /* nested too deep, or the buffer is full: the text is incomplete */
};

void jsonw_init(struct jsonw *w, struct buf *out);
/* @key is NULL inside arrays and at the top. */
void jsonw_open(struct jsonw *w, const char *key, char bracket); /* '{' or '[' */
void jsonw_close(struct jsonw *w, char bracket);		  /* '}' or ']' */
void jsonw_str(struct jsonw *w, const char *key, struct sv s);
void jsonw_cstr(struct jsonw *w, const char *key, const char *s);
void jsonw_u64(struct jsonw *w, const char *key, uint64_t v);
void jsonw_i64(struct jsonw *w, const char *key, int64_t v);
void jsonw_bool(struct jsonw *w, const char *key, bool v);
/* Text that is JSON already (a number as sent, a checked value). */
void jsonw_raw(struct jsonw *w, const char *key, struct sv json);
/* As above with a key that came from the wire or was made at run time. */
void jsonw_key_u64(struct jsonw *w, struct sv key, uint64_t v);

/* Append @s for a terminal: the same characters made harmless, shown as \xNN or \u{N}; backslash
 * stays. At most @max_cols characters, then "...". */
int text_safe(struct buf *out, struct sv s, size_t max_cols);

#endif
