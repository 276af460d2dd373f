/* SPDX-License-Identifier: Apache-2.0 */
/* A process is looked at as it runs a program, shortly afterwards, since libraries are loaded late, and when it speaks TLS. It
 * counts as a user of each file that it maps until it ends. */
#include "probe/tlsprocs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/procfs.h"
#include "base/table.h"
#include "probe/mapped.h"

#define MS 1000000ull
#define SWEEP_NS (30000 * MS)
#define TICK_NS 10000000 /* /proc cuts start times to clock ticks */

static const uint64_t later[] = { 50 * MS, 500 * MS, 3000 * MS };

struct tlsproc {
	struct table_node node;
	uint32_t pid;
	uint64_t start; /* 0: not known */
	uint64_t ticks; /* the same as /proc has it */
	uint32_t n, files[MAPPED_MAX];
	struct ev_hooked told;
};

struct timer {
	uint64_t due;
	uint32_t pid;
};

struct tlsprocs {
	struct table table;
	struct tlsfiles *files;
	void (*tell)(void *ctx, const struct ev_hooked *h);
	void *ctx;
	uint64_t swept, look_ns_max;
	uint32_t ntimers;
	struct timer timers[TLSPROCS_TIMERS];
	struct mapped mapped;
};

static void proc_free(struct tlsprocs *t, struct tlsproc *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		tlsfiles_put(t->files, p->files[i]);
	free(p);
}

static void proc_drop(struct tlsprocs *t, struct tlsproc *p)
{
	table_del(&t->table, &p->node);
	proc_free(t, p);
}

static struct tlsproc *proc_find(struct tlsprocs *t, uint32_t pid)
{
	struct table_node *n = table_get(&t->table, &pid, sizeof(pid));

	return n ? table_entry(n, struct tlsproc, node) : NULL;
}

/* The process that has the pid now; NULL where it is gone or has another start. */
static struct tlsproc *proc_get(struct tlsprocs *t, uint32_t pid, uint64_t start)
{
	struct tlsproc *p = proc_find(t, pid);
	struct table_node *old;
	struct procfs_stat st;
	int dir = procfs_dir((pid_t)pid), err;

	err = dir < 0 ? dir : procfs_stat(dir, &st);
	if (dir >= 0)
		close(dir);
	if (p && (err || p->ticks != st.start_ns)) {
		proc_drop(t, p);
		p = NULL;
	}
	if (err || (start && (start < st.start_ns || start - st.start_ns > 2 * TICK_NS)))
		return NULL;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return NULL;
		p->pid = pid;
		p->ticks = st.start_ns;
		old = table_add(&t->table, &p->node, &p->pid, sizeof(p->pid));
		if (old)
			proc_free(t, table_entry(old, struct tlsproc, node));
	}
	if (start)
		p->start = start;
	return p;
}

/* What is known of it by now, told where it is new. Not while one of its files is being looked at. */
static void judge(struct tlsprocs *t, struct tlsproc *p)
{
	struct ev_hooked h = { .hdr = { .size = sizeof(h), .kind = EV_HOOKED, .pid = p->pid }, .state = HOOKED_NOTHING };

	if (!p->start)
		return;
	for (uint32_t i = 0; i < p->n; i++) {
		enum tlsfile_state s = tlsfiles_state(t->files, p->files[i]);

		if (s == TLSFILE_RESOLVING)
			return;
		h.stacks |= tlsfiles_stacks(t->files, p->files[i]);
		if (s == TLSFILE_REFUSED && !h.why[0])
			tlsfiles_why(t->files, p->files[i], h.why, sizeof(h.why));
	}
	h.state = h.stacks ? HOOKED_YES : h.why[0] ? HOOKED_REFUSED : HOOKED_NOTHING;
	h.start = p->start;
	h.hdr.ts = p->told.hdr.ts;
	if (memcmp(&h, &p->told, sizeof(h)) == 0)
		return;
	h.hdr.ts = clock_boot_ns();
	p->told = h;
	t->tell(t->ctx, &h);
}

static bool has_file(const struct tlsproc *p, uint32_t file)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->files[i] == file)
			return true;
	return false;
}

static void proc_look(struct tlsprocs *t, uint32_t pid, uint64_t start)
{
	struct tlsproc *p = proc_get(t, pid, start);
	uint32_t before[MAPPED_MAX], n;

	if (!p || mapped_read(pid, &t->mapped))
		return;
	n = p->n;
	memcpy(before, p->files, n * sizeof(before[0]));
	p->n = 0;
	for (uint32_t i = 0; i < t->mapped.n; i++) {
		uint32_t file = tlsfiles_get(t->files, pid, &t->mapped.file[i]);

		if (file == UINT32_MAX)
			continue;
		if (has_file(p, file))
			tlsfiles_put(t->files, file);
		else
			p->files[p->n++] = file;
	}
	for (uint32_t i = 0; i < n; i++)
		tlsfiles_put(t->files, before[i]);
	judge(t, p);
}

static void proc_look_timed(struct tlsprocs *t, uint32_t pid, uint64_t start)
{
	uint64_t from = clock_boot_ns(), took;

	if (pid == (uint32_t)getpid() || pid == (uint32_t)getppid())
		return;
	proc_look(t, pid, start);
	took = clock_boot_ns() - from;
	if (took > t->look_ns_max)
		t->look_ns_max = took;
}

static void timer_add(struct tlsprocs *t, uint32_t pid, uint64_t due)
{
	if (t->ntimers < TLSPROCS_TIMERS) /* the sweep makes up for it */
		t->timers[t->ntimers++] = (struct timer){ due, pid };
}

void tlsprocs_look(struct tlsprocs *t, uint32_t pid, uint64_t start, enum hooks_reason why)
{
	struct tlsproc *p;

	if (why == HOOKS_EXIT) {
		p = proc_find(t, pid);
		if (p && (!p->start || p->start == start))
			proc_drop(t, p);
		return;
	}
	proc_look_timed(t, pid, start);
	for (unsigned int i = 0; why == HOOKS_EXEC && i < sizeof(later) / sizeof(later[0]); i++)
		timer_add(t, pid, clock_boot_ns() + later[i]);
}

static int scan_one(pid_t pid, void *ctx)
{
	proc_look_timed(ctx, (uint32_t)pid, 0);
	return 0;
}

void tlsprocs_scan(struct tlsprocs *t)
{
	struct table_node *n, *next;

	t->swept = clock_boot_ns();
	procfs_each(scan_one, t);
	for (n = t->table.oldest; n; n = next) {
		struct tlsproc *p = table_entry(n, struct tlsproc, node);
		char path[32];

		next = n->newer;
		snprintf(path, sizeof(path), "/proc/%u", p->pid);
		if (access(path, F_OK))
			proc_drop(t, p);
	}
}

void tlsprocs_tick(struct tlsprocs *t, uint64_t now)
{
	for (uint32_t i = 0; i < t->ntimers;) {
		struct timer due = t->timers[i];

		if (now < due.due) {
			i++;
			continue;
		}
		t->timers[i] = t->timers[--t->ntimers];
		if (proc_find(t, due.pid))
			proc_look_timed(t, due.pid, 0);
	}
	tlsfiles_tick(t->files, now);
	if (tlsfiles_again(t->files, now) || now >= t->swept + SWEEP_NS)
		tlsprocs_scan(t);
}

static void on_changed(void *ctx, uint32_t file)
{
	struct tlsprocs *t = ctx;

	for (struct table_node *n = t->table.oldest; n; n = n->newer) {
		struct tlsproc *p = table_entry(n, struct tlsproc, node);

		if (has_file(p, file))
			judge(t, p);
	}
}

struct tlsprocs *tlsprocs_new(const struct tlsfiles_opts *files, void (*tell)(void *ctx, const struct ev_hooked *h),
			      void *ctx)
{
	struct tlsfiles_opts o = *files;
	struct tlsprocs *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	o.changed = on_changed;
	o.ctx = t;
	t->tell = tell;
	t->ctx = ctx;
	t->files = table_init(&t->table, TLSPROCS_MAX) ? NULL : tlsfiles_new(&o);
	if (t->files)
		return t;
	tlsprocs_free(t);
	return NULL;
}

void tlsprocs_free(struct tlsprocs *t)
{
	struct table_node *n, *next;

	if (!t)
		return;
	for (n = t->table.oldest; n; n = next) {
		next = n->newer;
		proc_drop(t, table_entry(n, struct tlsproc, node));
	}
	tlsfiles_free(t->files);
	table_done(&t->table);
	free(t);
}

uint32_t tlsprocs_busy(const struct tlsprocs *t)
{
	return tlsfiles_busy(t->files);
}

void tlsprocs_stats(const struct tlsprocs *t, struct hooks_stats *ret)
{
	tlsfiles_stats(t->files, ret);
	ret->procs = (uint32_t)t->table.n;
	ret->probed_procs = 0;
	for (struct table_node *n = t->table.oldest; n; n = n->newer) {
		const struct tlsproc *p = table_entry(n, struct tlsproc, node);
		uint32_t stacks = 0;

		for (uint32_t i = 0; i < p->n; i++)
			stacks |= tlsfiles_stacks(t->files, p->files[i]);
		ret->probed_procs += stacks != 0;
	}
	ret->look_ns_max = t->look_ns_max;
}
