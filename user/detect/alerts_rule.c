/* SPDX-License-Identifier: Apache-2.0 */
/* What one configured rule looks at, and when it speaks. */
#include "detect/alerts_rule.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/sv.h"

uint64_t rule_identity(const struct rule *r)
{
	const char *const text[] = { r->id,	r->tool,    r->server, r->client,
				     r->method, r->finding, r->outcome, r->summary };
	const uint64_t numbers[] = { r->metric, r->by, r->severity, r->min_calls, r->window_ns, r->for_ns, r->cooldown_ns };
	const double parts[] = { r->above, r->quantile };
	uint64_t h[10];

	for (unsigned int i = 0; i < 8; i++)
		h[i] = hash_bytes(text[i], strlen(text[i]));
	h[8] = hash_bytes(numbers, sizeof(numbers));
	h[9] = hash_bytes(parts, sizeof(parts));
	return hash_bytes(h, sizeof(h));
}

static bool fits(const char *pattern, const char *s)
{
	struct sv p = sv_of(pattern);

	if (!p.n)
		return true;
	if (!s)
		return false;
	if (p.p[p.n - 1] == '*')
		return sv_starts(sv_of(s), (struct sv){ p.p, p.n - 1 });
	return strcmp(pattern, s) == 0;
}

static const char *outcome_of(const struct call *c)
{
	return c->outcome < CALL_OUTCOMES ? call_outcome_names[c->outcome] : NULL;
}

static bool about_errors(const struct rule *r)
{
	return r->metric == RULE_ERRORS || r->metric == RULE_ERROR_RATIO;
}

bool rule_fits_asked(const struct rule *r, const struct call *c, const struct rule_names *n)
{
	return fits(r->tool, c->tool) && fits(r->server, n->server) && fits(r->client, n->client) &&
	       fits(r->method, c->method);
}

bool rule_fits(const struct rule *r, const struct call *c, const struct rule_names *n)
{
	/* An answer whose request was not seen says nothing of what was asked, nor of how long it took. */
	if (c->outcome == CALL_ORPHAN && about_errors(r))
		return false;
	if (r->metric == RULE_LATENCY && !c->has_duration)
		return false;
	return rule_fits_asked(r, c, n) && (about_errors(r) || fits(r->outcome, outcome_of(c)));
}

bool rule_fits_finding(const struct rule *r, const struct finding *f)
{
	return r->metric == RULE_FINDING && fits(r->finding, f->name);
}

static bool failed(const struct rule *r, const struct call *c)
{
	if (about_errors(r) && r->outcome[0])
		return fits(r->outcome, outcome_of(c));
	return c->outcome == CALL_TOOL_ERROR || c->outcome == CALL_RPC_ERROR || c->outcome == CALL_HTTP_ERROR ||
	       c->outcome == CALL_UNANSWERED;
}

struct tally rule_tally(const struct rule *r, const struct call *c)
{
	struct tally t = {
		.calls = 1,
		.errors = failed(r, c),
		.slowest = c->has_duration ? c->duration_ns : 0,
		.bytes = c->request_bytes + c->response_bytes,
		.busy_ns = c->has_duration ? c->duration_ns : 0,
	};

	if (r->metric == RULE_LATENCY)
		t.slow = (double)c->duration_ns > r->above * (double)NSEC_PER_SEC;
	return t;
}

static uint64_t ceil_of(double v)
{
	uint64_t n = (uint64_t)v;

	return (double)n < v ? n + 1 : n;
}

/* @q of @n, rounded up. 0.07 * 100 is a little more than 7 in binary: what is that near to a whole number is meant
 * as one. */
static uint64_t rank_of(double q, uint64_t n)
{
	double v = q * (double)n;

	return v > 1e-9 ? ceil_of(v - 1e-9) : 0;
}

static bool enough(const struct rule *r, const struct tally *t)
{
	return t->calls && t->calls >= r->min_calls;
}

static bool ratio_above(const struct rule *r, const struct tally *t)
{
	return enough(r, t) && (double)t->errors > r->above * (double)t->calls;
}

static bool quantile_above(const struct rule *r, const struct tally *t)
{
	return enough(r, t) && t->calls - t->slow < rank_of(r->quantile, t->calls);
}

static uint64_t over(uint64_t value, double above)
{
	return (double)value > above ? value : 0;
}

uint64_t rule_above(const struct rule *r, const struct tally *t)
{
	switch (r->metric) {
	case RULE_RATE:
	case RULE_BUDGET:
	case RULE_FINDING:
		return over(t->calls, r->above);
	case RULE_ERRORS:
		return over(t->errors, r->above);
	case RULE_ERROR_RATIO:
		return ratio_above(r, t) ? t->errors : 0;
	case RULE_LATENCY:
		return quantile_above(r, t) ? t->slow : 0;
	case RULE_IN_FLIGHT:
		return over(t->open, r->above);
	case RULE_BYTES:
		return over(t->bytes, r->above);
	case RULE_NEW_SERVER:
	case RULE_NEW_TOOL:
		return t->calls;
	default:
		return 0;
	}
}
