/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts to a webhook: the body that Alertmanager's webhook receiver gets (version 4), signed.
 *
 *	X-Mcpvigil-Timestamp: 1700000000
 *	X-Mcpvigil-Signature: sha256=<hex of HMAC-SHA256(secret, "1700000000." and the body)>
 *
 * The timestamp (Unix seconds) is that of the attempt: a receiver can refuse what is older than a few minutes, and with
 * it what somebody replays. A group may come twice, where its first answer was lost. */
#ifndef MCPVIGIL_SINK_WEBHOOK_H
#define MCPVIGIL_SINK_WEBHOOK_H

#include "sink/labels.h"
#include "sink/post.h"
#include "sink/self.h"
#include "sink/sink.h"

struct webhook_opts {
	char url[256];
	char secret[128];	 /* HMAC-SHA256 key of the signature header; "": unsigned */
	uint64_t timeout_ns;	 /* 10 s */
	uint64_t group_wait_ns;	 /* 5 s: alerts of one rule that come within it go out together */
	uint64_t retry_ns, retry_max_ns; /* 1 s, doubling to 5 min */
	uint32_t queue;		 /* 256 groups wait at most; beyond them the oldest is dropped and counted */
	const struct alert_labels *labels;
	int64_t wall_offset;
};
void webhook_opts_default(struct webhook_opts *o);

extern const struct sink_ops webhook_ops;
/* NULL with errno. */
void *webhook_new(const struct webhook_opts *o);
/* As above over a post of the caller's, which it takes over even where it fails: for tests. */
void *webhook_new_over(const struct webhook_opts *o, const struct post_ops *ops, void *post);
/* sent and failed count requests, queued groups, dropped groups and alerts that a full group had no room for. */
void webhook_self(const void *self, struct self_sink *ret);

#endif
