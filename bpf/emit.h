/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The only way to write the rings. Counts what it cannot write; budgets stand in front. */
#ifndef MCPVIGIL_BPF_EMIT_H
#define MCPVIGIL_BPF_EMIT_H

#include "maps.h"
#include "task.h"

#define NSEC_PER_SEC 1000000000ULL

/* The reader polls each 20 ms; past an eighth of the ring it is woken. */
static __always_inline u64 ring_flags(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > RING_BYTES / 8 ? BPF_RB_FORCE_WAKEUP :
									       BPF_RB_NO_WAKEUP;
}

/* What a bucket says to @n more bytes. */
enum bank_says {
	BANK_LIGHT, /* little demand of late: always */
	BANK_HEAVY, /* within the rate, but no light weight */
	BANK_EMPTY, /* over the rate */
};

/* Racy between threads: a few bytes more or less. Refused bytes count as demand: with tokens alone a flooder that is
 * refused saves up until it counts as light. */
static __always_inline enum bank_says bank_take(struct bank *b, u64 rate, s64 burst, u32 n)
{
	u64 now = bpf_ktime_get_boot_ns(), dt = now - b->ts;
	s64 in, tokens, demand;

	if (dt > NSEC_PER_SEC * 4)
		dt = NSEC_PER_SEC * 4;
	in = (dt >> 10) * (rate >> 10) / 953; /* 10^9 / 2^20 */
	tokens = b->tokens + in;
	demand = b->demand - in;
	if (tokens > burst)
		tokens = burst;
	if (demand < 0)
		demand = 0;
	if (demand > burst)
		demand = burst;
	demand += n + 256;
	b->ts = now - (dt & 1023);
	b->demand = demand;
	if (tokens < (s64)n) {
		b->tokens = tokens;
		return BANK_EMPTY;
	}
	b->tokens = tokens - n - 256;
	return demand <= burst >> 4 || demand <= (s64)n + 4096 ? BANK_LIGHT : BANK_HEAVY;
}

static __always_inline struct bank *bank_of_proc(u32 tgid)
{
	struct bank *b = bpf_map_lookup_elem(&procs, &tgid);
	struct bank fresh = {};

	if (b)
		return b;
	fresh.ts = fresh.open_ts = bpf_ktime_get_boot_ns();
	fresh.tokens = cfg.burst;
	bpf_map_update_elem(&procs, &tgid, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&procs, &tgid);
}

static __always_inline struct bank *bank_of_group(u64 cgroup)
{
	struct bank *b = bpf_map_lookup_elem(&groups, &cgroup);
	struct bank fresh = {};

	if (b)
		return b;
	fresh.ts = bpf_ktime_get_boot_ns();
	fresh.tokens = cfg.cgroup_burst;
	bpf_map_update_elem(&groups, &cgroup, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&groups, &cgroup);
}

/* Room for @n more bytes of a process over or near its rate? Only while enough is left for the others. */
static __always_inline bool ring_spare(u32 n, u32 part)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) + n <= part;
}

/* May this process put @n bytes into the ring? Counts those refused. In order:
 *   MCP that was confirmed (@sure), while the reader keeps up: yes; nobody is harmed;
 *   over the process's rate: no;
 *   little demand of late: yes, the last half of the ring is kept for such;
 *   over its cgroup's rate: no, unless confirmed; else while half of the ring is free (confirmed: an eighth).
 */
static __always_inline int budget_says(u32 tgid, u32 n, u32 sure)
{
	enum bank_says says;
	struct bank *b;

	if (!cfg.rate || (sure && ring_spare(n, RING_BYTES / 4)))
		return true;
	b = bank_of_proc(tgid);
	says = b ? bank_take(b, cfg.rate, cfg.burst, n) : BANK_EMPTY;
	if (says == BANK_LIGHT)
		return true;
	if (says == BANK_HEAVY && ring_spare(n, sure ? RING_BYTES / 8 * 7 : RING_BYTES / 2)) {
		if (sure || !cfg.cgroup_rate)
			return true;
		b = bank_of_group(bpf_get_current_cgroup_id());
		if (b && bank_take(b, cfg.cgroup_rate, cfg.cgroup_burst, n) != BANK_EMPTY)
			return true;
	}
	count(C_BUDGET_BYTES, n);
	return false;
}

/* A global function: the verifier walks it once. */
__weak int budget_take(u32 tgid, u32 n, u32 sure)
{
	return budget_says(tgid, n, sure);
}

/* May this process open one more stream? A burst of 2048, then cfg.open_rate a second. */
static __always_inline bool budget_open(u32 tgid)
{
	struct bank *b = bank_of_proc(tgid);
	u64 now, dt;
	s64 opens;

	if (!b || !cfg.open_rate)
		return true;
	now = bpf_ktime_get_boot_ns();
	dt = now - b->open_ts;
	if (dt > NSEC_PER_SEC * 16)
		dt = NSEC_PER_SEC * 16;
	opens = b->opens - (s64)(dt / 1000 * cfg.open_rate / 1000000);
	if (opens < 0)
		opens = 0;
	if (opens >= 2048) {
		count(C_STREAM_BUDGET, 1);
		return false;
	}
	b->opens = opens + 1;
	b->open_ts = now;
	return true;
}

#endif
