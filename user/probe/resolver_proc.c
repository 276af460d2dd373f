/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver's children, from outside: forked, listened to, reaped. A pidfd tells of the end of each, so that SIGCHLD and
 * other children of the process are nobody's business here. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/evloop.h"
#include "probe/resolver_int.h"

static void close_end(struct child *c, int *fd)
{
	if (*fd < 0)
		return;
	evloop_del_fd(c->loop, *fd);
	close(*fd);
	*fd = -1;
}

static void hear(struct child *c)
{
	const size_t digest = sizeof(c->in.answer.digest);
	ssize_t got = 1;

	while (got > 0 && c->got < sizeof(c->in.bytes)) {
		size_t before = c->got;

		got = read(c->pipe, c->in.bytes + before, sizeof(c->in.bytes) - before);
		if (got <= 0)
			break;
		c->got += (size_t)got;
		if (before < digest && c->got >= digest)
			c->digest(c);
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0)
		child_kill(c); /* it says more than ours does */
	close_end(c, &c->pipe);
}

static void on_pipe(void *ctx)
{
	hear(ctx);
}

/* The pidfd can be read once it is dead, and then nothing comes into the pipe any more. */
static void on_end(void *ctx)
{
	struct child *c = ctx;
	int status = 0;
	pid_t pid;

	if (c->pipe >= 0)
		hear(c);
	pid = waitpid(c->pid, &status, WNOHANG);
	if (pid == 0)
		return;
	close_end(c, &c->pipe);
	close_end(c, &c->pidfd);
	c->end(c, pid == c->pid ? status : SIGKILL);
}

static int watch(struct child *c)
{
	int err = fcntl(c->pipe, F_SETFL, O_NONBLOCK) ? -errno : 0;

	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (!err && c->pidfd < 0)
		err = -errno;
	if (!err)
		err = evloop_add_fd(c->loop, c->pidfd, on_end, c);
	if (!err)
		err = evloop_add_fd(c->loop, c->pipe, on_pipe, c);
	return err;
}

int child_start(struct child *c, const struct child_args *a)
{
	const pid_t self = getpid();
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	c->pid = fork();
	if (c->pid == 0)
		resolver_child(a, ends[1], self);
	err = c->pid < 0 ? -errno : 0;
	close(ends[1]);
	c->pipe = ends[0];
	c->pidfd = -1;
	if (!err)
		err = watch(c);
	if (err)
		child_end(c);
	return err;
}

void child_kill(struct child *c)
{
	kill(c->pid, SIGKILL);
}

void child_end(struct child *c)
{
	if (c->pid > 0) {
		child_kill(c);
		waitpid(c->pid, NULL, 0);
	}
	close_end(c, &c->pipe);
	close_end(c, &c->pidfd);
}
