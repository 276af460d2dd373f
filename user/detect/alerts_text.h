/* SPDX-License-Identifier: Apache-2.0 */
/* What an alert of a configured rule says: its evidence, one sentence of what happens, one of what to do. */
#ifndef MCPVIGIL_DETECT_ALERTS_TEXT_H
#define MCPVIGIL_DETECT_ALERTS_TEXT_H

#include "base/buf.h"
#include "detect/alerts_series.h"

struct rule_text {
	struct buf evidence, summary; /* with their NUL */
};

void rule_text_init(struct rule_text *t);
void rule_text_done(struct rule_text *t);
/* Fill the texts of an alert about @s with the sums @sum; they stay valid until the next call. NULL in @ret where there
 * is no memory. */
void rule_text_fill(struct rule_text *t, const struct series *s, const struct tally *sum, struct alert *ret);

#endif
