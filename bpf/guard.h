/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Preemption off while a uprobe program runs.
 *
 * From 6.0 such programs run with migration off alone, and from 6.13 one with 64 bytes of stack or more runs on a stack
 * that all tasks of the processor share (PRIV_STACK_ADAPTIVE): a task that preempts another inside the same program
 * then overwrites its frame. The kfuncs exist from 6.10; between the two versions the frame is the task's own. No
 * global function may be called while they are in force, and no program here keeps state per processor. */
#ifndef MCPVIGIL_BPF_GUARD_H
#define MCPVIGIL_BPF_GUARD_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

/* Each object names them by a flavour of its own, which libbpf leaves out as it looks for them: bpftool's linker refuses a
 * function that two objects declare (before libbpf 1.5.1). */
#define GUARD_NAME2(name, flavour) name##___##flavour
#define GUARD_NAME(name, flavour) GUARD_NAME2(name, flavour)
#define GUARD_OFF GUARD_NAME(bpf_preempt_disable, GUARD_FLAVOUR)
#define GUARD_ON GUARD_NAME(bpf_preempt_enable, GUARD_FLAVOUR)

extern void GUARD_OFF(void) __ksym __weak;
extern void GUARD_ON(void) __ksym __weak;

static __always_inline void guard_on(void)
{
	if (bpf_ksym_exists(GUARD_OFF))
		GUARD_OFF();
}

static __always_inline void guard_off(void)
{
	if (bpf_ksym_exists(GUARD_ON))
		GUARD_ON();
}

#endif
