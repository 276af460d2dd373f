/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records as they are decrypted. They are copied once they were found genuine. */
#ifndef MCPVIGIL_BPF_TLS_UNSEAL_H
#define MCPVIGIL_BPF_TLS_UNSEAL_H

#include "tls_cipher.h"

/* A function may call another one of these with the same context: the outer one tells. */
static __always_inline void unseal_in(struct pt_regs *r, const struct aead_args *a, int type)
{
	struct tls_call *t = cipher_call(bpf_get_current_pid_tgid());

	if (!t || (t->sp > r->sp && t->sp - r->sp < NESTED_BYTES && t->obj == a->ctx && t->end == END_READ))
		return;
	t->sp = r->sp;
	t->obj = a->ctx;
	t->buf = a->out;
	t->count = a->in + a->len + TLS_TAG;
	t->enter = r->di;
	t->num = a->len;
	t->how = type;
	t->end = END_READ;
}

/* The socket from which the record that ends at @end was read. */
static __always_inline bool read_from(u64 id, u64 end, struct tls_rx *ret)
{
	struct tls_thread *t = bpf_map_lookup_elem(&tls_threads, &id);
	struct tls_prefix tag;
	struct tls_rx *rx;

	if (t && t->last && end > t->last_at && end - t->last_at <= t->last_n) {
		ret->sk = t->last;
		ret->ino = t->last_ino;
	} else {
		rx = aead_tag(&tag, end) ? bpf_map_lookup_elem(&tls_rxs, &tag) : NULL;
		if (!rx)
			return false;
		ret->sk = rx->sk;
		ret->ino = rx->ino;
	}
	return sock_ino((struct sock *)ret->sk) == ret->ino;
}

/* A record of @type is decrypted. Those of the handshake come first: then positions begin where the connection does. */
static __always_inline void unseal_bind(u64 id, const struct tls_call *t, const struct tls_key *k, struct tls_conn *x, u8 type)
{
	u8 hs = type == REC_HANDSHAKE ? hs_type(t->buf) : 0;
	struct tls_key ck = { k->tgid, 0 };
	struct tls_rx rx;

	if (!read_from(id, t->count, &rx))
		return;
	ck.obj = rx.sk;
	if (type == REC_DATA)
		aead_bind(k, x, rx.sk, rx.ino, END_READ);
	else if (hs && hs != HS_TICKET && hs != HS_KEY_UPDATE)
		aead_conn(&ck, rx.ino, x->stack, 1);
}

static __always_inline void unseal_out(struct tls_call *t, u8 stack)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_key k = { id >> 32, t->obj };
	struct tls_conn *x = ctx_get(&k, stack);
	u32 n = t->num;
	u8 type;

	if (!x)
		return;
	type = t->how == REC_INNER ? aead_inner(t->buf, &n) : t->how;
	if (!type)
		aead_give_up(&k, x);
	if (!x->bound)
		unseal_bind(id, t, &k, x, type);
	else if (type == REC_HANDSHAKE && hs_type(t->buf) == HS_KEY_UPDATE)
		aead_watch(x->sk, x->ino, END_READ, true);
	if (type == REC_DATA)
		aead_data(t, k, x, n);
}

#endif
