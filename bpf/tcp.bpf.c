/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP: the end of a connection. EV_CLOSE for both directions of a sock that was copied. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "maps.h"
#include "sock.h"
#include "task.h"
#include "tls_conn.h"

/* Forget one direction. @return the inode number in its name where it was copied, else 0. */
static __always_inline u64 tcp_forget(const struct sock *sk, int end)
{
	struct ev_key k = { .obj = (u64)sk, .ino = end };
	struct stream *s = bpf_map_lookup_elem(&streams, &k);
	u64 ino = s && s->opened ? s->gen >> 1 : 0;

	if (s)
		bpf_map_delete_elem(&streams, &k);
	return ino;
}

static __always_inline void tcp_end(const struct sock *sk, u64 ino, int end)
{
	struct ev_close *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count(C_RING_FULL, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_CLOSE, sizeof(*e));
	e->hdr.flags = EV_F_DONE;
	e->key.obj = (u64)sk;
	e->key.ino = ino << 1 | end;
	e->chan = CHAN_TCP;
	e->end = end;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* The TLS connection on it is over, though its library may not say so: its process was killed. What was received may still be
 * decrypted. */
static __always_inline void tls_end(const struct sock *sk)
{
	u64 at = (u64)sk;
	struct tls_key *k = bpf_map_lookup_elem(&tls_socks, &at), key;
	struct tls_conn *c;

	if (!k)
		return;
	key = *k;
	bpf_map_delete_elem(&tls_socks, &at);
	c = bpf_map_lookup_elem(&tls_conns, &key);
	if (!c || c->sk != at)
		return;
	tls_close(&key, c, END_READ, 0);
	tls_close(&key, c, END_WRITE, 0);
	c->over = 1;
}

/* Runs in whatever context the last segment comes: the current task says nothing. Both directions are told of, also one
 * in which nothing passed: a request that its client took back has no answer. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, const struct sock *sk, int old, int state)
{
	u64 rd, wr;

	if (state != TCP_CLOSE)
		return 0;
	tls_end(sk);
	rd = tcp_forget(sk, END_READ);
	wr = tcp_forget(sk, END_WRITE);
	if (!rd && !wr)
		return 0;
	tcp_end(sk, rd ? rd : wr, END_READ);
	tcp_end(sk, rd ? rd : wr, END_WRITE);
	return 0;
}
