/* SPDX-License-Identifier: Apache-2.0 */
/* One entry a state of a file: device, inode, size and times. A file that is written is another one from then on. Entries that are
 * the same real file share its probes (holds.h). */
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
#include "probe/holds.h"
#include "probe/hooks.h"
#include "probe/openfile.h"
#include "probe/resolver.h"

#define AGAIN_NS NSEC_PER_SEC
#define AGAIN_MAX_NS (32 * NSEC_PER_SEC) /* then the sweep is as soon */

struct tlsfile {
	struct table_node node;
	struct file_id id;
	uint32_t nr, refs, stacks, shaped;
	uint8_t state;
	bool written; /* just now */
	int fd;	       /* while it is looked at; else -1 */
	uint64_t idle; /* since then nobody uses it */
	struct hold *hold;
	uint64_t on; /* since then it is probed */
	char path[96], why[TLS_WHY], evidence[96];
};

struct tlsfiles {
	struct tlsfiles_opts o;
	struct table table;
	struct resolver *resolver;
	struct holds *holds;
	struct openfile_devs devs;
	uint32_t busy;
	uint64_t refused, rewritten, full;
	uint64_t again; /* boot ns: then whoever maps what was written meanwhile is looked at; 0: nothing was */
	uint64_t delay, calm; /* of the last time; boot ns: if nothing was written up to then, the next one is short again */
	struct tlsfile *file[TLSFILES_MAX];
};

/* --- States ----------------------------------------------------------------------------------------------------- */

static void fd_close(struct tlsfile *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static void settle(struct tlsfile *f, enum tlsfile_state state, const char *why)
{
	fd_close(f);
	f->state = state;
	snprintf(f->why, sizeof(f->why), "%s", why);
}

/* Its content was in motion: it is looked at anew shortly; where that goes on, ever less often. */
static void put_off(struct tlsfiles *t, struct tlsfile *f)
{
	uint64_t now = clock_boot_ns();

	settle(f, TLSFILE_NEW, "it is being written");
	if (t->again)
		return;
	t->delay = now >= t->calm ? AGAIN_NS : 2 * t->delay < AGAIN_MAX_NS ? 2 * t->delay : AGAIN_MAX_NS;
	t->again = now + t->delay;
	t->calm = t->again + t->delay;
}

static void refuse(struct tlsfiles *t, struct tlsfile *f, enum tlsfile_state state, const char *why)
{
	settle(f, state, why);
	t->refused++;
}

/* Its probes are off after holds_release(), unless other entries share them. */
static void unhold(struct tlsfile *f)
{
	hold_put(f->hold);
	f->hold = NULL;
	f->stacks = 0;
}

static void on_broken(void *ctx, struct hold *h)
{
	struct tlsfiles *t = ctx;

	for (uint32_t i = 0; i < t->table.n; i++) {
		struct tlsfile *f = t->file[i];

		if (f->hold != h)
			continue;
		log_info("%s is being written: its probes are off", f->path);
		unhold(f);
		put_off(t, f);
		f->written = true;
	}
	holds_release(t->holds);
	t->rewritten++;
	for (uint32_t i = 0; i < t->table.n; i++) {
		if (t->file[i]->written)
			t->o.changed(t->o.ctx, i);
		t->file[i]->written = false;
	}
}

static void attach(struct tlsfiles *t, struct tlsfile *f, const struct tls_found *found)
{
	int fd = f->fd, err;
	char why[TLS_WHY];

	f->fd = -1;
	err = hold_get(t->holds, fd, &f->id, found, &f->hold);
	if (err == -EAGAIN || err == -ESTALE) { /* somebody has it open for writing, or wrote it */
		put_off(t, f);
		return;
	}
	if (err) {
		snprintf(why, sizeof(why), "%.80s, but it cannot be probed: %s", found->evidence, errstr(err));
		refuse(t, f, TLSFILE_OPAQUE, why);
		return;
	}
	settle(f, TLSFILE_PROBED, "");
	f->on = clock_boot_ns();
	snprintf(f->evidence, sizeof(f->evidence), "%.95s", found->evidence);
	f->shaped = found->shaped;
	for (uint32_t i = 0; i < found->n; i++)
		f->stacks |= 1u << found->point[i].stack;
}

/* Another time it may be otherwise. */
static bool passes(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE || err == -EAGAIN;
}

static void on_resolved(void *ctx, uint64_t tag, int err, const struct tls_found *found)
{
	struct tlsfiles *t = ctx;
	struct tlsfile *f = tag < t->table.n ? t->file[tag] : NULL;
	char why[TLS_WHY];

	if (!f || f->state != TLSFILE_RESOLVING)
		return;
	t->busy--;
	if (err == -ESTALE) {
		put_off(t, f);
	} else if (passes(err)) {
		settle(f, TLSFILE_NEW, errstr(err));
	} else if (err && err != -ENOEXEC) {
		snprintf(why, sizeof(why), "it cannot be looked at: %s", errstr(err));
		refuse(t, f, TLSFILE_REFUSED, why);
	} else if (!err && found->n) {
		attach(t, f, found);
	} else if (!err && found->why[0]) {
		refuse(t, f, TLSFILE_OPAQUE, found->why);
	} else {
		settle(f, TLSFILE_NOTHING, "");
	}
	t->o.changed(t->o.ctx, f->nr);
}

/* --- The table -------------------------------------------------------------------------------------------------- */

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
	t->holds = t->resolver ? holds_new(o->probe, o->loop, on_broken, t) : NULL;
	if (t->holds)
		return t;
	err = errno;
	tlsfiles_free(t);
	errno = err;
	return NULL;
}

void tlsfiles_free(struct tlsfiles *t)
{
	if (!t)
		return;
	resolver_free(t->resolver);
	holds_free(t->holds);
	for (uint32_t i = 0; i < t->table.n; i++) {
		fd_close(t->file[i]);
		free(t->file[i]);
	}
	table_done(&t->table);
	free(t);
}

/* The least recently used file that nobody uses makes room. */
static struct tlsfile *file_room(struct tlsfiles *t)
{
	struct table_node *n = t->table.oldest;
	struct tlsfile *f = NULL;

	for (; n; n = n->newer) {
		f = table_entry(n, struct tlsfile, node);
		if (!f->refs && f->state != TLSFILE_RESOLVING)
			break;
	}
	if (!n)
		return NULL;
	unhold(f);
	holds_release(t->holds);
	table_del(&t->table, &f->node);
	return f;
}

static struct tlsfile *file_new(struct tlsfiles *t, const struct file_id *id, const struct mapped_file *m)
{
	uint32_t nr = (uint32_t)t->table.n;
	struct tlsfile *f;

	if (nr < TLSFILES_MAX) {
		f = malloc(sizeof(*f));
	} else {
		f = file_room(t);
		nr = f ? f->nr : 0;
	}
	if (!f)
		return NULL;
	*f = (struct tlsfile){ .nr = nr, .fd = -1, .id = *id };
	memcpy(f->path, m->path, sizeof(f->path));
	t->file[nr] = f;
	table_add(&t->table, &f->node, &f->id, sizeof(f->id));
	return f;
}

static void look(struct tlsfiles *t, struct tlsfile *f, uint32_t pid, const struct mapped_file *m)
{
	char why[OPENFILE_WHY];
	struct file_id id;
	int fd = openfile_open(pid, m, t->o.remote, &id, why);

	if (fd == -ENOENT || fd == -ESRCH || passes(fd))
		return; /* the process is gone; another one has a lease on the file */
	if (fd < 0) {
		refuse(t, f, TLSFILE_REFUSED, why);
		return;
	}
	if (memcmp(&id, &f->id, sizeof(id)) != 0) { /* it was written just now, or something else is mapped there */
		close(fd);
		put_off(t, f);
		return;
	}
	f->fd = fd;
	f->state = TLSFILE_RESOLVING;
	t->busy++;
	if (resolver_look(t->resolver, fd, f->nr) && f->state == TLSFILE_RESOLVING) {
		t->busy--;
		settle(f, TLSFILE_NEW, "too many files to look at");
	}
}

/* Which file it is. NULL; or why it is not asked what it is: then @ret is what maps says of it. -> false: there is none. */
static bool identify(struct tlsfiles *t, uint32_t pid, const struct mapped_file *m, struct file_id *ret, const char **ret_why)
{
	int err;

	*ret_why = t->o.remote ? NULL : openfile_barred(&t->devs, pid, m->dev, clock_boot_ns());
	if (!*ret_why) {
		err = openfile_id(pid, m, ret);
		if (!err)
			return true;
		if (err != -EPERM && err != -EACCES)
			return false;
		*ret_why = "it cannot be opened: a capability is missing";
	}
	*ret = (struct file_id){ .dev = m->dev, .ino = m->ino, .size = UINT64_MAX };
	return true;
}

uint32_t tlsfiles_get(struct tlsfiles *t, uint32_t pid, const struct mapped_file *m)
{
	struct table_node *n;
	struct file_id id;
	struct tlsfile *f;
	const char *why;

	if (!identify(t, pid, m, &id, &why))
		return TLSFILES_NONE;
	n = table_get(&t->table, &id, sizeof(id));
	f = n ? table_entry(n, struct tlsfile, node) : file_new(t, &id, m);
	if (!f) {
		t->full++;
		return TLSFILES_NONE;
	}
	f->refs++;
	if (f->state == TLSFILE_NEW && why)
		refuse(t, f, TLSFILE_REFUSED, why);
	else if (f->state == TLSFILE_NEW)
		look(t, f, pid, m);
	return f->nr;
}

void tlsfiles_put(struct tlsfiles *t, uint32_t file)
{
	struct tlsfile *f = t->file[file];

	if (!--f->refs)
		f->idle = clock_boot_ns();
}

enum tlsfile_state tlsfiles_state(const struct tlsfiles *t, uint32_t file)
{
	return t->file[file]->state;
}

static const char *odd_text(enum odd_what what)
{
	switch (what) {
	case ODD_LENGTH:
		return "calls moved more than there was room for";
	case ODD_MEMORY:
		return "the data of calls was where no memory is";
	case ODD_RECORD:
		return "connections began with TLS records as plaintext";
	case ODD_BINARY:
		return "all connections began with binary data";
	}
	return "?";
}

void tlsfiles_withdraw(struct tlsfiles *t, uint32_t file, uint32_t stacks, enum odd_what what)
{
	const char *saw = odd_text(what);
	const struct hold *h = t->file[file]->hold;
	char why[TLS_WHY];

	/* Where symbols name the functions, binary data is the program's own. */
	if (what == ODD_BINARY && !(t->file[file]->shaped & stacks))
		return;
	for (uint32_t i = 0; h && i < t->table.n; i++) {
		struct tlsfile *f = t->file[i];

		if (f->hold != h)
			continue;
		log_warn("%s: its probes are taken off, as they are not where they should be: %s", f->path, saw);
		snprintf(why, sizeof(why), "probes withdrawn, as %.80s (%.40s)", saw, f->evidence);
		unhold(f);
		refuse(t, f, TLSFILE_OPAQUE, why);
		t->o.changed(t->o.ctx, i);
	}
	holds_release(t->holds);
}

uint32_t tlsfiles_stacks(const struct tlsfiles *t, uint32_t file)
{
	return t->file[file]->stacks;
}

uint64_t tlsfiles_since(const struct tlsfiles *t, uint32_t file)
{
	return t->file[file]->on;
}

void tlsfiles_why(const struct tlsfiles *t, uint32_t file, char *ret, size_t size)
{
	const struct tlsfile *f = t->file[file];
	const char *name = strrchr(f->path, '/');

	if (f->state == TLSFILE_PROBED)
		snprintf(ret, size, "%s", f->path);
	else
		snprintf(ret, size, "%.56s: %.92s", name ? name + 1 : f->path, f->why);
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

uint64_t tlsfiles_full(const struct tlsfiles *t)
{
	return t->full;
}

void tlsfiles_tick(struct tlsfiles *t, uint64_t now)
{
	resolver_tick(t->resolver);
	for (uint32_t i = 0; i < t->table.n; i++) {
		struct tlsfile *f = t->file[i];

		if (f->refs || f->state != TLSFILE_PROBED || now < f->idle + TLSFILES_LINGER_NS)
			continue;
		unhold(f);
		f->state = TLSFILE_NEW;
	}
	holds_release(t->holds);
}

/* --- For people ------------------------------------------------------------------------------------------------- */

static void row_add(struct hooks_stats *s, const struct tlsfile *f)
{
	struct hooks_file *r = &s->file[s->nfiles];

	if (s->nfiles++ >= HOOKS_FILES_SHOWN)
		return;
	snprintf(r->path, sizeof(r->path), "%s", f->path);
	snprintf(r->evidence, sizeof(r->evidence), "%.95s", f->state == TLSFILE_PROBED ? f->evidence : f->why);
	r->points = f->hold ? hold_points(f->hold) : 0;
	r->procs = f->refs;
}

static void rows_add(const struct tlsfiles *t, struct hooks_stats *s, enum tlsfile_state state)
{
	for (uint32_t i = 0; i < t->table.n; i++) {
		const struct tlsfile *f = t->file[i];

		if (f->state == state && (f->refs || state == TLSFILE_PROBED))
			row_add(s, f);
	}
}

void tlsfiles_stats(const struct tlsfiles *t, struct hooks_stats *ret)
{
	struct resolver_stats r;

	resolver_stats(t->resolver, &r);
	ret->nfiles = 0;
	ret->known_files = (uint32_t)t->table.n;
	holds_count(t->holds, &ret->attached, &ret->detached);
	ret->refused_files = t->refused;
	ret->rewritten = t->rewritten;
	ret->resolved = r.files;
	ret->cached = r.cached;
	ret->resolver_died = r.died;
	ret->resolver_late = r.timed_out;
	rows_add(t, ret, TLSFILE_PROBED);
	rows_add(t, ret, TLSFILE_OPAQUE);
	rows_add(t, ret, TLSFILE_REFUSED);
}
