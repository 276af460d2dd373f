/* SPDX-License-Identifier: Apache-2.0 */
/* Who is behind a (pid, start). Filled at the first record, while the process is most likely alive; what /proc cannot
 * say any more comes from its exec record; what neither says stays unknown. */
#include "ident/who.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/procfs.h"
#include "base/table.h"

struct ident {
	struct table_node node;
	struct who who;
	bool asked; /* /proc was read since its last exec */
};

struct idents {
	struct table table;
	bool live;
	struct proc_id last; /* of idents_see: records of one process come in runs */
};

struct idents *idents_new(uint32_t max, bool live)
{
	struct idents *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->live = live;
	if (table_init(&t->table, max)) {
		free(t);
		errno = ENOMEM;
		return NULL;
	}
	return t;
}

void idents_free(struct idents *t)
{
	if (!t)
		return;
	while (t->table.oldest) {
		struct ident *i = table_entry(t->table.oldest, struct ident, node);

		table_del(&t->table, &i->node);
		free(i);
	}
	table_done(&t->table);
	free(t);
}

static struct ident *ident_find(struct idents *t, const struct proc_id *id)
{
	struct table_node *n = table_get(&t->table, id, sizeof(*id));

	return n ? table_entry(n, struct ident, node) : NULL;
}

static struct ident *ident_add(struct idents *t, const struct proc_id *id)
{
	struct ident *i = calloc(1, sizeof(*i));
	struct table_node *old;

	if (!i)
		return NULL;
	i->who.id = *id;
	old = table_add(&t->table, &i->node, &i->who.id, sizeof(i->who.id));
	if (old)
		free(table_entry(old, struct ident, node));
	return i;
}

/* What /proc says, if the pid is still the same process: start times there are cut to a clock tick of 10 ms. */
static void ident_ask(struct ident *i)
{
	struct who fresh = i->who;
	uint64_t start;
	pid_t ppid;

	if (procfs_stat(i->who.id.pid, &ppid, &start))
		return;
	if (start > i->who.id.start || i->who.id.start - start > 20000000)
		return;
	if (procfs_comm(i->who.id.pid, fresh.comm))
		return;
	if (procfs_exe(i->who.id.pid, fresh.exe, sizeof(fresh.exe)))
		fresh.exe[0] = 0;
	fresh.ppid = ppid;
	i->who = fresh;
}

void idents_see(struct idents *t, const struct ev_hdr *h, uint64_t start)
{
	struct proc_id id = { .pid = h->pid, .start = start };
	struct ident *i;

	if (!h->pid || !start || memcmp(&id, &t->last, sizeof(id)) == 0)
		return;
	t->last = id;
	i = ident_find(t, &id);
	if (!i)
		i = ident_add(t, &id);
	if (!i || i->asked)
		return;
	i->asked = true;
	i->who.cgroup = h->cgroup;
	if (t->live)
		ident_ask(i);
}

void idents_exec(struct idents *t, const struct ev_exec *e)
{
	struct proc_id id = { .pid = e->hdr.pid, .start = e->start };
	struct ident *i = ident_find(t, &id);
	size_t n = e->path_len < sizeof(i->who.exe) ? e->path_len : sizeof(i->who.exe) - 1;

	if (!i)
		i = ident_add(t, &id);
	if (!i)
		return;
	i->who.ppid = e->ppid;
	i->who.cgroup = e->hdr.cgroup;
	memcpy(i->who.comm, e->comm, sizeof(i->who.comm));
	i->who.comm[sizeof(i->who.comm) - 1] = 0;
	memcpy(i->who.exe, e->path, n);
	i->who.exe[n] = 0;
	/* A script's path is not its program's: /proc is read once it says something. Most programs never do, and a
	 * node may start a thousand in a second. */
	i->asked = false;
	t->last = (struct proc_id){};
}

const struct who *idents_get(struct idents *t, const struct proc_id *id)
{
	struct ident *i = id->pid ? ident_find(t, id) : NULL;

	return i ? &i->who : NULL;
}
