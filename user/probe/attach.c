/* SPDX-License-Identifier: Apache-2.0 */
/* Probes in the TLS code of one file: for each program one link with all its places (uprobe_multi), or one perf event a place.
 *
 * No call may be followed whose end is not seen: the programs for the ends are attached first and taken off last. A call that
 * is open as they are attached was not seen to begin, and its end is then nobody's; one that is open as they are taken off ends
 * unseen, and its entry in the kernel side's table with the thread, or with the thread's next call.
 *
 * Nothing outlives us: links and perf events are descriptors, which the kernel closes with the last process that has them. The
 * way through tracefs, which libbpf would take where the kernel has no perf uprobes, leaves probes behind and is not taken. */
#include "probe/attach.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <bpf/libbpf.h>

#include "base/err.h"
#include "base/log.h"
#include "probe/load.h"
#include "probe/resolved.h"
#include "tls_stack.h"

#define FN(name) (1U << TLS_F_##name)
#define STACK(name) (1U << TLS_##name)
#define SSL_CALLS (FN(SSL_HANDSHAKE) | FN(SSL_READ) | FN(SSL_WRITE) | FN(SSL_READ_EX) | FN(SSL_WRITE_EX) | FN(SSL_WRITE_EX2))
#define GNUTLS_CALLS                                                                                                   \
	(FN(GNUTLS_SEND) | FN(GNUTLS_RECV) | FN(GNUTLS_RECV_PACKET) | FN(GNUTLS_UNCORK) | FN(GNUTLS_HANDSHAKE))
#define BSSL STACK(BORINGSSL)
#define OSSL (~BSSL)

/* A program, and where it belongs; in the order in which they are attached. */
static const struct spot {
	const char *prog, *other; /* of two names one is loaded */
	bool end;		  /* of a call; these come first */
	bool ret;		  /* a uretprobe */
	uint32_t fns;		  /* 1 << enum tls_func */
	uint32_t stacks;	  /* 1 << enum tls_stack; 0: of all */
} spots[] = {
	{ "ssl_out_new", "ssl_out_old", true, true, SSL_CALLS | GNUTLS_CALLS, 0 },
	{ "go_read_out_new", "go_read_out_old", true, false, FN(GO_READ_RET), 0 },
	{ "go_write_out_new", "go_write_out_old", true, false, FN(GO_WRITE_RET), 0 },
	{ "aead_open_out", NULL, true, true, FN(AEAD_OPEN) | FN(AEAD_OPEN_GATHER), 0 },
	{ "aead_seal_out", NULL, true, true, FN(AEAD_SEAL) | FN(AEAD_SEAL_SCATTER), 0 },
	{ "ring_open_out", NULL, true, true, FN(RING_OPEN), 0 },
	{ "ring_seal_out", NULL, true, true, FN(RING_SEAL), 0 },
	{ "aead_init_in", NULL, false, false, FN(AEAD_INIT), 0 },
	{ "ssl_free_in", NULL, false, false, FN(SSL_FREE) | FN(GNUTLS_DEINIT), 0 },
	{ "ssl_set_fd_in", NULL, false, false, FN(SSL_SET_FD), 0 },
	{ "go_close_in", NULL, false, false, FN(GO_CLOSE), 0 },
	{ "ssl_handshake_in", NULL, false, false, FN(SSL_HANDSHAKE), OSSL },
	{ "bssl_hs_in", NULL, false, false, FN(SSL_HANDSHAKE), BSSL },
	{ "gnutls_hs_in", NULL, false, false, FN(GNUTLS_HANDSHAKE), 0 },
	{ "ssl_read_in", NULL, false, false, FN(SSL_READ), OSSL },
	{ "ssl_write_in", NULL, false, false, FN(SSL_WRITE), OSSL },
	{ "bssl_read_in", NULL, false, false, FN(SSL_READ), BSSL },
	{ "bssl_write_in", NULL, false, false, FN(SSL_WRITE), BSSL },
	{ "ssl_read_ex_in", NULL, false, false, FN(SSL_READ_EX), 0 },
	{ "ssl_write_ex_in", NULL, false, false, FN(SSL_WRITE_EX), 0 },
	{ "ssl_write_ex2_in", NULL, false, false, FN(SSL_WRITE_EX2), 0 },
	{ "gnutls_recv_in", NULL, false, false, FN(GNUTLS_RECV), 0 },
	{ "gnutls_packet_in", NULL, false, false, FN(GNUTLS_RECV_PACKET), 0 },
	/* Around those that it calls. */
	{ "gnutls_uncork_in", NULL, false, false, FN(GNUTLS_UNCORK), 0 },
	{ "gnutls_send_in", NULL, false, false, FN(GNUTLS_SEND), 0 },
	{ "go_read_in", NULL, false, false, FN(GO_READ), 0 },
	{ "go_write_in", NULL, false, false, FN(GO_WRITE), 0 },
	{ "ring_open_in", NULL, false, false, FN(RING_OPEN), 0 },
	{ "ring_seal_in", NULL, false, false, FN(RING_SEAL), 0 },
	{ "aead_open_in", NULL, false, false, FN(AEAD_OPEN), 0 },
	{ "aead_gather_in", NULL, false, false, FN(AEAD_OPEN_GATHER), 0 },
	{ "aead_seal_in", NULL, false, false, FN(AEAD_SEAL), 0 },
	{ "aead_scatter_in", NULL, false, false, FN(AEAD_SEAL_SCATTER), 0 },
	/* What is seen to begin is taken to be seen from its first byte on: last. */
	{ "ssl_new_out", NULL, false, true, FN(SSL_NEW), OSSL },
	{ "bssl_new_out", NULL, false, true, FN(SSL_NEW), BSSL },
	{ "go_hs_in", NULL, false, false, FN(GO_HANDSHAKE), 0 },
};

#define THREADS 12
#define SPOTS (sizeof(spots) / sizeof(spots[0]))
#define LINKS_MAX (2 * TLS_POINTS_MAX) /* no point belongs to more than two programs */

struct attached {
	uint32_t points, nlinks;
	uint32_t nends; /* links of programs for the ends of calls: the first ones */
	struct bpf_link *links[LINKS_MAX];
};

static const struct bpf_program *spot_prog(const struct probe *p, const struct spot *s)
{
	const char *names[] = { s->prog, s->other };

	for (unsigned int i = 0; i < 2 && names[i]; i++) {
		const struct bpf_program *prog = bpf_object__find_program_by_name(p->obj, names[i]);

		if (prog && bpf_program__fd(prog) >= 0)
			return prog;
	}
	return NULL;
}

static int link_add(struct attached *a, struct bpf_link *l)
{
	if (!l)
		return -errno;
	a->links[a->nlinks++] = l;
	return 0;
}

static bool spot_takes(const struct spot *s, const struct tls_point *p)
{
	return s->fns & 1U << p->fn && (!s->stacks || s->stacks & 1U << p->stack);
}

static int spot_multi(struct attached *a, const struct bpf_program *prog, const struct spot *s, const char *path,
		      const struct tls_found *f)
{
	unsigned long offsets[TLS_POINTS_MAX];
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = offsets, .retprobe = s->ret);

	for (uint32_t i = 0; i < f->n; i++) {
		if (spot_takes(s, &f->point[i]))
			offsets[opts.cnt++] = f->point[i].offset;
	}
	return link_add(a, bpf_program__attach_uprobe_multi(prog, -1, path, NULL, &opts));
}

static int spot_perf(struct attached *a, const struct bpf_program *prog, const struct spot *s, const char *path,
		     const struct tls_found *f)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = s->ret, .attach_mode = PROBE_ATTACH_MODE_PERF);
	int err = 0;

	for (uint32_t i = 0; i < f->n && !err; i++) {
		if (spot_takes(s, &f->point[i]))
			err = link_add(a, bpf_program__attach_uprobe_opts(prog, -1, path, f->point[i].offset, &opts));
	}
	return err;
}

/* Does @f hold a point for @s? */
static bool spot_used(const struct spot *s, const struct tls_found *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		if (spot_takes(s, &f->point[i]))
			return true;
	}
	return false;
}

static int spot_attach(struct attached *a, const struct probe *p, const struct spot *s, const char *path,
		       const struct tls_found *f)
{
	const struct bpf_program *prog;
	int err;

	if (!spot_used(s, f))
		return 0;
	prog = spot_prog(p, s);
	if (!prog) { /* not for this kernel; another stack of the file may be */
		log_dbg("%s is not loaded here", s->prog);
		return 0;
	}
	err = p->multi ? spot_multi(a, prog, s, path, f) : spot_perf(a, prog, s, path, f);
	if (s->end)
		a->nends = a->nlinks;
	if (err)
		log_dbg("%s cannot be attached: %s", bpf_program__name(prog), errstr(err));
	return err;
}

/* Is every point one that a file of that size can have, and does the file hold what was analysed? */
static int points_check(int fd, const struct tls_found *f)
{
	struct resolved r = { .f = *f };
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	r.size = (uint64_t)st.st_size;
	if (!S_ISREG(st.st_mode) || !f->n)
		return -EINVAL;
	return resolved_check(&r) ? resolved_match(&r, fd) : -ESTALE;
}

struct attached *attach_file(struct probe *p, int fd, const struct tls_found *f)
{
	struct attached *a = calloc(1, sizeof(*a));
	char path[32];
	int err = a ? points_check(fd, f) : -ENOMEM;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (unsigned int i = 0; i < SPOTS && !err; i++)
		err = spot_attach(a, p, &spots[i], path, f);
	if (!err && !a->nlinks)
		err = -EOPNOTSUPP;
	if (err) {
		attach_free(a);
		errno = -err;
		return NULL;
	}
	a->points = f->n;
	return a;
}

/* --- Taken off -------------------------------------------------------------------------------------------------- */

/* Links of one kind, taken down by several threads: from 6.12 the kernel waits some 50 ms with each until no program can run
 * from it any more, and as long with many at once. */
struct take_down {
	struct attached *const *list;
	uint32_t n;
	bool ends;
	uint32_t turn;
};

/* Each is handed out once; NULL when there are no more. */
static struct bpf_link *link_next(struct take_down *t)
{
	uint32_t turn = __atomic_fetch_add(&t->turn, 1, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < t->n; i++) {
		const struct attached *a = t->list[i];
		uint32_t from = t->ends ? 0 : a->nends, to = t->ends ? a->nends : a->nlinks;

		if (turn < to - from)
			return a->links[from + turn];
		turn -= to - from;
	}
	return NULL;
}

static void *links_destroy(void *arg)
{
	struct bpf_link *l = link_next(arg);

	while (l) {
		bpf_link__destroy(l);
		l = link_next(arg);
	}
	return NULL;
}

/* Where no thread can be made, it takes longer. */
static void take_down(struct take_down *t)
{
	pthread_t thread[THREADS];
	uint32_t links = 0, n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		links += t->ends ? t->list[i]->nends : t->list[i]->nlinks - t->list[i]->nends;
	while (n < THREADS && n + 1 < links && pthread_create(&thread[n], NULL, links_destroy, t) == 0)
		n++;
	links_destroy(t);
	while (n)
		pthread_join(thread[--n], NULL);
}

void attach_free_all(struct attached *const *list, uint32_t n)
{
	take_down(&(struct take_down){ .list = list, .n = n, .ends = false });
	take_down(&(struct take_down){ .list = list, .n = n, .ends = true });
	for (uint32_t i = 0; i < n; i++)
		free(list[i]);
}

void attach_free(struct attached *a)
{
	if (a)
		attach_free_all(&a, 1);
}

uint32_t attach_points(const struct attached *a)
{
	return a->points;
}
