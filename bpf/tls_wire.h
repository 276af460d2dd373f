/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* System calls on TLS sockets, held against records that were encrypted or are to be decrypted: see tls_aead.h. */
#ifndef MCPVIGIL_BPF_TLS_WIRE_H
#define MCPVIGIL_BPF_TLS_WIRE_H

#include "tls_aead.h"
#include "tls_bio.h"
#include "tls_record.h"

#define REC_HEAD 5
#define REC_HEAD_GCM12 13 /* ... with the nonce that TLS 1.2 sends */

struct aead_prefix {
	u64 w[2];
};

struct aead_sealed {
	u64 tgid, ctx, birth;
};

/* First bytes of records that were encrypted and not written yet -> whose they are. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct aead_prefix);
	__type(value, struct aead_sealed);
} aead_sealed SEC(".maps") __weak;

/* The context whose record begins at @at. */
static __always_inline struct aead_sealed *aead_written_by(u64 tgid, u64 at)
{
	struct aead_prefix p = {};
	struct aead_sealed *s;

	if (bpf_probe_read_user(&p, sizeof(p), (void *)at))
		return NULL;
	s = bpf_map_lookup_elem(&aead_sealed, &p);
	return s && s->tgid == tgid ? s : NULL;
}

/* The key for a tag of 16 bytes that ends at @end; false: it is not there. */
static __always_inline bool aead_tag(struct tls_prefix *p, u64 end)
{
	p->w[2] = p->w[3] = 0;
	return !bpf_probe_read_user(p, TLS_TAG, (void *)(end - TLS_TAG));
}

/* A read from a TLS socket: @bytes from @at on. A global function, as aead_written(). */
__weak int aead_was_read(u64 tgid, u64 sk, u64 ino, u64 at, u64 bytes)
{
	u64 process = tgid << 32;
	struct tls_thread *p = bpf_map_lookup_elem(&tls_threads, &process);
	struct tls_rx rx = { sk, ino };
	struct tls_prefix tag;

	if (p && p->aead && bytes > REC_HEAD + TLS_TAG && aead_tag(&tag, at + bytes))
		bpf_map_update_elem(&tls_rxs, &tag, &rx, BPF_ANY);
	return 0;
}

/* A write to a TLS socket: @bytes from @at on. A global function: it has a stack of its own, and is verified once. */
__weak int aead_written(u64 tgid, u64 sk, u64 ino, u64 at, u64 bytes)
{
	struct tls_key k = { tgid, 0 };
	struct aead_sealed *s;
	struct tls_conn *x;

	if (bytes < REC_HEAD_GCM12 + sizeof(struct aead_prefix))
		return 0;
	s = aead_written_by(tgid, at + REC_HEAD);
	if (!s)
		s = aead_written_by(tgid, at + REC_HEAD_GCM12);
	if (!s)
		return 0;
	k.obj = s->ctx;
	x = bpf_map_lookup_elem(&tls_conns, &k);
	if (x && !x->bound && x->birth == s->birth)
		aead_bind(&k, x, sk, ino, END_WRITE);
	return 0;
}

#endif
