/* SPDX-License-Identifier: Apache-2.0 */
/* The stages from a record to the sinks, joined. Live capture and replay enter here alike. */
#ifndef MCPVIGIL_PIPELINE_H
#define MCPVIGIL_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "counters.h"
#include "event.h"
#include "facts.h"

struct buf;
struct pipeline;

struct pipeline_opts {
	struct facts_opts facts;
	uint32_t idents;    /* processes remembered; 0: the default, 8192 */
	size_t content_max; /* bytes kept of each payload; 0: none */
	bool no_tls;	    /* say nothing of TLS that is not read */
};

/* Tells the kernel side, live only. */
typedef void (*pipeline_verdict_fn)(void *ctx, const struct ev_key *key, uint8_t code);

/* @verdict NULL: a replay, which asks /proc nothing. NULL with errno. */
struct pipeline *pipeline_new(const struct pipeline_opts *o, pipeline_verdict_fn verdict, void *ctx);
void pipeline_free(struct pipeline *p);
void pipeline_feed(struct pipeline *p, const struct ev_hdr *h);
/* All records up to @now were fed. Call each 20 ms of capture time. */
void pipeline_tick(struct pipeline *p, uint64_t now);
/* Nothing more will come: what is pending becomes records. */
void pipeline_flush(struct pipeline *p, uint64_t now);
/* Report what was lost since the last call; @kernel has the probe's counters, or is NULL. */
void pipeline_losses(struct pipeline *p, const uint64_t kernel[C_N], uint64_t now);
void pipeline_output(struct pipeline *p);
/* 0, or -errno of an output that does not take records any more; -EPIPE: its reader is gone. */
int pipeline_broken(struct pipeline *p);
/* Sinks are added and detection is configured there. */
struct facts *pipeline_facts(struct pipeline *p);
const struct idents *pipeline_idents(const struct pipeline *p);
/* Append, for doctor: processes whose TLS is not read. */
void pipeline_show_opaque(struct pipeline *p, struct buf *out);
/* All that was lost since the start; @kernel as above. */
void pipeline_lost(const struct pipeline *p, const uint64_t kernel[C_N], uint64_t ret_v[C_N]);

#endif
