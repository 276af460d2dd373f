/* SPDX-License-Identifier: Apache-2.0 */
/* Buffered lines to a descriptor whose reader may be slow, gone, or a person. */
#ifndef MCPVIGIL_SINK_OUT_H
#define MCPVIGIL_SINK_OUT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/sv.h"

#define OUT_PENDING_MAX 65536

/* Takes a whole line or none of it: 0, or -errno where it had no room. */
typedef int (*out_line_fn)(void *ctx, struct sv line);

struct out {
	int fd;	   /* -1: lines go to take */
	out_line_fn take;
	void *ctx;
	bool tty;  /* every line is written at once */
	bool pipe; /* poll() tells when its reader goes away */
	int err;   /* -errno of the first failed write; all later lines are dropped */
	struct buf pending;
};

/* @fd stays the caller's. SIGPIPE has to be ignored for a write to fail instead of killing. */
void out_init(struct out *o, int fd);
/* No descriptor: each line goes to @take at once. */
void out_init_lines(struct out *o, out_line_fn take, void *ctx);
/* Does not flush. */
void out_done(struct out *o);
/* Take @line, which ends in '\n'. It is written at the latest by the next out_flush. 0, or -errno: it is not and will
 * not be written. */
int out_add(struct out *o, struct sv line);
/* Write what is pending, and look whether the reader is still there. */
void out_flush(struct out *o);

#endif
