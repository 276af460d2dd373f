/* SPDX-License-Identifier: Apache-2.0 */
/* How one endpoint is kept supplied: one request at a time, back-off with jitter, Retry-After, counts, and one line in
 * the log each time that it begins to fail or works again. Never waits. */
#ifndef MCPVIGIL_SINK_COURIER_H
#define MCPVIGIL_SINK_COURIER_H

#include "sink/post.h"
#include "sink/self.h"

struct courier {
	const struct post_ops *ops;
	void *post; /* owned */
	char name[64]; /* as shown: no userinfo, no query */
	uint64_t retry_ns, retry_max_ns; /* first pause, doubling to the last; Retry-After counts up to the last too */
	uint64_t next;	     /* boot ns: nothing is sent before */
	unsigned int misses; /* failed requests in a row */
	bool busy, failing;
	uint64_t sent, failed; /* requests */
	uint64_t dice;
};

enum courier_news {
	COURIER_NOTHING,
	COURIER_DELIVERED, /* 2xx */
	COURIER_REFUSED,   /* 3xx, 4xx but 408 and 429: the same request would fail again */
	COURIER_LATER,	   /* anything else: to be sent once more */
};

/* @c takes @post over. */
void courier_init(struct courier *c, const struct post_ops *ops, void *post);
/* @kind is "webhook"; of @url, scheme, host and port are shown, and the path where @path: in that of a webhook may be a
 * secret. */
void courier_name(struct courier *c, const char *kind, const char *url, bool path);
void courier_done(struct courier *c);
uint64_t courier_now(const struct courier *c);
/* What became of the request under way. */
enum courier_news courier_look(struct courier *c);
/* Whether a request may be sent now. */
bool courier_ready(const struct courier *c);
/* 0 or -ENOMEM: it counts as failed. */
int courier_send(struct courier *c, const struct post_req *r);
/* Counts but queued and dropped, which are the sink's. */
void courier_self(const struct courier *c, struct self_sink *ret);
/* The end of the run: up to 2 s for @flush(@self) to bring out what @waits(@self), unless the endpoint fails anyway. */
void courier_linger(struct courier *c, bool (*waits)(const void *self), void (*flush)(void *self), void *self);

#endif
