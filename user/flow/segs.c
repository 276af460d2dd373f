/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of one end that wait to be decoded: a list sorted by position; additions are mostly at its end. */
#include "flow/segs.h"

#include <stdlib.h>
#include <string.h>

static void segs_put(struct segs *s, struct seg *g)
{
	struct seg **at;

	s->bytes += g->have;
	g->next = NULL;
	if (s->last && s->last->pos <= g->pos) {
		s->last->next = g;
		s->last = g;
		return;
	}
	for (at = &s->first; *at && (*at)->pos <= g->pos; at = &(*at)->next)
		;
	g->next = *at;
	*at = g;
	if (!g->next)
		s->last = g;
}

struct seg *segs_add(struct segs *s, uint64_t pos, const void *data, uint32_t have)
{
	struct seg *g = malloc(sizeof(*g) + have);

	if (!g)
		return NULL;
	memset(g, 0, sizeof(*g));
	g->pos = pos;
	g->have = have;
	if (have)
		memcpy(g->data, data, have);
	segs_put(s, g);
	return g;
}

void segs_move(struct segs *to, struct segs *from)
{
	struct seg *g = from->first, *next;

	for (; g; g = next) {
		next = g->next;
		segs_put(to, g);
	}
	*from = (struct segs){};
}

static uint64_t segs_pop(struct segs *s)
{
	struct seg *g = s->first;
	uint64_t n = g->have;

	s->first = g->next;
	if (!s->first)
		s->last = NULL;
	s->bytes -= n;
	free(g);
	return n;
}

uint64_t segs_drop(struct segs *s, uint64_t pos)
{
	uint64_t n = 0;

	while (s->first && s->first->pos + s->first->want <= pos)
		n += segs_pop(s);
	return n;
}

uint64_t segs_done(struct segs *s)
{
	uint64_t n = 0;

	while (s->first)
		n += segs_pop(s);
	return n;
}
