/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 both ways, as the streamable transport uses it: bodies by length or in chunks
 * (extensions, trailers), answers as JSON or as an event stream, interim answers, one connection
 * kept alive. */
#include <stdlib.h>
#include <string.h>

#include "pair.h"

static void chunks(struct text *t, const char *p, size_t n)
{
	size_t k;

	for (; n; p += k, n -= k) {
		k = one_in(4) ? rnd_size(n) : n;
		text_fmt(t, one_in(2) ? "%zx" : "%zX", k);
		text_str(t, one_in(8) ? ";ext=\"a\"\r\n" : "\r\n");
		text_add(t, p, k);
		text_str(t, "\r\n");
	}
	text_str(t, one_in(4) ? "0\r\nX-Trailer: {\"id\":1}\r\n\r\n" : "0\r\n\r\n");
}

static void finish(struct frame *f, struct text *t, const char *body, size_t n)
{
	if (one_in(2)) {
		text_fmt(t, "%s: %zu\r\n\r\n", one_in(2) ? "Content-Length" : "content-length", n);
		text_add(t, body, n);
	} else {
		text_fmt(t, "%s: chunked\r\n\r\n",
			 one_in(2) ? "Transfer-Encoding" : "transfer-encoding");
		chunks(t, body, n);
	}
	wire_send(&f->wire, t->p, t->n);
}

static void session_head(struct frame *f, struct text *t)
{
	if (f->session[0])
		text_fmt(t, "%s: %s\r\n", one_in(2) ? "Mcp-Session-Id" : "mcp-session-id",
			 f->session);
	if (f->session[0] && !f->server)
		text_str(t, "MCP-Protocol-Version: 2025-11-25\r\n");
}

void http_simple(struct frame *f, const char *first_line)
{
	static struct text t;

	t.n = 0;
	text_fmt(&t, "%s\r\nHost: 127.0.0.1\r\n", first_line);
	session_head(f, &t);
	text_str(&t, f->server ? "Content-Length: 0\r\n\r\n" : "\r\n");
	wire_send(&f->wire, t.p, t.n);
}

void http_post(struct frame *f, const struct text *msg)
{
	static struct text t;

	t.n = 0;
	text_str(&t, "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		     "Accept: application/json, text/event-stream\r\n");
	session_head(f, &t);
	finish(f, &t, msg->p, msg->n);
}

static void event(struct text *body, const struct text *msg)
{
	const char *nl = one_in(3) ? "\r\n" : "\n";

	if (one_in(4))
		text_fmt(body, ": keep-alive%s%s", nl, nl);
	if (one_in(2))
		text_fmt(body, "id: %llu%s", (unsigned long long)(rnd() % 1000000), nl);
	if (one_in(2))
		text_fmt(body, "event: message%s", nl);
	text_str(body, "data: ");
	text_add(body, msg->p, msg->n);
	text_fmt(body, "%s%s", nl, nl);
}

void http_respond(struct frame *f, const struct text *note, const struct text *msg, int status)
{
	static struct text t, body;
	bool sse = msg && ((note && note->n) || one_in(3));

	if (!msg && status == 200) {
		http_simple(f, "HTTP/1.1 202 Accepted");
		return;
	}
	t.n = body.n = 0;
	if (one_in(16))
		text_str(&t, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
	text_fmt(&t, "HTTP/1.1 %d %s\r\nContent-Type: ", status, status == 200 ? "OK" : "Refused");
	if (!msg) {
		text_str(&t, "text/plain\r\n");
		text_str(&body, "out of order\n");
	} else if (sse) {
		text_str(&t, "text/event-stream\r\n");
		if (note && note->n)
			event(&body, note);
		event(&body, msg);
	} else {
		text_str(&t, "application/json\r\n");
		text_add(&body, msg->p, msg->n);
	}
	session_head(f, &t);
	finish(f, &t, body.p, body.n);
}

/* Offset in the buffer of the byte after the next @mark; -1 at the end of the stream. */
static ssize_t upto(struct wire *w, const char *mark)
{
	char *p;

	for (;;) {
		p = w->buf.n > w->at
			    ? memmem(w->buf.p + w->at, w->buf.n - w->at, mark, strlen(mark))
			    : NULL;
		if (p)
			return p - w->buf.p + (ssize_t)strlen(mark);
		if (!wire_more(w))
			return -1;
	}
}

static void need(struct wire *w, size_t n)
{
	while (w->buf.n - w->at < n) {
		if (!wire_more(w))
			die("body cut short");
	}
}

static void body_chunked(struct frame *f, struct text *body)
{
	struct wire *w = &f->wire;
	ssize_t end;
	size_t n;

	for (;;) {
		end = upto(w, "\r\n");
		if (end < 0)
			die("chunk cut short");
		n = strtoul(w->buf.p + w->at, NULL, 16);
		w->at = (size_t)end;
		if (!n)
			break;
		need(w, n + 2);
		text_add(body, w->buf.p + w->at, n);
		w->at += n + 2;
	}
	do { /* trailers, up to an empty line */
		n = w->at;
		end = upto(w, "\r\n");
		if (end < 0)
			die("trailer cut short");
		n = (size_t)end - w->at;
		w->at = (size_t)end;
	} while (n > 2);
}

/* The messages of an event stream, one a line. */
static void events(struct frame *f, const struct text *body)
{
	const char *p = body->p, *end = body->p + body->n, *nl;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			die("event cut short");
		if (nl - p > 6 && !memcmp(p, "data: ", 6))
			text_add(&f->got, p + 6, (size_t)(nl + 1 - (p + 6)));
	}
}

static void head_session(struct frame *f, const char *head)
{
	const char *p = strcasestr(head, "\r\nMcp-Session-Id: ");
	size_t n;

	if (!p || f->server)
		return;
	p += strlen("\r\nMcp-Session-Id: ");
	n = strcspn(p, "\r");
	pick_copy((struct pick){ p, n }, f->session, sizeof(f->session));
}

bool http_recv(struct frame *f)
{
	static struct text head, body;
	struct wire *w = &f->wire;
	const char *length;
	ssize_t end;

	do {
		end = upto(w, "\r\n\r\n");
		if (end < 0)
			return false;
		head.n = body.n = 0;
		text_add(&head, w->buf.p + w->at, (size_t)end - w->at);
		w->at = (size_t)end;
		f->status = f->server ? 0 : (int)strtol(head.p + strlen("HTTP/1.1 "), NULL, 10);
	} while (f->status / 100 == 1);
	head_session(f, head.p);
	length = strcasestr(head.p, "\r\nContent-Length: ");
	if (strcasestr(head.p, "\r\nTransfer-Encoding: chunked")) {
		body_chunked(f, &body);
	} else if (length) {
		need(w, strtoul(length + strlen("\r\nContent-Length: "), NULL, 10));
		text_add(&body, w->buf.p + w->at,
			 strtoul(length + strlen("\r\nContent-Length: "), NULL, 10));
		w->at += body.n;
	}
	if (f->server && !memcmp(head.p, "DELETE", 6)) {
		http_simple(f, "HTTP/1.1 200 OK");
		return http_recv(f);
	}
	if (!body.n || f->status > 299)
		return true;
	if (strstr(head.p, "text/event-stream")) {
		if (!f->server)
			events(f, &body);
	}
	if (f->server || !strstr(head.p, "Content-Type: text/event-stream")) {
		text_add(&f->got, body.p, body.n);
		text_str(&f->got, "\n");
	}
	return true;
}
