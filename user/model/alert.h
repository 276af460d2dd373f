/* SPDX-License-Identifier: Apache-2.0 */
/* An alert: the record "alert" of the output contract, and what the alert sinks send. */
#ifndef MCPVIGIL_MODEL_ALERT_H
#define MCPVIGIL_MODEL_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/call.h"

enum alert_severity { ALERT_NOTICE, ALERT_HIGH };
enum alert_state { ALERT_PENDING, ALERT_FIRING, ALERT_RESOLVED };

/* Strings are borrowed for the time of the callback, NULL where unknown. Those that peers chose (tool, names) are as
 * they came: outputs make them harmless. */
struct alert {
	uint64_t key;	      /* of the episode: the same in every message about it, different for the next one */
	const char *rule;     /* a fixed word of detect/loop.h, or the id of a configured rule */
	uint8_t severity, state;
	uint8_t notified;     /* 1 for the first message of an episode, 2 ... as its count doubles */
	uint64_t ts, since;   /* boot ns: now; the first call of the episode */
	uint64_t ended;	      /* resolved: when */
	uint64_t count;	      /* rounds (loops), or the measured value of a rule */
	const char *session;  /* of the call that raised it; NULL: not about one session */
	uint32_t call;	      /* ordinal of that tools/call in its session */
	bool has_call;
	const char *tool, *server, *client; /* server, client: names as in labels: program or self-reported name */
	uint64_t agent;	      /* 0: unknown */
	uint64_t calls, bytes, busy_ns; /* the cost so far: calls of the episode, their bytes, seconds spent in them */
	const char *evidence; /* JSON object made by us, plain facts only */
	const char *summary;  /* one sentence: what happens */
	const char *advice;   /* one sentence: what to do */
	struct route route;
};

#endif
