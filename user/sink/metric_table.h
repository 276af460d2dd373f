/* SPDX-License-Identifier: Apache-2.0 */
/* Every metric, once: what is served, what documents it, and what the tests compare a page with. */
#ifndef MCPVIGIL_SINK_METRIC_TABLE_H
#define MCPVIGIL_SINK_METRIC_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* What a label says. Its values are capped together, whatever the families call it. */
enum metric_label {
	LABEL_NONE,
	LABEL_METHOD,
	LABEL_TOOL,
	LABEL_PROMPT,
	LABEL_ERROR,
	LABEL_STATUS,
	LABEL_PROTOCOL,
	LABEL_OPERATION,
	LABEL_NET_TRANSPORT,
	LABEL_NET_PROTOCOL,
	LABEL_NET_VERSION,
	LABEL_ADDRESS,
	LABEL_PORT,
	LABEL_SERVER,
	LABEL_CLIENT,
	LABEL_OUTCOME,
	LABEL_TRANSPORT,
	LABEL_ATTEMPT,
	LABEL_JOINED_BY,
	LABEL_REASON,
	LABEL_RULE,
	LABEL_SEVERITY,
	LABEL_STATE,
	LABEL_FINDING,
	LABEL_STORED, /* those up to here have values in series */
	LABEL_LOSS = LABEL_STORED,
	LABEL_PROGRAM,
	LABEL_HOOK,
	LABEL_TABLE,
	LABEL_SINK,
	LABEL_LABEL,
	LABEL_VERSION,
	LABEL_TIER,
	LABEL_N
};

/* Families: those made of calls and other facts come first, then those made of the agent's own state. */
enum metric_id {
	METRIC_CLIENT_OPERATION,
	METRIC_SERVER_OPERATION,
	METRIC_CLIENT_SESSION,
	METRIC_SERVER_SESSION,
	METRIC_CALLS,
	METRIC_ATTEMPTS,
	METRIC_REQUEST_BYTES,
	METRIC_RESPONSE_BYTES,
	METRIC_TOOLS_LIST_BYTES,
	METRIC_RESULT_TEXT,
	METRIC_LOGICAL,
	METRIC_NOTIFICATIONS,
	METRIC_SESSION_ENDS,
	METRIC_ALERTS,
	METRIC_FINDINGS,
	METRIC_STORED, /* those up to here are series */
	METRIC_IN_FLIGHT = METRIC_STORED,
	METRIC_SESSIONS,
	METRIC_LOOP_ALERTS,
	METRIC_LOOPS_ACTIVE,
	METRIC_ALERTS_FIRING,
	METRIC_ALERTS_PENDING,
	METRIC_BUILD,
	METRIC_CAPTURING,
	METRIC_RING_SIZE,
	METRIC_RING_USED,
	METRIC_RECORDS,
	METRIC_LOST,
	METRIC_PROG_ATTACHED,
	METRIC_PROG_MISSED,
	METRIC_PROG_RUNS,
	METRIC_PROG_SECONDS,
	METRIC_TABLE_ENTRIES,
	METRIC_TABLE_CAPACITY,
	METRIC_TABLE_EVICTIONS,
	METRIC_SINK_UP,
	METRIC_SINK_SENT,
	METRIC_SINK_FAILED,
	METRIC_SINK_DROPPED,
	METRIC_SINK_QUEUED,
	METRIC_CONFIG_OK,
	METRIC_CONFIG_RELOADS,
	METRIC_CONFIG_FAILURES,
	METRIC_LABEL_OVERFLOW,
	METRIC_SERIES,
	METRIC_SERIES_CAPACITY,
	METRIC_SERIES_OVERFLOW,
	METRIC_SERIES_DROPPED,
	METRIC_SERIES_EXPIRED,
	METRIC_CPU,
	METRIC_RESIDENT,
	METRIC_START_TIME,
	METRIC_N
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

#define METRIC_LABELS  12
#define METRIC_BUCKETS 14

/* Upper bounds, in the unit that values are kept in, and as they are printed; one more has no bound. */
struct metric_buckets {
	unsigned int n;
	uint64_t bound[METRIC_BUCKETS];
	const char *le[METRIC_BUCKETS];
};

struct metric {
	const char *name;  /* of the family: without the suffix of its samples */
	const char *unit;  /* "seconds", "bytes", "": the name ends in it */
	const char *help;  /* without backslash, quote and line end */
	uint8_t type;
	bool otel;	   /* labels are named as OpenTelemetry's attributes */
	bool nanoseconds;  /* kept in ns, printed in seconds */
	const struct metric_buckets *buckets;
	uint8_t label[METRIC_LABELS + 1]; /* enum metric_label, LABEL_NONE ends */
};

struct metric_label_info {
	const char *name, *otel; /* otel NULL: the same */
	const char *help;
	bool closed;		 /* its values are fixed words, no peer chooses them */
};

extern const struct metric metric_table[METRIC_N];
extern const struct metric_label_info metric_labels[LABEL_N];
extern const char *const metric_type_names[]; /* as OpenMetrics has them */

/* "_total", "_info" or "": what samples of the family have behind its name; histograms have their own. */
const char *metric_suffix(const struct metric *m);
const char *metric_label_name(const struct metric *m, uint8_t label);

#endif
