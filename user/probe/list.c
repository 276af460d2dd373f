/* SPDX-License-Identifier: Apache-2.0 */
/* Late start: list what is open, several times over, and make records of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "probe/load.h"

#define PASSES_MAX 16
#define LINES_MAX 262144
#define PASS_GAP_NS 3000000

struct lines {
	struct ev_list *v;
	size_t n, cap;
	uint64_t dropped; /* beyond LINES_MAX, in this pass */
};

static int lines_add(struct lines *l, const void *bytes, size_t n)
{
	size_t used = l->n * sizeof(*l->v);

	if (l->n * sizeof(*l->v) + n > l->cap * sizeof(*l->v)) {
		size_t cap = l->cap ? l->cap * 2 : 1024;
		struct ev_list *v;

		if (cap > LINES_MAX) {
			l->dropped += n / sizeof(*l->v);
			return 0;
		}
		v = realloc(l->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	memcpy((char *)l->v + used, bytes, n);
	l->n += n / sizeof(*l->v);
	return 0;
}

/* One pass over every open file of the host. The kernel hands out whole lines. */
static int list_once(struct probe *p, struct lines *l)
{
	static char buf[sizeof(struct ev_list) * 64];
	int fd = bpf_iter_create(bpf_link__fd(p->list_link)), err = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	l->n = 0;
	l->dropped = 0;
	do {
		n = read(fd, buf, sizeof(buf));
		if (n > 0)
			err = lines_add(l, buf, n / sizeof(struct ev_list) * sizeof(struct ev_list));
	} while (!err && (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))));
	if (n < 0)
		err = -errno;
	close(fd);
	return err;
}

static bool settled(const struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->v[i].settled)
			return false;
	return true;
}

static void emit_open(const struct ev_list *l, int end, uint64_t now, probe_fn fn, void *ctx)
{
	struct ev_open o = {
		.hdr = { sizeof(o), EV_OPEN, EV_F_LATE, now, l->pid, l->pid, l->cgroup },
		.start = l->start,
		.key = l->key[end],
		.chan = l->chan,
		.end = end,
	};

	if (l->chan != CHAN_PIPE)
		o.reverse = l->key[!end];
	memcpy(o.pos, l->pos, sizeof(o.pos));
	if (l->fd < 2)
		o.hdr.flags |= EV_F_STDIO;
	if (!l->settled)
		o.hdr.flags |= EV_F_RACED;
	fn(ctx, &o.hdr);
}

/* fd 0 and 1 of one process, which stand next to each other in the list: as if it had just been exec'ed. */
static void emit_exec(const struct ev_list *in, const struct ev_list *out, uint64_t now, probe_fn fn,
		      void *ctx)
{
	struct ev_exec e = {
		.hdr = { sizeof(e), EV_EXEC, EV_F_LATE, now, in->pid, in->pid, in->cgroup },
		.start = in->start,
		.in = in->key[END_READ],
		.out = out->key[END_WRITE],
		.in_chan = in->chan,
		.out_chan = out->chan,
	};

	fn(ctx, &e.hdr);
}

/* Passes until every stream has its origin, or enough is enough. */
static int list_settle(struct probe *p, struct lines *l)
{
	struct timespec gap = { 0, PASS_GAP_NS };

	for (int pass = 1; pass <= PASSES_MAX; pass++) {
		int err;

		__atomic_store_n(p->list_pass, pass, __ATOMIC_RELEASE);
		err = list_once(p, l);
		if (err || (pass > 4 && settled(l)))
			return err;
		nanosleep(&gap, NULL);
	}
	return 0;
}

/* What the agent itself reads and writes is never watched: its output would feed itself. */
static void exclude(struct probe *p, const struct ev_list *l)
{
	if (l->fd > 2)
		return;
	probe_verdict(p, &l->key[END_READ], V_SELF);
	probe_verdict(p, &l->key[END_WRITE], V_SELF);
}

int probe_list(struct probe *p, probe_fn fn, void *ctx)
{
	struct lines l = {};
	uint64_t now;
	int err = list_settle(p, &l);

	now = clock_boot_ns();
	for (size_t i = 0; i < l.n && !err; i++) {
		const struct ev_list *x = &l.v[i];

		if (x->pid == *p->self) {
			exclude(p, x);
			continue;
		}
		if (x->chan != CHAN_TCP && x->key[END_READ].obj) /* its first record says all, and needs no origin */
			emit_open(x, x->writable ? END_WRITE : END_READ, now, fn, ctx);
		if (x->fd == 1 && i && x[-1].fd == 0 && x[-1].pid == x->pid)
			emit_exec(&x[-1], x, now, fn, ctx);
	}
	p->list_full = l.dropped;
	free(l.v);
	return err;
}
