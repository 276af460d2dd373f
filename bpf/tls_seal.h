/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records as they are encrypted. In place: they are copied as they go in. */
#ifndef MCPVIGIL_BPF_TLS_SEAL_H
#define MCPVIGIL_BPF_TLS_SEAL_H

#include "tls_cipher.h"

/* Is what comes out to be found in a write? The handshake of 1.3 has keys of its own, which are soon gone. */
static __always_inline bool seal_sought(const struct aead_args *a, int type, bool inner)
{
	if (a->len < sizeof(struct aead_prefix))
		return false;
	return !inner || type == REC_DATA || (type == REC_HANDSHAKE && hs_type(a->in) == HS_TICKET);
}

/* @type: of the record, see aead_record(). */
static __always_inline void seal_in(struct pt_regs *r, const struct aead_args *a, int type)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_key k = { id >> 32, a->ctx };
	struct tls_call *t = cipher_call(id);
	struct tls_conn *x = t ? ctx_get(&k, a->stack) : NULL;
	bool inner = type == REC_INNER;
	u32 n = a->len;

	if (!x)
		return;
	if (inner)
		type = aead_inner(a->in, &n);
	if (!type) {
		aead_give_up(&k, x);
		return;
	}
	t->obj = k.obj;
	t->buf = a->in;
	t->end = END_WRITE;
	t->enter = bpf_ktime_get_boot_ns();
	if (type == REC_DATA)
		aead_data(t, k, x, n);
	else if (type == REC_HANDSHAKE && x->bound && hs_type(a->in) == HS_KEY_UPDATE)
		aead_watch(x->sk, x->ino, END_WRITE, true);
	if (x->bound || !seal_sought(a, type, inner))
		return;
	t->sp = r->sp;
	t->buf = a->out;
	t->count = r->di;
}

/* What came out will be written to the socket. */
static __always_inline void seal_out(const struct tls_call *t)
{
	struct tls_key k = { bpf_get_current_pid_tgid() >> 32, t->obj };
	struct aead_sealed s = { k.tgid, k.obj };
	struct tls_conn *x = bpf_map_lookup_elem(&tls_conns, &k);
	struct aead_prefix p = {};

	if (!x || bpf_probe_read_user(&p, sizeof(p), (void *)t->buf))
		return;
	s.birth = x->birth;
	bpf_map_update_elem(&aead_sealed, &p, &s, BPF_ANY);
}

#endif
