/* SPDX-License-Identifier: Apache-2.0 */
/* When and by whom the bytes of one end passed. An array with a moving start: added at the end, dropped at the front. */
#include "flow/marks.h"

#include <stdlib.h>
#include <string.h>

void marks_done(struct marks *m)
{
	free(m->v);
	memset(m, 0, sizeof(*m));
}

/* Merge pairs: the first of the two gives the earlier time, the second the position and the later time. */
static void marks_halve(struct marks *m)
{
	uint32_t i;

	for (i = 0; i + 1 < m->n; i += 2) {
		struct mark *a = &m->v[m->from + i], *b = a + 1;

		m->v[i / 2] = *b;
		m->v[i / 2].beg = a->beg;
		m->v[i / 2].first = a->first;
	}
	if (i < m->n)
		m->v[i / 2] = m->v[m->from + i];
	m->n = (m->n + 1) / 2;
	m->from = 0;
}

/* Room for one more behind the last. */
static bool marks_room(struct marks *m)
{
	struct mark *v;
	uint32_t cap;

	if (m->from + m->n < m->cap)
		return true;
	if (m->from > m->n) {
		memmove(m->v, m->v + m->from, m->n * sizeof(*m->v));
		m->from = 0;
		return true;
	}
	cap = m->cap ? m->cap * 2 : 8;
	v = realloc(m->v, cap * sizeof(*v));
	if (!v)
		return false;
	m->v = v;
	m->cap = cap;
	return true;
}

bool marks_add(struct marks *m, const struct mark *mark)
{
	bool coarse = false;
	uint32_t i;

	if (m->n >= MARKS_MAX) {
		marks_halve(m);
		coarse = true;
	}
	if (!marks_room(m))
		return true;
	i = m->from + m->n;
	for (; i > m->from && m->v[i - 1].end > mark->end; i--)
		m->v[i] = m->v[i - 1];
	m->v[i] = *mark;
	m->n++;
	return coarse;
}

const struct mark *marks_at(const struct marks *m, uint64_t pos)
{
	uint32_t lo = 0, hi = m->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->v[m->from + mid].end > pos)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < m->n && m->v[m->from + lo].beg <= pos ? &m->v[m->from + lo] : NULL;
}

void marks_drop(struct marks *m, uint64_t pos)
{
	while (m->n && m->v[m->from].end <= pos) {
		m->from++;
		m->n--;
	}
	if (!m->n)
		m->from = 0;
}
