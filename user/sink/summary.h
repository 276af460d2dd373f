/* SPDX-License-Identifier: Apache-2.0 */
/* What a run saw, counted: the last line on standard error. */
#ifndef MCPVIGIL_SINK_SUMMARY_H
#define MCPVIGIL_SINK_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sink/sink.h"

#define SUMMARY_LOSSES 64 /* names; more than counters.h has, further ones are added up as "other" */

struct summary {
	uint64_t calls, notifications;
	uint64_t by_outcome[CALL_OUTCOMES];
	uint64_t lost_bytes; /* of the calls and notifications counted here */
	struct {
		char name[32];
		uint64_t count;
	} loss[SUMMARY_LOSSES];
	unsigned int losses;
};

/* The row's self is a struct summary, zeroed at first, that stays the caller's. */
extern const struct sink_ops summary_ops;

/* Append the summary of a run of @ns, as one JSON object or as a line for people, with its newline. */
int summary_json(const struct summary *s, uint64_t ns, struct buf *out);
int summary_text(const struct summary *s, uint64_t ns, struct buf *out);
/* One of them to standard error. */
void summary_print(const struct summary *s, uint64_t ns, bool json);

#endif
