/* SPDX-License-Identifier: Apache-2.0 */
/* Everything is read through one descriptor of /proc/PID, which goes stale with the process: that the start time fits is
 * asked once. */
#include "ident/proc.h"

#include <errno.h>
#include <unistd.h>

#include "base/procfs.h"
#include "ident/cgroup.h"

#define TICK_NS 10000000 /* /proc cuts start times to clock ticks */

/* The descriptor of @id's directory, or -errno. */
static int dir_of(const struct proc_id *id, struct procfs_stat *ret)
{
	int dir = procfs_dir((pid_t)id->pid), err;

	if (dir < 0)
		return dir;
	err = procfs_stat(dir, ret);
	if (!err && (ret->start_ns > id->start || id->start - ret->start_ns > 2 * TICK_NS))
		err = -ESRCH;
	if (!err)
		return dir;
	close(dir);
	return err;
}

int proc_look(struct who *w)
{
	struct procfs_stat st;
	char exe[sizeof(w->exe)] = "";
	int dir = dir_of(&w->id, &st);

	if (dir < 0)
		return dir;
	/* A zombie has no executable any more, and the path that its exec named is better than none. */
	if (procfs_exe(dir, exe, sizeof(exe)) == 0)
		memcpy(w->exe, exe, sizeof(exe));
	close(dir);
	memcpy(w->comm, st.comm, sizeof(w->comm));
	w->ppid = (uint32_t)st.ppid;
	return 0;
}

/* From @pid, parent of one that started at @start, up to init. A parent that started later is not the parent: the pid
 * was used again. */
static void parents_look(uint32_t pid, uint64_t start, struct who_more *ret, struct proc_id *ret_parent)
{
	*ret_parent = (struct proc_id){ 0 };
	while (pid && ret->parents < WHO_PARENTS) {
		int dir = procfs_dir((pid_t)pid), err;
		struct procfs_stat st;

		if (dir < 0)
			return;
		err = procfs_stat(dir, &st);
		close(dir);
		if (err || st.start_ns > start)
			return;
		if (!ret_parent->pid)
			*ret_parent = (struct proc_id){ .start = st.start_ns, .pid = pid };
		if (pid <= 2) /* init, kthreadd */
			return;
		ret->parent[ret->parents].pid = pid;
		memcpy(ret->parent[ret->parents].comm, st.comm, sizeof(st.comm));
		ret->parents++;
		pid = (uint32_t)st.ppid;
		start = st.start_ns;
	}
}

void proc_look_more(struct who *w, int cgroup_mount, struct who_more *ret, struct proc_id *ret_parent)
{
	struct procfs_stat st;
	char text[8192];
	ssize_t n = 0;
	int dir = dir_of(&w->id, &st);

	if (dir >= 0) {
		w->ppid = (uint32_t)st.ppid;
		w->has_uid = procfs_euid(dir, &w->uid) == 0 || w->has_uid;
		n = procfs_cgroup(dir, text, sizeof(text));
		close(dir);
	}
	if (n > 0)
		cgroup_parse((struct sv){ text, (size_t)n }, ret);
	else if (w->cgroup)
		cgroup_by_id(cgroup_mount, w->cgroup, ret);
	parents_look(w->ppid, w->id.start, ret, ret_parent);
}
