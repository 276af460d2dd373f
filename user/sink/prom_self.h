/* SPDX-License-Identifier: Apache-2.0 */
/* Families made of what the agent says of itself. */
#ifndef MCPVIGIL_SINK_PROM_SELF_H
#define MCPVIGIL_SINK_PROM_SELF_H

#include "base/buf.h"
#include "sink/metrics.h"
#include "sink/self.h"

struct prom_self {
	struct self_stats stats;
	uint64_t loop_alerts[SELF_RULES][2]; /* by stats.rule and enum alert_severity */
	struct metrics_stats series;
	uint64_t cpu_ns, resident_bytes, start_ns; /* start: since 1970 */
};

/* Append the samples of family @id, which is one of METRIC_STORED and later. */
void prom_self_family(struct buf *b, const struct prom_self *p, enum metric_id id);
/* Processor time and memory, now. */
void prom_self_process(struct prom_self *p);
/* When this process began; 0 where /proc does not say. */
uint64_t prom_self_start(int64_t wall_offset);

#endif
