/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts to Prometheus Alertmanager, API v2: re-sent while they fire, with endsAt once resolved. */
#ifndef MCPVIGIL_SINK_ALERTMANAGER_H
#define MCPVIGIL_SINK_ALERTMANAGER_H

#include "sink/labels.h"
#include "sink/post.h"
#include "sink/self.h"
#include "sink/sink.h"

struct alertmanager_opts {
	char url[256];		 /* "http://host:9093", a path prefix included; /api/v2/alerts is added */
	uint64_t resend_ns;	 /* 60 s */
	uint64_t timeout_ns;	 /* 5 s for one request */
	uint32_t active;	 /* 1024 alerts kept; beyond them the oldest are dropped and counted */
	const struct alert_labels *labels; /* of the whole node; outlives the sink */
	int64_t wall_offset;
};
void alertmanager_opts_default(struct alertmanager_opts *o);

extern const struct sink_ops alertmanager_ops;
/* One for each URL: all members of a cluster get all alerts. NULL with errno. */
void *alertmanager_new(const struct alertmanager_opts *o);
/* As above over a post of the caller's (sink/post.h), which it takes over even where it fails: for tests. */
void *alertmanager_new_over(const struct alertmanager_opts *o, const struct post_ops *ops, void *post);
/* sent and failed count requests, dropped and queued alerts. */
void alertmanager_self(const void *self, struct self_sink *ret);

#endif
