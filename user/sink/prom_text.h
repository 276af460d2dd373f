/* SPDX-License-Identifier: Apache-2.0 */
/* The two formats that Prometheus reads: text 0.0.4 and OpenMetrics 1.0. Appends only; what a peer chose is made
 * harmless here. */
#ifndef MCPVIGIL_SINK_PROM_TEXT_H
#define MCPVIGIL_SINK_PROM_TEXT_H

#include "base/buf.h"
#include "sink/metric_table.h"

#define PROM_VALUE_MAX 128 /* bytes of a label's value, unescaped */
#define PROM_OTHER     "_other_"

/* @raw as it may stand in a label: valid UTF-8 (U+FFFD for what is not, and for controls other than line end), at most
 * PROM_VALUE_MAX bytes (cut ones end in U+2026). The view is @raw itself or points into @room. */
struct sv prom_value(struct sv raw, char room[PROM_VALUE_MAX]);
/* Append name="value", after a comma where @b is not empty. */
void prom_label(struct buf *b, const char *name, struct sv value);

/* true where @accept (NULL: no such header) prefers OpenMetrics 1.0 to the text format. */
bool prom_wants_openmetrics(const char *accept);

/* One sample's value: a whole number, or ns printed as seconds. */
void prom_number(struct buf *b, uint64_t v, bool nanoseconds);
/* # HELP, # TYPE and, in OpenMetrics, # UNIT. */
void prom_head(struct buf *b, const struct metric *m, bool openmetrics);
/* name{labels} value; @labels is what prom_label made. Not for histograms. */
void prom_sample(struct buf *b, const struct metric *m, struct sv labels, uint64_t v);

/* A trace that fell into a bucket. */
struct prom_exemplar {
	char trace_id[33], span_id[17]; /* "" where there is none */
	uint64_t v, wall_ns;
};

struct prom_histogram {
	const uint64_t *bucket;	/* not cumulative, one more than there are bounds */
	uint64_t sum;
	const struct prom_exemplar *exemplar; /* one each, or NULL; only OpenMetrics has them */
};
void prom_histogram(struct buf *b, const struct metric *m, struct sv labels, const struct prom_histogram *h);

#endif
