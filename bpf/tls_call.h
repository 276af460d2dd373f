/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A call into a TLS library, from its entry to its return, where its bytes are copied.
 *
 * Told at return, with the count that was really taken: a write may be refused and made again with the same bytes (Node
 * does), and at that time the memory is resident. Libraries call their own functions: of calls for one connection and one
 * direction, each inside the other, the outermost alone tells. Others inside are calls of their own: Node writes its first request
 * from a callback of SSL_read, and TLS inside TLS is two connections. */
#ifndef MCPVIGIL_BPF_TLS_CALL_H
#define MCPVIGIL_BPF_TLS_CALL_H

#include "chunk.h"
#include "class.h"
#include "emit.h"
#include "tls_class.h"
#include "tls_conn.h"

/* C: pid_tgid and how many open calls are around it. Go: the thread group and the goroutine, which changes threads. */
struct tls_call_key {
	u64 task, g;
};

#define TLS_LEVELS 3
#define TLS_LEVEL_AEAD 3 /* a call of an AEAD function, inside whatever others */
#define TLS_LEVELS_ALL 4

/* How many bytes a call of the C ABI moved. */
enum tls_count {
	COUNT_INT,   /* returned as an int */
	COUNT_AT,    /* at an address; 1 is returned (_ex) */
	COUNT_SSIZE, /* returned as a ssize_t */
	COUNT_BLIND, /* the same, and the bytes stand where only the library knows */
	COUNT_NONE,  /* none that no other call told of: handshakes, what was corked */
};

struct tls_call {
	u64 sp;	   /* C: where the return address stands; Go: 1. 0: no call is open */
	u64 obj;   /* see struct tls_key */
	u64 buf;
	u64 count; /* COUNT_AT: where */
	u64 enter;
	u32 num;   /* C: bytes that the buffer has room for, or holds */
	u8 end;	   /* enum ev_end; END_BOTH: a handshake */
	u8 depth;  /* Go: calls of the same goroutine for other connections inside */
	u8 how;	   /* C: enum tls_count */
	u8 pad;
	struct walk w;
};

/* Entries stay while their thread lives (proc_exit): making and deleting one costs as much as all the rest. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TLS_CALLS_MAX);
	__type(key, struct tls_call_key);
	__type(value, struct tls_call);
} tls_calls SEC(".maps") __weak;

/* Never written: what a new entry is made of, as the stack must stay small. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tls_call);
} tls_blank SEC(".maps") __weak;

/* Is what the connection carries other traffic? */
static __always_inline bool tls_given_up(const struct tls_key *k, const struct tls_conn *c, int end)
{
	struct ev_key name = tls_name(k, c, end);
	u8 v = verdict_get(&name);

	return c->state == S_NO || v == V_NO || v == V_SELF;
}

static __always_inline void tls_head(struct ev_data *e, const struct tls_call *t, const struct ev_key *name, u64 pos,
				     u8 stack)
{
	hdr_fill(&e->hdr, EV_DATA, 0);
	e->start = task_start((void *)bpf_get_current_task());
	e->enter = t->end == END_WRITE ? t->enter : 0;
	e->key = *name;
	e->pos = pos;
	e->chan = CHAN_TLS;
	e->end = t->end;
	e->nr = stack;
	e->zero = 0;
}

/* The part of a call beyond the limit of one call. */
static __always_inline void tls_cut(const struct walk *w, u64 pos, u32 n)
{
	struct ev_data *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count(C_RING_FULL, 1);
		return;
	}
	*e = w->e;
	e->hdr.size = sizeof(*e);
	e->hdr.flags |= EV_F_CUT;
	e->pos = pos;
	e->want = n;
	e->have = 0;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* @n bytes passed in the call that is now over. */
static __always_inline void tls_data(const enum tier tier, struct tls_call *t, const struct tls_key *k, struct tls_conn *c,
				     u32 n)
{
	struct walk *w = tier == TIER_NEW ? &t->w : walk_get(); /* preemption is off on kernels of the old tier */
	u64 *at = t->end == END_WRITE ? &c->pos[END_WRITE] : &c->pos[END_READ], pos = *at;
	u32 cap = tier == TIER_NEW ? CALL_BYTES_LOOP : CALL_BYTES_OLD, left;
	struct ev_key name = tls_name(k, c, t->end);
	u8 verdict = verdict_get(&name);

	*at = pos + n;
	if (!w || verdict == V_NO || verdict == V_SELF || !tls_decide(c, verdict, t->buf, n))
		return;
	if (!c->opened)
		tls_open(k, c, NULL);
	if (cfg.call_bytes && cfg.call_bytes < cap)
		cap = cfg.call_bytes;
	left = n < cap ? n : cap;
	if (!budget_says(k->tgid, left, verdict >= V_YES))
		return;
	w->iov = w->mm = 0;
	w->nseg = w->nmm = 0;
	w->base = t->buf;
	w->seg = w->left = left;
	tls_head(&w->e, t, &name, pos, c->stack);
	w->e.hdr.flags = c->part ? EV_F_PART : 0;
	walk_run_tls(tier, w);
	if (left < n)
		tls_cut(w, pos + left, n - left);
}

#endif
