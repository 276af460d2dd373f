/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's end: fork, ask, hear. */
#include "probe/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/hooks_wire.h"
#include "probe/load.h"

#define QUEUE_MAX 512 /* told before anybody listens */
#define STOP_MS 12000 /* what takes its probes off any longer is left to do so by itself */

struct hooks {
	int fd;
	pid_t pid;
	bool ready, gone;
	uint64_t busy, busy_before; /* of processes that were started again */
	uint32_t queued;
	struct ev_hooked *queue;
	struct hooks_stats stats;
	struct hooks_news news;
};

/* A pipe that the agent writes to must not stay open behind it. */
static void standard_close(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

/* Links, rings, the agent's sockets and files: what stays is the programs, which are attached from here, and standard error. */
static void inherited_close(const struct probe *p, int fd)
{
	int keep[1 + PROBE_PROGS_MAX], n = 0, from = 3;
	struct bpf_program *prog;

	keep[n++] = fd;
	bpf_object__for_each_program(prog, p->obj) {
		if (bpf_program__fd(prog) >= 0)
			keep[n++] = bpf_program__fd(prog);
	}
	while (from >= 0) {
		int next = -1;

		for (int i = 0; i < n; i++) {
			if (keep[i] >= from && (next < 0 || keep[i] < next))
				next = keep[i];
		}
		if (next != from)
			close_range((unsigned int)from, next < 0 ? ~0U : (unsigned int)next - 1, 0);
		from = next < 0 ? -1 : next + 1;
	}
}

static _Noreturn void child(struct probe *p, const struct hooks_opts *o, int fd)
{
	fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); /* it may be one of the standard ones, where those were closed */
	if (fd < 0)
		_exit(1);
	standard_close();
	inherited_close(p, fd);
	_exit(hooks_keep(p, o, fd));
}

struct hooks *hooks_start(struct probe *p, const struct hooks_opts *o)
{
	struct hooks *h = calloc(1, sizeof(*h));
	int pair[2] = { -1, -1 }, err = ENOMEM;

	if (h)
		h->queue = calloc(QUEUE_MAX, sizeof(*h->queue));
	if (!h || !h->queue)
		goto out;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err = errno;
		goto out;
	}
	h->pid = fork();
	if (h->pid == 0) {
		close(pair[0]);
		child(p, o, pair[1]);
	}
	if (h->pid < 0) {
		err = errno;
		goto out;
	}
	close(pair[1]);
	h->fd = pair[0];
	return h;
out:
	if (pair[0] >= 0) {
		close(pair[0]);
		close(pair[1]);
	}
	if (h)
		free(h->queue);
	free(h);
	errno = err;
	return NULL;
}

/* It takes its probes off as its end of the socket closes. */
void hooks_stop(struct hooks *h)
{
	uint64_t end = clock_boot_ns() + STOP_MS * 1000000ull;
	pid_t done = 0;

	if (!h)
		return;
	close(h->fd);
	while (done == 0 && clock_boot_ns() < end) {
		done = waitpid(h->pid, NULL, WNOHANG);
		if (done == 0)
			usleep(2000);
	}
	free(h->queue);
	free(h);
}

/* @body: bytes of what follows the kind. */
static void news_take(struct hooks *h, size_t body)
{
	if (h->news.kind == HOOKS_READY) {
		h->ready = true;
	} else if (h->news.kind == HOOKS_ENDED) {
		h->gone = true;
	} else if (h->news.kind == HOOKS_HOOKED && body == sizeof(h->news.hooked)) {
		h->news.hooked.why[EV_WHY_MAX - 1] = 0;
		if (h->queued < QUEUE_MAX)
			h->queue[h->queued++] = h->news.hooked;
		else
			h->busy++;
	} else if (h->news.kind == HOOKS_STATS && body == sizeof(h->stats)) {
		if (h->news.stats.restarts != h->stats.restarts)
			h->busy_before += h->stats.busy;
		h->stats = h->news.stats;
	}
}

/* One message. -EAGAIN: there is none; -EPIPE: the other end is gone. */
static int hear(struct hooks *h)
{
	const ssize_t head = offsetof(struct hooks_news, hooked);
	ssize_t n = h->gone ? 0 : recv(h->fd, &h->news, sizeof(h->news), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n >= head)
		news_take(h, (size_t)(n - head));
	h->gone |= n <= 0;
	return h->gone ? -EPIPE : 0;
}

int hooks_wait(struct hooks *h, uint32_t ms)
{
	uint64_t end = clock_boot_ns() + ms * 1000000ull;

	while (!h->ready) {
		struct pollfd p = { .fd = h->fd, .events = POLLIN };
		uint64_t now = clock_boot_ns();
		int err;

		if (now >= end)
			return -ETIMEDOUT;
		poll(&p, 1, (int)((end - now) / 1000000) + 1);
		err = hear(h);
		if (err && err != -EAGAIN)
			return err;
	}
	return 0;
}

void hooks_look(struct hooks *h, uint32_t pid, uint64_t start, enum hooks_reason why)
{
	struct hooks_ask ask = { .pid = pid, .why = why, .start = start };

	if (!h->gone && send(h->fd, &ask, sizeof(ask), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && why != HOOKS_EXIT)
		h->busy++;
}

void hooks_odd(struct hooks *h, const struct ev_odd *o)
{
	struct hooks_ask ask = { .pid = o->hdr.pid, .why = HOOKS_ODD, .start = o->start, .stack = o->stack, .what = o->what };

	if (!h->gone && send(h->fd, &ask, sizeof(ask), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		h->busy++;
}

int hooks_fd(const struct hooks *h)
{
	return h->fd;
}

int hooks_consume(struct hooks *h, probe_fn fn, void *ctx)
{
	int err = 0;

	do {
		for (uint32_t i = 0; i < h->queued; i++)
			fn(ctx, &h->queue[i].hdr);
		h->queued = 0;
		if (!err)
			err = hear(h);
	} while (!err || h->queued);
	return err == -EAGAIN ? 0 : err;
}

uint64_t hooks_busy(const struct hooks *h)
{
	return h->busy + h->busy_before + h->stats.busy;
}

uint32_t hooks_restarts(const struct hooks *h)
{
	return h->stats.restarts;
}

void hooks_stats(const struct hooks *h, struct hooks_stats *ret)
{
	*ret = h->stats;
}
