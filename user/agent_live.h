/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel side, the pipeline, one loop: what trace, record and run have in common. Private to the agent. */
#ifndef MCPVIGIL_AGENT_LIVE_H
#define MCPVIGIL_AGENT_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"

struct evloop;
struct pipeline;
struct probe;
struct tape;

struct agent {
	struct probe *probe;
	struct pipeline *pipe; /* NULL while recording */
	struct tape *tape;
	struct evloop *loop;
	uint64_t started, ticks, records;
	uint64_t kernel[C_N]; /* losses, as of the last second */
	/* Each second; NULL: nothing besides. */
	void (*second)(void *ctx);
	void *ctx;
};

/* For pipeline_new. @ctx: the agent. */
struct ev_key;
void agent_verdict(void *ctx, const struct ev_key *key, uint8_t code);
/* Make the loop, which takes SIGINT and SIGTERM over: before any thread is started. */
int agent_loop(struct agent *a);
/* Make the loop, load and attach, learn what is open. 0, or -errno after a line on standard error. */
int agent_attach(struct agent *a);
/* Take what the rings hold since then: the sinks are there by now. */
void agent_begin(struct agent *a);
/* Both. */
int agent_watch(struct agent *a);
/* Say the line that scripts wait for: what a peer does after it is seen whole. */
void agent_watching(const struct agent *a);
/* Everything that stands in the rings at one time, and that time passed on. */
void agent_drain(struct agent *a);
void agent_losses(struct agent *a);
/* The end of capture: what is pending becomes records, and goes out. */
void agent_finish(struct agent *a);
void agent_done(struct agent *a);

#endif
