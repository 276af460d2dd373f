/* SPDX-License-Identifier: Apache-2.0 */
/* Paging that starts over. */
#include "detect/sweep.h"

#include <string.h>

#define WRAP_MIN 8 /* calls that make a sweep */

static void begin(struct sweep *w, const struct step *s)
{
	w->shape = s->shape;
	memcpy(w->first, s->ints, sizeof(w->first));
	w->last = 0;
	w->stride = 0;
	w->key = (uint32_t)(s->key >> 32);
	w->since_ms = (uint32_t)(s->start / 1000000);
	w->bytes = w->busy_ms = 0;
	w->session = (uint32_t)s->session_no;
	w->n = 1;
	w->advances = 0;
	w->wraps = w->page = 0;
	w->n_ints = s->n_ints;
	w->many = false;
}

/* The second call says which integer is the page. false: none went up. */
static bool find_page(struct sweep *w, const struct step *s)
{
	for (uint8_t i = 0; i < s->n_ints; i++) {
		if (s->ints[i] == w->first[i])
			continue;
		if (s->ints[i] < w->first[i])
			return false;
		w->page = i;
		w->stride = (uint64_t)s->ints[i] - (uint64_t)w->first[i];
		w->last = w->first[0] = w->first[i];
		return true;
	}
	return false;
}

/* Back at the start. At exactly the first page the whole call must be the first one, else it is another document. A
 * second pass may also be shifted by part of a page, which is then told from another document by nothing but the
 * length of the first pass. */
static bool wraps(const struct sweep *w, const struct step *s, int64_t v)
{
	if (w->n < WRAP_MIN)
		return false;
	/* An agent that begins another session begins its reading there; one that makes a session for each call does not. */
	if (!w->many && w->session != (uint32_t)s->session_no)
		return false;
	if (v == w->first[0])
		return (uint32_t)(s->key >> 32) == w->key;
	return w->n >= SWEEP_LONG && (v < w->first[0] || (uint64_t)v - (uint64_t)w->first[0] < w->stride);
}

static bool goes_on(struct sweep *w, const struct step *s)
{
	int64_t v;

	if (w->n_ints != s->n_ints)
		return false;
	if (w->n == 1 && !find_page(w, s))
		return false;
	v = s->ints[w->page];
	if (v == w->last)
		return false;
	if (v > w->last) {
		if (w->advances < UINT16_MAX)
			w->advances++;
	} else if (wraps(w, s, v)) {
		if (w->wraps < UINT8_MAX)
			w->wraps++;
		w->advances = 0;
	} else {
		return false;
	}
	w->last = v;
	if (w->n < UINT16_MAX)
		w->n++;
	w->many |= w->session != (uint32_t)s->session_no;
	return true;
}

/* That of @shape; else the one that did not go on for longest. */
static struct sweep *sweep_of(struct sweeps *w, uint64_t shape)
{
	struct sweep *found = NULL, *oldest = &w->at[0];

	for (struct sweep *x = w->at; x < w->at + SWEEPS; x++) {
		if (x->shape == shape)
			found = x;
		else
			x->age += x->age < UINT8_MAX;
		if (!x->shape || x->age > oldest->age)
			oldest = x;
	}
	return found ? found : oldest;
}

const struct sweep *sweep_step(struct sweeps *w, const struct step *s)
{
	struct sweep *now;
	bool on;

	if (!s->shape || !s->n_ints)
		return NULL;
	now = sweep_of(w, s->shape);
	on = now->shape == s->shape && goes_on(now, s);
	if (!on)
		begin(now, s);
	now->age = 0;
	now->bytes += (uint32_t)s->bytes;
	now->busy_ms += (uint32_t)(s->busy_ns / 1000000);
	return on ? now : NULL;
}
