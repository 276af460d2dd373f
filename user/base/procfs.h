/* SPDX-License-Identifier: Apache-2.0 */
/* Text of /proc. Every call may race with the end of the process: -ENOENT or -ESRCH then. */
#ifndef MCPVIGIL_BASE_PROCFS_H
#define MCPVIGIL_BASE_PROCFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Target of /proc/@pid/exe, without a trailing " (deleted)". */
int procfs_exe(pid_t pid, char *ret_path, size_t size);
/* The process's comm (thread group leader's). */
int procfs_comm(pid_t pid, char ret_comm[16]);
/* Parent pid and start time in ns of CLOCK_BOOTTIME rounded down to a clock tick (10 ms). */
int procfs_stat(pid_t pid, pid_t *ret_ppid, uint64_t *ret_start_ns);
/* Call @cb for each numeric entry of /proc. Stops at the first non-zero return, which is returned. */
int procfs_each(int (*cb)(pid_t pid, void *ctx), void *ctx);

#endif
