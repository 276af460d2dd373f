/* SPDX-License-Identifier: Apache-2.0 */
/* Texts on their way to marks.
 *
 * A text that comes whole is read where it lies. Pieces are gathered in a window, so that the many fragments of a text
 * with escapes cost a copy and not a call of each consumer; when the window is full, it is read and emptied, but for
 * what masking may still need of its end. */
#include "proto/mark_text.h"

void mark_text_begin(struct mark_text *t, enum mark_form form)
{
	t->form = form;
	t->in_digits = false;
	t->cut = false;
	t->n = 0;
	t->done = 0;
	t->bytes = 0;
	t->sim = NULL;
	t->head = NULL;
	t->head_n = 0;
	t->other_cut = false;
	t->out_n = 0;
	mask_init(&t->mask);
}

static void other_flush(struct mark_text *t)
{
	if (!t->other_cut)
		fp_begin(&t->other);
	t->other_cut = true;
	fp_add(&t->other, t->out, t->out_n);
	t->out_n = 0;
}

static void other_put(void *ctx, const char *p, size_t n)
{
	struct mark_text *t = ctx;

	if (n > sizeof(t->out) - t->out_n)
		other_flush(t);
	if (n > sizeof(t->out)) {
		fp_add(&t->other, p, n);
		return;
	}
	memcpy(t->out + t->out_n, p, n);
	t->out_n += n;
}

static struct fp other_end(struct mark_text *t)
{
	if (!t->other_cut)
		return fp_bytes(t->out, t->out_n);
	other_flush(t);
	return fp_end(&t->other);
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static void shape_put(struct mark_text *t, struct sv s)
{
	const char *p = s.p, *e = p + s.n, *from;

	while (p != e) {
		for (from = p; p != e && !digit(*p); p++)
			;
		if (p != from) {
			other_put(t, from, (size_t)(p - from));
			t->in_digits = false;
		}
		if (p != e && !t->in_digits)
			other_put(t, "#", 1);
		for (; p != e && digit(*p); p++)
			t->in_digits = true;
	}
}

/* Copy to the head what it lacks. */
static void head_put(struct mark_text *t, struct sv s)
{
	size_t room = (size_t)(t->head_max - t->head_n), n = s.n < room ? s.n : room;

	memcpy(t->head + t->head_n, s.p, n);
	t->head_n = (uint16_t)(t->head_n + n);
}

/* All consumers but masking: @s is new. */
static void spread(struct mark_text *t, struct sv s)
{
	if (t->sim)
		simhash_add(t->sim, s);
	if (t->head && t->head_n < t->head_max)
		head_put(t, s);
}

/* Read the window and make room in it. */
static void drain(struct mark_text *t, bool last)
{
	const struct mask_out out = { other_put, t };
	struct sv fresh = { t->window + t->done, t->n - t->done };
	size_t taken = t->n;

	if (!t->cut)
		fp_begin(&t->plain);
	t->cut = true;
	fp_add(&t->plain, fresh.p, fresh.n);
	spread(t, fresh);
	if (t->form == FORM_SHAPE)
		shape_put(t, fresh);
	if (t->form == FORM_MASK)
		taken = mask_run(&t->mask, (struct sv){ t->window, t->n }, last, &out);
	memmove(t->window, t->window + taken, t->n - taken);
	t->n -= taken;
	t->done = t->n;
}

void mark_text_add(struct mark_text *t, struct sv s)
{
	t->bytes += s.n;
	while (s.n > 0) {
		size_t room = sizeof(t->window) - t->n, n = s.n < room ? s.n : room;

		memcpy(t->window + t->n, s.p, n);
		t->n += n;
		s.p += n;
		s.n -= n;
		if (t->n == sizeof(t->window) && s.n > 0)
			drain(t, false);
	}
}

/* The whole text is @s, nothing of it was added. */
static void whole(struct mark_text *t, struct sv s, struct mark_leaf *ret)
{
	const struct mask_out out = { other_put, t };

	ret->whole = s.n <= MARK_WINDOW ? s : (struct sv){ NULL, 0 };
	ret->bytes = s.n;
	ret->plain = fp_bytes(s.p, s.n);
	ret->other = ret->plain;
	/* Both forms differ only where there are digits or a request id. */
	if (t->form == FORM_NONE || !mask_any(s))
		return;
	if (t->form == FORM_MASK)
		mask_run(&t->mask, s, true, &out);
	else
		shape_put(t, s);
	ret->other = other_end(t);
}

void mark_text_end(struct mark_text *t, struct sv s, struct mark_leaf *ret)
{
	if (t->bytes > 0) {
		mark_text_add(t, s);
		s = (struct sv){ t->window, t->n };
	}
	if (!t->cut) {
		spread(t, s);
		whole(t, s, ret);
		return;
	}
	drain(t, true);
	ret->whole = (struct sv){ NULL, 0 };
	ret->bytes = t->bytes;
	ret->plain = fp_end(&t->plain);
	ret->other = t->form == FORM_NONE ? ret->plain : other_end(t);
}
