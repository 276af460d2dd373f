/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP socks: positions from the kernel's own sequence numbers, addresses. */
#ifndef MCPVIGIL_BPF_TCP_H
#define MCPVIGIL_BPF_TCP_H

#include "sock.h"

#define SOCK_DONE 1 /* enum sock_flags: tcp_fin() was here */

/* Sequence number of the first byte of @end's direction. Read twice: an acknowledgement may come in between. */
static __always_inline u32 tcp_base(struct sock *sk, int end, u64 *ret_done,
					u32 *ret_mark)
{
	struct tcp_sock *t = (struct tcp_sock *)sk;
	u64 done = 0;
	u32 mark = 0;

	/* Unrolled: before 6.2 an instruction behind a call may not be where a loop begins. */
#pragma unroll
	for (int i = 0; i < 3; i++) {
		mark = end == END_WRITE ? BPF_CORE_READ(t, snd_una) : BPF_CORE_READ(t, rcv_nxt);
		done = end == END_WRITE ? BPF_CORE_READ(t, bytes_acked) :
					  BPF_CORE_READ(t, bytes_received);
		if (mark == (end == END_WRITE ? BPF_CORE_READ(t, snd_una) :
						BPF_CORE_READ(t, rcv_nxt)))
			break;
	}
	*ret_done = done;
	*ret_mark = mark;
	return mark - (u32)done;
}

/* Position of the first of the last @ret bytes that passed: 64 bits, stateless, true even after missed runs. Its
 * low half is the sequence number, equal at both ends. On the connecting side bytes_acked counts the SYN, so the
 * base is one lower there and the position still right. */
static __always_inline u64 tcp_pos(struct sock *sk, int end, u32 ret)
{
	struct tcp_sock *t = (struct tcp_sock *)sk;
	u64 done;
	u32 mark, cur, base = tcp_base(sk, end, &done, &mark);

	cur = end == END_WRITE ? BPF_CORE_READ(t, write_seq) : BPF_CORE_READ(t, copied_seq);
	/* The FIN has a sequence number too, and a read that takes the last bytes steps over it (tcp_recvmsg). */
	if (end == END_READ && cur == mark && BPF_CORE_READ(sk, __sk_common.skc_flags) & 1UL << SOCK_DONE)
		cur--;
	return base + done + (s64)(s32)(cur - mark) - ret;
}

static __always_inline void tcp_addr(struct sock *sk, u8 laddr[16], u8 raddr[16])
{
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET) {
		u32 l = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		u32 r = BPF_CORE_READ(sk, __sk_common.skc_daddr);

		__builtin_memcpy(laddr, &l, 4);
		__builtin_memcpy(raddr, &r, 4);
		return;
	}
	BPF_CORE_READ_INTO((struct in6_addr *)laddr, sk, __sk_common.skc_v6_rcv_saddr);
	BPF_CORE_READ_INTO((struct in6_addr *)raddr, sk, __sk_common.skc_v6_daddr);
}

static __always_inline bool tcp_ktls(struct sock *sk)
{
	return BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ulp_ops) != NULL;
}

#endif
