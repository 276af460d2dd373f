/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts of one rule that go to a webhook together, and the body that they make. */
#ifndef MCPVIGIL_SINK_WEBHOOK_GROUP_H
#define MCPVIGIL_SINK_WEBHOOK_GROUP_H

#include "sink/labels.h"

#define GROUP_ALERTS 64 /* more are counted in the body, not listed */
#define GROUP_BYTES  (2UL << 20)

struct group {
	struct group *next;
	char rule[64];
	uint64_t begin; /* boot ns of the sink's clock: its first alert came */
	struct told *alert[GROUP_ALERTS];
	unsigned int n, truncated;
};

/* NULL without memory. */
struct group *group_new(const char *rule, uint64_t now);
void group_free(struct group *g);
/* A later message of the same episode takes the place of the earlier one. 0; -ENOSPC: only counted; -ENOMEM. */
int group_add(struct group *g, const struct alert *a, const struct alert_labels *node);
/* Append the body to @out. 0, or -ENOMEM where it is incomplete. */
int group_body(const struct group *g, int64_t wall_offset, struct buf *out);

#endif
