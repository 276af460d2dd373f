/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TLS connections: one entry each. A connection is the library's object in its process, with a birth, as addresses are used
 * again; its positions are counted. */
#ifndef MCPVIGIL_BPF_TLS_CONN_H
#define MCPVIGIL_BPF_TLS_CONN_H

#include "event_tls.h"
#include "maps.h"
#include "open.h"
#include "sock.h"
#include "stream.h"
#include "task.h"
#include "verdict.h"

struct tls_key {
	u64 tgid;
	u64 obj; /* SSL *, *tls.Conn */
};

struct tls_conn {
	u64 birth;  /* boot ns */
	u64 pos[2]; /* plaintext bytes that passed, by enum ev_end */
	u64 sk, ino; /* its socket, or the candidate: address and inode number */
	u32 looked; /* bytes looked at while undecided */
	u8 state;   /* enum stream_state, of both directions */
	u8 fresh;   /* seen since its birth: positions begin where the connection does */
	u8 opened;  /* EV_OPEN is out */
	u8 votes;   /* SAW_*: what speaks for the candidate */
	u8 bound;   /* its socket is known and was told */
	u8 stack;   /* enum tls_stack */
	u8 over;    /* its socket is closed, and EV_CLOSE is out */
	u8 part;    /* an AEAD context, see tls_aead.h: @bound says of which connection, by its socket */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_CONNS_MAX);
	__type(key, struct tls_key);
	__type(value, struct tls_conn);
} tls_conns SEC(".maps") __weak;

/* Sock address -> the connection that it is known to carry. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_CONNS_MAX);
	__type(key, u64);
	__type(value, struct tls_key);
} tls_socks SEC(".maps") __weak;

static __always_inline struct ev_key tls_name(const struct tls_key *k, const struct tls_conn *c, int end)
{
	return (struct ev_key){ k->obj, c->birth << 1 | end };
}

/* EV_OPEN, with its socket where @sk is known. @return whether the ring took it. */
static __always_inline bool tls_open(const struct tls_key *k, struct tls_conn *c, struct sock *sk)
{
	struct ev_open *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count(C_RING_FULL, 1);
		return false;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_OPEN, sizeof(*e));
	e->hdr.flags = c->fresh ? 0 : EV_F_LATE;
	e->start = task_start((void *)bpf_get_current_task());
	e->key = tls_name(k, c, END_WRITE);
	e->reverse = tls_name(k, c, END_READ);
	e->pos[END_READ] = c->pos[END_READ];
	e->pos[END_WRITE] = c->pos[END_WRITE];
	e->chan = CHAN_TLS;
	e->end = END_WRITE;
	e->tls = c->stack;
	if (sk)
		open_sock(e, sk);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	c->opened = 1;
	return true;
}

/* A connection begins here (@fresh), or is seen for the first time. */
static __always_inline struct tls_conn *tls_conn_new(const struct tls_key *k, u8 stack, u8 fresh)
{
	struct tls_conn c = { .birth = bpf_ktime_get_boot_ns(), .stack = stack, .fresh = fresh };

	if (!budget_open(k->tgid))
		return NULL;
	bpf_map_update_elem(&tls_conns, k, &c, BPF_ANY);
	return bpf_map_lookup_elem(&tls_conns, k);
}

static __always_inline struct tls_conn *tls_conn_get(const struct tls_key *k, u8 stack)
{
	struct tls_conn *c = bpf_map_lookup_elem(&tls_conns, k);

	return c ? c : tls_conn_new(k, stack, 0);
}

/* The first bytes of a socket passed in one of its calls, or right before: so it begins there, unless something was seen of it. */
static __always_inline void tls_begins(struct tls_conn *c)
{
	if (!c->opened && !c->pos[END_READ] && !c->pos[END_WRITE])
		c->fresh = 1;
}

/* What it carries is over. @pos: where; 0: wherever the last bytes end. */
static __always_inline void tls_close(const struct tls_key *k, const struct tls_conn *c, int end, u64 pos)
{
	struct ev_close *e;

	if (!c->opened)
		return;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(C_RING_FULL, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_CLOSE, sizeof(*e));
	e->hdr.flags = EV_F_DONE;
	e->key = tls_name(k, c, end);
	e->pos = pos;
	e->chan = CHAN_TLS;
	e->end = end;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

#endif
