/* SPDX-License-Identifier: Apache-2.0 */
/* One entry a file, named by device and inode as the kernel shows them in maps. It holds while the file is the same: size and
 * times are compared each time a new process maps it. Where overlay file systems show one file under several names it is probed
 * under each: the kernel side takes the second run of a program for one call as the same call. */
#include "probe/tlsfiles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/table.h"
#include "event_tls.h"
#include "probe/hooks.h"
#include "probe/openfile.h"

#define AGAIN_NS 1000000000ull

struct file_key {
	uint64_t dev, ino;
};

struct tlsfile {
	struct table_node node;
	struct file_key key;
	struct file_key real; /* of the opened file, and what it was then */
	int64_t size;
	struct timespec mtime, ctime;
	uint32_t nr, refs, stacks;
	uint8_t state;
	bool leased;
	int fd; /* while it is looked at or probed */
	uint64_t idle; /* since then nobody uses it */
	struct attached *attached;
	char path[96], why[TLS_WHY], evidence[96];
};

struct tlsfiles {
	struct tlsfiles_opts o;
	struct table table;
	struct resolver *resolver;
	struct leases *leases;
	uint32_t busy;
	uint64_t attached, detached, refused, rewritten;
	uint64_t again; /* boot ns: then whoever maps what was written meanwhile is looked at; 0: nothing was */
	struct tlsfile *file[TLSFILES_MAX];
};

static void detach(struct tlsfiles *t, struct tlsfile *f)
{
	if (f->attached) {
		attach_free(f->attached);
		t->detached++;
	}
	f->attached = NULL;
	if (f->leased)
		lease_drop(t->leases, f->fd);
	f->leased = false;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->stacks = 0;
}

/* Its content was in motion: it is looked at anew shortly. */
static void put_off(struct tlsfiles *t, struct tlsfile *f)
{
	detach(t, f);
	f->state = TLSFILE_NEW;
	t->again = clock_boot_ns() + AGAIN_NS;
}

static void refuse(struct tlsfiles *t, struct tlsfile *f, const char *why)
{
	detach(t, f);
	f->state = TLSFILE_REFUSED;
	snprintf(f->why, sizeof(f->why), "%s", why);
	t->refused++;
}

/* Somebody is about to write to it, or has: what it will be is looked at when it is next mapped. */
static void on_broken(void *ctx, int fd)
{
	struct tlsfiles *t = ctx;

	for (uint32_t i = 0; i < TLSFILES_MAX; i++) {
		struct tlsfile *f = t->file[i];

		if (!f || f->fd != fd)
			continue;
		log_info("%s is being written: its probes are off", f->path);
		put_off(t, f);
		t->rewritten++;
		return;
	}
}

static void attach(struct tlsfiles *t, struct tlsfile *f, const struct tls_found *found)
{
	char why[TLS_WHY];
	int err = t->o.probe ? lease_take(t->leases, f->fd) : 0;

	f->leased = t->o.probe && !err;
	if (!err && t->o.probe) {
		f->attached = attach_file(t->o.probe, f->fd, found);
		err = f->attached ? 0 : -errno;
	}
	if (err == -EAGAIN || err == -ESTALE) { /* somebody has it open for writing, or wrote it */
		put_off(t, f);
		return;
	}
	if (err) {
		snprintf(why, sizeof(why), "%.80s, but it cannot be probed: %s", found->evidence, errstr(err));
		refuse(t, f, why);
		return;
	}
	f->state = TLSFILE_PROBED;
	snprintf(f->evidence, sizeof(f->evidence), "%.95s", found->evidence);
	for (uint32_t i = 0; i < found->n; i++)
		f->stacks |= 1u << found->point[i].stack;
	t->attached++;
}

static void on_resolved(void *ctx, uint64_t tag, int err, const struct tls_found *found)
{
	struct tlsfiles *t = ctx;
	struct tlsfile *f = tag < TLSFILES_MAX ? t->file[tag] : NULL;
	char why[TLS_WHY];

	if (!f || f->state != TLSFILE_RESOLVING)
		return;
	t->busy--;
	if (err == -ENOEXEC) {
		f->state = TLSFILE_NOTHING;
	} else if (err == -ESTALE) {
		put_off(t, f);
	} else if (err) {
		snprintf(why, sizeof(why), "it cannot be looked at: %s", errstr(err));
		refuse(t, f, why);
	} else if (found->n) {
		attach(t, f, found);
	} else if (found->why[0]) {
		refuse(t, f, found->why);
	} else {
		f->state = TLSFILE_NOTHING;
	}
	if (f->state == TLSFILE_NOTHING)
		detach(t, f);
	t->o.changed(t->o.ctx, f->nr);
}

struct tlsfiles *tlsfiles_new(const struct tlsfiles_opts *o)
{
	struct tlsfiles *t = calloc(1, sizeof(*t));
	struct resolver_opts ro = { .loop = o->loop, .cache_dir = o->cache_dir, .done = on_resolved, .ctx = t };
	int err;

	if (!t)
		return NULL;
	t->o = *o;
	if (table_init(&t->table, TLSFILES_MAX)) {
		free(t);
		errno = ENOMEM;
		return NULL;
	}
	t->resolver = resolver_new(&ro);
	t->leases = t->resolver ? leases_new(o->loop, on_broken, t) : NULL;
	if (t->leases)
		return t;
	err = errno;
	tlsfiles_free(t);
	errno = err;
	return NULL;
}

/* The kernel takes its time with each, and no longer with all at once. */
static void detach_all(struct tlsfiles *t)
{
	struct attached **list = calloc(TLSFILES_MAX, sizeof(*list));
	uint32_t n = 0;

	for (uint32_t i = 0; list && i < TLSFILES_MAX; i++) {
		if (t->file[i] && t->file[i]->attached) {
			list[n++] = t->file[i]->attached;
			t->file[i]->attached = NULL;
		}
	}
	if (n)
		attach_free_all(list, n);
	free(list);
}

void tlsfiles_free(struct tlsfiles *t)
{
	if (!t)
		return;
	resolver_free(t->resolver);
	detach_all(t);
	for (uint32_t i = 0; i < TLSFILES_MAX; i++) {
		if (t->file[i])
			detach(t, t->file[i]);
		free(t->file[i]);
	}
	leases_free(t->leases);
	table_done(&t->table);
	free(t);
}

/* The least recently used file that nobody uses makes room. */
static struct tlsfile *file_new(struct tlsfiles *t)
{
	struct table_node *n, *next;
	struct tlsfile *f = NULL;
	uint32_t nr = t->table.n;

	for (n = t->table.n < TLSFILES_MAX ? NULL : t->table.oldest; n; n = next) {
		f = table_entry(n, struct tlsfile, node);
		next = n->newer;
		if (!f->refs && f->state != TLSFILE_RESOLVING)
			break;
		f = NULL;
	}
	if (f) {
		nr = f->nr;
		detach(t, f);
		table_del(&t->table, &f->node);
	} else {
		f = nr < TLSFILES_MAX ? malloc(sizeof(*f)) : NULL;
	}
	if (!f)
		return NULL;
	*f = (struct tlsfile){ .nr = nr, .fd = -1 };
	t->file[nr] = f;
	return f;
}

static bool same(const struct tlsfile *f, const struct stat *st)
{
	return f->real.dev == st->st_dev && f->real.ino == st->st_ino && f->size == st->st_size &&
	       f->mtime.tv_sec == st->st_mtim.tv_sec && f->mtime.tv_nsec == st->st_mtim.tv_nsec &&
	       f->ctime.tv_sec == st->st_ctim.tv_sec && f->ctime.tv_nsec == st->st_ctim.tv_nsec;
}

static void look(struct tlsfiles *t, struct tlsfile *f, uint32_t pid, const struct mapped_file *m)
{
	char why[OPENFILE_WHY];
	struct stat st;
	int fd = openfile_mapped(pid, m, t->o.remote, &st, why), err;

	if (fd == -ENOENT || fd == -ESRCH)
		return; /* the process is gone */
	if (fd < 0) {
		refuse(t, f, why);
		return;
	}
	f->real = (struct file_key){ st.st_dev, st.st_ino };
	f->size = st.st_size;
	f->mtime = st.st_mtim;
	f->ctime = st.st_ctim;
	f->fd = fd;
	f->why[0] = 0;
	f->state = TLSFILE_RESOLVING;
	t->busy++;
	err = resolver_look(t->resolver, fd, f->nr);
	if (err && f->state == TLSFILE_RESOLVING) {
		t->busy--;
		detach(t, f);
		f->state = TLSFILE_NEW; /* tried again with the next process that maps it */
	}
}

/* Was it written since? It was opened before, so that its file system lets nobody wait. */
static bool is_stale(const struct tlsfile *f, uint32_t pid, const struct mapped_file *m)
{
	char path[96];
	struct stat st;

	if (!f->size) /* never opened */
		return false;
	if (f->fd >= 0)
		return fstat(f->fd, &st) == 0 && !same(f, &st);
	openfile_path(pid, m, path, sizeof(path));
	return stat(path, &st) == 0 && !same(f, &st);
}

uint32_t tlsfiles_get(struct tlsfiles *t, uint32_t pid, const struct mapped_file *m)
{
	struct file_key key = { m->dev, m->ino };
	struct table_node *n = table_get(&t->table, &key, sizeof(key));
	struct tlsfile *f = n ? table_entry(n, struct tlsfile, node) : file_new(t);

	if (!f)
		return UINT32_MAX;
	if (!n) {
		f->key = key;
		memcpy(f->path, m->path, sizeof(f->path));
		table_add(&t->table, &f->node, &f->key, sizeof(f->key));
	}
	f->refs++;
	if (f->state != TLSFILE_NEW && f->state != TLSFILE_RESOLVING && is_stale(f, pid, m)) {
		detach(t, f);
		f->state = TLSFILE_NEW;
	}
	if (f->state == TLSFILE_NEW)
		look(t, f, pid, m);
	return f->nr;
}

void tlsfiles_put(struct tlsfiles *t, uint32_t file)
{
	struct tlsfile *f = t->file[file];

	if (f && f->refs && !--f->refs)
		f->idle = clock_boot_ns();
}

enum tlsfile_state tlsfiles_state(const struct tlsfiles *t, uint32_t file)
{
	return t->file[file] ? t->file[file]->state : TLSFILE_NEW;
}

uint32_t tlsfiles_stacks(const struct tlsfiles *t, uint32_t file)
{
	return t->file[file] ? t->file[file]->stacks : 0;
}

void tlsfiles_why(const struct tlsfiles *t, uint32_t file, char *ret, size_t size)
{
	const struct tlsfile *f = t->file[file];
	const char *name = f ? strrchr(f->path, '/') : NULL;

	snprintf(ret, size, "%.60s: %.96s", name ? name + 1 : "?", f ? f->why : "");
}

bool tlsfiles_again(struct tlsfiles *t, uint64_t now)
{
	bool due = t->again && now >= t->again;

	if (due)
		t->again = 0;
	return due;
}

uint32_t tlsfiles_busy(const struct tlsfiles *t)
{
	return t->busy;
}

void tlsfiles_tick(struct tlsfiles *t, uint64_t now)
{
	resolver_tick(t->resolver);
	for (uint32_t i = 0; i < TLSFILES_MAX; i++) {
		struct tlsfile *f = t->file[i];

		if (!f || f->refs || f->state != TLSFILE_PROBED || now < f->idle + TLSFILES_LINGER_NS)
			continue;
		detach(t, f);
		f->state = TLSFILE_NEW;
	}
}

static void row_add(struct hooks_stats *s, const struct tlsfile *f)
{
	struct hooks_file *r = &s->file[s->nfiles];

	if (s->nfiles++ >= HOOKS_FILES_SHOWN)
		return;
	snprintf(r->path, sizeof(r->path), "%s", f->path);
	snprintf(r->evidence, sizeof(r->evidence), "%.95s", f->state == TLSFILE_PROBED ? f->evidence : f->why);
	r->points = f->attached ? attach_points(f->attached) : 0;
	r->procs = f->refs;
}

void tlsfiles_stats(const struct tlsfiles *t, struct hooks_stats *ret)
{
	struct resolver_stats r;

	resolver_stats(t->resolver, &r);
	ret->nfiles = 0;
	ret->known_files = (uint32_t)t->table.n;
	ret->attached = t->attached;
	ret->detached = t->detached;
	ret->refused_files = t->refused;
	ret->rewritten = t->rewritten;
	ret->resolved = r.files;
	ret->cached = r.cached;
	ret->resolver_died = r.died;
	ret->resolver_late = r.timed_out;
	for (int state = TLSFILE_PROBED; state <= TLSFILE_REFUSED; state++)
		for (uint32_t i = 0; i < TLSFILES_MAX && state != TLSFILE_NOTHING; i++)
			if (t->file[i] && t->file[i]->state == state && (t->file[i]->refs || state == TLSFILE_PROBED))
				row_add(ret, t->file[i]);
}
