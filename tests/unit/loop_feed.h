/* SPDX-License-Identifier: Apache-2.0 */
/* Calls made by hand for loop detection, and the alerts that they bring. */
#ifndef MCPVIGIL_TESTS_LOOP_FEED_H
#define MCPVIGIL_TESTS_LOOP_FEED_H

#include <stdio.h>
#include <string.h>

#include "detect/loop.h"

#define MS	    1000000ULL
#define S	    1000000000ULL
#define FEED_ALERTS 256

struct got {
	uint64_t key, count, calls, agent, bytes, busy_ns;
	char rule[40], session[16], evidence[400], summary[200];
	uint32_t call;
	uint8_t severity, state, notified;
	bool has_call;
};

struct feed {
	struct loops *l;
	uint64_t now;
	uint32_t ordinal[8]; /* by session, from 1 */
	struct got got[FEED_ALERTS];
	unsigned int n;
};

/* One call; what is 0 is as usual: session 1, result = its number, latency 100 ms, 2 s of thinking before. */
struct said {
	const char *tool;
	uint64_t args, result, raw; /* raw: 0 as result; result is what is masked */
	bool err;
	unsigned int session;
	uint64_t gap_ms, latency_ms;
	uint64_t agent, lane;
	struct call_marks marks;
	const char *server;
	uint8_t outcome; /* where it is not OK or a tool's error */
	bool no_args, no_result;
};

static inline void feed_alert(void *ctx, const struct alert *a)
{
	struct feed *f = ctx;

	assert_true(f->n < FEED_ALERTS);
	f->got[f->n] = (struct got){
		.key = a->key, .count = a->count, .calls = a->calls, .bytes = a->bytes, .busy_ns = a->busy_ns,
		.agent = a->agent, .severity = a->severity, .state = a->state, .notified = a->notified,
		.call = a->call, .has_call = a->has_call,
	};
#define COPY(member) snprintf(f->got[f->n].member, sizeof(f->got[0].member), "%s", a->member ? a->member : "")
	COPY(rule);
	COPY(session);
	COPY(evidence);
	COPY(summary);
#undef COPY
	f->n++;
}

static inline void feed_begin(struct feed *f, const struct loop_opts *o)
{
	struct loop_opts usual;

	memset(f, 0, sizeof(*f));
	loop_opts_default(&usual);
	f->l = loops_new(o ? o : &usual, &(struct loop_ops){ feed_alert, f });
	f->now = 1000 * S;
}

#define feed_end(f) loops_free((f)->l)

static inline struct call feed_call(struct feed *f, const struct said *d, char name[16])
{
	unsigned int session = d->session ? d->session : 1;
	uint64_t result = d->result ? d->result : 1000000 + f->ordinal[session];
	struct call c = {
		.from = SIDE_CLIENT,
		.method = (char *)"tools/call",
		.tool = (char *)(d->tool ? d->tool : "do_it"),
		.session_no = session,
		.session = name,
		.has_ordinal = true,
		.outcome = d->outcome ? d->outcome : d->err ? CALL_TOOL_ERROR : CALL_OK,
		.marks = d->marks,
		.has_duration = true,
		.request_bytes = 100,
		.response_bytes = 1000,
	};

	snprintf(name, 16, "s%u", session);
	c.marks.lane = d->lane;
	if (!d->no_args)
		c.args_fp = (struct fp){ { d->args + 1, 7 } };
	if (!d->no_result) {
		c.masked_fp = (struct fp){ { result, 9 } };
		c.result_fp = (struct fp){ { d->raw ? d->raw : result, 8 } };
	}
	return c;
}

/* Ask and answer. */
static inline void say(struct feed *f, struct said d)
{
	struct loop_who who = { .agent = d.agent, .server = d.server, .client = "client" };
	char name[16];
	struct call c = feed_call(f, &d, name);

	f->now += (d.gap_ms ? d.gap_ms : 2000) * MS;
	c.start = f->now;
	c.ordinal = f->ordinal[c.session_no]++;
	loops_asked(f->l, &c, &who);
	f->now += (d.latency_ms ? d.latency_ms : 100) * MS;
	c.ts = f->now;
	c.duration_ns = c.ts - c.start;
	loops_tick(f->l, c.ts);
	loops_call(f->l, &c, &who);
}

/* Once, or more often. */
static inline void repeat(struct feed *f, unsigned int n, struct said d)
{
	while (n--)
		say(f, d);
}

/* The first alerts that fired, of severity high. */
static inline unsigned int high(const struct feed *f)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < f->n; i++)
		n += f->got[i].severity == ALERT_HIGH && f->got[i].state == ALERT_FIRING && f->got[i].notified == 1;
	return n;
}

#define expect_quiet(f) assert_int_equal(high(f), 0)
/* Exactly one of severity high, by @r, at @at. */
#define expect_rule(f, r, at)                                                                                       \
	do {                                                                                                        \
		assert_int_equal(high(f), 1);                                                                       \
		assert_string_equal((f)->got[0].rule, r);                                                           \
		assert_int_equal((f)->got[0].call, at);                                                             \
	} while (0)

#endif
