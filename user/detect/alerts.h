/* SPDX-License-Identifier: Apache-2.0 */
/* The alert engine: loops and configured rules in, alerts with a life (pending, firing, resolved) out. */
#ifndef MCPVIGIL_DETECT_ALERTS_H
#define MCPVIGIL_DETECT_ALERTS_H

#include "model/alert.h"
#include "model/call.h"
#include "model/session.h"

enum rule_metric {
	RULE_RATE,	/* calls in the window */
	RULE_ERRORS,	/* failed calls in the window */
	RULE_ERROR_RATIO, /* failed of all, 0 to 1 */
	RULE_LATENCY,	/* the quantile of durations in the window, seconds */
	RULE_IN_FLIGHT,	/* requests without an answer */
	RULE_BUDGET,	/* calls since the key was first seen, or within the window */
	RULE_BYTES,	/* request and response bytes in the window */
	RULE_NEW_SERVER, /* a server that was not seen before */
	RULE_NEW_TOOL,	/* a tool of a server that was not seen before */
	RULE_FINDING,	/* a finding of that name */
	RULE_METRICS
};

enum rule_key { RULE_BY_ALL, RULE_BY_CLIENT, RULE_BY_TOOL, RULE_BY_SERVER, RULE_BY_SESSION, RULE_KEYS };

#define RULES_MAX 64

/* Patterns: "" fits all, "*" at the end stands for anything. */
struct rule {
	char id[64];
	uint8_t metric, by, severity; /* enum rule_metric, rule_key, alert_severity */
	char tool[64], server[64], client[64], method[64], finding[64];
	char outcome[16];	      /* RULE_ERRORS, RULE_ERROR_RATIO: what counts as failed, "": errors and no answer */
	double above;		      /* fires above it; RULE_NEW_*: so many alerts in a window at most, 0: 10 */
	double quantile;	      /* RULE_LATENCY: 0.95 */
	uint32_t min_calls;	      /* of the window, before a ratio or quantile says anything */
	uint64_t window_ns;	      /* 0: RULE_BUDGET: all calls; others: 10 min. RULE_NEW_*: fires for so long */
	uint64_t for_ns, cooldown_ns;
	char summary[200];
};

struct alerts_opts {
	struct rule rule[RULES_MAX];
	unsigned int rules;
	uint32_t series;   /* 4096: keys that are counted, over all rules; least recently used first */
	uint32_t active;   /* 1024 alerts at a time */
	uint64_t learn_ns; /* 10 min after the first server no server is new, as long after a server none of its tools */
	uint64_t loop_cooldown_ns; /* 0: as soon as a loop is over, the same one may fire again */
};

void alerts_opts_default(struct alerts_opts *o);

struct alerts_ops {
	void (*alert)(void *ctx, const struct alert *a); /* firing, again as it doubles, resolved */
	void *ctx;
};

struct alerts;

/* @o is copied. NULL with errno. */
struct alerts *alerts_new(const struct alerts_opts *o, const struct alerts_ops *ops);
void alerts_free(struct alerts *a);
/* Rules that stayed the same keep their state; those that are gone resolve. */
void alerts_reload(struct alerts *a, const struct alerts_opts *o);
/* From loop detection. */
void alerts_loop(struct alerts *a, const struct alert *loop);
void alerts_asked(struct alerts *a, const struct call *c, const char *client, const char *server);
void alerts_call(struct alerts *a, const struct call *c, const char *client, const char *server);
/* What was asked is another one, sent again: nothing more comes of it. */
void alerts_withdrawn(struct alerts *a, const struct call *c, const char *client, const char *server);
void alerts_finding(struct alerts *a, const struct finding *f);
void alerts_tick(struct alerts *a, uint64_t now);
/* The end of the run: what fires is not resolved, it is left. */
struct alerts_stats {
	uint64_t firing, pending, fired, resolved, series_evicted, suppressed; /* suppressed: cooldown, or too many */
};
void alerts_stats(const struct alerts *a, struct alerts_stats *ret);

#endif
