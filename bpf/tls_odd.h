/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is a function what it was found to be? No read or write of a TLS library moves more than it was given room for, into memory that
 * is not there, or has TLS records for a connection's first bytes: where most do, the probes are somewhere else, and user space
 * is told to take them off. Binary data says little: TLS carries databases, too. Where a process has nothing else on its first
 * connections, functions that no symbol names are taken off all the same. */
#ifndef MCPVIGIL_BPF_TLS_ODD_H
#define MCPVIGIL_BPF_TLS_ODD_H

#include "emit.h"
#include "tls_call.h"
#include "tls_class.h"

struct tls_odds {
	u32 good, odd; /* calls since it was last told of; good: the first ones of a connection, that began with text or HTTP/2 */
	u32 binary; /* connections that began otherwise, while there were none that were good */
	u32 ours;   /* there was one */
};

/* Thread group << 32 | enum tls_stack << 1 | enum ev_end. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, struct tls_odds);
} tls_odds SEC(".maps") __weak;

/* EV_ODD. */
static __always_inline void odd_tell(struct tls_odds *o, u8 stack, u8 end, u8 what)
{
	struct ev_odd *e = bpf_ringbuf_reserve(&ctl_ring, sizeof(*e), 0);

	if (!e) {
		count(C_RING_FULL, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_ODD, sizeof(*e));
	e->start = task_start((void *)bpf_get_current_task());
	e->good = o->good;
	e->odd = o->odd;
	e->stack = stack;
	e->end = end;
	e->what = what;
	bpf_ringbuf_submit(e, 0);
	o->good = o->odd = 0;
}

/* enum odd_what; 0: nothing is wrong. */
static __always_inline u8 odd_what(const struct tls_call *t, u32 n, bool first, int class)
{
	if (n > t->num)
		return ODD_LENGTH;
	if (!first)
		return 0;
	return class == CLASS_UNREAD ? ODD_MEMORY : class == CLASS_TLS ? ODD_RECORD : 0;
}

/* A connection's first bytes: nothing is wrong with them by themselves. */
static __always_inline void odd_first(struct tls_odds *o, u8 stack, u8 end, int class)
{
	if (class != CLASS_OTHER) {
		o->good++;
		o->ours = 1;
	} else if (!o->ours && ++o->binary == ODD_BINARY_CONNS) {
		o->odd = o->binary;
		odd_tell(o, stack, end, ODD_BINARY);
	}
}

/* @n bytes passed in the call @t. @return whether they can be. */
static __always_inline bool tls_sane(const struct tls_call *t, const struct tls_key *k, const struct tls_conn *c, u32 n)
{
	bool first = !(t->end == END_WRITE ? c->pos[END_WRITE] : c->pos[END_READ]) && t->how < COUNT_SSIZE;
	u64 key = k->tgid << 32 | (u64)c->stack << 1 | (t->end == END_WRITE);
	int class = first ? tls_class(t->buf, n) : CLASS_OTHER;
	u8 what = odd_what(t, n, first, class);
	struct tls_odds fresh = {}, *o;

	if (!what && !first)
		return true;
	o = bpf_map_lookup_elem(&tls_odds, &key);
	if (!o) {
		bpf_map_update_elem(&tls_odds, &key, &fresh, BPF_NOEXIST);
		o = bpf_map_lookup_elem(&tls_odds, &key);
	}
	if (o && !what)
		odd_first(o, c->stack, t->end, class);
	if (o && what && ++o->odd >= ODD_CALLS && o->odd > o->good)
		odd_tell(o, c->stack, t->end, what);
	if (what != ODD_LENGTH)
		return true;
	count(C_TLS_ODD_CALLS, 1);
	return false;
}

#endif
