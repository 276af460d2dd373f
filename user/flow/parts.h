/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes whose connection the kernel side does not know yet (EV_F_PART): kept as they came until EV_JOIN names it. Private to
 * flow/. */
#ifndef MCPVIGIL_FLOW_PARTS_H
#define MCPVIGIL_FLOW_PARTS_H

#include <stdint.h>

#include "base/table.h"
#include "event_tls.h"

#define PARTS_MAX 1024
#define PARTS_BYTES (16u << 20) /* of all */
#define PART_BYTES (2u << 20)	/* of one */
#define PART_HOLD_NS (10 * 1000000000ull)

struct parts {
	struct table table; /* struct part by name */
	uint64_t bytes, dropped; /* dropped: records */
};

/* 0 or -ENOMEM. */
int parts_init(struct parts *p);
void parts_done(struct parts *p);
void parts_add(struct parts *p, const struct ev_data *d, uint64_t now);
/* Hand on the records of @j->part as those of @j->key, in the order in which they came. */
void parts_join(struct parts *p, const struct ev_join *j, void (*fn)(void *ctx, const struct ev_data *d), void *ctx);
/* Forget those that nobody asked for in PART_HOLD_NS. */
void parts_tick(struct parts *p, uint64_t now);

#endif
