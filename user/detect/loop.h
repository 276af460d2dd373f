/* SPDX-License-Identifier: Apache-2.0 */
/* Agents that run in circles: runaway loops, judged by fingerprints and marks alone, as calls come.
 *
 * Every tools/call is judged twice: within its session (or the lane in it, where the peers tell agents apart), and in
 * the whole of what its agent calls, over all sessions and servers. */
#ifndef MCPVIGIL_DETECT_LOOP_H
#define MCPVIGIL_DETECT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/alert.h"
#include "model/call.h"

/* X(name, text, severity, default threshold, threshold for polling, help). Thresholds count rounds unless the help
 * says otherwise; 0: the rule is off for that kind of call. */
#define LOOP_RULES(X)                                                                                             \
	X(SAME_ERROR, "same_call_same_error", ALERT_HIGH, 3, 3, "the same call fails with the same error")            \
	X(SAME_FAILS, "same_call_fails", ALERT_HIGH, 5, 5, "the same call fails, whatever the error says")            \
	X(SAME_RESULT, "same_call_same_result", ALERT_HIGH, 4, 10, "the same call brings the same result")            \
	X(SAME_RESULT_WINDOW, "same_call_same_result_window", ALERT_HIGH, 5, 10, "... with other calls between")      \
	X(VOLATILE, "same_call_volatile_result", ALERT_HIGH, 7, 0, "... equal but for ids and times")                 \
	X(ERROR_STREAK, "same_error", ALERT_HIGH, 4, 4, "the same error text, whatever is called")                    \
	X(ERROR_WINDOW, "same_error_window", ALERT_HIGH, 4, 4, "the same failing call, with other calls between")     \
	X(ERROR_STORM, "error_storm", ALERT_HIGH, 7, 7, "nearly all of the last 8 rounds failed in few ways")         \
	X(CYCLE, "cycle", ALERT_HIGH, 3, 10, "a sequence of 2 to 8 calls repeats; threshold: repetitions")             \
	X(STANDSTILL, "standstill", ALERT_HIGH, 10, 0, "for so many rounds only what came twice before, in any order") \
	X(NEAR_DUPLICATE, "near_duplicate", ALERT_HIGH, 6, 0, "nearly the same arguments, the same result")           \
	X(NO_PROGRESS, "no_progress_read", ALERT_HIGH, 7, 0, "a reading tool brings the same whatever it is asked")   \
	X(CONSTANT, "constant_answer", ALERT_HIGH, 6, 6, "two or more tools answer one and the same text")            \
	X(PAGING, "paging_wraps", ALERT_HIGH, 1, 1, "a sweep over pages starts over; threshold: wraps")               \
	X(STUCK_CURSOR, "stuck_cursor", ALERT_HIGH, 2, 2, "nextCursor is the cursor just sent")                       \
	X(CALL_STORM, "call_storm", ALERT_HIGH, 120, 120, "calls in 60 s in one session; threshold: calls")           \
	X(FAN_OUT, "fan_out", ALERT_HIGH, 32, 32, "calls in flight in one session; threshold: calls")                 \
	X(SPAWN_STORM, "spawn_storm", ALERT_HIGH, 40, 40, "agents started in 60 s; threshold: calls")                 \
	X(CIRCLING, "near_duplicate_circling", ALERT_HIGH, 16, 0, "nearly the same arguments, back to forms left")    \
	X(SLOW_SAME, "slow_same_result", ALERT_HIGH, 12, 0, "the same call and result, minutes apart, no timer's")    \
	X(SLOW_LOOP, "slow_loop", ALERT_NOTICE, 30, 0, "one call and result, so many times in an hour; calls")        \
	X(SESSION_BUDGET, "session_budget", ALERT_NOTICE, 150, 150, "calls in one session; threshold: calls")         \
	X(CHURN, "near_duplicate_churn", ALERT_NOTICE, 20, 0, "nearly the same arguments in a row, results differ")

enum loop_rule {
#define X(name, text, severity, threshold, poll, help) LOOP_##name,
	LOOP_RULES(X)
#undef X
	LOOP_N
};
extern const char *const loop_rule_names[LOOP_N];

/* Exceptions for some servers and tools; the first that fits counts. "*" at the end of a pattern stands for anything. */
struct loop_override {
	char server[64], tool[64]; /* patterns; "" fits all */
	bool off[LOOP_N];
	uint16_t threshold[LOOP_N]; /* 0: as elsewhere */
	int8_t poll, read;	   /* 1: it is a polling (reading) tool, -1: it is none, 0: by its name and annotations */
};

#define LOOP_OVERRIDES 64

struct loop_opts {
	uint32_t sessions, agents;  /* 4096 trackers each, least recently used first */
	uint32_t held;		    /* 4096 calls that wait for one sent before them, all sessions */
	bool off[LOOP_N];
	uint16_t threshold[LOOP_N], poll_threshold[LOOP_N];
	uint64_t round_gap_ns;	    /* 150 ms: faster than a model answers */
	uint64_t idle_ns;	    /* 45 s: a tick of a timer is no reaction to the call before */
	uint64_t held_ns;	    /* 2 s: that a call waits for those sent before it to end */
	uint64_t resolve_ns;	    /* 10 min without a call of the loop: the episode is over */
	struct loop_override override[LOOP_OVERRIDES];
	unsigned int overrides;
};

void loop_opts_default(struct loop_opts *o);

struct loop_ops {
	void (*alert)(void *ctx, const struct alert *a);
	void *ctx;
};

struct loops;

/* @o is copied. NULL with errno. */
struct loops *loops_new(const struct loop_opts *o, const struct loop_ops *ops);
void loops_free(struct loops *l);
/* New thresholds and overrides for the calls to come; the sizes stay as they were. */
void loops_reload(struct loops *l, const struct loop_opts *o);
/* Names and identity of who calls whom, for one call. */
struct loop_who {
	uint64_t agent;		     /* 0: not known: judged within its session alone */
	const char *server, *client; /* for overrides and the alert; NULL: unknown */
};
/* A tools/call was sent; incomplete. */
void loops_asked(struct loops *l, const struct call *c, const struct loop_who *who);
/* A call ended, or the logical call that it began did. Calls that are not tools/call but page (…/list) are looked at for
 * stuck cursors; parts of a logical call are passed over until their end. */
void loops_call(struct loops *l, const struct call *c, const struct loop_who *who);
/* What was asked is another one, sent again: nothing more comes of it. */
void loops_withdrawn(struct loops *l, const struct call *c);
void loops_session_end(struct loops *l, uint64_t session_no, uint64_t ts);
void loops_tick(struct loops *l, uint64_t now);
/* Nothing more comes: what was held back is judged. */
void loops_flush(struct loops *l, uint64_t now);

struct loops_stats {
	uint64_t sessions, agents, held;   /* now */
	uint64_t sessions_evicted, agents_evicted, episodes_refused;
	uint64_t held_dropped;		   /* judged before one that was sent earlier had ended */
	uint64_t no_memory;		   /* calls that were not judged */
	uint64_t active[LOOP_N];	   /* episodes that fire now */
	uint64_t fired[LOOP_N];
	size_t session_bytes;		   /* of one session with its tracker */
};
void loops_stats(const struct loops *l, struct loops_stats *ret);

#endif
