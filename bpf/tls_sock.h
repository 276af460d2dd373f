/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP sockets that carry TLS: told of once (EV_HELLO), and what their system calls say of which connection is whose. */
#ifndef MCPVIGIL_BPF_TLS_SOCK_H
#define MCPVIGIL_BPF_TLS_SOCK_H

#include "tls_bind.h"
#include "tls_bio.h"
#include "tls_call.h"
#include "tls_conn.h"

/* Its other direction was told of already. */
static __always_inline bool hello_told(const struct ev_key *key)
{
	struct ev_key other = { key->obj, key->ino ^ 1 };

	return verdict_get(&other) == V_TLS;
}

/* EV_HELLO, on the control ring: user space looks at the process without waiting for its next turn. */
static __always_inline void hello_tell(struct sock *sk, const struct ev_key *key, u8 end, bool first)
{
	struct ev_hello *e = bpf_ringbuf_reserve(&ctl_ring, sizeof(*e), 0);

	if (!e) {
		count(C_RING_FULL, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_HELLO, sizeof(*e));
	e->hdr.flags = first ? 0 : EV_F_LATE;
	e->start = task_start((void *)bpf_get_current_task());
	e->key = *key;
	e->end = end;
	e->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	e->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	e->rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	e->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	tcp_addr(sk, e->laddr, e->raddr);
	bpf_ringbuf_submit(e, 0);
}

/* The thread read @end of a TLS socket, or wrote @bytes to it, outside any call into a library. @at: the first of them. */
static __always_inline void sock_bracket(u64 id, struct sock *sk, u64 ino, int end, u64 bytes, u64 at)
{
	struct tls_thread *t = bpf_map_lookup_elem(&tls_threads, &id);
	struct tls_key k = { id >> 32, 0 };
	struct tls_conn *c;

	if (!t)
		return;
	if (end == END_READ) {
		t->rx_mixed = t->rx && (t->rx != (u64)sk || t->rx_mixed);
		t->rx = (u64)sk;
		t->rx_ino = ino;
		if (bytes >= sizeof(struct tls_prefix))
			bio_note(sk, ino, at);
		return;
	}
	k.obj = t->tx;
	/* Ciphertext is longer than what is in it; of much, the socket takes a part at a time. */
	c = k.obj && !t->tx_mixed && (bytes > t->tx_bytes || bytes > 16384) ? bpf_map_lookup_elem(&tls_conns, &k) : NULL;
	t->tx = 0;
	t->tx_bytes = 0;
	t->tx_mixed = 0;
	if (c)
		tls_bind(&k, c, sk, ino, SAW_WRITE);
}

/* A system call on a TLS socket whose connection is not known. */
static __always_inline void sock_seen(struct sock *sk, u64 ino, int end, u64 bytes, u64 at)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_call_key ck = { id, 0 };
	struct tls_call *call = bpf_map_lookup_elem(&tls_calls, &ck);
	struct tls_key k = { id >> 32, 0 };
	struct tls_conn *c;

	if (!call || !call->sp) {
		sock_bracket(id, sk, ino, end, bytes, at);
		return;
	}
	k.obj = call->obj;
	c = call->end == end || call->end == END_BOTH ? bpf_map_lookup_elem(&tls_conns, &k) : NULL;
	if (c)
		tls_bind(&k, c, sk, ino, SAW_READ | SAW_WRITE);
}

#endif
