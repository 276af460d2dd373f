/* SPDX-License-Identifier: Apache-2.0 */
/* Newline-delimited JSON. A message is handed out at its closing brace: the newline may come in
 * a later write, from another thread (.NET). A newline ends whatever is open. */
#include "flow/pump_int.h"

#include <errno.h>

enum {
	L_START, /* in the blanks at the start of a line */
	L_TEXT,	 /* in JSON */
	L_REST,	 /* behind the JSON: only blanks may follow */
	L_WASTE, /* in a line that is a finding */
	L_LOST,	 /* in a line whose start was not seen */
	L_FRESH, /* behind bytes that were not seen: perhaps at the start of a line */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void waste(struct pump_dir *d, enum pump_finding what)
{
	d->lines.state = L_WASTE;
	d->lines.what = (uint8_t)what;
}

static void line_end(struct pump_dir *d)
{
	struct pump_lines *l = &d->lines;

	if (l->state == L_TEXT) {
		pump_text_drop(&d->part);
		waste(d, pump_text_broken(&d->part, -EBADMSG));
	}
	if (l->state == L_WASTE && !l->doubt)
		pump_find(d, (enum pump_finding)l->what, 1, l->bytes);
	l->state = L_START;
	l->bytes = 0;
	l->doubt = false;
}

static void text(struct pump_dir *d, uint64_t pos, bool doubt)
{
	d->lines.state = L_TEXT;
	d->lines.doubt = doubt;
	pump_text_begin(&d->part, pos);
}

/* One byte at the start of a line: taken or not. */
static size_t at_start(struct pump_dir *d, char c, uint64_t pos)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct pump_lines *l = &d->lines;

	if (l->bom < 3 && c == bom[l->bom]) {
		l->bom++;
		return 1;
	}
	if (l->bom < 3)
		l->bytes = l->bom; /* what looked like a mark was text */
	l->bom = 3;
	if (l->bytes == 0 && is_blank(c))
		return 1;
	if (l->bytes == 0 && (c == '{' || c == '['))
		text(d, pos, false);
	else
		waste(d, PUMP_F_NOISE);
	return 0;
}

static size_t in_text(struct pump_dir *d, struct sv in, uint64_t pos)
{
	struct pump_lines *l = &d->lines;
	ssize_t n = pump_text_feed(&d->part, in, (struct pump_span){ pos, pos + in.n, false });

	if (n == 0) {
		l->bytes += in.n;
		return in.n;
	}
	if (n < 0) {
		waste(d, pump_text_broken(&d->part, n)); /* which counts @in */
		return 0;
	}
	l->state = L_REST;
	l->bytes = 0;
	return (size_t)n;
}

static size_t step(struct pump_dir *d, struct sv in, uint64_t pos)
{
	struct pump_lines *l = &d->lines;

	switch (l->state) {
	case L_START:
		return at_start(d, in.p[0], pos);
	case L_TEXT:
		return in_text(d, in, pos);
	case L_REST:
		if (is_blank(in.p[0]))
			return 1;
		waste(d, PUMP_F_NOISE);
		return 0;
	case L_FRESH:
		if (is_blank(in.p[0]))
			return 1;
		l->bom = 3;
		l->state = L_LOST;
		if (in.p[0] == '{')
			text(d, pos, true);
		return 0;
	default:
		l->bytes += in.n;
		return in.n;
	}
}

static void fragment(struct pump_dir *d, const struct line_frag *f, uint64_t pos)
{
	struct sv in = f->text;

	while (in.n) {
		size_t n = step(d, in, pos);

		in.p += n;
		in.n -= n;
		pos += n;
	}
	if (f->end)
		line_end(d);
	d->quiet += f->text.n + f->end;
	/* While a text is open nobody knows what it will be. */
	if (d->verdict == PUMP_UNDECIDED && d->lines.state != L_TEXT &&
	    d->quiet > d->p->opts.undecided_max)
		pump_set_verdict(d, PUMP_NOTHING);
}

void pump_lines_feed(struct pump_dir *d, struct sv in)
{
	struct sv all = in;
	struct line_frag f;

	while (lines_next(&d->lines.split, &in, &f)) {
		/* A CR kept from the last feed lies outside @all; being blank, its position does
		 * not matter. */
		bool inside = f.text.p >= all.p && f.text.p <= all.p + all.n;

		fragment(d, &f, d->pos + (inside ? (size_t)(f.text.p - all.p) : 0));
	}
}

/* Begin behind bytes that were not seen. */
void pump_lines_begin(struct pump_dir *d, bool late)
{
	d->lines = (struct pump_lines){ .state = late ? L_FRESH : L_START, .bom = late ? 3 : 0 };
}

void pump_lines_gap(struct pump_dir *d, uint64_t len)
{
	d->part.lost += len;
	pump_text_drop(&d->part);
	pump_lines_begin(d, true);
	/* What follows may be HTTP, if nothing spoke against it yet. */
	d->late = true;
}

bool pump_lines_unsure(const struct pump_dir *d)
{
	if (!d->late)
		return false;
	/* A body has no newline behind its message. */
	if (d->verdict == PUMP_RPC)
		return d->lines.state == L_REST;
	return !d->part.text.open || d->lines.doubt;
}

void pump_lines_eof(struct pump_dir *d)
{
	struct line_frag f;

	if (lines_end(&d->lines.split, &f))
		fragment(d, &f, d->pos);
}
