/* SPDX-License-Identifier: Apache-2.0 */
/* One client of the control socket: what it asked, what it is told. Private to ctl.c. */
#ifndef MCPVIGIL_CTL_PEER_H
#define MCPVIGIL_CTL_PEER_H

#include "base/buf.h"
#include "ctl_queue.h"
#include "ctl_sub.h"
#include "ctl_wire.h"

/* Kept free for what follows the last record: the loss, the summary, the status. */
#define CTL_SPARE (64UL << 10)
#define CTL_PUSH_BYTES (64UL << 10) /* more waits than this: the kernel may take it before the loop's next turn */

struct ctl;

enum peer_state {
	PEER_ASKING,   /* its request is not whole */
	PEER_TRACING,
	PEER_SETTLING, /* told to end; see ctl_sub.h */
	PEER_LEAVING,  /* all was said, and is on its way */
};

struct peer {
	struct ctl *ctl;
	int fd; /* -1: free */
	enum peer_state state;
	uint64_t since;	   /* order of arrival */
	uint64_t deadline; /* boot ns; settling */
	bool wants_out;
	size_t spare;	   /* of the queue, for the records of a trace; 0: they may use all of it */
	struct buf in;
	struct ctl_queue out;
	char *argv[CTL_WORDS_MAX + 1];
	int argc;
	struct ctl_sub sub;
};

/* Look whether @in holds a request: 1: argv and argc are set; 0: more has to come; -EBADMSG. */
int peer_parse(struct peer *p);
/* Queue text, cut to frames. */
void peer_say(struct peer *p, enum ctl_type type, struct sv s);
/* Queue the exit status; all is said. */
void peer_status(struct peer *p, uint8_t status);
/* One line on the client's standard error, then the status. */
void peer_refuse(struct peer *p, uint8_t status, const char *why);

#endif
