/* SPDX-License-Identifier: Apache-2.0 */
/* What one configured rule looks at, and when it speaks. Pure functions of a rule, a call and the sums of a window.
 *
 * Quantiles need no histogram here: the q-quantile of n durations (nearest rank) lies above a threshold exactly where
 * fewer than ceil(q n) of them do not, so counting the slow ones decides it without any error of a sketch. */
#ifndef MCPVIGIL_DETECT_ALERTS_RULE_H
#define MCPVIGIL_DETECT_ALERTS_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/alerts.h"
#include "detect/alerts_window.h"

/* Who takes part in a call, or NULL where unknown. */
struct rule_names {
	const char *client, *server;
};

/* Hash of all that @r says: rules that stayed the same over a reload keep it. */
uint64_t rule_identity(const struct rule *r);
/* Whether the names and, for all metrics but RULE_ERRORS and RULE_ERROR_RATIO, the outcome fit the rule's patterns. For
 * those two the outcome says which calls have failed. */
bool rule_fits(const struct rule *r, const struct call *c, const struct rule_names *n);
/* As above for a request that has no outcome yet. */
bool rule_fits_asked(const struct rule *r, const struct call *c, const struct rule_names *n);
bool rule_fits_finding(const struct rule *r, const struct finding *f);
/* What a call that fits adds to the rule's window. */
struct tally rule_tally(const struct rule *r, const struct call *c);
/* The number that the rule is about, where it is above the threshold; else 0. */
uint64_t rule_above(const struct rule *r, const struct tally *sum);

#endif
