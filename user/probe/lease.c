/* SPDX-License-Identifier: Apache-2.0 */
/* Who is about to write to a file that is probed.
 *
 * A read lease on it makes the kernel hold up whoever opens it for writing or truncates it, and send us a signal. The signal says
 * that some lease breaks; which, F_GETLEASE says of each, so that it does not matter when several come as one, or as SIGIO
 * where the queue of signals is full. Programs that read, map or run the file are not held up, and neither is who removes it or
 * puts another in its place. Some file systems know no leases, and root without CAP_LEASE gets none on files of others:
 * then inotify tells once somebody has written, or has closed what he could write through. */
#include "probe/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/evloop.h"

#define LEASES_MAX 1024

struct lease {
	int fd; /* -1: free */
	int wd; /* of inotify; -1: a lease */
};

struct leases {
	struct evloop *loop;
	int notify;
	void (*broken)(void *ctx, int fd);
	void *ctx;
	struct lease lease[LEASES_MAX];
};

static void on_break(void *ctx, int sig)
{
	struct leases *s = ctx;

	(void)sig;
	for (unsigned int i = 0; i < LEASES_MAX; i++) {
		const struct lease *l = &s->lease[i];

		if (l->fd >= 0 && l->wd < 0 && fcntl(l->fd, F_GETLEASE) != F_RDLCK)
			s->broken(s->ctx, l->fd);
	}
}

/* One inode has one watch, however often it is watched. */
static void written(struct leases *s, int wd, bool lost)
{
	for (unsigned int i = 0; i < LEASES_MAX; i++) {
		const struct lease *l = &s->lease[i];

		if (l->fd >= 0 && l->wd >= 0 && (lost || l->wd == wd))
			s->broken(s->ctx, l->fd);
	}
}

static void on_notify(void *ctx)
{
	_Alignas(struct inotify_event) char buf[4096];
	struct leases *s = ctx;
	ssize_t n = read(s->notify, buf, sizeof(buf));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(buf + at);

		at += (ssize_t)(sizeof(*e) + e->len);
		if (e->mask & (IN_MODIFY | IN_CLOSE_WRITE | IN_Q_OVERFLOW))
			written(s, e->wd, e->mask & IN_Q_OVERFLOW);
	}
}

struct leases *leases_new(struct evloop *l, void (*broken)(void *ctx, int fd), void *ctx)
{
	struct leases *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	for (unsigned int i = 0; i < LEASES_MAX; i++)
		s->lease[i].fd = -1;
	s->loop = l;
	s->broken = broken;
	s->ctx = ctx;
	s->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	err = s->notify < 0 ? -errno : evloop_add_fd(l, s->notify, on_notify, s);
	if (!err)
		err = evloop_signal(l, SIGRTMIN, on_break, s);
	if (!err)
		err = evloop_signal(l, SIGIO, on_break, s); /* kills where nobody takes it */
	if (err) {
		leases_free(s);
		errno = -err;
		return NULL;
	}
	return s;
}

void leases_free(struct leases *s)
{
	if (!s)
		return;
	for (unsigned int i = 0; i < LEASES_MAX; i++) {
		if (s->lease[i].fd >= 0)
			lease_drop(s, s->lease[i].fd);
	}
	/* Some may wait to be read; they stay blocked. */
	evloop_signal(s->loop, SIGRTMIN, NULL, NULL);
	evloop_signal(s->loop, SIGIO, NULL, NULL);
	evloop_del_fd(s->loop, s->notify);
	if (s->notify >= 0)
		close(s->notify);
	free(s);
}

static struct lease *lease_find(struct leases *s, int fd)
{
	for (unsigned int i = 0; i < LEASES_MAX; i++) {
		if (s->lease[i].fd == fd)
			return &s->lease[i];
	}
	return NULL;
}

/* What breaks it between the two calls is told by the right signal. */
static int kernel_lease(int fd)
{
	return fcntl(fd, F_SETSIG, SIGRTMIN) || fcntl(fd, F_SETLEASE, F_RDLCK) ? -errno : 0;
}

/* IN_ATTRIB would tell of a file that is removed or replaced: what is mapped stays as it is. */
static int kernel_watch(const struct leases *s, int fd)
{
	char path[32];
	int wd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	wd = inotify_add_watch(s->notify, path, IN_MODIFY | IN_CLOSE_WRITE);
	return wd < 0 ? -errno : wd;
}

int lease_take(struct leases *s, int fd)
{
	struct lease *l = fd < 0 || lease_find(s, fd) ? NULL : lease_find(s, -1);
	int err, wd = -1;

	if (!l)
		return fd < 0 ? -EBADF : lease_find(s, fd) ? -EEXIST : -ENOSPC;
	err = kernel_lease(fd);
	if (err == -EAGAIN || err == -EBADF)
		return err;
	if (err) {
		wd = kernel_watch(s, fd);
		if (wd < 0)
			return wd;
	}
	*l = (struct lease){ .fd = fd, .wd = wd };
	return 0;
}

static bool watch_shared(const struct leases *s, int wd)
{
	for (unsigned int i = 0; i < LEASES_MAX; i++) {
		if (s->lease[i].fd >= 0 && s->lease[i].wd == wd)
			return true;
	}
	return false;
}

void lease_drop(struct leases *s, int fd)
{
	struct lease *l = fd < 0 ? NULL : lease_find(s, fd);
	int wd;

	if (!l)
		return;
	wd = l->wd;
	l->fd = -1;
	if (wd < 0)
		fcntl(fd, F_SETLEASE, F_UNLCK);
	else if (!watch_shared(s, wd))
		inotify_rm_watch(s->notify, wd);
}
