/* SPDX-License-Identifier: Apache-2.0 */
/* Who is behind a (pid, start). Filled at the first record, while the process is most likely alive; what /proc cannot
 * say any more comes from its exec and exit records; what none of them says stays unknown. */
#include "ident/who.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/sv.h"
#include "base/table.h"
#include "ident/cgroup.h"
#include "ident/lineage.h"
#include "ident/proc.h"

struct ident {
	struct table_node node;
	struct who who;
	struct who_more *more;
	struct proc_id parent;	 /* pid 0: not known */
	struct lineage_key key;	 /* who.agent was entered under it */
	bool asked;		 /* /proc was read since its last exec */
	bool looked;		 /* ... for more */
	bool peer;		 /* it speaks MCP */
};

struct idents {
	struct table others, peers;
	struct lineage *lineage;
	int cgroup_mount;
	bool live;
	struct proc_id last; /* of idents_see: records of one process come in runs */
	bool last_looked;
	uint64_t evicted;
};

struct idents *idents_new(uint32_t max, bool live)
{
	struct idents *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return NULL;
	t->live = live;
	t->cgroup_mount = live ? cgroup_mount() : -1;
	t->lineage = lineage_new(max);
	err = t->lineage ? table_init(&t->others, max - max / 2) : -ENOMEM;
	if (!err)
		err = table_init(&t->peers, max / 2);
	if (!err)
		return t;
	idents_free(t);
	errno = ENOMEM;
	return NULL;
}

static void ident_free(struct ident *i)
{
	free(i->more);
	free(i);
}

static void idents_clear(struct table *t)
{
	while (t->oldest) {
		struct ident *i = table_entry(t->oldest, struct ident, node);

		table_del(t, &i->node);
		ident_free(i);
	}
	table_done(t);
}

void idents_free(struct idents *t)
{
	if (!t)
		return;
	idents_clear(&t->others);
	idents_clear(&t->peers);
	lineage_free(t->lineage);
	if (t->cgroup_mount >= 0)
		close(t->cgroup_mount);
	free(t);
}

static struct ident *ident_find(struct idents *t, const struct proc_id *id)
{
	struct table_node *n = table_get(&t->peers, id, sizeof(*id));

	if (!n)
		n = table_get(&t->others, id, sizeof(*id));
	return n ? table_entry(n, struct ident, node) : NULL;
}

static void ident_keep(struct idents *t, struct ident *i)
{
	struct table_node *old = table_add(i->peer ? &t->peers : &t->others, &i->node, &i->who.id, sizeof(i->who.id));
	struct ident *x = old ? table_entry(old, struct ident, node) : NULL;

	if (!x)
		return;
	t->evicted += x->asked && !x->who.exited;
	ident_free(x);
}

static struct ident *ident_of(struct idents *t, const struct proc_id *id)
{
	struct ident *i = ident_find(t, id);

	if (i)
		return i;
	i = calloc(1, sizeof(*i));
	if (!i)
		return NULL;
	i->who.id = *id;
	ident_keep(t, i);
	return i;
}

/* Some 100 us of reading /proc: for those that are worth it. */
static void ident_look(struct idents *t, struct ident *i)
{
	i->looked = true;
	if (!t->live) {
		i->parent = (struct proc_id){ .pid = i->who.ppid };
		return;
	}
	if (i->more)
		memset(i->more, 0, sizeof(*i->more));
	else
		i->more = calloc(1, sizeof(*i->more));
	i->who.more = i->more;
	if (i->more)
		proc_look_more(&i->who, t->cgroup_mount, i->more, &i->parent);
}

/* Until mcp/ has a whole message of it, a short-lived process may be gone. */
static bool may_be_mcp(const struct ev_hdr *h)
{
	const struct ev_data *d = (const struct ev_data *)h;
	struct sv s;

	if (h->kind != EV_DATA)
		return false;
	s = (struct sv){ (const char *)d->data, d->have < 512 ? d->have : 512 };
	return sv_starts(s, SV("POST ")) || sv_starts(s, SV("HTTP/1.")) || memmem(s.p, s.n, "\"jsonrpc\"", 9);
}

void idents_see(struct idents *t, const struct ev_hdr *h, uint64_t start)
{
	struct proc_id id = { .pid = h->pid, .start = start };
	const struct ev_exec *e = (const struct ev_exec *)h;
	struct ident *i;

	if (!h->pid || !start)
		return;
	if (memcmp(&id, &t->last, sizeof(id)) == 0 && (t->last_looked || !may_be_mcp(h)))
		return;
	i = ident_of(t, &id);
	if (!i)
		return;
	if (!i->asked) {
		i->asked = true;
		i->who.cgroup = h->cgroup;
		if (t->live)
			proc_look(&i->who);
	}
	if (h->kind == EV_EXEC)
		i->who.stdio = e->in_chan || e->out_chan;
	if (!i->looked && t->live && may_be_mcp(h))
		ident_look(t, i);
	t->last = id;
	t->last_looked = i->looked || !t->live;
}

/* What @i was is not there any more, since @ts. */
static void agent_leave(struct idents *t, struct ident *i, uint64_t ts)
{
	if (i->who.agent)
		lineage_leave(t->lineage, &i->key, i->who.agent, ts);
}

static void agent_enter(struct idents *t, struct ident *i)
{
	char program[sizeof(i->who.exe) + sizeof(i->more->container)] = "";

	i->key = (struct lineage_key){ .uid = i->who.has_uid ? i->who.uid : UINT32_MAX };
	if (i->who.exe[0]) {
		memcpy(program, i->who.exe, sizeof(i->who.exe));
		if (i->more)
			memcpy(program + sizeof(i->who.exe), i->more->container, sizeof(i->more->container));
		i->key.program = hash_bytes(program, sizeof(program));
		i->key.parent = i->parent;
	}
	i->who.agent = lineage_enter(t->lineage, &i->key, i->who.id.start);
	if (i->who.exited)
		agent_leave(t, i, i->who.exit_ts);
}

void idents_exec(struct idents *t, const struct ev_exec *e)
{
	struct proc_id id = { .pid = e->hdr.pid, .start = e->start };
	struct ident *i = ident_of(t, &id);
	size_t n = e->path_len < sizeof(i->who.exe) ? e->path_len : sizeof(i->who.exe) - 1;

	if (!i)
		return;
	agent_leave(t, i, e->hdr.ts);
	i->who.agent = 0;
	i->who.ppid = e->ppid;
	i->who.cgroup = e->hdr.cgroup;
	i->who.stdio = e->in_chan || e->out_chan;
	memcpy(i->who.comm, e->comm, sizeof(i->who.comm));
	i->who.comm[sizeof(i->who.comm) - 1] = 0;
	memset(i->who.exe, 0, sizeof(i->who.exe));
	memcpy(i->who.exe, e->path, n);
	/* A script's path is not its program's: /proc is read once it says something. Most programs never do, and a
	 * node may start a thousand in a second. */
	i->asked = i->looked = false;
	t->last = (struct proc_id){};
}

const struct who *idents_exit(struct idents *t, const struct ev_exit *e)
{
	struct proc_id id = { .pid = e->hdr.pid, .start = e->start };
	struct table_node *n = table_peek(&t->peers, &id, sizeof(id));
	struct ident *i;

	if (!n)
		n = table_peek(&t->others, &id, sizeof(id));
	i = n ? table_entry(n, struct ident, node) : NULL;
	if (!i || i->who.exited)
		return NULL;
	i->who.exited = true;
	i->who.exit_code = (int)e->code;
	i->who.exit_ts = e->hdr.ts;
	i->who.oom = e->hdr.flags & EV_F_OOM;
	if (!i->who.has_uid && (e->hdr.flags & EV_F_UID)) {
		i->who.has_uid = true;
		i->who.uid = e->uid;
	}
	agent_leave(t, i, e->hdr.ts);
	return &i->who;
}

const struct who *idents_peer(struct idents *t, const struct proc_id *id, bool client)
{
	struct ident *i = id->pid ? ident_find(t, id) : NULL;

	if (!i)
		return NULL;
	if (!i->peer) {
		table_del(&t->others, &i->node);
		i->peer = true;
		ident_keep(t, i);
	}
	if (!i->looked)
		ident_look(t, i);
	if (client && !i->who.agent)
		agent_enter(t, i);
	return &i->who;
}

const struct who *idents_get(struct idents *t, const struct proc_id *id)
{
	struct ident *i = id->pid ? ident_find(t, id) : NULL;

	return i ? &i->who : NULL;
}

void idents_stats(const struct idents *t, struct idents_stats *ret)
{
	*ret = (struct idents_stats){
		.processes = t->peers.n + t->others.n,
		.processes_max = t->peers.max + t->others.max,
		.evicted = t->evicted,
	};
	lineage_stats(t->lineage, &ret->agents, &ret->agents_max, &ret->agents_evicted);
}
