/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where in user memory the bytes of one call are: the state of a walk over its segments. */
#ifndef MCPVIGIL_BPF_WALK_H
#define MCPVIGIL_BPF_WALK_H

#include "maps.h"

struct walk {
	u64 iov;	   /* next segment descriptor, user memory */
	u64 base, seg;	   /* current segment */
	u64 mm;		   /* next struct mmsghdr, user memory */
	u64 full;	   /* bytes that the ring refused */
	u64 faults;
	u32 nseg, nmm;
	u64 left;	   /* bytes left of this call, or of this message of sendmmsg, recvmmsg */
	struct ev_data e;  /* head of the next record */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct walk);
} walks SEC(".maps") __weak;

/* A byte stored over a spilled scalar turns the slot into unknown bytes: the chain of precision ends here. */
static __always_inline u64 forget(u64 v)
{
	u64 slot;

	asm volatile("*(u64 *)(%[p] + 0) = %[v]; *(u8 *)(%[p] + 7) = %[z]; %[v] = *(u64 *)(%[p] + 0)"
		     : [v] "+r"(v)
		     : [p] "r"(&slot), [z] "r"(0)
		     : "memory");
	return v;
}

/* The next message of sendmmsg or recvmmsg. 1: there is none. */
static __always_inline int walk_message(struct walk *w)
{
	struct mmsghdr m = {};

	if (!w->nmm || bpf_probe_read_user(&m, sizeof(m), (void *)w->mm))
		return 1;
	w->nmm--;
	w->mm += sizeof(m);
	w->iov = (u64)m.msg_hdr.msg_iov;
	w->nseg = m.msg_hdr.msg_iovlen > SEGMENTS_MAX ? SEGMENTS_MAX : m.msg_hdr.msg_iovlen;
	w->left = m.msg_len;
	w->seg = 0;
	return 0;
}

static __always_inline struct walk *walk_get(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&walks, &zero);
}

#endif
