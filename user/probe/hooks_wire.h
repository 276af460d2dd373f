/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent and its hooks process say to each other; one message a packet. Private to probe/. */
#ifndef MCPVIGIL_PROBE_HOOKS_WIRE_H
#define MCPVIGIL_PROBE_HOOKS_WIRE_H

#include <stdint.h>

#include <linux/types.h>

#include "event_tls.h"
#include "probe/hooks.h"

struct hooks_ask {
	uint32_t pid, why; /* enum hooks_reason */
	uint64_t start;
	uint32_t stack, what; /* HOOKS_ODD: enum tls_stack, enum odd_what */
};

enum hooks_news_kind {
	HOOKS_READY = 1,
	HOOKS_HOOKED = 2,
	HOOKS_STATS = 3,
	HOOKS_ENDED = 4, /* for good */
};

struct hooks_news {
	uint32_t kind;
	uint32_t zero;
	union {
		struct ev_hooked hooked;
		struct hooks_stats stats;
	};
};

struct hooks_run {
	int fd;	  /* its end of the socket */
	int beat; /* an eventfd, written each second; -1: nobody waits for that */
	uint32_t restarts;
};

/* hooks_keep.c: give up what is not needed, and have hooks_main run in a process that is started again where it is killed or stuck.
 * Returns when the other end is gone, or hooks_main has given up: the exit status. */
int hooks_keep(struct probe *p, const struct hooks_opts *o, int fd);

/* hooks_child.c: the process itself. Returns when the other end is gone: the exit status. */
int hooks_main(struct probe *p, const struct hooks_opts *o, const struct hooks_run *run);

/* Tests have less of it. */
struct hooks_times {
	int silent_ms; /* without a beat it is taken to be stuck */
	int off_ms;    /* to take its probes off in, once the agent is gone */
	int end_ms;    /* to die in, once it is killed */
	int again_ms;  /* up to another start; twice as long each time, up to 64 times */
};
extern struct hooks_times hooks_times;

#endif
