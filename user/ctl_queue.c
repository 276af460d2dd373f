/* SPDX-License-Identifier: Apache-2.0 */
/* Frames on their way to one client of the control socket. */
#include "ctl_queue.h"

#include <errno.h>
#include <sys/socket.h>

void ctl_queue_init(struct ctl_queue *q, size_t max)
{
	*q = (struct ctl_queue){ 0 };
	buf_init(&q->b, max);
}

void ctl_queue_done(struct ctl_queue *q)
{
	buf_done(&q->b);
	q->sent = 0;
}

int ctl_queue_add(struct ctl_queue *q, enum ctl_type type, struct sv s, size_t spare)
{
	struct ctl_head h = { .type = (uint8_t)type, .version = CTL_VERSION, .n = (uint32_t)s.n };
	size_t need = sizeof(h) + spare, room = q->b.max - ctl_queue_n(q);
	int err;

	if (q->err)
		return q->err;
	if (need > room || s.n > room - need)
		return -ENOSPC;
	if (sizeof(h) + s.n > q->b.max - q->b.n) {
		buf_cut(&q->b, q->sent);
		q->sent = 0;
	}
	err = buf_add(&q->b, &h, sizeof(h));
	if (err)
		return err;
	err = buf_add_sv(&q->b, s);
	if (err)
		q->b.n -= sizeof(h);
	return err;
}

int ctl_queue_send(struct ctl_queue *q, int fd)
{
	while (!q->err && ctl_queue_n(q)) {
		ssize_t n = send(fd, q->b.p + q->sent, ctl_queue_n(q), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0)
			q->sent += (size_t)n;
		else if (errno == EAGAIN)
			return 0;
		else if (errno != EINTR)
			q->err = -errno;
	}
	buf_reset(&q->b);
	q->sent = 0;
	return q->err;
}
