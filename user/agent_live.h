/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel side, the pipeline, one loop: what trace, record and run have in common. Private to the agent. */
#ifndef MCPVIGIL_AGENT_LIVE_H
#define MCPVIGIL_AGENT_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"

struct ev_hdr;
struct evloop;
struct hooks;
struct pipeline;
struct probe;
struct tape;

/* How TLS libraries are probed. */
struct agent_tls {
	bool off;
	bool confine;	   /* the process for it gives up what it does not need */
	bool fuse_network; /* see struct hooks_opts */
	const char *cache; /* NULL, "": none */
};

struct agent {
	struct probe *probe;
	struct hooks *hooks; /* NULL: TLS is not read */
	struct agent_tls tls; /* set before agent_attach */
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

/* agent_hooks.c: start the process that probes TLS libraries, where that is wanted and possible. 0 or -errno. */
int agent_hooks_start(struct agent *a);
/* Until it has looked at whatever runs now. */
void agent_hooks_wait(struct agent *a);
/* Tell it of the process that @h is about. */
void agent_hooks_record(struct agent *a, const struct ev_hdr *h);
void agent_hooks_losses(struct agent *a);
/* A record, from wherever it comes, to the tape and the pipeline. */
void agent_record_one(struct agent *a, const struct ev_hdr *h);

#endif
