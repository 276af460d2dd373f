/* SPDX-License-Identifier: Apache-2.0 */
/* First bytes -> protocol. Each rule says yes, no, or not yet; the first yes wins. */
#include "proto/sniff.h"

#include <stdint.h>

#define SPACE_MAX 64 /* white space before the first byte that counts */
/* A request target this long needs no line end to be believed. */
#define LINE_MAX_SEEN (SNIFF_MAX - SPACE_MAX - 16)

enum rule { RULE_NO, RULE_MAYBE, RULE_YES };

static enum rule starts(struct sv in, struct sv lit)
{
	size_t n = in.n < lit.n ? in.n : lit.n;

	if (memcmp(in.p, lit.p, n) != 0)
		return RULE_NO;
	return in.n < lit.n ? RULE_MAYBE : RULE_YES;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 8446 5.1: content type 20..23, version 3.0..3.4, length at most 2^14 + 2048. */
static enum rule rule_tls(struct sv in)
{
	const uint8_t *b = (const uint8_t *)in.p;

	if (b[0] < 20 || b[0] > 23 || (in.n > 1 && b[1] != 3) || (in.n > 2 && b[2] > 4))
		return RULE_NO;
	if (in.n < 5)
		return RULE_MAYBE;
	return b[3] * 256u + b[4] > 0 && b[3] * 256u + b[4] <= 16384 + 2048 ? RULE_YES : RULE_NO;
}

/* RFC 9113 3.4: a server's first frame is SETTINGS on stream 0, not an acknowledgement. */
static enum rule rule_settings(struct sv in)
{
	static const uint8_t tail[] = { 0x04, 0, 0, 0, 0, 0 };
	const uint8_t *b = (const uint8_t *)in.p;

	for (size_t i = 0; i < in.n && i < 9; i++)
		if ((i == 0 && b[i] != 0) || (i >= 3 && b[i] != tail[i - 3]))
			return RULE_NO;
	if (in.n < 9)
		return RULE_MAYBE;
	return (b[1] * 256u + b[2]) % 6 == 0 ? RULE_YES : RULE_NO;
}

static enum rule rule_preface(struct sv in)
{
	return starts(in, SV("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
}

static enum rule rule_response(struct sv in)
{
	enum rule r = starts(in, SV("HTTP/1."));

	if (r != RULE_YES)
		return r;
	for (size_t i = 7; i < in.n && i < 12; i++)
		if (i == 8 ? in.p[i] != ' ' : !is_digit(in.p[i]))
			return RULE_NO;
	return in.n < 12 ? RULE_MAYBE : RULE_YES;
}

/* The whole line has to be there: "GET /etc ..." may be a banner. */
static enum rule request_line(struct sv in, bool connect)
{
	const char *lf;
	struct sv line;

	if (in.n == 0)
		return RULE_MAYBE;
	if (!connect && in.p[0] != '/' && in.p[0] != 'h' && in.p[0] != 'H' && in.p[0] != '*')
		return RULE_NO;
	if (in.n > LINE_MAX_SEEN)
		in.n = LINE_MAX_SEEN;
	lf = memchr(in.p, '\n', in.n);
	if (!lf)
		return in.n < LINE_MAX_SEEN ? RULE_MAYBE : RULE_YES;
	line = (struct sv){ in.p, (size_t)(lf - in.p) };
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n < 9 || !is_digit(line.p[line.n - 1]))
		return RULE_NO;
	return memcmp(line.p + line.n - 9, " HTTP/1.", 8) == 0 ? RULE_YES : RULE_NO;
}

static enum rule rule_request(struct sv in)
{
	static const struct sv methods[] = {
		{ "POST ", 5 },	   { "GET ", 4 },   { "DELETE ", 7 },
		{ "OPTIONS ", 8 }, { "HEAD ", 5 },  { "PUT ", 4 },
		{ "CONNECT ", 8 }, { "PATCH ", 6 }, { "TRACE ", 6 },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		enum rule r = starts(in, methods[i]);

		if (r == RULE_MAYBE)
			return r;
		if (r == RULE_YES)
			return request_line((struct sv){ in.p + methods[i].n, in.n - methods[i].n },
					    methods[i].p[0] == 'C');
	}
	return RULE_NO;
}

/* LSP 3.17 base protocol: header fields first, "Content-Length" required, "Content-Type"
 * optional. */
static enum rule rule_lsp(struct sv in)
{
	struct sv name = SV("content-length:");
	size_t i, digits = 0;

	for (i = 0; i < name.n; i++) {
		if (i == in.n)
			return RULE_MAYBE;
		if ((in.p[i] >= 'A' && in.p[i] <= 'Z' ? in.p[i] + 32 : in.p[i]) != name.p[i])
			return RULE_NO;
	}
	while (i < in.n && in.p[i] == ' ')
		i++;
	for (; i < in.n && is_digit(in.p[i]); i++)
		digits++;
	if (i == in.n)
		return i < SPACE_MAX ? RULE_MAYBE : RULE_NO;
	return digits && (in.p[i] == '\r' || in.p[i] == '\n') ? RULE_YES : RULE_NO;
}

/* Bytes that may stand before JSON or a request line (RFC 9112 2.2 wants empty lines ignored). */
static size_t leading(struct sv in)
{
	size_t i = starts(in, SV("\xef\xbb\xbf")) == RULE_YES ? 3 : 0;

	while (i < in.n && i < SPACE_MAX && strchr(" \t\r\n", in.p[i]) && in.p[i])
		i++;
	return i;
}

enum sniff sniff(struct sv in)
{
	static const struct {
		enum rule (*fn)(struct sv in);
		enum sniff is;
	} rules[] = {
		{ rule_preface, SNIFF_HTTP2 },	  { rule_response, SNIFF_HTTP_RESP },
		{ rule_request, SNIFF_HTTP_REQ }, { rule_lsp, SNIFF_LSP },
		{ rule_tls, SNIFF_TLS },	  { rule_settings, SNIFF_HTTP2 },
	};
	struct sv rest;
	bool maybe = false;

	if (in.n == 0)
		return SNIFF_MORE;
	if (starts(in, SV("\xef\xbb\xbf")) == RULE_MAYBE)
		return SNIFF_MORE;
	rest.p = in.p + leading(in);
	rest.n = in.n - leading(in);
	if (rest.n == 0)
		return in.n < SPACE_MAX ? SNIFF_MORE : SNIFF_TEXT;
	if (rest.p[0] == '{' || rest.p[0] == '[')
		return SNIFF_JSON;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		enum rule r = rules[i].fn(rest);

		if (r == RULE_YES)
			return rules[i].is;
		maybe |= r == RULE_MAYBE;
	}
	return maybe && in.n < SNIFF_MAX ? SNIFF_MORE : SNIFF_TEXT;
}
