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
	u64 done;
	u32 mark;

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
	e->base_rx = tcp_base(sk, END_READ, &done, &mark);
	e->base_tx = tcp_base(sk, END_WRITE, &done, &mark);
	tcp_addr(sk, e->laddr, e->raddr);
	bpf_ringbuf_submit(e, 0);
}

/* A system call on a TLS socket whose connection is not known. */
struct sock_use {
	struct sock *sk;
	u64 ino;   /* inode number */
	u64 bytes; /* that passed, and where the first of them stand */
	u64 at;
	int end;
	bool first; /* they are the first of that direction */
};

static __always_inline void sock_was_read(u64 id, struct tls_thread *t, const struct sock_use *u)
{
	t->rx_first = u->first || (t->rx == (u64)u->sk && t->rx_first);
	t->rx_mixed = t->rx && (t->rx != (u64)u->sk || t->rx_mixed);
	t->rx = (u64)u->sk;
	t->rx_ino = u->ino;
	t->last = (u64)u->sk;
	t->last_ino = u->ino;
	t->last_at = u->at;
	t->last_n = u->bytes;
	t->may = 0;
	if (u->bytes >= sizeof(struct tls_prefix) && (t->bios || u->first || tls_process_bios(id)))
		bio_note(u->sk, u->ino, u->at, u->first);
}

/* Outside any call into a library that would read, or write, by itself. */
static __always_inline void sock_bracket(u64 id, const struct sock_use *u)
{
	struct tls_thread *t = tls_thread_get(id);
	struct tls_key k = { id >> 32, 0 };
	struct tls_conn *c;

	if (!t)
		return;
	if (u->end == END_READ) {
		sock_was_read(id, t, u);
		return;
	}
	k.obj = t->tx ? t->tx : t->may;
	t->may = 0;
	t->tx_mixed |= t->tx_sk && t->tx_sk != (u64)u->sk;
	t->tx_sk = (u64)u->sk;
	t->tx_sent += u->bytes;
	/* Ciphertext is longer than what is in it. It may be sent in parts, and much is not taken at once. */
	if (k.obj && t->tx_sent <= t->tx_bytes && t->tx_sent <= 16384)
		return;
	c = k.obj && !t->tx_mixed ? bpf_map_lookup_elem(&tls_conns, &k) : NULL;
	t->tx = t->tx_sk = 0;
	t->tx_bytes = t->tx_sent = 0;
	t->tx_mixed = 0;
	if (c)
		tls_bind(&k, c, u->sk, u->ino, SAW_WRITE);
}

/* The open call that the thread is in. */
static __always_inline struct tls_call *call_innermost(u64 id)
{
	struct tls_call *found = NULL;

	for (u64 level = 0; level < TLS_LEVELS; level++) {
		struct tls_call_key ck = { id, level };
		struct tls_call *t = bpf_map_lookup_elem(&tls_calls, &ck);

		if (!t || !t->sp || (found && t->sp > found->sp))
			break;
		found = t;
	}
	return found;
}

static __always_inline void sock_seen(const struct sock_use *u)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_call *call = call_innermost(id);
	struct tls_key k = { id >> 32, 0 };
	struct tls_conn *c;

	if (!call || (call->end != u->end && call->end != END_BOTH)) {
		sock_bracket(id, u);
		return;
	}
	k.obj = call->obj;
	c = bpf_map_lookup_elem(&tls_conns, &k);
	if (!c)
		return;
	if (u->first)
		tls_begins(c);
	tls_bind(&k, c, u->sk, u->ino, SAW_READ | SAW_WRITE);
}

#endif
