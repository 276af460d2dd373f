/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel can do, found by trying. */
#ifndef MCPVIGIL_PROBE_FEATURE_H
#define MCPVIGIL_PROBE_FEATURE_H

#include <stdbool.h>

struct features {
	bool root;	   /* CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN: effective uid 0 is asked for */
	bool btf;	   /* /sys/kernel/btf/vmlinux */
	bool tracing;	   /* tp_btf programs load */
	bool loop;	   /* bpf_loop, 5.17 */
	bool preemptible;  /* tp_btf/sys_exit may be preempted (7.2): the classic tracepoint is needed */
	bool tracefs;	   /* mounted: the classic tracepoint can be found */
	int uring;	   /* io_uring tracepoints: 0 none, 1 no request named, 2 with a result, 3 with a cqe */
	bool fexit;	   /* fexit programs load (not used by the universal tier) */
	bool uprobes;	   /* perf_event_open makes uprobes */
	bool uprobe_multi; /* links of many uprobes, 6.6 */
	bool preempt_guard; /* programs can switch preemption off, 6.10 */
	int lockdown;	   /* 0 none, 1 integrity, 2 confidentiality: BPF cannot read memory then */
	char why[160];	   /* the first thing that stands in the way; "" where nothing does */
};

void features_probe(struct features *ret);

#endif
