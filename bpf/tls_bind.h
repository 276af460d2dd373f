/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which socket carries which TLS connection. Published only when it is sure:
 *   - the library was told (SSL_set_fd), or keeps the descriptor where we can read it (Go);
 *   - a system call on a TLS socket, made inside the library's call and in the same direction;
 *   - the ciphertext that waits in the library's memory BIO is what was read from that socket (asyncio, anyio, .NET), see tls_bio.h;
 *   - else (BIOs of a program's own: Node) the thread's last TLS read before SSL_read and its first TLS write after SSL_write, or
 *     after whatever call came last, as each may shake hands: both must have been seen, name the same socket, and none of another
 *     connection came between.
 * A socket that is known costs one look at its verdict from then on. */
#ifndef MCPVIGIL_BPF_TLS_BIND_H
#define MCPVIGIL_BPF_TLS_BIND_H

#include "tls_conn.h"

#define SAW_READ 1 /* votes for a socket, by direction */
#define SAW_WRITE 2

#define END_BOTH 2 /* of a call that reads and writes: a handshake */

/* What a thread did last, by pid_tgid; with thread id 0, of the process. */
struct tls_thread {
	u64 rx, rx_ino; /* TLS socket that it read from since its last SSL_read; 0: none */
	u64 tx_sk;	/* TLS socket that it has written to since */
	u64 tx;		/* connection that it wrote to since its last write to a TLS socket; 0: none */
	u64 last, last_ino; /* TLS socket, of those whose connection is not known, that it read from last */
	u64 last_at, last_n; /* ... and where to, how much */
	u64 may;	/* connection that its last call was for, if it has read nothing since: it may have left a part of a handshake */
	u32 tx_bytes;	/* plaintext of those writes */
	u32 tx_sent;	/* written to the socket since */
	u8 rx_mixed;	/* it read from several */
	u8 rx_first;	/* ... the first bytes of it */
	u8 tx_mixed;
	u8 bios;	/* it was seen in OpenSSL: what it reads may end in a memory BIO. Of a process: one of its threads was */
	u8 aead;	/* of a process: a context for records was born in it */
	u8 pad[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PROCS_MAX);
	__type(key, u64);
	__type(value, struct tls_thread);
} tls_threads SEC(".maps") __weak;

/* Never written: on the stack it would be too much for sys_exit_old (512 bytes with what it calls). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tls_thread);
} tls_thread_blank SEC(".maps") __weak;

/* A thread is followed from its first call of a library on, or the first on a TLS socket whose connection is not known. */
static __always_inline struct tls_thread *tls_thread_get(u64 id)
{
	struct tls_thread *t = bpf_map_lookup_elem(&tls_threads, &id), *fresh;
	u32 zero = 0;

	if (t)
		return t;
	fresh = bpf_map_lookup_elem(&tls_thread_blank, &zero);
	if (fresh)
		bpf_map_update_elem(&tls_threads, &id, fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_threads, &id);
}

#define TLS_PROCESS(id) ((id) & ~0xffffffffULL)

/* The thread was seen in OpenSSL. Others of its process may read for it (.NET). */
static __always_inline void tls_thread_bios(u64 id, struct tls_thread *t)
{
	struct tls_thread *p;

	if (t->bios)
		return;
	t->bios = 1;
	p = tls_thread_get(TLS_PROCESS(id));
	if (p)
		p->bios = 1;
}

static __always_inline bool tls_process_bios(u64 id)
{
	u64 process = TLS_PROCESS(id);
	struct tls_thread *p = bpf_map_lookup_elem(&tls_threads, &process);

	return p && p->bios;
}

/* @how: SAW_*, or both for a socket that is sure. @ino: its inode number. */
static __always_inline void tls_bind(const struct tls_key *k, struct tls_conn *c, struct sock *sk, u64 ino, u8 how)
{
	u64 at = (u64)sk;

	if (c->bound || !ino)
		return;
	if (c->sk != at || c->ino != ino)
		c->votes = 0;
	c->sk = at;
	c->ino = ino;
	c->votes |= how;
	if (c->votes != (SAW_READ | SAW_WRITE) || !tls_open(k, c, sk))
		return;
	c->bound = 1;
	bpf_map_update_elem(&tls_socks, &at, k, BPF_ANY);
	for (int end = 0; end < 2; end++) {
		struct ev_key wire = { at, ino << 1 | end };

		verdict_put(&wire, V_NO);
	}
}

#endif
