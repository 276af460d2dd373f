/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says of itself: filled by it each second, shown as self metrics, by doctor and by /readyz. */
#ifndef MCPVIGIL_SINK_SELF_H
#define MCPVIGIL_SINK_SELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "counters.h"

#define SELF_PROGS 48
#define SELF_TABLES 16
#define SELF_SINKS 20
#define SELF_RULES 32

struct self_prog {
	char name[32], hook[64];
	bool attached, loaded; /* those for TLS libraries are loaded, and attached to each library */
	uint64_t missed, runs, run_ns; /* runs 0: the kernel's statistics are off */
};

struct self_table {
	const char *name; /* literal: "sessions", "in_flight", ... */
	uint64_t n, max, evicted;
};

/* An output that may fail. */
struct self_sink {
	char name[64];	 /* "alertmanager http://...": without userinfo and query */
	bool failing;
	uint64_t sent, failed, dropped, queued;
};

struct self_rule {
	const char *name; /* literal of detect/ */
	uint64_t active;
};

struct self_stats {
	uint64_t now;	 /* boot ns */
	const char *version; /* literal */
	bool capturing;	 /* programs attached, open streams listed */
	const char *tier;
	char tls_why[128]; /* why no TLS library can be probed; "" where they can */
	uint64_t ring_bytes, ring_used, records;
	uint64_t lost[C_N];
	struct self_prog prog[SELF_PROGS];
	unsigned int progs;
	struct self_table table[SELF_TABLES];
	unsigned int tables;
	struct self_sink sink[SELF_SINKS];
	unsigned int sinks;
	struct self_rule rule[SELF_RULES];
	unsigned int rules;
	uint64_t sessions, in_flight, alerts_firing, alerts_pending;
	uint64_t config_reloads, config_failures; /* SIGHUP */
	bool config_ok;
};

/* Append for people: all of it; the programs alone; the losses alone, "in one second" or whatever @since says. */
void self_show(const struct self_stats *s, struct buf *out);
void self_show_progs(const struct self_stats *s, struct buf *out);
void self_show_losses(const struct self_stats *s, const char *since, struct buf *out);

#endif
