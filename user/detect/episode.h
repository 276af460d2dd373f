/* SPDX-License-Identifier: Apache-2.0 */
/* Episodes: a loop from the alert about it until it is over.
 *
 * One alert when it begins, another each time that its count has doubled, and one when it is over: after 3 productive
 * rounds in a row, or silence. A tracker has one episode of severity high at a time. What was alerted for a session is a
 * silent episode of its agent, and the other way round, so that nobody hears of one loop twice. Where the session ends
 * the agent's goes on in its place: an agent that is started again and does the same is in the same loop; without an
 * agent the end of the session is the end of it. Memory is taken when a loop is found, not for each call. */
#ifndef MCPVIGIL_DETECT_EPISODE_H
#define MCPVIGIL_DETECT_EPISODE_H

#include "detect/loop.h"
#include "detect/rules.h"

#define EPISODES_MAX 4096 /* at a time; notices take at most half of them */

/* Who calls whom in a session, for alerts. Strings may be NULL. */
struct loop_names {
	char *session, *server, *client;
	struct route route;
};

struct episode {
	struct episode *newer, *older; /* by last, all that are on */
	struct episode **slot;	       /* its place in a tracker or session, cleared at its end */
	uint64_t key;
	uint8_t rule, period, window, error_class, notified;
	bool silent, agent_scope, has_call;
	uint32_t call;
	uint64_t agent;
	uint64_t since, last;
	uint64_t count, notified_count;
	uint64_t calls, bytes, busy_ns;
	uint32_t sessions; /* that are known to be part of it */
	/* What a call of the loop looks like. */
	uint32_t pairs[CYCLE_MAX], n_pairs;
	uint32_t key32, masked, tool32, shape;
	uint32_t round;	   /* the last that was counted */
	/* Productive rounds so far. */
	uint32_t fresh[2], n_fresh, fresh_round;
	struct fp args_fp, result_fp;
	struct loop_names names;
	char tool[STEP_NAME];
};

struct episodes {
	struct loop_ops ops;
	struct episode *oldest, *newest;
	uint32_t n;
	uint64_t next_key;
	uint64_t active[LOOP_N], fired[LOOP_N], refused;
};

/* What j->m says begins. @silent: nobody is told. j->t NULL: it is about a session as a whole. NULL: no
 * memory, or too many. */
struct episode *episode_open(struct episodes *e, struct episode **slot, const struct judge *j,
			     const struct loop_names *names, bool silent);
/* The newest call of j->t, which may go on with @x or end it. true: it is over, and @x is gone. */
bool episode_step(struct episodes *e, struct episode *x, const struct judge *j);
/* The count is @count now, at @s. */
void episode_grow(struct episodes *e, struct episode *x, const struct step *s, uint64_t count);
void episode_end(struct episodes *e, struct episode *x, uint64_t ts);
/* @from's tracker goes away, but not the loop: @to, silent so far, is the alert from now on. @from is gone. */
void episode_hand_over(struct episodes *e, struct episode *from, struct episode *to);
/* The newest call of @t is one of the loop's. */
bool episode_covers(const struct episode *x, const struct track *t);
/* End those without a call for @quiet_ns. */
void episodes_tick(struct episodes *e, uint64_t now, uint64_t quiet_ns);
/* Free all; nobody is told. */
void episodes_done(struct episodes *e);

#endif
