/* SPDX-License-Identifier: Apache-2.0 */
/* Frames on their way to one client of the control socket. Never blocks, never grows past its cap. */
#ifndef MCPVIGIL_CTL_QUEUE_H
#define MCPVIGIL_CTL_QUEUE_H

#include <stddef.h>

#include "base/buf.h"
#include "ctl_wire.h"

struct ctl_queue {
	struct buf b;
	size_t sent; /* of b, at its front */
	int err;     /* -errno of a failed send: nothing goes out any more */
};

/* @max bytes, heads included. */
void ctl_queue_init(struct ctl_queue *q, size_t max);
void ctl_queue_done(struct ctl_queue *q);
/* Bytes that wait. */
static inline size_t ctl_queue_n(const struct ctl_queue *q)
{
	return q->b.n - q->sent;
}
/* Put a frame in, leaving @spare bytes of the cap free: 0, or -ENOSPC or -ENOMEM and nothing was put in. */
int ctl_queue_add(struct ctl_queue *q, enum ctl_type type, struct sv s, size_t spare);
/* Hand the kernel what it takes now. 0 or -errno; EAGAIN is no error. */
int ctl_queue_send(struct ctl_queue *q, int fd);

#endif
