/* SPDX-License-Identifier: Apache-2.0 */
/* Event loop on epoll.
 *
 * A callback may delete any descriptor, its own included, while epoll_wait has handed out events for it
 * already. Each event therefore carries the slot and the slot's generation; a slot that has been freed
 * or used again since does not match, and the event is dropped. */
#include "base/evloop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

#define FDS_MAX 64
#define OWN_FDS 2 /* tick and signals */
#define BATCH	16

struct slot {
	int fd; /* -1: free */
	uint32_t gen;
	void (*cb)(void *ctx);
	void *ctx;
};

struct evloop {
	int epfd, tick_fd, signal_fd;
	bool stop;
	unsigned int n; /* slots of callers */
	struct slot slots[FDS_MAX + OWN_FDS];
	void (*tick_cb)(void *ctx);
	void *tick_ctx;
	sigset_t signals;
	struct {
		void (*cb)(void *ctx, int sig);
		void *ctx;
	} signal[_NSIG];
};

struct evloop *evloop_new(void)
{
	struct evloop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->tick_fd = -1;
	l->signal_fd = -1;
	sigemptyset(&l->signals);
	for (int i = 0; i < FDS_MAX + OWN_FDS; i++)
		l->slots[i].fd = -1;
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epfd < 0) {
		free(l);
		return NULL;
	}
	return l;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void evloop_free(struct evloop *l)
{
	if (!l)
		return;
	close_fd(l->tick_fd);
	/* Signals stay blocked: a second SIGTERM must not kill the process while it tears down. */
	close_fd(l->signal_fd);
	close_fd(l->epfd);
	free(l);
}

static struct slot *slot_of(struct evloop *l, int fd)
{
	for (int i = 0; i < FDS_MAX + OWN_FDS; i++)
		if (l->slots[i].fd == fd)
			return &l->slots[i];
	return NULL;
}

static uint64_t slot_tag(const struct evloop *l, const struct slot *s)
{
	return (uint64_t)s->gen << 32 | (uint64_t)(s - l->slots);
}

static int watch(struct evloop *l, int fd, void (*cb)(void *ctx), void *ctx)
{
	struct slot *s = slot_of(l, -1);
	struct epoll_event ev = { .events = EPOLLIN };

	ev.data.u64 = slot_tag(l, s);
	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ev) != 0)
		return -errno;
	s->fd = fd;
	s->cb = cb;
	s->ctx = ctx;
	return 0;
}

int evloop_add_fd(struct evloop *l, int fd, void (*cb)(void *ctx), void *ctx)
{
	int err;

	if (fd < 0)
		return -EBADF;
	if (l->n >= FDS_MAX)
		return -ENOSPC;
	err = watch(l, fd, cb, ctx);
	if (!err)
		l->n++;
	return err;
}

void evloop_del_fd(struct evloop *l, int fd)
{
	struct slot *s = fd >= 0 ? slot_of(l, fd) : NULL;

	if (!s)
		return;
	/* Fails where the caller has closed it already, and then the kernel has forgotten it too. */
	epoll_ctl(l->epfd, EPOLL_CTL_DEL, fd, NULL);
	s->fd = -1;
	s->gen++;
	l->n--;
}

int evloop_want(struct evloop *l, int fd, bool in, bool out)
{
	struct slot *s = fd >= 0 ? slot_of(l, fd) : NULL;
	struct epoll_event ev = { .events = (in ? EPOLLIN : 0) | (out ? EPOLLOUT : 0) };

	if (!s)
		return -ENOENT;
	ev.data.u64 = slot_tag(l, s);
	return epoll_ctl(l->epfd, EPOLL_CTL_MOD, fd, &ev) == 0 ? 0 : -errno;
}

static void on_tick(void *ctx)
{
	struct evloop *l = ctx;
	uint64_t missed;

	/* However many periods have passed, the callback runs once. */
	if (read(l->tick_fd, &missed, sizeof(missed)) == sizeof(missed))
		l->tick_cb(l->tick_ctx);
}

int evloop_tick(struct evloop *l, unsigned int ms, void (*cb)(void *ctx), void *ctx)
{
	const struct timespec period = { ms / 1000, (long)(ms % 1000) * (long)NSEC_PER_MSEC };
	const struct itimerspec spec = { period, period };
	int err;

	if (ms == 0)
		return -EINVAL;
	if (l->tick_fd < 0) {
		int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

		if (fd < 0)
			return -errno;
		err = watch(l, fd, on_tick, l);
		if (err) {
			close(fd);
			return err;
		}
		l->tick_fd = fd;
	}
	l->tick_cb = cb;
	l->tick_ctx = ctx;
	return timerfd_settime(l->tick_fd, 0, &spec, NULL) == 0 ? 0 : -errno;
}

static void on_signal(void *ctx)
{
	struct evloop *l = ctx;
	struct signalfd_siginfo info;

	if (read(l->signal_fd, &info, sizeof(info)) != sizeof(info) || info.ssi_signo >= _NSIG)
		return;
	if (l->signal[info.ssi_signo].cb)
		l->signal[info.ssi_signo].cb(l->signal[info.ssi_signo].ctx, (int)info.ssi_signo);
}

int evloop_signal(struct evloop *l, int sig, void (*cb)(void *ctx, int sig), void *ctx)
{
	sigset_t set = l->signals;
	int fd, err;

	if (sig <= 0 || sig >= _NSIG || sigaddset(&set, sig) != 0)
		return -EINVAL;
	fd = signalfd(l->signal_fd, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (l->signal_fd < 0) {
		err = watch(l, fd, on_signal, l);
		if (err) {
			close(fd);
			return err;
		}
		l->signal_fd = fd;
	}
	l->signals = set;
	l->signal[sig].cb = cb;
	l->signal[sig].ctx = ctx;
	return sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? 0 : -errno;
}

static void dispatch(struct evloop *l, const struct epoll_event *ev)
{
	const struct slot *s = &l->slots[(uint32_t)ev->data.u64];

	if (s->fd >= 0 && s->gen == (uint32_t)(ev->data.u64 >> 32))
		s->cb(s->ctx);
}

int evloop_run(struct evloop *l)
{
	struct epoll_event evs[BATCH];
	int n, err = 0;

	while (!l->stop) {
		n = epoll_wait(l->epfd, evs, BATCH, -1);
		if (n < 0 && errno != EINTR) {
			err = -errno;
			break;
		}
		for (int i = 0; i < n && !l->stop; i++)
			dispatch(l, &evs[i]);
	}
	l->stop = false;
	return err;
}

void evloop_stop(struct evloop *l)
{
	l->stop = true;
}
