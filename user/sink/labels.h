/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and annotations of an alert as Alertmanager and the webhook send them.
 *
 * Labels say which alert it is: alertname ("mcpvigil_" and the rule), rule, severity, mcp_server, mcp_tool, mcp_client,
 * session, and those of the node. Annotations say what to read. What peers chose is made harmless and short in both. */
#ifndef MCPVIGIL_SINK_LABELS_H
#define MCPVIGIL_SINK_LABELS_H

#include "base/jsonw.h"
#include "sink/sink.h"

#define ALERT_LABELS 8

/* Set by the configuration, put on every alert: cluster, node, ... */
struct alert_labels {
	struct {
		char name[64], value[128];
	} v[ALERT_LABELS];
	unsigned int n;
};

/* Names and values, in the order in which they were added. */
struct pairs {
	struct buf text; /* "name\0value\0" ... */
};

void pairs_init(struct pairs *p);
void pairs_done(struct pairs *p);
/* 0, -ENOSPC, -ENOMEM. An empty value is left out: to Alertmanager it is no label. */
int pairs_add(struct pairs *p, const char *name, const char *value);
/* From *@at = 0 on; false behind the last. */
bool pairs_next(const struct pairs *p, size_t *at, const char **ret_name, const char **ret_value);
/* NULL where there is none of that name. */
const char *pairs_get(const struct pairs *p, const char *name);
/* As a JSON object, the member @key of @w. */
void pairs_json(const struct pairs *p, struct jsonw *w, const char *key);
uint64_t pairs_hash(const struct pairs *p);

/* An alert as it is told to others: what is left of it once the callback is over. */
struct told {
	uint64_t key;	/* of the episode */
	bool resolved;
	uint64_t since, ended; /* boot ns */
	struct pairs labels, notes;
};

/* Fill @ret, which is all zero. @node may be NULL. 0, or -ENOMEM with @ret to be given to told_done all the same. */
int told_init(struct told *ret, const struct alert *a, const struct alert_labels *node);
/* A later message of the same episode: its labels stay as they are, even where more is known of its peers by now. */
int told_again(struct told *t, const struct alert *a);
void told_done(struct told *t);
/* Members "labels", "annotations", "startsAt" and, once resolved or where @always, "endsAt". */
void told_json(const struct told *t, struct jsonw *w, int64_t wall_offset, bool always);

#endif
