/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of the control socket can ask for. Private to ctl.c. */
#ifndef MCPVIGIL_CTL_COMMAND_H
#define MCPVIGIL_CTL_COMMAND_H

#include "ctl.h"
#include "ctl_peer.h"
#include "sink/lives.h"

struct ctl {
	struct evloop *loop;
	struct ctl_opts opts;
	struct ctl_ops ops;
	struct facts *facts;
	struct lives lives;
	uint64_t started; /* boot ns */
	uint64_t asked, refused, dropped, arrivals;
	int fd;		  /* listening; -1: no more */
	bool deaf;	  /* out of descriptors: nobody is let in until the next flush */
	uint64_t dev, ino; /* of the socket's file */
	struct peer peer[CTL_CLIENTS];
};

/* Run the request that @p has made whole: its answer is queued, or it traces from here on. */
void ctl_command(struct ctl *c, struct peer *p);
/* A trace's line into its queue: 0 or -errno, counted. @peer: a struct peer. */
int ctl_take(void *peer, struct sv line);
/* All that a trace has to say, up to its status. */
void ctl_trace_end(struct ctl *c, struct peer *p);

#endif
