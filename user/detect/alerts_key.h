/* SPDX-License-Identifier: Apache-2.0 */
/* By what a rule counts: the key that a call has under it. */
#ifndef MCPVIGIL_DETECT_ALERTS_KEY_H
#define MCPVIGIL_DETECT_ALERTS_KEY_H

#include "detect/alerts_rule.h"
#include "detect/alerts_series.h"

struct count_key {
	uint64_t hash;
	struct series_names names; /* borrowed */
};

/* false where the call has no such key: no tool, an unknown server. */
bool rule_key_of_call(const struct rule *r, const struct call *c, const struct rule_names *n, struct count_key *ret);
/* By the finding's name, and its session for a rule by session; for any other, by its name alone. */
bool rule_key_of_finding(const struct rule *r, const struct finding *f, struct count_key *ret);

#endif
