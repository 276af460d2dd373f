/* SPDX-License-Identifier: Apache-2.0 */
/* Buffered lines to a descriptor whose reader may be slow, gone, or a person. */
#include "sink/out.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

void out_init(struct out *o, int fd)
{
	struct stat st;

	*o = (struct out){ .fd = fd, .tty = isatty(fd) };
	if (fstat(fd, &st) == 0)
		o->pipe = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
	buf_init(&o->pending, OUT_PENDING_MAX);
}

void out_init_lines(struct out *o, out_line_fn take, void *ctx)
{
	*o = (struct out){ .fd = -1, .take = take, .ctx = ctx };
	buf_init(&o->pending, 0);
}

void out_done(struct out *o)
{
	buf_done(&o->pending);
}

static void out_fail(struct out *o, int err)
{
	o->err = err;
	buf_reset(&o->pending);
	/* A reader that has seen enough is no error to report. */
	if (err != -EPIPE)
		log_err("cannot write records: %s", errstr(err));
}

/* All of @s, however long the reader takes: lines are never dropped for being late. */
static int write_all(int fd, struct sv s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n >= 0) {
			s.p += n;
			s.n -= (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static void out_write(struct out *o, struct sv s)
{
	int err = write_all(o->fd, s);

	if (err)
		out_fail(o, err);
}

static void write_pending(struct out *o)
{
	if (!o->pending.n)
		return;
	out_write(o, buf_sv(&o->pending));
	buf_reset(&o->pending);
}

int out_add(struct out *o, struct sv line)
{
	if (o->take)
		return o->take(o->ctx, line);
	if (o->err)
		return o->err;
	if (o->pending.n + line.n > OUT_PENDING_MAX)
		write_pending(o);
	/* Longer than the buffer, or no memory for one: straight through. */
	if (!o->err && buf_add(&o->pending, line.p, line.n) < 0)
		out_write(o, line);
	if (o->tty)
		write_pending(o);
	return o->err;
}

void out_flush(struct out *o)
{
	struct pollfd p = { .fd = o->fd };

	if (o->err || o->take)
		return;
	write_pending(o);
	/* Without this, `trace | head -1` would hang on until the next record. */
	if (!o->err && o->pipe && poll(&p, 1, 0) == 1 && (p.revents & POLLERR))
		out_fail(o, -EPIPE);
}
