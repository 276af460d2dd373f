/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on a wire: newline-delimited, with all that is allowed around a message (CRLF,
 * blanks, empty lines, a byte order mark, a server's banner), or HTTP/1.1 by pair_http.c. */
#include <string.h>

#include "pair.h"

static void line_send(struct frame *f, const struct text *msg)
{
	static struct text t;
	bool apart = one_in(6);

	t.n = 0;
	if (!f->begun && f->server && one_in(2))
		text_str(&t, "pair server ready {not json}\n\nlistening\n");
	if (!f->begun && !f->server && one_in(4))
		text_str(&t, "\xef\xbb\xbf");
	f->begun = true;
	if (one_in(10))
		text_str(&t, " \t");
	text_add(&t, msg->p, msg->n);
	if (one_in(10))
		text_str(&t, " ");
	if (one_in(5))
		text_str(&t, "\r");
	if (!apart)
		text_str(&t, "\n");
	if (one_in(20) && !apart)
		text_str(&t, "\n");
	wire_send(&f->wire, t.p, t.n);
	if (apart)
		wire_send(&f->wire, "\n", 1);
}

static bool line_recv(struct frame *f)
{
	struct wire *w = &f->wire;
	size_t from = w->at, len;
	char *nl;

	for (;;) {
		nl = w->buf.n > from ? memchr(w->buf.p + from, '\n', w->buf.n - from) : NULL;
		if (nl)
			break;
		from = w->buf.n - w->at; /* wire_more moves what is left to the front */
		if (!wire_more(w))
			return false;
	}
	len = (size_t)(nl + 1 - (w->buf.p + w->at));
	text_add(&f->got, w->buf.p + w->at, len);
	w->at += len;
	return true;
}

/* The JSON text of a line, without what is allowed around it; p is NULL for a line that has
 * none. */
static struct pick trim(char *p, size_t n)
{
	while (n && (*p == ' ' || *p == '\t' || (unsigned char)*p >= 0x80))
		p++, n--;
	while (n && strchr(" \t\r\n", p[n - 1]))
		n--;
	return n && *p == '{' ? (struct pick){ p, n } : (struct pick){ NULL, 0 };
}

struct pick frame_recv(struct frame *f)
{
	struct pick m;
	char *p, *nl;

	for (;;) {
		if (f->taken == f->got.n) {
			f->taken = f->got.n = 0;
			if (f->kind == FRAME_HTTP ? !http_recv(f) : !line_recv(f))
				return (struct pick){ NULL, 0 };
			if (!f->got.n)
				return (struct pick){ "", 0 };
		}
		p = f->got.p + f->taken;
		nl = memchr(p, '\n', f->got.n - f->taken);
		f->taken = (size_t)(nl + 1 - f->got.p);
		m = trim(p, (size_t)(nl - p));
		if (m.p)
			return m;
	}
}

void frame_send(struct frame *f, const struct text *msg)
{
	if (f->kind == FRAME_HTTP)
		http_post(f, msg);
	else
		line_send(f, msg);
}

void frame_reply(struct frame *f, const struct text *note, const struct text *msg, int status)
{
	if (f->kind == FRAME_HTTP) {
		http_respond(f, note, msg, status);
		return;
	}
	if (note && note->n)
		line_send(f, note);
	if (msg)
		line_send(f, msg);
}

void frame_delete(struct frame *f)
{
	if (f->kind != FRAME_HTTP)
		return;
	http_simple(f, "DELETE /mcp HTTP/1.1");
	http_recv(f);
}
