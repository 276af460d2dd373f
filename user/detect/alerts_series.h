/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted for one key of one rule: the table of all of them, with a cap.
 *
 * The least recently used goes first, but no client process may hold more than a quarter of the table: beyond that it
 * pushes out its own oldest, not those of others. */
#ifndef MCPVIGIL_DETECT_ALERTS_SERIES_H
#define MCPVIGIL_DETECT_ALERTS_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "detect/alerts_life.h"
#include "detect/alerts_rule.h"

struct series_id {
	uint64_t rule, key; /* rule_identity; hash of what it is counted by */
};

struct share;

struct series {
	struct table_node node;
	struct series_id id;
	const struct rule *rule;
	struct window window;
	struct life life;
	uint64_t alert; /* key of the running episode */
	uint64_t last;	/* boot ns of the last call or finding */
	struct tally told; /* the sums while it was above, last */
	/* Of the key; NULL where it does not say. Owned. */
	char *session, *tool, *server, *client, *finding;
	struct route route; /* by session: the last call's */
	uint64_t agent;
	uint32_t call;
	bool has_call;
	bool live; /* in the list of those that time alone may change */
	struct series *live_prev, *live_next;
	struct share *share;
	struct series *share_prev, *share_next;
};

struct series_table {
	struct table table, shares;
	uint32_t share_max;
	struct series *live; /* pending, firing or cooling */
	/* Called before a series goes, with what it holds still there. */
	void (*gone)(void *ctx, struct series *s);
	void *ctx;
};

struct series_names {
	const char *session, *tool, *server, *client, *finding; /* of the key */
	uint64_t owner; /* the client process, or agent, that brings it in; 0: not known */
};

/* 0 or -ENOMEM. */
int series_init(struct series_table *t, uint32_t max, void (*gone)(void *ctx, struct series *s), void *ctx);
void series_done(struct series_table *t);
/* NULL where there is none yet. */
struct series *series_find(struct series_table *t, const struct series_id *id);
/* The one of that key, made where it is not there; NULL without memory. @r stays the caller's, and must stay. */
struct series *series_get(struct series_table *t, const struct series_id *id, const struct rule *r,
			  const struct series_names *n);
void series_drop(struct series_table *t, struct series *s);
/* Keep @s in the list of the living, or take it out, as its life says. */
void series_follow(struct series_table *t, struct series *s);

#endif
