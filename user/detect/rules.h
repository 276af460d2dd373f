/* SPDX-License-Identifier: Apache-2.0 */
/* The rules: what of a tracker is a loop. Each looks at the tracker right after it took a call in. */
#ifndef MCPVIGIL_DETECT_RULES_H
#define MCPVIGIL_DETECT_RULES_H

#include "detect/policy.h"
#include "detect/track.h"

struct match {
	enum loop_rule rule;
	uint32_t count;	 /* rounds, or what the rule counts */
	uint32_t back;	 /* the first call of it is so many before the newest, or older than the ring */
	uint8_t period;	 /* of a cycle; else 0 */
	uint8_t window;	 /* rounds or calls that were looked at; 0: a streak */
	/* Where it goes back further than the ring: calls, and the start of the first. */
	uint32_t calls, since_ms;
};

struct judge {
	const struct track *t;
	const struct step *s;
	const struct limits *limits; /* of the policy */
	struct match m; /* of the last rule that matched */
};

/* No rule can match, whatever its family: nothing came again often enough. So it is with most calls. */
bool rules_idle(const struct judge *j);
/* The first rule of severity high that matches; of the notices the first. false: none. */
bool rules_high(struct judge *j);
bool rules_slow_notice(struct judge *j);
bool rules_churn_notice(struct judge *j);

/* The families; each sets j->m and returns true where one of its rules matches. */
bool rule_same_call(struct judge *j);	/* one call, one answer, in a row */
bool rule_same_answer(struct judge *j); /* one answer to many calls, in a row */
bool rule_failures(struct judge *j);	/* with other calls between, and storms */
bool rule_repeats(struct judge *j);	/* good calls with others between */
bool rule_cycle(struct judge *j);
bool rule_circling(struct judge *j);
bool rule_pace(struct judge *j);	/* too many, too fast; too slow to be seen by rounds */
bool rule_sweep(struct judge *j);

/* For the families: threshold, UINT32_MAX where the rule is off. */
static inline uint32_t rule_limit(const struct judge *j, enum loop_rule rule, bool poll)
{
	uint16_t limit = j->limits->at[poll][rule];

	return limit ? limit : UINT32_MAX;
}

/* Below it the rule says nothing, polling or not. */
static inline uint32_t rule_least(const struct judge *j, enum loop_rule rule)
{
	uint32_t plain = rule_limit(j, rule, false), poll = rule_limit(j, rule, true);

	return poll < plain ? poll : plain;
}

/* @k is as long as @limit, and where it must be, of several sessions: then it is the match. */
bool rule_streak(struct judge *j, enum loop_rule rule, const struct streak *k, uint32_t limit);
bool rule_set(struct judge *j, enum loop_rule rule, uint32_t count, uint32_t back);
/* The last failures pass by themselves, and the caller waits longer each time: it does what it should. */
bool rule_backs_off(const struct judge *j);
/* An agent's calls can be judged by windows of @n calls: each was a session of its own. */
bool rule_windowed(const struct judge *j, uint32_t n);

#endif
