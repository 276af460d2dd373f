/* SPDX-License-Identifier: Apache-2.0 */
/* Series: counters, gauges and histograms by label set, bounded whatever the peers invent.
 *
 * Caps, in this order: values of one label over all and by one owner (a client process, or what stands for it), then
 * series over all and by one owner (a quarter of all). What goes beyond is counted under "_other_", for which an eighth
 * of the series is kept; so no update is lost unless even that is full, and one owner that floods meets its own cap
 * before it meets the others. A series that did not change for a while is forgotten and gives its values back; those
 * whose labels only have fixed words stay.
 *
 * Not thread-safe. */
#ifndef MCPVIGIL_SINK_METRICS_H
#define MCPVIGIL_SINK_METRICS_H

#include <stddef.h>

#include "base/sv.h"
#include "base/table.h"
#include "sink/metric_table.h"
#include "sink/prom_text.h"

struct metrics_opts {
	uint32_t series;       /* over all families */
	uint32_t label_values; /* of one label */
	uint32_t owner_values; /* of one label, brought in by one owner */
	uint64_t expire_ns;
};

struct metric_value;
struct metric_owner;

/* The labels of one event; each family takes those that it has. */
struct metric_set {
	uint64_t owner, now; /* boot ns */
	struct metric_value *v[LABEL_STORED]; /* NULL: the label is absent */
};

/* One label set of one family. */
struct metric_series {
	struct table_node node;
	const void *key[METRIC_LABELS + 1]; /* the family, then the values of its labels */
	struct metric_owner *owner;
	uint64_t changed;
	struct prom_exemplar *exemplar; /* NULL, or one for each bucket */
	struct sv labels;		/* as prom_label() makes them */
	uint32_t slot;
	uint8_t id;			/* enum metric_id */
	uint64_t v;			/* counter, gauge; the sum of a histogram */
	uint64_t bucket[];
};

struct metrics_stats {
	uint64_t series, capacity;
	uint64_t overflow, dropped, expired;
	uint64_t label_overflow[LABEL_STORED];
	uint64_t values[LABEL_STORED]; /* now */
};

struct metrics;

/* NULL with errno. */
struct metrics *metrics_new(const struct metrics_opts *o);
void metrics_free(struct metrics *m);

/* An event at @now: begin, its labels, its updates, end. @owner: who brings new values in, 0 where nobody is known. */
void metrics_begin(struct metric_set *s, uint64_t owner, uint64_t now);
/* Once for each label. An empty value is an absent label, as Prometheus has it. */
void metrics_label(struct metrics *m, struct metric_set *s, enum metric_label label, struct sv value);
void metrics_count(struct metrics *m, struct metric_set *s, enum metric_id id, uint64_t add);
void metrics_gauge(struct metrics *m, struct metric_set *s, enum metric_id id, uint64_t v);
/* The series, where it exists, did not change but is still true. */
void metrics_keep(struct metrics *m, struct metric_set *s, enum metric_id id);
/* @v in the unit that the family's bounds have. @e may be NULL; its v is set here. */
void metrics_observe(struct metrics *m, struct metric_set *s, enum metric_id id, uint64_t v,
		     const struct prom_exemplar *e);
void metrics_end(struct metrics *m, struct metric_set *s);

/* Forget what did not change for expire_ns. Bounded work: call it each second. */
void metrics_expire(struct metrics *m, uint64_t now);
/* The first series of family @id in a slot at or after @at, NULL past the last. Slots stay the same while a series
 * lives: a reader that goes on behind slot meets every series that lives throughout, once. */
const struct metric_series *metrics_next(const struct metrics *m, enum metric_id id, uint32_t at);
void metrics_stats(const struct metrics *m, struct metrics_stats *ret);

#endif
