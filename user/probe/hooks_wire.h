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
};

enum hooks_news_kind { HOOKS_READY = 1, HOOKS_HOOKED = 2, HOOKS_STATS = 3 };

struct hooks_news {
	uint32_t kind;
	uint32_t zero;
	union {
		struct ev_hooked hooked;
		struct hooks_stats stats;
	};
};

/* hooks_child.c: the process itself. @fd: its end of the socket. Returns when the other end is gone: the exit status. */
int hooks_main(struct probe *p, const struct hooks_opts *o, int fd);

#endif
