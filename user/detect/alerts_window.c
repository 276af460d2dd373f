/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over a sliding window of time. */
#include "detect/alerts_window.h"

#include <stddef.h>
#include <string.h>

void window_init(struct window *w, uint64_t window_ns)
{
	memset(w, 0, sizeof(*w));
	if (window_ns)
		w->sub_ns = window_ns / WINDOW_SUBS ? window_ns / WINDOW_SUBS : 1;
}

static void advance(struct window *w, uint64_t ts)
{
	uint64_t to = w->sub_ns ? ts / w->sub_ns : 0;

	if (to <= w->at)
		return;
	if (to - w->at >= WINDOW_SUBS)
		memset(w->sub, 0, sizeof(w->sub));
	else
		for (uint64_t i = w->at + 1; i <= to; i++)
			memset(&w->sub[i % WINDOW_SUBS], 0, sizeof(w->sub[0]));
	w->at = to;
}

/* NULL where @ts lies before the window. */
static struct tally *sub_of(struct window *w, uint64_t ts)
{
	uint64_t at;

	advance(w, ts);
	at = w->sub_ns ? ts / w->sub_ns : 0;
	return w->at - at < WINDOW_SUBS ? &w->sub[at % WINDOW_SUBS] : NULL;
}

static void tally_add(struct tally *to, const struct tally *t)
{
	to->calls += t->calls;
	to->errors += t->errors;
	to->slow += t->slow;
	to->open += t->open;
	to->bytes += t->bytes;
	to->busy_ns += t->busy_ns;
	if (t->slowest > to->slowest)
		to->slowest = t->slowest;
}

void window_add(struct window *w, uint64_t ts, const struct tally *t)
{
	struct tally *sub = sub_of(w, ts);

	if (sub)
		tally_add(sub, t);
}

void window_answered(struct window *w, uint64_t asked)
{
	struct tally *sub = sub_of(w, asked);

	if (sub && sub->open)
		sub->open--;
}

struct tally window_sum(struct window *w, uint64_t now)
{
	struct tally sum = { 0 };

	advance(w, now);
	for (unsigned int i = 0; i < WINDOW_SUBS; i++)
		tally_add(&sum, &w->sub[i]);
	return sum;
}
