/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP: the end of a connection. EV_CLOSE for both directions of a sock that was copied. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "maps.h"
#include "sock.h"
#include "task.h"

#define TCP_CLOSE 7

/* Forget one direction; tell of its end where it was copied. */
static __always_inline void tcp_end(const struct sock *sk, int end)
{
	struct ev_key name, k = { .obj = (u64)sk, .ino = end };
	struct stream *s = bpf_map_lookup_elem(&streams, &k);
	bool opened = s && s->opened;
	struct ev_close *e;

	if (!s)
		return;
	name.obj = k.obj;
	name.ino = s->gen;
	bpf_map_delete_elem(&streams, &k);
	if (!opened)
		return;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(C_RING_FULL, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_CLOSE, sizeof(*e));
	e->key = name;
	e->chan = CHAN_TCP;
	e->end = end;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* Runs in whatever context the last segment comes: the current task says nothing. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, const struct sock *sk, int old, int state)
{
	if (state != TCP_CLOSE)
		return 0;
	tcp_end(sk, END_READ);
	tcp_end(sk, END_WRITE);
	return 0;
}
