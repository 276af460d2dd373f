/* SPDX-License-Identifier: Apache-2.0 */
/* JSON writer, and its sister for terminals. */
#include "base/jsonw.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"

void jsonw_init(struct jsonw *w, struct buf *out)
{
	*w = (struct jsonw){ .out = out };
}

static void put(struct jsonw *w, const char *p, size_t n)
{
	/* Nothing after the first refusal: a shorter piece must not slip in behind a hole. */
	if (!w->bad && buf_add(w->out, p, n) != 0)
		w->bad = true;
}

static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One character that is not plain. @inside: within quotes; else @s is JSON text, whose quotes and
 * backslashes have their meaning and whose controls can only be white space. */
static size_t put_special(struct jsonw *w, struct sv s, bool inside)
{
	char esc[8];
	uint32_t cp;
	size_t len = utf8_next(s, &cp);

	if (cp == UTF8_INVALID) {
		put(w, "\xef\xbf\xbd", 3);
	} else if (!inside && cp < 0x20) {
		put(w, " ", 1);
	} else if (utf8_control(cp)) {
		snprintf(esc, sizeof(esc), "\\u%04x", (unsigned int)(cp & 0xffff));
		put(w, esc, 6);
	} else {
		if (inside && (cp == '"' || cp == '\\'))
			put(w, "\\", 1);
		put(w, s.p, len);
	}
	return len;
}

static void put_harmless(struct jsonw *w, struct sv s, bool inside)
{
	while (s.n > 0 && !w->bad) {
		size_t run = 0;

		while (run < s.n && plain((unsigned char)s.p[run]))
			run++;
		put(w, s.p, run);
		s.p += run;
		s.n -= run;
		if (s.n > 0) {
			run = put_special(w, s, inside);
			s.p += run;
			s.n -= run;
		}
	}
}

static void put_quoted(struct jsonw *w, struct sv s)
{
	put(w, "\"", 1);
	put_harmless(w, s, true);
	put(w, "\"", 1);
}

/* Comma and key in front of a value; @key.p is NULL where there is none. */
static void begin(struct jsonw *w, struct sv key)
{
	if (w->depth > 0 && w->depth <= JSONW_DEPTH) {
		if (w->comma[w->depth - 1])
			put(w, ",", 1);
		w->comma[w->depth - 1] = true;
	}
	if (key.p) {
		put_quoted(w, key);
		put(w, ":", 1);
	}
}

void jsonw_open(struct jsonw *w, const char *key, char bracket)
{
	begin(w, sv_of(key));
	if (w->depth >= JSONW_DEPTH)
		w->bad = true;
	put(w, &bracket, 1);
	w->depth++;
	if (w->depth <= JSONW_DEPTH)
		w->comma[w->depth - 1] = false;
}

void jsonw_close(struct jsonw *w, char bracket)
{
	if (w->depth == 0) {
		w->bad = true;
		return;
	}
	w->depth--;
	put(w, &bracket, 1);
}

void jsonw_str(struct jsonw *w, const char *key, struct sv s)
{
	begin(w, sv_of(key));
	put_quoted(w, s);
}

void jsonw_cstr(struct jsonw *w, const char *key, const char *s)
{
	jsonw_str(w, key, sv_of(s));
}

static void put_u64(struct jsonw *w, uint64_t v)
{
	char s[24];
	int n = snprintf(s, sizeof(s), "%" PRIu64, v);

	put(w, s, (size_t)n);
}

void jsonw_u64(struct jsonw *w, const char *key, uint64_t v)
{
	begin(w, sv_of(key));
	put_u64(w, v);
}

void jsonw_i64(struct jsonw *w, const char *key, int64_t v)
{
	char s[24];
	int n = snprintf(s, sizeof(s), "%" PRId64, v);

	begin(w, sv_of(key));
	put(w, s, (size_t)n);
}

void jsonw_bool(struct jsonw *w, const char *key, bool v)
{
	begin(w, sv_of(key));
	put(w, v ? "true" : "false", v ? 4 : 5);
}

/* A value from the wire may be pretty-printed, and may hold raw what we would have escaped: a newline
 * would break the line the record is on. Its meaning stays the same. */
void jsonw_raw(struct jsonw *w, const char *key, struct sv json)
{
	begin(w, sv_of(key));
	put_harmless(w, json, false);
}

void jsonw_key_u64(struct jsonw *w, struct sv key, uint64_t v)
{
	begin(w, key.p ? key : SV(""));
	put_u64(w, v);
}

/* What to print for the character at the front of @s, as a NUL-terminated text of at most 12 columns.
 * Returns the bytes taken. */
static size_t show(struct sv s, char ret_text[16], size_t *ret_cols)
{
	uint32_t cp;
	size_t len = utf8_next(s, &cp);

	if (cp == UTF8_INVALID || (cp < 0x80 && utf8_control(cp))) {
		len = 1; /* ill-formed bytes are shown one by one */
		snprintf(ret_text, 16, "\\x%02x", (unsigned char)s.p[0]);
		*ret_cols = 4;
	} else if (utf8_control(cp)) {
		*ret_cols = (size_t)snprintf(ret_text, 16, "\\u{%x}", (unsigned int)cp);
	} else {
		memcpy(ret_text, s.p, len);
		ret_text[len] = '\0';
		*ret_cols = 1;
	}
	return len;
}

int text_safe(struct buf *out, struct sv s, size_t max_cols)
{
	char text[16];
	size_t cols, used = 0, len;
	int err;

	while (s.n > 0) {
		len = show(s, text, &cols);
		if (cols > max_cols - used)
			return buf_add_str(out, "...");
		err = buf_add_str(out, text);
		if (err)
			return err;
		used += cols;
		s.p += len;
		s.n -= len;
	}
	return 0;
}
