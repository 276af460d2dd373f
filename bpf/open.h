/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* EV_OPEN: a stream is copied for the first time. */
#ifndef MCPVIGIL_BPF_OPEN_H
#define MCPVIGIL_BPF_OPEN_H

#include "stream.h"
#include "tcp.h"

/* Whose TCP connection it is: addresses, and both first sequence numbers. */
static __always_inline void open_sock(struct ev_open *e, struct sock *sk)
{
	u64 done;
	u32 mark;

	e->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	e->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	e->rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	e->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	e->base_rx = tcp_base(sk, END_READ, &done, &mark);
	e->base_tx = tcp_base(sk, END_WRITE, &done, &mark);
	tcp_addr(sk, e->laddr, e->raddr);
}

/* EV_OPEN of this stream. @s->opened is set only where the ring took it, so that it is tried again. */
static __always_inline void stream_open(struct object *o, int end, struct stream *s,
					const struct ev_key *key)
{
	struct ev_open *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count(C_RING_FULL, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_OPEN, sizeof(*e));
	e->hdr.flags = (s->stdio ? EV_F_STDIO : 0) | (s->late ? EV_F_LATE : 0);
	e->start = task_start((void *)bpf_get_current_task());
	e->key = *key;
	e->chan = o->chan;
	e->end = end;
	if (o->chan == CHAN_TCP) {
		e->reverse.obj = key->obj;
		e->reverse.ino = key->ino ^ 1;
		open_sock(e, o->sk);
	} else {
		e->pos[END_READ] = s->pos[END_READ];
		e->pos[END_WRITE] = s->pos[END_WRITE];
		if (o->chan == CHAN_UNIX) {
			struct ev_key rk = object_key(o, !end);
			struct stream *r = bpf_map_lookup_elem(&streams, &rk);

			e->reverse.obj = rk.obj;
			e->reverse.ino = r && !stream_stale(r, o, !end) ? r->gen : 0;
		}
	}
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	s->opened = 1;
}

#endif
