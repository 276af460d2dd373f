/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x heads. The scan is byte-wise and refuses early what cannot be a start line, so that a
 * stream that lost its framing is noticed after a few bytes; the parse wants the whole head. */
#include "proto/http1.h"

#include <errno.h>
#include <stddef.h>

#include "base/num.h"

#define METHOD_MAX 32

enum { S_LEAD, S_LINE, S_LINE_START, S_BLANK_CR };

/* RFC 9110 5.6.2 */
static bool is_tchar(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One byte of the start line; @s->n stops counting once enough was seen. */
static bool start_ok(struct http1_scan *s, char c)
{
	static const char version[] = "HTTP/1.";

	if (s->n > METHOD_MAX)
		return true;
	if (s->response) {
		if (s->n >= sizeof(version) - 1) {
			s->n = METHOD_MAX + 1;
			return true;
		}
		return c == version[s->n++];
	}
	if (c == ' ' && s->n) {
		s->n = METHOD_MAX + 1;
		return true;
	}
	return s->n++ < METHOD_MAX && is_tchar(c);
}

ssize_t http1_scan(struct http1_scan *s, struct sv in)
{
	size_t i = 0;

	while (i < in.n) {
		char c = in.p[i];

		if (s->state == S_LEAD && c != '\r' && c != '\n')
			s->state = S_LINE;
		if (s->state == S_LINE) {
			if (!start_ok(s, c))
				return -EBADMSG;
			if (s->n > METHOD_MAX) {
				const char *lf = memchr(in.p + i, '\n', in.n - i);

				if (!lf)
					return 0;
				i = (size_t)(lf - in.p);
				s->state = S_LINE_START;
			}
		} else if (s->state != S_LEAD) {
			if (c == '\n')
				return (ssize_t)i + 1;
			if (c == '\r' && s->state == S_LINE_START)
				s->state = S_BLANK_CR;
			else
				s->state = S_LINE;
		}
		i++;
	}
	return 0;
}

/* The next line of @in without its end; false at the end. */
static bool next_line(struct sv *in, struct sv *ret_line)
{
	const char *lf = memchr(in->p, '\n', in->n);
	size_t n;

	if (!lf)
		return false;
	n = (size_t)(lf - in->p);
	*ret_line = (struct sv){ in->p, n && lf[-1] == '\r' ? n - 1 : n };
	in->p += n + 1;
	in->n -= n + 1;
	return true;
}

/* RFC 9112 5.2: a line that begins with white space goes on with the line before it. */
static void unfold(char *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (p[i] != '\n' || (p[i + 1] != ' ' && p[i + 1] != '\t'))
			continue;
		p[i] = ' ';
		if (i && p[i - 1] == '\r')
			p[i - 1] = ' ';
	}
}

static int parse_version(struct sv v, struct http1_head *h)
{
	if (v.n != 8 || memcmp(v.p, "HTTP/1.", 7) != 0 || !is_digit(v.p[7]))
		return -EBADMSG;
	h->minor = (uint8_t)(v.p[7] - '0');
	return 0;
}

static int parse_request_line(struct sv line, struct http1_head *h)
{
	const char *sp = memchr(line.p, ' ', line.n);
	struct sv rest;

	if (!sp || sp == line.p)
		return -EBADMSG;
	h->method = (struct sv){ line.p, (size_t)(sp - line.p) };
	rest = (struct sv){ sp + 1, line.n - h->method.n - 1 };
	if (rest.n < 10 || rest.p[rest.n - 9] != ' ')
		return -EBADMSG;
	h->target = sv_trim((struct sv){ rest.p, rest.n - 9 });
	return h->target.n ? parse_version((struct sv){ rest.p + rest.n - 8, 8 }, h) : -EBADMSG;
}

static int parse_status_line(struct sv line, struct http1_head *h)
{
	const char *d = line.p + 9;

	if (line.n < 12 || line.p[8] != ' ' || (line.n > 12 && line.p[12] != ' '))
		return -EBADMSG;
	if (!is_digit(d[0]) || d[0] == '0' || !is_digit(d[1]) || !is_digit(d[2]))
		return -EBADMSG;
	h->status = (uint16_t)((d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0'));
	return parse_version((struct sv){ line.p, 8 }, h);
}

/* One coding of a Transfer-Encoding list. chunked comes last and once (RFC 9112 6.1). */
static int transfer_coding(struct http1_head *h, struct sv coding)
{
	const char *semi = memchr(coding.p, ';', coding.n);

	if (semi)
		coding.n = (size_t)(semi - coding.p);
	coding = sv_trim(coding);
	if (coding.n == 0 || sv_ieq(coding, SV("identity"))) /* RFC 2616: as if it were not there */
		return 0;
	if (h->chunked)
		return -EBADMSG;
	if (sv_ieq(coding, SV("chunked")))
		h->chunked = true;
	else
		h->te_coded = true;
	h->has_te = true;
	return 0;
}

static int transfer_encoding(struct http1_head *h, struct sv v)
{
	int err = 0;

	while (v.n && !err) {
		const char *comma = memchr(v.p, ',', v.n);
		size_t n = comma ? (size_t)(comma - v.p) : v.n;

		err = transfer_coding(h, (struct sv){ v.p, n });
		n += comma != NULL;
		v.p += n;
		v.n -= n;
	}
	return err;
}

static int content_length(struct http1_head *h, struct sv v)
{
	if (h->has_length || num_u64(v, &h->length) != 0 || h->length >> 62)
		return -EBADMSG;
	h->has_length = true;
	return 0;
}

/* The fields that are kept as they are. */
struct sv *http1_field(struct http1_head *h, struct sv name)
{
	static const struct {
		struct sv name;
		size_t at;
	} fields[] = {
		{ { "host", 4 }, offsetof(struct http1_head, host) },
		{ { "content-type", 12 }, offsetof(struct http1_head, content_type) },
		{ { "content-encoding", 16 }, offsetof(struct http1_head, content_encoding) },
		{ { "mcp-session-id", 14 }, offsetof(struct http1_head, session_id) },
		{ { "mcp-protocol-version", 20 }, offsetof(struct http1_head, version) },
		{ { "mcp-method", 10 }, offsetof(struct http1_head, mcp_method) },
		{ { "last-event-id", 13 }, offsetof(struct http1_head, last_event_id) },
		{ { "user-agent", 10 }, offsetof(struct http1_head, user_agent) },
		{ { "upgrade", 7 }, offsetof(struct http1_head, upgrade) },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (sv_ieq(name, fields[i].name))
			return (struct sv *)((char *)h + fields[i].at);
	return NULL;
}

static int parse_field(struct sv line, struct http1_head *h)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct sv name, v, *to;

	if (!colon || colon == line.p)
		return -EBADMSG;
	name = (struct sv){ line.p, (size_t)(colon - line.p) };
	v = sv_trim((struct sv){ colon + 1, line.n - name.n - 1 });
	for (size_t i = 0; i < name.n; i++)
		if (!is_tchar(name.p[i]))
			return -EBADMSG;
	if (sv_ieq(name, SV("content-length")))
		return content_length(h, v);
	if (sv_ieq(name, SV("transfer-encoding")))
		return transfer_encoding(h, v);
	to = http1_field(h, name);
	if (to && to->p == NULL)
		*to = v;
	else if (to == &h->content_encoding)
		h->encodings = true;
	return 0;
}

int http1_parse(char *p, size_t n, bool response, struct http1_head *ret)
{
	struct http1_head h = { .response = response };
	struct sv in = { p, n }, line;
	int err;

	while (in.n && (in.p[0] == '\r' || in.p[0] == '\n')) {
		in.p++;
		in.n--;
	}
	unfold(p + (in.p - p), in.n);
	if (!next_line(&in, &line))
		return -EBADMSG;
	err = response ? parse_status_line(line, &h) : parse_request_line(line, &h);
	while (!err && next_line(&in, &line) && line.n)
		err = parse_field(line, &h);
	if (!err)
		*ret = h;
	return err;
}

static enum http1_framing request_framing(const struct http1_head *h)
{
	if (h->chunked)
		return HTTP1_CHUNKED;
	/* A request whose last coding is not chunked has no end (RFC 9112 6.3 item 4). */
	if (h->has_te)
		return HTTP1_TO_EOF;
	return h->has_length && h->length ? HTTP1_LENGTH : HTTP1_NO_BODY;
}

enum http1_framing http1_framing(const struct http1_head *h, struct sv req_method)
{
	if (!h->response)
		return request_framing(h);
	if (h->status == 101 || (h->status / 100 == 2 && sv_eq(req_method, SV("CONNECT"))))
		return HTTP1_TUNNEL;
	if (h->status / 100 == 1)
		return HTTP1_INTERIM;
	if (sv_eq(req_method, SV("HEAD")) || h->status == 204 || h->status == 304)
		return HTTP1_NO_BODY;
	if (h->chunked)
		return HTTP1_CHUNKED;
	if (h->has_te || !h->has_length)
		return HTTP1_TO_EOF;
	return h->length ? HTTP1_LENGTH : HTTP1_NO_BODY;
}
