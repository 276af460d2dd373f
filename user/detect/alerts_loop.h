/* SPDX-License-Identifier: Apache-2.0 */
/* Loops have a life of their own; what is added here: one alert for what two trackers see at the same time, a cooldown,
 * a cap. */
#ifndef MCPVIGIL_DETECT_ALERTS_LOOP_H
#define MCPVIGIL_DETECT_ALERTS_LOOP_H

#include "base/table.h"
#include "detect/alerts_life.h"
#include "model/alert.h"

struct loop_alerts_ops {
	/* What came of a message: @a is to be passed on for LIFE_FIRES, LIFE_DOUBLED, LIFE_RESOLVES. */
	void (*tell)(void *ctx, enum life_event ev, const struct alert *a);
	bool (*room)(void *ctx); /* one more alert may fire */
	void *ctx;
};

struct loop_alerts {
	struct table table;
	struct loop_alerts_ops ops;
};

/* 0 or -ENOMEM. */
int loop_alerts_init(struct loop_alerts *l, uint32_t max, const struct loop_alerts_ops *ops);
void loop_alerts_done(struct loop_alerts *l);
void loop_alerts_feed(struct loop_alerts *l, const struct alert *a, uint64_t cooldown_ns);
/* What outlasted its suppression fires, what has cooled down is forgotten. */
void loop_alerts_tick(struct loop_alerts *l, uint64_t cooldown_ns, uint64_t now);

#endif
