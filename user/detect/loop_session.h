/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and agents that are tracked: least recently used first beyond the caps. */
#ifndef MCPVIGIL_DETECT_LOOP_SESSION_H
#define MCPVIGIL_DETECT_LOOP_SESSION_H

#include "base/table.h"
#include "detect/episode.h"
#include "detect/order.h"

#define SESSION_LANES 8 /* trackers of one session */

struct loop_session {
	struct table_node node;
	uint64_t no;
	struct order order;
	struct track *tracks;	    /* by lane, the newest first */
	struct loop_names *names;
	struct episode *over_budget, *whole; /* whole: fan-out or a stuck cursor */
	uint64_t cursor_of;	    /* method and tool whose cursor is stuck */
	uint32_t stuck;		    /* times in a row */
	uint32_t calls, in_flight;
};

struct loop_agent {
	struct table_node node;
	uint64_t id;
	struct track track;
};

struct loop_table {
	struct table sessions, agents;
	struct order_pool pool;
	struct episodes episodes;
	uint64_t no_memory;
};

/* 0, -ENOMEM. */
int loop_table_init(struct loop_table *t, const struct loop_opts *o, const struct loop_ops *ops);
void loop_table_done(struct loop_table *t);
/* The session of @c, made where it is new; what was not known of its names is filled in. NULL: no memory. */
struct loop_session *loop_session_of(struct loop_table *t, const struct call *c, const struct loop_who *who);
struct loop_session *loop_session_find(struct loop_table *t, uint64_t no);
/* Its episodes are over. */
void loop_session_end(struct loop_table *t, struct loop_session *s, uint64_t ts);
/* NULL: no memory. */
struct track *loop_session_track(struct loop_table *t, struct loop_session *s, uint64_t lane, uint64_t ts);
/* NULL: no memory. */
struct track *loop_agent_track(struct loop_table *t, uint64_t id, uint64_t ts);

#endif
