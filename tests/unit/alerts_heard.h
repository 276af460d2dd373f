/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of the alert engine: what it says, a line of text each. */
#ifndef MCPVIGIL_TESTS_ALERTS_HEARD_H
#define MCPVIGIL_TESTS_ALERTS_HEARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "detect/alerts.h"

#define S	 NSEC_PER_SEC
#define STR(s)	 ((char *)(s))
#define LOG_MAX	 8192

struct heard {
	struct alerts *a;
	char log[LOG_MAX];
	size_t n, alerts;
	uint64_t key;	/* of the last */
	char evidence[1024], summary[1024];
};

static inline void heard_alert(void *ctx, const struct alert *a)
{
	struct heard *h = ctx;
	int n = snprintf(h->log + h->n, LOG_MAX - h->n, "%s %s%s%s%s%s%s%s n%u c%llu\n",
			 a->state == ALERT_FIRING ? "fires" : a->state == ALERT_RESOLVED ? "ends" : "?", a->rule,
			 a->tool ? " tool=" : "", a->tool ? a->tool : "", a->client ? " client=" : "",
			 a->client ? a->client : "", a->session ? " session=" : "", a->session ? a->session : "",
			 a->notified, (unsigned long long)a->count);

	assert_true(n > 0 && (size_t)n < LOG_MAX - h->n);
	h->n += (size_t)n;
	h->alerts++;
	h->key = a->key;
	snprintf(h->evidence, sizeof(h->evidence), "%s", a->evidence ? a->evidence : "");
	snprintf(h->summary, sizeof(h->summary), "%s", a->summary ? a->summary : "");
}

static inline void begin(struct heard *h, const struct alerts_opts *o)
{
	memset(h, 0, sizeof(*h));
	h->a = alerts_new(o, &(struct alerts_ops){ heard_alert, h });
	assert_non_null(h->a);
}

static inline struct alerts_opts opts(const struct rule *r)
{
	struct alerts_opts o;

	alerts_opts_default(&o);
	o.rules = 0;
	if (r)
		o.rule[o.rules++] = *r;
	return o;
}

/* What was said since the last time. */
static inline void said(struct heard *h, const char *want)
{
	assert_string_equal(h->log, want);
	h->n = 0;
	h->log[0] = '\0';
}

#endif
