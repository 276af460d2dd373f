/* SPDX-License-Identifier: Apache-2.0 */
/* Order of sending out of order of completion. */
#include "detect/order.h"

#include <errno.h>
#include <stdlib.h>

#define AHEAD 64 /* bits of order.done */

int order_pool_init(struct order_pool *p, uint32_t max)
{
	*p = (struct order_pool){ .all = calloc(max ? max : 1, sizeof(*p->all)) };
	if (!p->all)
		return -ENOMEM;
	for (uint32_t i = 0; i < max; i++) {
		p->all[i].next = p->free;
		p->free = &p->all[i];
	}
	return 0;
}

void order_pool_done(struct order_pool *p)
{
	free(p->all);
}

static void settle(struct order *o)
{
	while (o->done & 1) {
		o->done >>= 1;
		o->base++;
	}
}

static void move_base(struct order *o, uint32_t base)
{
	uint32_t by = base - o->base;

	o->done = by < AHEAD ? o->done >> by : 0;
	o->base = base;
	settle(o);
}

bool order_passed(const struct order *o, uint32_t ordinal)
{
	if (ordinal < o->base)
		return true;
	return ordinal - o->base < AHEAD && (o->done >> (ordinal - o->base) & 1);
}

void order_pass(struct order *o, uint32_t ordinal)
{
	if (ordinal < o->base)
		return;
	if (ordinal - o->base >= AHEAD)
		move_base(o, ordinal - AHEAD + 1);
	o->done |= 1ULL << (ordinal - o->base);
	settle(o);
}

static void unlink_held(struct order_pool *p, struct held *h)
{
	*(h->earlier ? &h->earlier->later : &p->oldest) = h->later;
	*(h->later ? &h->later->earlier : &p->newest) = h->earlier;
}

static void release(struct order_pool *p, struct order *o)
{
	struct held *h = o->first;

	o->first = h->next;
	o->waiting--;
	unlink_held(p, h);
	h->next = p->free;
	p->free = h;
	p->n--;
}

static void hold(struct order_pool *p, struct order *o, const struct step *s, uint64_t now)
{
	struct held *h = p->free, **at = &o->first;

	p->free = h->next;
	p->n++;
	h->step = *s;
	h->since = now;
	h->order = o;
	while (*at && (*at)->step.ordinal < s->ordinal)
		at = &(*at)->next;
	h->next = *at;
	*at = h;
	o->waiting++;
	h->later = NULL;
	h->earlier = p->newest;
	*(p->newest ? &p->newest->later : &p->oldest) = h;
	p->newest = h;
}

bool order_add(struct order_pool *p, struct order *o, const struct step *s, uint64_t now)
{
	if (!s->has_ordinal)
		return true;
	if (s->ordinal < o->base) /* late: others went ahead of it */
		return true;
	if (s->ordinal == o->base) {
		order_pass(o, s->ordinal);
		return true;
	}
	order_pass(o, s->ordinal);
	if (!p->free) {
		p->hurried++;
		return true;
	}
	hold(p, o, s, now);
	if (o->waiting > ORDER_WAIT)
		order_hurry(p, o);
	return false;
}

bool order_next(struct order_pool *p, struct order *o, struct step *ret_s)
{
	if (!o->first || o->first->step.ordinal >= o->base)
		return false;
	*ret_s = o->first->step;
	release(p, o);
	return true;
}

void order_hurry(struct order_pool *p, struct order *o)
{
	if (!o->first || o->first->step.ordinal < o->base)
		return;
	p->hurried++;
	move_base(o, o->first->step.ordinal);
}

struct order *order_late(const struct order_pool *p, uint64_t since)
{
	return p->oldest && p->oldest->since <= since ? p->oldest->order : NULL;
}

void order_clear(struct order_pool *p, struct order *o)
{
	while (o->first)
		release(p, o);
}
