/* SPDX-License-Identifier: Apache-2.0 */
/* A process as members of a JSON object. */
#include "sink/process_json.h"

#include <string.h>

#include "model/exit.h"

static void put_str(struct jsonw *w, const char *key, const char *s)
{
	if (s[0])
		jsonw_cstr(w, key, s);
}

static void put_comm(struct jsonw *w, const char comm[16])
{
	if (comm[0])
		jsonw_str(w, "comm", (struct sv){ comm, strnlen(comm, 16) });
}

static void put_more(struct jsonw *w, const struct who_more *m)
{
	if (m->container[0]) {
		jsonw_open(w, "container", '{');
		jsonw_cstr(w, "id", m->container);
		put_str(w, "runtime", m->runtime);
		jsonw_close(w, '}');
	}
	put_str(w, "pod_uid", m->pod_uid);
	put_str(w, "cgroup", m->cgroup_path);
	if (!m->parents)
		return;
	jsonw_open(w, "parents", '[');
	for (unsigned int i = 0; i < m->parents; i++) {
		jsonw_open(w, NULL, '{');
		jsonw_u64(w, "pid", m->parent[i].pid);
		put_comm(w, m->parent[i].comm);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
}

void process_json(struct jsonw *w, const struct proc_id *id, const struct who *who)
{
	if (id->pid)
		jsonw_u64(w, "pid", id->pid);
	if (!who)
		return;
	put_comm(w, who->comm);
	put_str(w, "exe", who->exe);
	if (who->has_uid)
		jsonw_u64(w, "uid", who->uid);
	if (who->more)
		put_more(w, who->more);
	exit_json(w, who);
}
