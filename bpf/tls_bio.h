/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ciphertext that waits in a memory BIO, held against what was read from sockets of late: 32 bytes of it belong to one socket
 * alone. Where in the library's objects the BIO and its bytes stand differs between versions, and is tried; at a wrong place
 * there is nothing that matches, so no version can lead to a wrong socket. */
#ifndef MCPVIGIL_BPF_TLS_BIO_H
#define MCPVIGIL_BPF_TLS_BIO_H

#include "tls_bind.h"

struct tls_prefix {
	u64 w[4];
};

struct tls_rx {
	u64 sk, ino;
	u64 first; /* they are the first bytes of the socket */
};

/* First bytes of what was read from TLS sockets whose connection is not known, or the tag that it ended with (tls_wire.h) -> the
 * socket. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tls_prefix);
	__type(value, struct tls_rx);
} tls_rxs SEC(".maps") __weak;

static __always_inline void bio_note(struct sock *sk, u64 ino, u64 at, bool first)
{
	struct tls_rx rx = { (u64)sk, ino, first };
	struct tls_prefix p = {};

	if (!bpf_probe_read_user(&p, sizeof(p), (void *)at))
		bpf_map_update_elem(&tls_rxs, &p, &rx, BPF_ANY);
}

static __always_inline u64 user_word(u64 at)
{
	u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)at);
	return v;
}

/* The socket of what the memory BIO at @bio holds, its own data being at @data: BIO_BUF_MEM { buf, readp }, BUF_MEM { length, data }
 * (crypto/bio/bss_mem.c, 1.1.1 and later). */
static __always_inline struct tls_rx *bio_socket(u64 bio, u64 data)
{
	u64 mem = user_word(bio + data), readp = mem ? user_word(mem + 8) : 0;
	struct tls_prefix p = {};

	if (!readp || user_word(readp) < sizeof(p) ||
	    bpf_probe_read_user(&p, sizeof(p), (void *)user_word(readp + 8)))
		return NULL;
	return bpf_map_lookup_elem(&tls_rxs, &p);
}

/* @ssl_rbio: of the read BIO in SSL, or in its connection (3.2 and later). bio_st.ptr: 56 in 1.1.1, 64 in 3.x. */
static __always_inline bool bio_try(const struct tls_key *k, struct tls_conn *c, u64 ssl_rbio)
{
	u64 bio = user_word(k->obj + ssl_rbio);
	struct tls_rx *rx = bio ? bio_socket(bio, 64) : NULL;
	struct sock *sk;

	if (bio && !rx)
		rx = bio_socket(bio, 56);
	if (!rx)
		return false;
	sk = (struct sock *)rx->sk;
	if (sock_ino(sk) != rx->ino) /* it is another socket now */
		return true;
	if (rx->first)
		tls_begins(c);
	tls_bind(k, c, sk, rx->ino, SAW_READ | SAW_WRITE);
	return true;
}

static __always_inline void bio_match(const struct tls_key *k, struct tls_conn *c)
{
	if (!bio_try(k, c, 0x10) && !bio_try(k, c, 0x50))
		bio_try(k, c, 0x48); /* 3.2.0-3.2.3, 3.3.0-3.3.2, 3.4.0 */
}

#endif
