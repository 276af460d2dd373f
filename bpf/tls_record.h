/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records of TLS 1.2 and 1.3, as ciphers get them: what is one, and what is in it. */
#ifndef MCPVIGIL_BPF_TLS_RECORD_H
#define MCPVIGIL_BPF_TLS_RECORD_H

#include "maps.h"
#include "walk.h"

#define TLS_TAG 16 /* bytes of every AEAD in TLS but for one of the CCMs */
#define REC_HANDSHAKE 22
#define REC_DATA 23
#define REC_INNER 0 /* TLS 1.3: the type stands in it, encrypted */

#define HS_TICKET 4
#define HS_KEY_UPDATE 24

/* A call of a cipher, as far as that is the same in all of them. */
struct aead_args {
	u64 ctx;
	u64 out, in, len; /* len: of what is in the record */
	u64 ad, ad_len;
	u64 nonce;
	u8 stack; /* enum tls_stack, a constant */
};

/* Additional data of a record: 17 03 03 and the length with the tag (1.3); sequence number, type, version, length (1.2).
 * -1: it is none. */
static __always_inline int aead_record(const struct aead_args *a)
{
	u8 b[16] = {};

	if (a->len > 0xffff || is_self(bpf_get_current_pid_tgid() >> 32))
		return -1;
	if (a->ad_len == 5) {
		if (bpf_probe_read_user(b, 5, (void *)a->ad))
			return -1;
		return b[0] == REC_DATA && b[1] == 3 && b[2] == 3 && (u32)(b[3] << 8 | b[4]) == a->len + TLS_TAG ? REC_INNER : -1;
	}
	if (a->ad_len != 13 || bpf_probe_read_user(b, 13, (void *)a->ad))
		return -1;
	return b[8] >= 20 && b[8] <= REC_DATA && b[9] == 3 && (u32)(b[11] << 8 | b[12]) == a->len ? b[8] : -1;
}

/* Shift the upper half of @bits out of *@w where it is zero, and count its bytes off *@n; without a branch. */
static __always_inline void shift_zero(u64 *w, u32 *n, u32 bits)
{
	u64 top = *w >> (64 - bits), zero = ((top | -top) >> 63) ^ 1;

	barrier_var(zero);
	*w <<= zero * bits;
	*n -= zero * (bits / 8);
}

/* The last word of @n bytes that is not zero, and *@n becomes where it ends. 0: there is none in 64 bytes, or they cannot be
 * read. Bytes in front of a short record are read, too, and left out. */
static __always_inline u64 last_word(u64 at, u32 *n)
{
	u32 left = *n;
	u64 w = 0;

#pragma unroll
	for (int i = 0; i < 8; i++) {
		if (!left || bpf_probe_read_user(&w, sizeof(w), (void *)(at + left - 8)))
			break;
		if (left < 8)
			w &= ~0ULL << (8 - left) * 8;
		if (w)
			break;
		left = left < 8 ? 0 : left - 8;
	}
	*n = forget(left); /* however many steps it took, the verifier goes on once */
	return w;
}

/* The type of a record of 1.3 is its last byte that is not zero; *@n becomes the length of what is in front. 0: none was
 * found. */
static __always_inline u8 aead_inner(u64 at, u32 *n)
{
	u64 w = last_word(at, n);

	if (!w)
		return 0;
	shift_zero(&w, n, 32);
	shift_zero(&w, n, 16);
	shift_zero(&w, n, 8);
	*n -= 1;
	return w >> 56;
}

static __always_inline u8 hs_type(u64 at)
{
	u8 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)at);
	return v;
}

#endif
