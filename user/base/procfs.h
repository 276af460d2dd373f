/* SPDX-License-Identifier: Apache-2.0 */
/* Text of /proc. Every call may race with the end of the process: -ENOENT or -ESRCH then. */
#ifndef MCPVIGIL_BASE_PROCFS_H
#define MCPVIGIL_BASE_PROCFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The directory of @pid, a descriptor for the calls below, or -errno. It stands for the process that has the pid now:
 * once that one is gone, they fail, even where the pid is used again. The caller closes it. */
int procfs_dir(pid_t pid);
/* Target of exe, without a trailing " (deleted)". */
int procfs_exe(int dir, char *ret_path, size_t size);

struct procfs_stat {
	pid_t ppid;
	uint64_t start_ns; /* CLOCK_BOOTTIME, rounded down to a clock tick (10 ms) */
	char comm[16];	   /* of the thread group's leader */
};

int procfs_stat(int dir, struct procfs_stat *ret);
/* Effective uid, as our own user namespace names it. */
int procfs_euid(int dir, uint32_t *ret_uid);
/* The first @size bytes of cgroup: lines "id:controllers:path". Their length or -errno. */
ssize_t procfs_cgroup(int dir, char *ret_text, size_t size);
/* Call @cb for each numeric entry of /proc. Stops at the first non-zero return, which is returned. */
int procfs_each(int (*cb)(pid_t pid, void *ctx), void *ctx);

#endif
