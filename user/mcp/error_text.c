/* SPDX-License-Identifier: Apache-2.0 */
/* Error texts: first whether it is one, by how it begins and by marks of protocol errors in it; then of what kind, by
 * words that many servers use. Each test is one pass over at most 512 bytes with a fixed list of words. */
#include "mcp/error_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TEXT_MAX  512
#define MARKS_MAX 400 /* marks of protocol errors are looked for in these */
#define START_MAX 200 /* non-word characters before the first word, at most */
#define LEVELS	  3   /* envelopes in envelopes */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

static struct sv from(struct sv s, size_t at)
{
	return at < s.n ? (struct sv){ s.p + at, s.n - at } : (struct sv){ s.p + s.n, 0 };
}

/* Offset of @needle in @s, or s.n. Both lower-case. */
static size_t find(struct sv s, struct sv needle)
{
	const char *hit = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;

	return hit ? (size_t)(hit - s.p) : s.n;
}

static bool has(struct sv s, struct sv needle)
{
	return find(s, needle) < s.n;
}

/* Lower-case, and escaped quotes as plain ones: envelopes within strings read like envelopes. */
static struct sv folded(struct sv s, char room[TEXT_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && i < TEXT_MAX; i++) {
		char c = s.p[i];

		if (c == '\\' && i + 1 < s.n && (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
			continue;
		room[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return (struct sv){ room, n };
}

static struct sv skip_space(struct sv s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t' || *s.p == '\n' || *s.p == '\r'))
		s = from(s, 1);
	return s;
}

/* What follows "key": in @s; nothing where the key is not there. */
static struct sv value_of(struct sv s, struct sv quoted_key)
{
	struct sv rest = from(s, find(s, quoted_key));

	while (rest.n) {
		rest = skip_space(from(rest, quoted_key.n));
		if (rest.n && *rest.p == ':')
			return skip_space(from(rest, 1));
		rest = from(rest, find(rest, quoted_key));
	}
	return rest;
}

/* The text in an envelope: {"text":"...}, {"content":[{"text":"...}]}, [{"text":"...}]. */
static struct sv unwrapped(struct sv s)
{
	for (int level = 0; level < LEVELS; level++) {
		struct sv inner;

		s = skip_space(s);
		if (!s.n || (*s.p != '{' && *s.p != '['))
			return s;
		inner = value_of(s, SV("\"text\""));
		if (!inner.n || *inner.p != '"')
			return s;
		s = from(inner, 1);
	}
	return s;
}

/* @word at the start of @s, and no longer word there. */
static bool starts_word(struct sv s, struct sv word)
{
	return sv_starts(s, word) && (s.n == word.n || !is_word(s.p[word.n]));
}

static bool starts_any(struct sv s, const struct sv *list, bool whole)
{
	for (; list->p; list++)
		if (whole ? starts_word(s, *list) : sv_starts(s, *list))
			return true;
	return false;
}

/* "timeout" alone is a setting; it is an error with one of these behind it. */
static bool starts_timeout(struct sv s)
{
	if (sv_starts(s, SV("timed out")))
		return true;
	if (!starts_word(s, SV("timeout")))
		return false;
	s = from(s, strlen("timeout"));
	if (s.n && *s.p == ':')
		return true;
	s = skip_space(s);
	return starts_word(s, SV("error")) || starts_word(s, SV("exceeded")) ||
	       starts_word(s, SV("expired")) || starts_word(s, SV("after"));
}

/* "Tool xyz not found". */
static bool starts_tool_not_found(struct sv s)
{
	if (!starts_word(s, SV("tool")))
		return false;
	if (s.n > 100)
		s.n = 100;
	return has(s, SV("not found"));
}

static bool is_http_error(struct sv value)
{
	return value.n >= 3 && (value.p[0] == '4' || value.p[0] == '5') && value.p[1] >= '0' &&
	       value.p[1] <= '9' && value.p[2] >= '0' && value.p[2] <= '9' &&
	       (value.n == 3 || value.p[3] < '0' || value.p[3] > '9');
}

/* "503 Service Unavailable", "HTTP 429: too many requests"; a number alone may count anything. */
static bool starts_http_error(struct sv s)
{
	static const struct sv reasons[] = { SV("too many requests"), SV("service unavailable"), SV("not found"),
					     SV("internal server error"), SV("bad gateway"), SV("gateway time"),
					     SV("bad request"), SV("unauthorized"), SV("forbidden"), { 0 } };

	if (starts_word(s, SV("http"))) {
		s = from(s, strlen("http"));
		if (s.n && *s.p == '/' && find(s, SV(" ")) < s.n) /* the version */
			s = from(s, find(s, SV(" ")));
		while (s.n && !is_word(*s.p))
			s = from(s, 1);
	}
	if (!is_http_error(s))
		return false;
	s = from(s, 3);
	while (s.n && !is_word(*s.p))
		s = from(s, 1);
	return starts_any(s, reasons, false);
}

static bool starts_as_error(struct sv s)
{
	static const struct sv prefixes[] = { SV("error"), SV("exception"), SV("traceback"), SV("mcp error"),
					      SV("unauthorized"), SV("invalid"), SV("not found"), SV("bad request"),
					      SV("forbidden"), SV("cannot"), SV("unable to"), SV("malformed"),
					      SV("iserror\": true"), SV("iserror: true"), SV("bash:"), { 0 } };
	static const struct sv words[] = { SV("fail"), SV("failed"), SV("failure"), { 0 } };
	size_t skipped = 0;

	while (skipped < START_MAX && skipped < s.n && !is_word(s.p[skipped]))
		skipped++;
	s = from(s, skipped);
	return starts_any(s, prefixes, false) || starts_any(s, words, true) || starts_timeout(s) ||
	       starts_tool_not_found(s) || starts_http_error(s);
}

static bool has_marks(struct sv s)
{
	static const struct sv marks[] = { SV("mcp error -"), SV("error running tool"), SV("error calling tool"),
					   SV("error executing tool"), SV("an error occurred while running the tool"),
					   SV("validation_error"), SV("command not found"),
					   SV("no such file or directory"), { 0 } };

	if (s.n > MARKS_MAX)
		s.n = MARKS_MAX;
	for (const struct sv *m = marks; m->p; m++)
		if (has(s, *m))
			return true;
	return sv_starts(value_of(s, SV("\"iserror\"")), SV("true")) ||
	       sv_starts(value_of(s, SV("\"object\"")), SV("\"error\"")) ||
	       is_http_error(value_of(s, SV("\"status\"")));
}

/* Whole numbers only: "port 4290" is no 429. */
static bool has_number(struct sv s, struct sv number)
{
	size_t end = 0;

	for (size_t at = find(s, number); at < s.n; at = end + find(from(s, end), number)) {
		end = at + number.n;
		if ((!at || !is_word(s.p[at - 1])) && (end == s.n || !is_word(s.p[end])))
			return true;
	}
	return false;
}

static enum error_class kind_of(struct sv s)
{
	/* The first that is found decides; from the most telling words to the least. */
	static const struct {
		struct sv word;
		enum error_class class;
		bool number;
	} kinds[] = {
		{ SV("rate limit"), ERROR_RATE_LIMIT, false },
		{ SV("rate-limit"), ERROR_RATE_LIMIT, false },
		{ SV("ratelimit"), ERROR_RATE_LIMIT, false },
		{ SV("too many requests"), ERROR_RATE_LIMIT, false },
		{ SV("quota"), ERROR_RATE_LIMIT, false },
		{ SV("429"), ERROR_RATE_LIMIT, true },
		{ SV("timed out"), ERROR_TIMEOUT, false },
		{ SV("timeout"), ERROR_TIMEOUT, false },
		{ SV("deadline exceeded"), ERROR_TIMEOUT, false },
		{ SV("504"), ERROR_TIMEOUT, true },
		{ SV("connection refused"), ERROR_UNAVAILABLE, false },
		{ SV("econnrefused"), ERROR_UNAVAILABLE, false },
		{ SV("econnreset"), ERROR_UNAVAILABLE, false },
		{ SV("connection reset"), ERROR_UNAVAILABLE, false },
		{ SV("connection closed"), ERROR_UNAVAILABLE, false },
		{ SV("socket hang up"), ERROR_UNAVAILABLE, false },
		{ SV("unavailable"), ERROR_UNAVAILABLE, false },
		{ SV("bad gateway"), ERROR_UNAVAILABLE, false },
		{ SV("overloaded"), ERROR_UNAVAILABLE, false },
		{ SV("502"), ERROR_UNAVAILABLE, true },
		{ SV("503"), ERROR_UNAVAILABLE, true },
		{ SV("unauthorized"), ERROR_AUTH, false },
		{ SV("forbidden"), ERROR_AUTH, false },
		{ SV("permission denied"), ERROR_AUTH, false },
		{ SV("access denied"), ERROR_AUTH, false },
		{ SV("authentication"), ERROR_AUTH, false },
		{ SV("invalid token"), ERROR_AUTH, false },
		{ SV("api key"), ERROR_AUTH, false },
		{ SV("401"), ERROR_AUTH, true },
		{ SV("403"), ERROR_AUTH, true },
		{ SV("validation"), ERROR_VALIDATION, false },
		{ SV("not found"), ERROR_NOT_FOUND, false },
		{ SV("no such"), ERROR_NOT_FOUND, false },
		{ SV("does not exist"), ERROR_NOT_FOUND, false },
		{ SV("enoent"), ERROR_NOT_FOUND, false },
		{ SV("404"), ERROR_NOT_FOUND, true },
		{ SV("invalid"), ERROR_VALIDATION, false },
		{ SV("required"), ERROR_VALIDATION, false },
		{ SV("missing"), ERROR_VALIDATION, false },
		{ SV("bad request"), ERROR_VALIDATION, false },
		{ SV("malformed"), ERROR_VALIDATION, false },
		{ SV("-32602"), ERROR_VALIDATION, false },
		{ SV("400"), ERROR_VALIDATION, true },
		{ SV("422"), ERROR_VALIDATION, true },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].number ? has_number(s, kinds[i].word) : has(s, kinds[i].word))
			return kinds[i].class;
	return ERROR_OTHER;
}

enum error_class error_kind(struct sv text)
{
	char room[TEXT_MAX];

	return kind_of(folded(text, room));
}

enum error_class error_text(struct sv text)
{
	char room[TEXT_MAX];
	struct sv s = folded(text, room);

	if (!starts_as_error(unwrapped(s)) && !has_marks(s))
		return ERROR_NONE;
	return kind_of(s);
}
