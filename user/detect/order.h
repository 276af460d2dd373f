/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of a session in the order in which they were sent.
 *
 * They complete in another order where they overlap; a cycle inside parallel rounds is only seen in order of sending.
 * So a finished call waits for those sent before it: a bounded time, in a bounded pool, of a session at most
 * ORDER_WAIT. Then it goes ahead, and what comes after all is judged as it comes. */
#ifndef MCPVIGIL_DETECT_ORDER_H
#define MCPVIGIL_DETECT_ORDER_H

#include "detect/step.h"

#define ORDER_WAIT 16

struct held {
	struct step step;
	uint64_t since;		      /* boot ns */
	struct held *next;	      /* of its session, by ordinal; or free */
	struct held *earlier, *later; /* of all sessions, by since */
	struct order *order;
};

/* One pool for all sessions. */
struct order_pool {
	struct held *all, *free;
	struct held *oldest, *newest;
	uint32_t n; /* that wait */
	uint64_t hurried; /* calls that did not wait long enough for those before them */
};

/* Of one session; zeroed is empty. */
struct order {
	struct held *first;
	uint64_t done; /* bit i: ordinal base + i has ended */
	uint32_t base; /* all ordinals below have ended, or are not waited for any more */
	uint32_t waiting;
	void *owner;
};

/* 0, -ENOMEM. */
int order_pool_init(struct order_pool *p, uint32_t max);
void order_pool_done(struct order_pool *p);

/* The call @ordinal has ended before, or is not waited for any more. */
bool order_passed(const struct order *o, uint32_t ordinal);
/* The call @ordinal ended, and there is nothing to judge of it. */
void order_pass(struct order *o, uint32_t ordinal);
/* @s ended at @now. true: judge it now; it is not held. */
bool order_add(struct order_pool *p, struct order *o, const struct step *s, uint64_t now);
/* The next one whose turn has come, out of @o into @ret_s; false: none. */
bool order_next(struct order_pool *p, struct order *o, struct step *ret_s);
/* Wait no longer for what is before the first that is held in @o. */
void order_hurry(struct order_pool *p, struct order *o);
/* The order with a call that waits since before @since; NULL: none. */
struct order *order_late(const struct order_pool *p, uint64_t since);
/* Drop what is held in @o. */
void order_clear(struct order_pool *p, struct order *o);

#endif
