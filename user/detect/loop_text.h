/* SPDX-License-Identifier: Apache-2.0 */
/* What alerts about loops say: a summary, advice, and evidence as JSON. */
#ifndef MCPVIGIL_DETECT_LOOP_TEXT_H
#define MCPVIGIL_DETECT_LOOP_TEXT_H

#include "base/buf.h"
#include "detect/episode.h"

/* Append to @out; what does not fit is left out. */
void loop_summary(const struct episode *x, struct buf *out);
void loop_evidence(const struct episode *x, struct buf *out);
/* A fixed sentence. */
const char *loop_advice(const struct episode *x);
uint8_t loop_severity(enum loop_rule rule);

#endif
