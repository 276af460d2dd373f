/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one alert. */
#include "detect/alerts_life.h"

static enum life_event suppress(struct life *l)
{
	if (l->held)
		return LIFE_NOTHING;
	l->held = true;
	return LIFE_SUPPRESSED;
}

static enum life_event pend(struct life *l, const struct life_terms *t, uint64_t count, uint64_t now)
{
	if (now - l->since < t->for_ns)
		return LIFE_NOTHING;
	l->state = LIFE_FIRING;
	l->told = count;
	l->notified = 1;
	return LIFE_FIRES;
}

static enum life_event begin(struct life *l, const struct life_terms *t, uint64_t count, uint64_t now)
{
	if (!t->room)
		return suppress(l);
	l->state = LIFE_PENDING;
	l->since = now;
	l->held = false;
	return pend(l, t, count, now);
}

static enum life_event fire_on(struct life *l, uint64_t count)
{
	if (count / 2 < l->told)
		return LIFE_NOTHING;
	l->told = count;
	if (l->notified < UINT8_MAX)
		l->notified++;
	return LIFE_DOUBLED;
}

static enum life_event end(struct life *l, const struct life_terms *t, uint64_t now)
{
	bool fired = l->state == LIFE_FIRING;

	l->held = false;
	if (l->state == LIFE_COOLING && now < l->until)
		return LIFE_NOTHING;
	l->state = fired && t->cooldown_ns ? LIFE_COOLING : LIFE_IDLE;
	l->until = now + t->cooldown_ns;
	return fired ? LIFE_RESOLVES : LIFE_NOTHING;
}

enum life_event life_step(struct life *l, const struct life_terms *t, uint64_t count, uint64_t now)
{
	if (!count)
		return end(l, t, now);
	switch (l->state) {
	case LIFE_PENDING:
		return pend(l, t, count, now);
	case LIFE_FIRING:
		return fire_on(l, count);
	case LIFE_COOLING:
		return now < l->until ? suppress(l) : begin(l, t, count, now);
	default:
		return begin(l, t, count, now);
	}
}
