/* SPDX-License-Identifier: Apache-2.0 */
/* Newline-delimited framing. */
#include "proto/lines.h"

static bool hand_out(struct lines *l, struct sv text, bool end, struct line_frag *ret)
{
	*ret = (struct line_frag){ .text = text, .begin = !l->open, .end = end };
	l->open = !end;
	return true;
}

bool lines_next(struct lines *l, struct sv *in, struct line_frag *ret)
{
	struct sv text = *in;
	const char *lf;

	if (in->n == 0)
		return false;
	if (l->cr && *in->p != '\n') {
		l->cr = false;
		return hand_out(l, SV("\r"), false, ret);
	}
	lf = memchr(in->p, '\n', in->n);
	if (lf)
		text.n = (size_t)(lf - in->p);
	in->p += text.n + (lf != NULL);
	in->n -= text.n + (lf != NULL);
	l->cr = text.n > 0 && text.p[text.n - 1] == '\r';
	text.n -= l->cr;
	if (lf) {
		l->cr = false;
		return hand_out(l, text, true, ret);
	}
	return text.n > 0 && hand_out(l, text, false, ret);
}

bool lines_end(struct lines *l, struct line_frag *ret)
{
	bool cr = l->cr, open = l->open || cr;

	l->cr = false;
	if (open)
		hand_out(l, (struct sv){ "\r", cr }, true, ret);
	return open;
}
