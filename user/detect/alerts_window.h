/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over a sliding window of time: a ring of sub-windows, so that a window costs the same however much happens in
 * it, and what leaves it leaves a twelfth at a time. */
#ifndef MCPVIGIL_DETECT_ALERTS_WINDOW_H
#define MCPVIGIL_DETECT_ALERTS_WINDOW_H

#include <stdint.h>

#define WINDOW_SUBS 12

struct tally {
	uint64_t calls, errors;
	uint64_t slow;	  /* of those calls: took longer than the rule's threshold */
	uint64_t slowest; /* ns; of a sum: the most of its parts */
	uint64_t open;	  /* asked and not answered */
	uint64_t bytes, busy_ns;
};

struct window {
	uint64_t sub_ns; /* 0: nothing ever leaves it */
	uint64_t at;	 /* number of the newest sub-window: boot ns / sub_ns */
	struct tally sub[WINDOW_SUBS];
};

/* @window_ns 0: a sum since the beginning. */
void window_init(struct window *w, uint64_t window_ns);
/* What happened at @ts, boot ns. Late news go into the sub-window of their time, or are dropped where that is over. */
void window_add(struct window *w, uint64_t ts, const struct tally *t);
/* A request asked at @asked is open no more. */
void window_answered(struct window *w, uint64_t asked);
/* What lies in the window that ends @now. */
struct tally window_sum(struct window *w, uint64_t now);

#endif
