/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes that stand unread in a pipe or unix socket: the origin of counted positions at a late start. */
#ifndef MCPVIGIL_BPF_UNREAD_H
#define MCPVIGIL_BPF_UNREAD_H

#include "sock.h"

/* Bytes that stand unread in the pipe. */
static __always_inline u64 pipe_unread(struct file *f)
{
	struct pipe_inode_info *p = BPF_CORE_READ(f, f_inode, i_pipe);
	u32 head = BPF_CORE_READ(p, head), tail = BPF_CORE_READ(p, tail);
	u32 mask = BPF_CORE_READ(p, ring_size) - 1;
	struct pipe_buffer *b = BPF_CORE_READ(p, bufs);
	u64 n = 0;

	for (int i = 0; i < 256 && tail != head; i++, tail++)
		n += BPF_CORE_READ((struct pipe_buffer *)((void *)b +
				(tail & mask) * bpf_core_type_size(struct pipe_buffer)), len);
	return n;
}

/* Bytes that stand unread in the unix socket's receive queue. */
static __always_inline u64 unix_unread(struct sock *sk)
{
	struct sk_buff *q = BPF_CORE_READ(sk, sk_receive_queue.next);
	void *end = (void *)sk + bpf_core_field_offset(struct sock, sk_receive_queue);
	u64 n = 0;

	for (int i = 0; i < 512 && q && (void *)q != end; i++) {
		struct unix_skb_parms *cb = (void *)q + bpf_core_field_offset(struct sk_buff, cb);

		n += BPF_CORE_READ(q, len) - BPF_CORE_READ(cb, consumed);
		q = BPF_CORE_READ(q, next);
	}
	return n;
}

#endif
