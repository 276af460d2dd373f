/* SPDX-License-Identifier: Apache-2.0 */
/* Control socket of the running agent: who comes and goes, on the agent's loop. */
#include "ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/evloop.h"
#include "base/log.h"
#include "ctl_command.h"
#include "ctl_listen.h"

#define STOP_NS (NSEC_PER_SEC / 2)

static void peer_close(struct peer *p)
{
	if (p->fd < 0)
		return;
	evloop_del_fd(p->ctl->loop, p->fd);
	close(p->fd);
	p->fd = -1;
	if (p->state == PEER_TRACING || p->state == PEER_SETTLING)
		ctl_sub_close(&p->sub);
	buf_done(&p->in);
	ctl_queue_done(&p->out);
}

static bool is_tracing(const struct peer *p)
{
	return p->fd >= 0 && (p->state == PEER_TRACING || p->state == PEER_SETTLING);
}

/* Send what can be sent, and wait for what has to come next. */
static void peer_push(struct peer *p)
{
	bool out;

	if (p->fd < 0)
		return;
	if (ctl_queue_send(&p->out, p->fd)) {
		peer_close(p);
		return;
	}
	/* Half empty again: the reader is back, and hears what it missed. */
	if (is_tracing(p) && p->sub.untold && ctl_queue_n(&p->out) <= p->out.b.max / 2)
		ctl_sub_tell(&p->sub);
	out = ctl_queue_n(&p->out) != 0;
	if (!out && p->state == PEER_LEAVING) {
		peer_close(p);
		return;
	}
	p->wants_out = out;
	if (evloop_want(p->ctl->loop, p->fd, p->state == PEER_ASKING || p->state == PEER_TRACING, out))
		peer_close(p);
}

static void settle(struct peer *p)
{
	struct ctl *c = p->ctl;

	c->ops.drain(c->ops.ctx);
	p->sub.cutoff = clock_boot_ns();
	p->deadline = p->sub.cutoff + c->opts.settle_ns;
	p->state = PEER_SETTLING;
	if (!c->opts.settle_ns)
		ctl_trace_end(c, p);
}

static void peer_ask(struct peer *p)
{
	char chunk[4096];
	ssize_t n = recv(p->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	int has;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	has = n > 0 && !buf_add(&p->in, chunk, (size_t)n) ? peer_parse(p) : -EBADMSG;
	if (has > 0) {
		ctl_command(p->ctl, p);
	} else if (has < 0) {
		p->ctl->refused++;
		peer_refuse(p, 2, "this is no request that the agent understands");
	}
}

/* A client that traces says nothing any more but that it wants to end. */
static bool trace_heard(struct peer *p)
{
	char c;
	ssize_t n = recv(p->fd, &c, 1, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n)
		return false;
	settle(p);
	return true;
}

static void on_peer(void *ctx)
{
	struct peer *p = ctx;
	bool ok = true;

	if (p->state == PEER_ASKING)
		peer_ask(p);
	else if (p->state == PEER_TRACING)
		ok = trace_heard(p);
	else
		ok = ctl_queue_n(&p->out) != 0; /* nothing else is waited for: it hung up */
	if (ok)
		peer_push(p);
	else
		peer_close(p);
}

/* A free place; else that of the one who has been asking, or taking its answer, for longest. */
static struct peer *place(struct ctl *c)
{
	struct peer *old = NULL;

	for (unsigned int i = 0; i < CTL_CLIENTS; i++) {
		struct peer *p = &c->peer[i];

		if (p->fd < 0)
			return p;
		if (!is_tracing(p) && (!old || p->since < old->since))
			old = p;
	}
	if (old)
		peer_close(old);
	return old;
}

static void turn_away(struct ctl *c, int fd, const char *why)
{
	struct peer p = { .ctl = c, .fd = fd };

	c->refused++;
	ctl_queue_init(&p.out, 4096);
	peer_refuse(&p, 1, why);
	ctl_queue_send(&p.out, fd); /* a new socket has room for a line */
	ctl_queue_done(&p.out);
	close(fd);
}

static void welcome(struct ctl *c, int fd)
{
	struct ucred cred = { 0 };
	socklen_t n = sizeof(cred);
	struct peer *p;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) || !ctl_peer_ok(&cred, c->opts.uid)) {
		turn_away(c, fd, "only root may ask the agent");
		return;
	}
	p = place(c);
	if (!p) {
		turn_away(c, fd, "the agent has as many traces as it can have");
		return;
	}
	memset(p, 0, sizeof(*p));
	p->ctl = c;
	p->fd = fd;
	p->since = c->arrivals++;
	buf_init(&p->in, sizeof(struct ctl_head) + CTL_REQUEST_MAX);
	ctl_queue_init(&p->out, CTL_QUEUE_MAX);
	if (evloop_add_fd(c->loop, fd, on_peer, p)) {
		p->fd = -1;
		turn_away(c, fd, "the agent has no room");
	}
}

static void on_connect(void *ctx)
{
	struct ctl *c = ctx;
	int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		welcome(c, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		/* Who waits stays readable: without this the loop would turn without end. */
		c->deaf = true;
		evloop_want(c->loop, c->fd, false, false);
	}
}

#define EACH_TRACE(c, p) \
	for (struct peer *p = (c)->peer; p < (c)->peer + CTL_CLIENTS; p++) \
		if (is_tracing(p))

static void ctl_call(void *self, const struct call *call, const struct sink_peers *ends)
{
	struct ctl *c = self;

	lives_ops.call(&c->lives, call, ends);
	EACH_TRACE(c, p)
		ctl_sub_call(&p->sub, call, ends);
}

static void ctl_note(void *self, const struct note *n, const struct sink_peers *ends)
{
	struct ctl *c = self;

	EACH_TRACE(c, p)
		ctl_sub_note(&p->sub, n, ends);
}

static void ctl_session(void *self, const struct session_event *e, const struct sink_peers *ends)
{
	struct ctl *c = self;

	lives_ops.session(&c->lives, e, ends);
	EACH_TRACE(c, p)
		ctl_sub_session(&p->sub, e, ends);
}

static void ctl_finding(void *self, const struct finding *f, const struct sink_peers *ends)
{
	struct ctl *c = self;

	EACH_TRACE(c, p)
		ctl_sub_finding(&p->sub, f, ends);
}

static void ctl_logical(void *self, const struct logical *l, const struct sink_peers *ends)
{
	struct ctl *c = self;

	EACH_TRACE(c, p)
		ctl_sub_logical(&p->sub, l, ends);
}

static void ctl_alert(void *self, const struct alert *a, const struct sink_peers *ends)
{
	struct ctl *c = self;

	EACH_TRACE(c, p)
		ctl_sub_alert(&p->sub, a, ends);
}

static void ctl_loss(void *self, const struct loss *l)
{
	struct ctl *c = self;

	/* Each trace hears of its own alone. */
	if (strcmp(l->name, CTL_LOSS) == 0)
		return;
	EACH_TRACE(c, p)
		ctl_sub_loss(&p->sub, l);
}

static void ctl_flush(void *self)
{
	struct ctl *c = self;
	uint64_t now = clock_boot_ns();

	if (c->deaf)
		c->deaf = evloop_want(c->loop, c->fd, true, false) != 0;
	EACH_TRACE(c, p) {
		if (p->state == PEER_SETTLING && now >= p->deadline) {
			ctl_trace_end(c, p);
			peer_push(p);
		}
	}
}

static void ctl_row_free(void *self)
{
	ctl_free(self);
}

const struct sink_ops ctl_sink_ops = {
	.call = ctl_call,
	.note = ctl_note,
	.session = ctl_session,
	.finding = ctl_finding,
	.logical = ctl_logical,
	.alert = ctl_alert,
	.loss = ctl_loss,
	.flush = ctl_flush,
	.free = ctl_row_free,
};

struct ctl *ctl_new(struct evloop *l, const struct ctl_opts *o, const struct ctl_ops *ops, struct facts *f)
{
	struct ctl *c = calloc(1, sizeof(*c));
	struct stat st;
	int err;

	if (!c)
		return NULL;
	c->loop = l;
	c->opts = *o;
	c->ops = *ops;
	c->facts = f;
	c->started = clock_boot_ns();
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		c->peer[i].fd = -1;
	c->fd = ctl_listen(o->path);
	err = c->fd < 0 ? c->fd : evloop_add_fd(l, c->fd, on_connect, c);
	if (err) {
		ctl_free(c);
		errno = -err;
		return NULL;
	}
	if (lstat(o->path, &st) == 0) {
		c->dev = st.st_dev;
		c->ino = st.st_ino;
	}
	return c;
}

static void stop_listening(struct ctl *c)
{
	struct stat st;

	if (c->fd < 0)
		return;
	/* Another's by now, if somebody removed ours and started an agent of their own. */
	if (lstat(c->opts.path, &st) == 0 && st.st_dev == c->dev && st.st_ino == c->ino)
		unlink(c->opts.path);
	evloop_del_fd(c->loop, c->fd);
	close(c->fd);
	c->fd = -1;
}

void ctl_stop(struct ctl *c)
{
	uint64_t end = clock_boot_ns() + STOP_NS;

	stop_listening(c);
	EACH_TRACE(c, p) {
		if (!p->sub.cutoff)
			p->sub.cutoff = clock_boot_ns();
		ctl_trace_end(c, p);
	}
	for (struct peer *p = c->peer; p < c->peer + CTL_CLIENTS; p++) {
		while (p->fd >= 0 && !ctl_queue_send(&p->out, p->fd) && ctl_queue_n(&p->out)) {
			struct pollfd fd = { .fd = p->fd, .events = POLLOUT };
			uint64_t now = clock_boot_ns();

			if (now >= end || poll(&fd, 1, (int)((end - now) / NSEC_PER_MSEC) + 1) <= 0)
				break;
		}
		peer_close(p);
	}
}

void ctl_free(struct ctl *c)
{
	if (!c)
		return;
	stop_listening(c);
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		peer_close(&c->peer[i]);
	free(c);
}

void ctl_stats(const struct ctl *c, struct ctl_stats *ret)
{
	*ret = (struct ctl_stats){ .asked = c->asked, .refused = c->refused, .dropped = c->dropped };
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		ret->clients += c->peer[i].fd >= 0;
}
