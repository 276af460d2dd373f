/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from the wire, made fit to stand inside a record.
 *
 * The scanner has checked the text, and jsonw_raw makes it harmless. What is left is a text whose end
 * was not kept: put in as it is, it would take the rest of the record with it. */
#include "sink/content.h"

#include <stdio.h>

#define CONTENT_DEPTH 256 /* the scanner stops at 128 */

/* Offset behind the string that begins at @i; past the end where it does not end. */
static size_t string_end(struct sv s, size_t i)
{
	for (i++; i < s.n && s.p[i] != '"'; i++) {
		if (s.p[i] == '\\')
			i++;
	}
	return i + 1;
}

bool content_is_whole(struct sv s)
{
	char closer[CONTENT_DEPTH];
	unsigned int depth = 0;
	size_t i = 0;

	while (i < s.n) {
		char ch = s.p[i];

		if (ch == '"') {
			i = string_end(s, i);
			continue;
		}
		if (ch == '{' || ch == '[') {
			if (depth == CONTENT_DEPTH)
				return false;
			closer[depth++] = ch == '{' ? '}' : ']';
		} else if ((ch == '}' || ch == ']') && (!depth || closer[--depth] != ch)) {
			return false;
		}
		i++;
	}
	return !depth && s.n && i == s.n;
}

void content_add(struct jsonw *w, const char *key, struct sv raw)
{
	char cut_key[32];

	if (content_is_whole(raw)) {
		jsonw_raw(w, key, raw);
		return;
	}
	snprintf(cut_key, sizeof(cut_key), "%s_cut", key);
	jsonw_str(w, cut_key, raw);
}

static size_t digits(struct sv s, size_t i)
{
	size_t from = i;

	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i - from;
}

bool content_is_number(struct sv s)
{
	size_t i = s.n && s.p[0] == '-', n = digits(s, i);

	if (!n || (n > 1 && s.p[i] == '0'))
		return false;
	i += n;
	if (i < s.n && s.p[i] == '.') {
		n = digits(s, ++i);
		if (!n)
			return false;
		i += n;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
			i++;
		n = digits(s, i);
		if (!n)
			return false;
		i += n;
	}
	return i == s.n;
}
