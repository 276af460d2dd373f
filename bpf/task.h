/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tasks: one of the two headers that know kernel structures. */
#ifndef MCPVIGIL_BPF_TASK_H
#define MCPVIGIL_BPF_TASK_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "arch.h"
#include "event.h"

/* Which helpers and instructions the program may use; compile-time constant. */
enum tier {
	TIER_OLD, /* 5.10: no bpf_loop, no fetch-add, probe reads */
	TIER_NEW, /* 5.17: bpf_loop, fetch-add, direct loads */
};

static __always_inline bool task_compat(const enum tier tier)
{
	if (tier == TIER_NEW)
		return bpf_get_current_task_btf()->thread_info.status & TASK_COMPAT_STATUS;
	return BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), thread_info.status) &
	       TASK_COMPAT_STATUS;
}

/* The file behind @fd of the current task, or NULL. Read at sys_exit: another thread may have replaced it. */
static __always_inline struct file *task_file(const enum tier tier, u32 fd)
{
	struct file **table, *f = NULL;
	u32 max;

	if (tier == TIER_NEW) {
		struct fdtable *t = bpf_get_current_task_btf()->files->fdt;

		max = t->max_fds;
		table = t->fd;
	} else {
		struct task_struct *task = (void *)bpf_get_current_task();
		struct fdtable *t = BPF_CORE_READ(task, files, fdt);

		max = BPF_CORE_READ(t, max_fds);
		table = BPF_CORE_READ(t, fd);
	}
	if (fd >= max || bpf_probe_read_kernel(&f, sizeof(f), table + fd))
		return NULL;
	return f;
}

static __always_inline u64 task_start(struct task_struct *t)
{
	return BPF_CORE_READ(t, group_leader, start_boottime);
}

static __always_inline void hdr_fill(struct ev_hdr *h, u16 kind, u32 size)
{
	u64 id = bpf_get_current_pid_tgid();

	h->size = size;
	h->kind = kind;
	h->flags = 0;
	h->ts = bpf_ktime_get_boot_ns();
	h->pid = id >> 32;
	h->tid = id;
	h->cgroup = bpf_get_current_cgroup_id();
}

#endif
