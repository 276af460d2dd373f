/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The first bytes of a system call: where they stand, and what they look like. */
#ifndef MCPVIGIL_BPF_LOOK_H
#define MCPVIGIL_BPF_LOOK_H

#include "arch.h"
#include "class.h"
#include "walk.h"

/* Where the bytes of a call begin in user memory, and how many stand there together. */
static __always_inline u64 first_bytes(u64 nr, u64 addr, u64 *n)
{
	struct user_msghdr m = {};
	struct iovec v = {};

	if (nr == NR_READ || nr == NR_WRITE || nr == NR_SENDTO || nr == NR_RECVFROM)
		return addr;
	if (nr != NR_READV && nr != NR_WRITEV && nr != NR_PREADV2 && nr != NR_PWRITEV2) {
		bpf_probe_read_user(&m, sizeof(m), (void *)addr);
		addr = (u64)m.msg_iov;
	}
	for (int i = 0; i < SEGMENTS_OLD && !v.iov_len; i++) {
		if (bpf_probe_read_user(&v, sizeof(v), (void *)addr))
			return 0;
		addr += sizeof(v);
	}
	if (v.iov_len < *n)
		*n = v.iov_len;
	return (u64)v.iov_base;
}

/* enum class of the first bytes of a call. A global function: the verifier walks it once. */
__weak int call_class(u64 nr, u64 addr, u64 bytes)
{
	u64 b[2] = {};
	u64 n = bytes, first = first_bytes(nr, addr, &n);
	long err = 0;

	if (!first || !n)
		return CLASS_UNREAD;
	if (n >= CLASS_BYTES) {
		n = CLASS_BYTES;
		err = bpf_probe_read_user(b, CLASS_BYTES, (void *)first);
	} else {
		err = bpf_probe_read_user(b, n & (CLASS_BYTES - 1), (void *)first);
	}
	return err ? CLASS_UNREAD : class_of(b[0], b[1], n);
}

#endif
