/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A call of an AEAD function, from its entry to its return. Only the outermost one is followed: none is for another connection. */
#ifndef MCPVIGIL_BPF_TLS_CIPHER_H
#define MCPVIGIL_BPF_TLS_CIPHER_H

#include "tls_aead.h"
#include "tls_call.h"
#include "tls_record.h"
#include "tls_wire.h"

#define NESTED_BYTES (1 << 20)

static __always_inline struct tls_call *cipher_call(u64 id)
{
	struct tls_call_key ck = { id, TLS_LEVEL_AEAD };
	struct tls_call *t = bpf_map_lookup_elem(&tls_calls, &ck), *blank;
	u32 zero = 0;

	if (t)
		return t;
	blank = bpf_map_lookup_elem(&tls_blank, &zero);
	if (blank)
		bpf_map_update_elem(&tls_calls, &ck, blank, BPF_NOEXIST);
	t = bpf_map_lookup_elem(&tls_calls, &ck);
	if (!t)
		count(C_TLS_CALLS_FULL, 1);
	return t;
}

/* The call that returns to what stands below @sp. NULL: it is not followed. */
static __always_inline struct tls_call *cipher_ended(u64 id, u64 sp, u8 end)
{
	struct tls_call_key ck = { id, TLS_LEVEL_AEAD };
	struct tls_call *t = bpf_map_lookup_elem(&tls_calls, &ck);

	if (!t || !t->sp || t->sp + 8 != sp || t->end != end)
		return NULL;
	t->sp = 0;
	return t;
}

/* The context's entry. What has none has not been seen to do TLS. */
static __always_inline struct tls_conn *ctx_get(const struct tls_key *k, u8 stack)
{
	struct tls_conn *x = tls_conn_get(k, stack);

	if (x && !x->part) {
		x->part = 1;
		x->opened = 1; /* it is none that is told of */
	}
	return x;
}

/* @n bytes of application data passed in @t, a call of the context @x. */
static __always_inline void aead_data(struct tls_call *t, struct tls_key k, struct tls_conn *x, u32 n)
{
	struct tls_conn *c = x;

	if (x->bound) {
		k.obj = x->sk;
		c = aead_conn(&k, x->ino, x->stack, 0);
	}
	if (c && n)
		tls_data(TIER_NEW, t, &k, c, n);
}

/* Padding without an end: how much of it is data is not known, nor where anything behind it stands. */
static __always_inline void aead_give_up(const struct tls_key *k, struct tls_conn *x)
{
	struct tls_key ck = { k->tgid, x->sk };
	struct tls_conn *c = x->bound ? bpf_map_lookup_elem(&tls_conns, &ck) : x;

	count(C_TLS_PADDED, 1);
	if (c)
		c->state = S_NO;
}

#endif
