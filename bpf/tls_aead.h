/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TLS read where its records are encrypted and decrypted: an AEAD context for each key of a connection, which knows neither its
 * connection nor its socket.
 *
 * The connection is its socket then. Which context is whose (tls_wire.h, tls_unseal.h):
 *   - decrypts: the record's last byte stands where the thread's last read of a TLS socket put it, as records are decrypted in
 *     the buffer that they were read into, right then; or, decrypted elsewhere (Deno's server), its tag is what a read ended with;
 *   - encrypts: what begins a write to a TLS socket, behind its head, is what came out. 16 bytes of ciphertext are nobody else's.
 * What passes before that is known goes out under the context's own name (EV_F_PART), and EV_JOIN says what it was a part of.
 *
 * Contexts are born (aead_init_in), as addresses are used again. A new key (KeyUpdate) is a new context: its connection is
 * found anew. */
#ifndef MCPVIGIL_BPF_TLS_AEAD_H
#define MCPVIGIL_BPF_TLS_AEAD_H

#include "tls_bind.h"
#include "tls_conn.h"

/* A context is born. */
static __always_inline void aead_born(u64 ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_key k = { id >> 32, ctx };
	struct tls_thread *p = tls_thread_get(TLS_PROCESS(id));

	bpf_map_delete_elem(&tls_conns, &k);
	if (p)
		p->aead = 1;
}

/* The connection on a socket, which may have been another's. */
static __always_inline struct tls_conn *aead_conn(const struct tls_key *k, u64 ino, u8 stack, u8 fresh)
{
	struct tls_conn *c = bpf_map_lookup_elem(&tls_conns, k);

	if (!c || c->ino != ino) {
		c = tls_conn_new(k, stack, fresh);
		if (!c)
			return NULL;
		c->sk = k->obj;
		c->ino = ino;
		c->bound = 1;
		bpf_map_update_elem(&tls_socks, &k->obj, k, BPF_ANY);
	}
	if (!c->opened)
		tls_open(k, c, (struct sock *)k->obj);
	return c;
}

static __always_inline u64 *aead_pos(struct tls_conn *c, int end)
{
	return end == END_WRITE ? &c->pos[END_WRITE] : &c->pos[END_READ];
}

/* What went out under the name @part is a part of @key, from @pos on. */
static __always_inline void aead_join(struct ev_key part, struct ev_key key, int end, u64 pos)
{
	struct ev_join *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count(C_RING_FULL, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_JOIN, sizeof(*e));
	e->start = task_start((void *)bpf_get_current_task());
	e->part = part;
	e->key = key;
	e->pos = pos;
	e->end = end;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* Is the socket to be watched in this direction? */
static __always_inline void aead_watch(u64 sk, u64 ino, int end, bool watch)
{
	struct ev_key wire = { sk, ino << 1 | end };

	verdict_put(&wire, watch ? V_TLS : V_NO);
}

/* @x is the context in direction @end of the connection on @sk. */
static __always_inline void aead_bind(const struct tls_key *xk, struct tls_conn *x, u64 sk, u64 ino, int end)
{
	struct tls_key ck = { xk->tgid, sk };
	struct tls_conn *c = aead_conn(&ck, ino, x->stack, 0);
	u64 *from, *to;

	if (!c)
		return;
	from = aead_pos(x, end);
	to = aead_pos(c, end);
	if (*from)
		aead_join(tls_name(xk, x, end), tls_name(&ck, c, end), end, *to);
	*to += *from;
	if (x->state == S_CANDIDATE && c->state == S_UNDECIDED)
		c->state = S_CANDIDATE;
	x->sk = sk;
	x->ino = ino;
	x->bound = 1;
	aead_watch(sk, ino, end, false);
}

#endif
