/* SPDX-License-Identifier: Apache-2.0 */
/* The asking side of the control socket. */
#include "ctl_client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "ctl_listen.h"
#include "ctl_wire.h"
#include "sink/out.h"

#define CHUNK_BYTES 65536

struct asking {
	int fd, sig;
	struct out out, err;
	struct ctl_head head; /* of the frame that is being read */
	uint32_t have, left;  /* bytes of the head; bytes of the frame still to come */
	int status;	      /* -1: not told yet */
	bool broken;	      /* this is not what an agent says */
	bool ending;	      /* it was asked to come to an end */
};

static int reach(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ucred peer = { 0 };
	socklen_t n = sizeof(peer);
	int fd, err = 0;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n))
		err = -errno;
	else if (!ctl_peer_ok(&peer, geteuid()))
		err = -EPERM;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int add_word(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s) + 1);
}

static int request_send(int fd, const struct ctl_request *r)
{
	struct ctl_head h = { .type = CTL_REQUEST, .version = CTL_VERSION };
	struct buf b;
	int err;

	buf_init(&b, sizeof(h) + CTL_REQUEST_MAX);
	err = buf_add(&b, &h, sizeof(h));
	if (!err)
		err = add_word(&b, r->command);
	if (!err)
		err = add_word(&b, r->color ? "color" : "plain");
	for (int i = 1; i < r->argc && !err; i++)
		err = add_word(&b, r->argv[i]);
	if (!err) {
		h.n = (uint32_t)(b.n - sizeof(h));
		memcpy(b.p, &h, sizeof(h));
		/* At most 16 KiB: fits the socket's buffer whole. An agent that is gone by now shows when reading. */
		if (send(fd, b.p, b.n, MSG_NOSIGNAL) < 0 && errno != EPIPE)
			err = -errno;
	}
	buf_done(&b);
	return err == -ENOSPC ? -E2BIG : err;
}

/* What of @s belongs to the current frame goes where it belongs; the rest is returned. */
static struct sv body(struct asking *a, struct sv s)
{
	struct sv part = { s.p, s.n < a->left ? s.n : a->left };

	if (a->head.type == CTL_STDOUT)
		out_add(&a->out, part);
	else if (a->head.type == CTL_STDERR)
		out_add(&a->err, part);
	else if (a->head.type == CTL_STATUS && part.n)
		a->status = (uint8_t)part.p[0];
	a->left -= (uint32_t)part.n;
	if (!a->left)
		a->have = 0;
	return (struct sv){ s.p + part.n, s.n - part.n };
}

static struct sv head(struct asking *a, struct sv s)
{
	size_t n = sizeof(a->head) - a->have;

	if (n > s.n)
		n = s.n;
	memcpy((char *)&a->head + a->have, s.p, n);
	a->have += (uint32_t)n;
	if (a->have == sizeof(a->head)) {
		a->left = a->head.n;
		a->broken = a->head.version != CTL_VERSION;
		if (!a->left)
			a->have = 0;
	}
	return (struct sv){ s.p + n, s.n - n };
}

/* false: nothing more will come. */
static bool take(struct asking *a)
{
	char chunk[CHUNK_BYTES];
	ssize_t n = recv(a->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	struct sv s = { chunk, n > 0 ? (size_t)n : 0 };

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	while (s.n && !a->broken)
		s = a->have == sizeof(a->head) ? body(a, s) : head(a, s);
	out_flush(&a->out);
	out_flush(&a->err);
	return n > 0 && !a->broken;
}

/* Until the agent has said it all, or nobody reads what it says. */
static void talk(struct asking *a)
{
	struct pollfd p[] = {
		{ .fd = a->fd, .events = POLLIN },
		{ .fd = a->sig, .events = POLLIN },
		{ .fd = a->out.pipe ? a->out.fd : -1 },
	};
	struct signalfd_siginfo info;

	while (!a->out.err) {
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return;
		if (p[1].revents && read(a->sig, &info, sizeof(info)) > 0) {
			if (a->ending) {
				a->status = 1; /* asked twice: not even for the summary */
				return;
			}
			a->ending = true;
			shutdown(a->fd, SHUT_WR);
		}
		if (p[2].revents)
			out_flush(&a->out);
		if (p[0].revents && !take(a))
			return;
	}
}

static sigset_t endings(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return set;
}

static int ending_signals(void)
{
	sigset_t set = endings();
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

bool ctl_wait(unsigned int seconds)
{
	const struct timespec t = { .tv_sec = seconds };
	sigset_t set = endings();

	return sigtimedwait(&set, NULL, &t) > 0;
}

int ctl_ask(const char *path, struct ctl_request *r)
{
	struct asking a = { .status = -1 };
	int err;

	a.fd = reach(path);
	if (a.fd < 0)
		return a.fd;
	err = request_send(a.fd, r);
	a.sig = err ? -1 : ending_signals();
	if (!err && a.sig < 0)
		err = a.sig;
	if (err)
		goto out;
	prctl(PR_SET_DUMPABLE, 0); /* payloads of others may pass through this memory */
	out_init(&a.out, STDOUT_FILENO);
	out_init(&a.err, STDERR_FILENO);
	talk(&a);
	r->ended = a.ending || a.out.err;
	err = a.out.err == -EPIPE ? 0 : a.out.err ? 1 : a.status;
	if (err < 0) {
		log_err("%s", a.broken ? "the agent is of another version" : "the agent went away");
		err = 1;
	}
	out_done(&a.out);
	out_done(&a.err);
	close(a.sig);
out:
	close(a.fd);
	return err;
}
