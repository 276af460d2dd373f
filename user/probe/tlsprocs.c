/* SPDX-License-Identifier: Apache-2.0 */
/* A process is looked at as it runs a program, shortly afterwards, since libraries are loaded late, and when it speaks TLS. It
 * counts as a user of each file that it maps until it ends. Where it maps what it did the last time, its files are not asked for
 * again.
 *
 * One of which nobody told us has a start that is known to a hundredth of a second only. That is no name of it in records, so it is
 * told of once somebody has. */
#include "probe/tlsprocs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/procfs.h"
#include "base/table.h"
#include "probe/mapped.h"

#define MS NSEC_PER_MSEC
#define TICK_NS 10000000 /* /proc cuts start times to clock ticks */
#define SLICE_NS (5 * MS) /* of a sweep, in each tick */
#define SLICE_FIRST_NS (200 * MS)

static const uint64_t later[] = { 50 * MS, 500 * MS, 3000 * MS };

struct tlsproc {
	struct table_node node;
	uint32_t pid;
	uint64_t start; /* 0: not known */
	uint64_t ticks; /* the same as /proc has it */
	uint64_t seen;	/* boot ns: it was last looked at */
	uint64_t sum;	/* of what it mapped then; 0: look at all of it */
	bool early; /* nothing but its beginning was looked at: that there is no TLS code is told later */
	bool untold;
	uint32_t n, *files; /* without those in which there is no TLS code */
	struct ev_hooked told;
};

struct timer {
	uint64_t due;
	uint32_t pid;
};

struct tlsprocs {
	struct table table;
	struct tlsfiles *files;
	int (*tell)(void *ctx, const struct ev_hooked *h);
	void *ctx;
	uint64_t swept, look_ns_max, full;
	uint32_t npids, at; /* of a sweep */
	bool all, swept_once; /* it goes through all there are */
	uint32_t ntimers, nuntold;
	struct timer timers[TLSPROCS_TIMERS];
	uint32_t pids[TLSPROCS_SWEEP];
	uint32_t got[MAPPED_MAX];
	struct mapped mapped;
};

/* --- One process ------------------------------------------------------------------------------------------------ */

static void files_put(struct tlsprocs *t, uint32_t *files, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		tlsfiles_put(t->files, files[i]);
	free(files);
}

static void proc_drop(struct tlsprocs *t, struct tlsproc *p)
{
	table_del(&t->table, &p->node);
	t->nuntold -= p->untold;
	files_put(t, p->files, p->n);
	free(p);
}

static struct tlsproc *proc_find(struct tlsprocs *t, uint32_t pid)
{
	struct table_node *n = table_get(&t->table, &pid, sizeof(pid));

	return n ? table_entry(n, struct tlsproc, node) : NULL;
}

/* The least recently looked at without TLS code makes room; the others hold probes. */
static bool proc_room(struct tlsprocs *t)
{
	struct table_node *n = t->table.oldest;

	if (t->table.n < TLSPROCS_MAX)
		return true;
	t->full++;
	for (; n; n = n->newer) {
		struct tlsproc *p = table_entry(n, struct tlsproc, node);

		if (p->n)
			continue;
		proc_drop(t, p);
		return true;
	}
	return false;
}

static bool same_start(uint64_t start, uint64_t ticks)
{
	return start >= ticks && start - ticks <= 2 * TICK_NS;
}

/* The process that has the pid now; NULL where it is gone, has another start, or is not to be looked at. */
static struct tlsproc *proc_get(struct tlsprocs *t, uint32_t pid, uint64_t start)
{
	struct tlsproc *p = proc_find(t, pid);
	struct procfs_stat st;
	int dir = procfs_dir((pid_t)pid), err;

	err = dir < 0 ? dir : procfs_stat(dir, &st);
	if (dir >= 0)
		close(dir);
	if (p && (err || p->ticks != st.start_ns)) {
		proc_drop(t, p);
		p = NULL;
	}
	/* Children of ours look into files. */
	if (err || st.ppid == getpid() || (start && !same_start(start, st.start_ns)))
		return NULL;
	if (!p) {
		p = proc_room(t) ? calloc(1, sizeof(*p)) : NULL;
		if (!p)
			return NULL;
		p->pid = pid;
		p->ticks = st.start_ns;
		table_add(&t->table, &p->node, &p->pid, sizeof(p->pid));
	}
	if (start)
		p->start = start;
	return p;
}

/* What its files say of it, and why, as the most telling one has it. false: one of them is being looked at. */
static bool verdict(const struct tlsprocs *t, const struct tlsproc *p, struct ev_hooked *ret)
{
	static const uint8_t weight[] = {
		[TLSFILE_NOTHING] = 0, [TLSFILE_NEW] = 1, [TLSFILE_REFUSED] = 1, [TLSFILE_OPAQUE] = 2, [TLSFILE_PROBED] = 3,
	};
	enum tlsfile_state most = TLSFILE_NOTHING;

	for (uint32_t i = 0; i < p->n; i++) {
		enum tlsfile_state s = tlsfiles_state(t->files, p->files[i]);

		if (s == TLSFILE_RESOLVING)
			return false;
		if (s == TLSFILE_PROBED && ret->on < tlsfiles_since(t->files, p->files[i]))
			ret->on = tlsfiles_since(t->files, p->files[i]);
		ret->stacks |= tlsfiles_stacks(t->files, p->files[i]);
		if (weight[s] > weight[most]) {
			most = s;
			tlsfiles_why(t->files, p->files[i], ret->why, sizeof(ret->why));
		}
	}
	ret->state = ret->stacks ? HOOKED_YES : ret->why[0] ? HOOKED_REFUSED : HOOKED_NOTHING;
	return true;
}

/* Most files have no TLS code: whoever maps them need not hold them. */
static void prune(struct tlsprocs *t, struct tlsproc *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n; i++) {
		if (tlsfiles_state(t->files, p->files[i]) == TLSFILE_NOTHING)
			tlsfiles_put(t->files, p->files[i]);
		else
			p->files[n++] = p->files[i];
	}
	p->n = n;
}

/* Tell what is known of it by now, where it is new. */
static void judge(struct tlsprocs *t, struct tlsproc *p)
{
	struct ev_hooked h = { .hdr = { .size = sizeof(h), .kind = EV_HOOKED, .pid = p->pid } };

	prune(t, p);
	if (!p->start || !verdict(t, p, &h))
		return;
	h.start = p->start;
	h.hdr.ts = p->told.hdr.ts;
	t->nuntold -= p->untold;
	p->untold = false;
	if (memcmp(&h, &p->told, sizeof(h)) == 0 || (p->early && h.state == HOOKED_NOTHING))
		return;
	h.hdr.ts = clock_boot_ns();
	p->untold = t->tell(t->ctx, &h) != 0;
	t->nuntold += p->untold;
	if (!p->untold)
		p->told = h;
}

/* Of what was read from maps: it differs where what is mapped does. Never 0. */
static uint64_t mapped_sum(const struct mapped *m)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		const uint64_t key[] = { m->file[i].dev, m->file[i].ino };

		sum ^= hash_bytes(key, sizeof(key));
	}
	return sum | 1;
}

/* Other files than those before, or the same in another state. */
static void files_take(struct tlsprocs *t, struct tlsproc *p)
{
	uint32_t n = 0, had, *before;

	for (uint32_t i = 0; i < t->mapped.n; i++) {
		uint32_t file = tlsfiles_get(t->files, p->pid, &t->mapped.file[i]);

		if (file != TLSFILES_NONE)
			t->got[n++] = file;
	}
	had = p->n; /* by now: a file may have been settled meanwhile */
	before = p->files;
	p->files = n ? malloc(n * sizeof(p->files[0])) : NULL;
	p->n = p->files ? n : 0;
	for (uint32_t i = 0; i < n; i++) {
		if (p->files)
			p->files[i] = t->got[i];
		else
			tlsfiles_put(t->files, t->got[i]);
	}
	files_put(t, before, had);
}

static bool is_settled(const struct tlsprocs *t, const struct tlsproc *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		if (tlsfiles_state(t->files, p->files[i]) == TLSFILE_NEW)
			return false;
	}
	return true;
}

enum { LOOK_AGAIN, LOOK_EXEC, LOOK_HELLO };

static void proc_look(struct tlsprocs *t, uint32_t pid, uint64_t start, int why)
{
	struct tlsproc *p = proc_get(t, pid, start);
	uint64_t sum;

	if (!p)
		return;
	if (why == LOOK_EXEC) /* another program: nothing that was told of the one before holds */
		memset(&p->told, 0, sizeof(p->told));
	p->early = why == LOOK_EXEC;
	p->seen = clock_boot_ns();
	if (mapped_read(pid, &t->mapped) || t->mapped.n == 0)
		return;
	t->full += t->mapped.more;
	sum = mapped_sum(&t->mapped);
	if (why != LOOK_AGAIN || sum != p->sum || !is_settled(t, p))
		files_take(t, p);
	p->sum = sum;
	judge(t, p);
}

static void proc_look_timed(struct tlsprocs *t, uint32_t pid, uint64_t start, int why)
{
	uint64_t from = clock_boot_ns(), took;

	if (pid == (uint32_t)getpid() || pid == (uint32_t)getppid())
		return;
	proc_look(t, pid, start, why);
	took = clock_boot_ns() - from;
	if (took > t->look_ns_max)
		t->look_ns_max = took;
}

/* --- When ------------------------------------------------------------------------------------------------------- */

static void timer_add(struct tlsprocs *t, uint32_t pid, uint64_t due)
{
	if (t->ntimers < TLSPROCS_TIMERS)
		t->timers[t->ntimers++] = (struct timer){ due, pid };
	else
		t->full++;
}

void tlsprocs_look(struct tlsprocs *t, uint32_t pid, uint64_t start, enum hooks_reason why)
{
	struct tlsproc *p;

	if (why == HOOKS_EXIT) {
		p = proc_find(t, pid);
		if (p && (p->start ? p->start == start : same_start(start, p->ticks)))
			proc_drop(t, p);
		return;
	}
	proc_look_timed(t, pid, start, why == HOOKS_EXEC ? LOOK_EXEC : LOOK_HELLO);
	for (unsigned int i = 0; why == HOOKS_EXEC && i < sizeof(later) / sizeof(later[0]); i++)
		timer_add(t, pid, clock_boot_ns() + later[i]);
}

void tlsprocs_odd(struct tlsprocs *t, uint32_t pid, uint64_t start, uint32_t stack, enum odd_what what)
{
	struct tlsproc *p = proc_find(t, pid);

	if (!p || !same_start(start, p->ticks))
		return;
	p->start = start;
	for (uint32_t i = 0; stack < 32 && i < p->n; i++) {
		if (tlsfiles_stacks(t->files, p->files[i]) & 1u << stack)
			tlsfiles_withdraw(t->files, p->files[i], 1u << stack, what);
	}
}

static void timers_run(struct tlsprocs *t, uint64_t now)
{
	for (uint32_t i = 0; i < t->ntimers;) {
		struct timer due = t->timers[i];

		if (now < due.due) {
			i++;
			continue;
		}
		t->timers[i] = t->timers[--t->ntimers];
		if (proc_find(t, due.pid))
			proc_look_timed(t, due.pid, 0, LOOK_AGAIN);
	}
}

static int sweep_add(pid_t pid, void *ctx)
{
	struct tlsprocs *t = ctx;

	if (t->npids < TLSPROCS_SWEEP)
		t->pids[t->npids++] = (uint32_t)pid;
	else
		t->full++;
	return 0;
}

void tlsprocs_sweep(struct tlsprocs *t)
{
	t->swept = clock_boot_ns();
	t->npids = t->at = 0;
	t->all = true;
	procfs_each(sweep_add, t);
}

/* Those that have a file which is to be looked at anew. */
static void sweep_unsettled(struct tlsprocs *t)
{
	t->npids = t->at = 0;
	t->all = false;
	for (struct table_node *n = t->table.oldest; n; n = n->newer) {
		const struct tlsproc *p = table_entry(n, struct tlsproc, node);

		if (!is_settled(t, p))
			sweep_add((pid_t)p->pid, t);
	}
}

/* Those that the sweep did not come across are gone, as a rule. */
static void sweep_end(struct tlsprocs *t)
{
	struct table_node *n, *next;

	for (n = t->all ? t->table.oldest : NULL; n; n = next) {
		struct tlsproc *p = table_entry(n, struct tlsproc, node);

		next = n->newer;
		if (p->seen >= t->swept)
			continue;
		p = proc_get(t, p->pid, 0);
		if (p)
			p->seen = clock_boot_ns();
	}
	t->npids = t->at = 0;
	t->swept_once |= t->all;
}

static void sweep_run(struct tlsprocs *t, uint64_t now)
{
	uint64_t end = now + (t->swept_once ? SLICE_NS : SLICE_FIRST_NS);

	if (!t->npids)
		return;
	while (t->at < t->npids && clock_boot_ns() < end)
		proc_look_timed(t, t->pids[t->at++], 0, LOOK_AGAIN);
	if (t->at == t->npids)
		sweep_end(t);
}

static void untold_tell(struct tlsprocs *t)
{
	for (struct table_node *n = t->nuntold ? t->table.newest : NULL; n; n = n->older) {
		struct tlsproc *p = table_entry(n, struct tlsproc, node);

		if (p->untold)
			judge(t, p);
		if (p->untold) /* there is still no room */
			return;
	}
}

void tlsprocs_tick(struct tlsprocs *t, uint64_t now)
{
	timers_run(t, now);
	tlsfiles_tick(t->files, now);
	if (!t->npids && now >= t->swept + TLSPROCS_SWEEP_NS)
		tlsprocs_sweep(t);
	else if (!t->npids && tlsfiles_again(t->files, now))
		sweep_unsettled(t);
	sweep_run(t, now);
	untold_tell(t);
}

static void on_changed(void *ctx, uint32_t file)
{
	struct tlsprocs *t = ctx;

	for (struct table_node *n = t->table.oldest; n; n = n->newer) {
		struct tlsproc *p = table_entry(n, struct tlsproc, node);

		for (uint32_t i = 0; i < p->n; i++) {
			if (p->files[i] == file) {
				judge(t, p);
				break;
			}
		}
	}
}

/* --- All -------------------------------------------------------------------------------------------------------- */

struct tlsprocs *tlsprocs_new(const struct tlsfiles_opts *files, int (*tell)(void *ctx, const struct ev_hooked *h), void *ctx)
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
	return tlsfiles_busy(t->files) + t->npids - t->at;
}

bool tlsprocs_waiting(const struct tlsprocs *t)
{
	return t->ntimers || t->nuntold || tlsprocs_busy(t);
}

uint64_t tlsprocs_full(const struct tlsprocs *t)
{
	return t->full + tlsfiles_full(t->files);
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
