/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What depends on the architecture: system call numbers, argument registers, 32-bit tasks. */
#ifndef MCPVIGIL_BPF_ARCH_H
#define MCPVIGIL_BPF_ARCH_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#if defined(__TARGET_ARCH_x86)

#define NR_READ 0
#define NR_WRITE 1
#define NR_READV 19
#define NR_WRITEV 20
#define NR_SENDFILE 40
#define NR_SENDTO 44
#define NR_RECVFROM 45
#define NR_SENDMSG 46
#define NR_RECVMSG 47
#define NR_SPLICE 275
#define NR_TEE 276
#define NR_VMSPLICE 278
#define NR_RECVMMSG 299
#define NR_SENDMMSG 307
#define NR_PREADV2 327
#define NR_PWRITEV2 328

/* Numbers below 64 as one mask: the only work that an unrelated call costs is this and one compare. */
#define NR_LOW_MASK                                                                       \
	(1ULL << NR_READ | 1ULL << NR_WRITE | 1ULL << NR_READV | 1ULL << NR_WRITEV |      \
	 1ULL << NR_SENDFILE | 1ULL << NR_SENDTO | 1ULL << NR_RECVFROM | 1ULL << NR_SENDMSG | \
	 1ULL << NR_RECVMSG)
#define NR_HIGH_BASE 275
#define NR_HIGH_MASK                                                                      \
	(1ULL << (NR_SPLICE - 275) | 1ULL << (NR_TEE - 275) | 1ULL << (NR_VMSPLICE - 275) | \
	 1ULL << (NR_RECVMMSG - 275) | 1ULL << (NR_SENDMMSG - 275) |                      \
	 1ULL << (NR_PREADV2 - 275) | 1ULL << (NR_PWRITEV2 - 275))

/* The number and the arguments are still in pt_regs at sys_exit. */
#define REGS_NR(r) ((r)->orig_ax)
#define REGS_ARG1(r) ((r)->di)
#define REGS_ARG2(r) ((r)->si)
#define REGS_ARG3(r) ((r)->dx)
#define REGS_ARG4(r) ((r)->r10)
#define REGS_ARG6(r) ((r)->r9)

/* int $0x80 and ia32 programs: other numbers, other registers. i386 getpid is 20, x86-64 writev: taken at face
 * value it would forge a record. TS_COMPAT, arch/x86/include/asm/thread_info.h. */
#define TASK_COMPAT_STATUS 2

#else
#error "no system call table for this architecture yet"
#endif

static __always_inline bool nr_wanted(u64 nr)
{
	if (nr < 64)
		return NR_LOW_MASK >> nr & 1;
	nr -= NR_HIGH_BASE;
	return nr < 64 && NR_HIGH_MASK >> nr & 1;
}

static __always_inline bool nr_is_write(u64 nr)
{
	return nr == NR_WRITE || nr == NR_WRITEV || nr == NR_SENDTO || nr == NR_SENDMSG ||
	       nr == NR_SENDMMSG || nr == NR_PWRITEV2;
}

static __always_inline bool nr_is_splice(u64 nr)
{
	return nr == NR_SPLICE || nr == NR_TEE || nr == NR_VMSPLICE || nr == NR_SENDFILE;
}

#endif
