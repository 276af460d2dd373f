/* SPDX-License-Identifier: Apache-2.0 */
/* What an alert of a configured rule says. */
#include "detect/alerts_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/jsonw.h"

#define EVIDENCE_MAX 1024
#define SUMMARY_MAX  2048

static const char *const metric_names[RULE_METRICS] = {
	[RULE_RATE] = "rate",		[RULE_ERRORS] = "errors",	[RULE_ERROR_RATIO] = "error_ratio",
	[RULE_LATENCY] = "latency",	[RULE_IN_FLIGHT] = "in_flight", [RULE_BUDGET] = "budget",
	[RULE_BYTES] = "bytes",		[RULE_NEW_SERVER] = "new_server", [RULE_NEW_TOOL] = "new_tool",
	[RULE_FINDING] = "finding",
};

static const char *const advice[RULE_METRICS] = {
	[RULE_RATE] = "See what the agent is doing; stop it where it runs in circles.",
	[RULE_ERRORS] = "Look at the server's log; tell the agent to stop trying.",
	[RULE_ERROR_RATIO] = "Look at the server's log; tell the agent to stop trying.",
	[RULE_LATENCY] = "See what the server waits for.",
	[RULE_IN_FLIGHT] = "See with `mcpvigil calls` which of them hang, and whether the server still runs.",
	[RULE_BUDGET] = "See whether the task is worth so many calls; stop the agent where it is not.",
	[RULE_BYTES] = "Have the server page or shorten its results: they fill the agent's context.",
	[RULE_NEW_SERVER] = "Check who added this server to the agent's configuration.",
	[RULE_NEW_TOOL] = "Check what the server's tool does: servers can add and change tools at any time.",
	[RULE_FINDING] = "See the records of kind \"finding\" for where it was seen.",
};

void rule_text_init(struct rule_text *t)
{
	buf_init(&t->evidence, EVIDENCE_MAX);
	buf_init(&t->summary, SUMMARY_MAX);
}

void rule_text_done(struct rule_text *t)
{
	buf_done(&t->evidence);
	buf_done(&t->summary);
}

static void put_number(struct jsonw *w, const char *key, double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.10g", v);
	jsonw_raw(w, key, sv_of(text));
}

static void put_measured(struct jsonw *w, const struct rule *r, const struct tally *sum)
{
	switch (r->metric) {
	case RULE_LATENCY:
		put_number(w, "quantile", r->quantile);
		jsonw_u64(w, "slower", sum->slow);
		jsonw_u64(w, "slowest_ns", sum->slowest);
		break;
	case RULE_IN_FLIGHT:
		jsonw_u64(w, "in_flight", sum->open);
		return;
	case RULE_BYTES:
		jsonw_u64(w, "bytes", sum->bytes);
		break;
	case RULE_NEW_SERVER:
	case RULE_NEW_TOOL:
		return;
	case RULE_FINDING:
		jsonw_u64(w, "times", sum->calls);
		return;
	default:
		jsonw_u64(w, "errors", sum->errors);
		break;
	}
	jsonw_u64(w, "calls", sum->calls);
}

static void put_evidence(struct buf *out, const struct series *s, const struct tally *sum)
{
	const struct rule *r = s->rule;
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_open(&w, NULL, '{');
	jsonw_cstr(&w, "metric", metric_names[r->metric]);
	if (s->finding)
		jsonw_cstr(&w, "finding", s->finding);
	if (r->metric != RULE_NEW_SERVER && r->metric != RULE_NEW_TOOL)
		put_number(&w, "above", r->above);
	if (r->window_ns)
		put_number(&w, "window_s", (double)r->window_ns / (double)NSEC_PER_SEC);
	put_measured(&w, r, sum);
	jsonw_close(&w, '}');
}

static void put_where(struct buf *out, const struct series *s)
{
	if (s->tool)
		buf_addf(out, " of %s", s->tool);
	if (s->server)
		buf_addf(out, " on %s", s->server);
	if (s->client)
		buf_addf(out, " by %s", s->client);
	if (s->session)
		buf_addf(out, " in session %s", s->session);
	if (s->rule->window_ns)
		buf_addf(out, " within %.10g s", (double)s->rule->window_ns / (double)NSEC_PER_SEC);
}

static void put_count(struct buf *out, const struct series *s, uint64_t n, const char *what)
{
	buf_addf(out, "%" PRIu64 " %s", n, what);
	put_where(out, s);
	buf_addf(out, ", more than %.10g.", s->rule->above);
}

static void put_part(struct buf *out, const struct series *s, uint64_t n, const struct tally *sum)
{
	buf_addf(out, "%" PRIu64 " of %" PRIu64 " calls", n, sum->calls);
	put_where(out, s);
	if (s->rule->metric == RULE_LATENCY)
		buf_addf(out, " took more than %.10g s.", s->rule->above);
	else
		buf_add_str(out, " failed.");
}

static void put_summary(struct buf *out, const struct series *s, const struct tally *sum)
{
	switch (s->rule->metric) {
	case RULE_ERRORS:
		put_count(out, s, sum->errors, "failed calls");
		break;
	case RULE_ERROR_RATIO:
		put_part(out, s, sum->errors, sum);
		break;
	case RULE_LATENCY:
		put_part(out, s, sum->slow, sum);
		break;
	case RULE_IN_FLIGHT:
		put_count(out, s, sum->open, "requests without an answer");
		break;
	case RULE_BYTES:
		put_count(out, s, sum->bytes, "bytes");
		break;
	case RULE_NEW_SERVER:
		buf_addf(out, "The server %s was not seen before.", s->server);
		break;
	case RULE_NEW_TOOL:
		buf_addf(out, "The server %s has a tool that it did not show before: %s.", s->server, s->tool);
		break;
	case RULE_FINDING:
		buf_addf(out, "Finding %s, %" PRIu64 " times.", s->finding, sum->calls);
		break;
	default:
		put_count(out, s, sum->calls, "calls");
		break;
	}
}

/* NULL where the text did not fit. */
static const char *text_of(struct buf *b)
{
	bool whole = !b->full;

	return buf_add_ch(b, '\0') == 0 && whole ? b->p : NULL;
}

void rule_text_fill(struct rule_text *t, const struct series *s, const struct tally *sum, struct alert *ret)
{
	buf_reset(&t->evidence);
	buf_reset(&t->summary);
	put_evidence(&t->evidence, s, sum);
	if (s->rule->summary[0])
		buf_add_str(&t->summary, s->rule->summary);
	else
		put_summary(&t->summary, s, sum);
	ret->evidence = text_of(&t->evidence);
	ret->summary = text_of(&t->summary);
	ret->advice = advice[s->rule->metric];
}
