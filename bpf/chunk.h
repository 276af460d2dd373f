/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copy the bytes of one call out of user memory into records, in the order the verifier accepts.
 *
 * What it took, on 5.10 ... 7.3: the length given to probe_read is tracked precisely back through all iterations, and
 * nothing prunes, unless the verifier is made to forget it (new kernels) or the state lives in a map (5.10). No branch
 * may depend on the outcome of a copy inside the loop: each is walked once per iteration. */
#ifndef MCPVIGIL_BPF_CHUNK_H
#define MCPVIGIL_BPF_CHUNK_H

#include "emit.h"
#include "maps.h"
#include "walk.h"

/* One record of exactly @n bytes in the smallest size class that holds them; a constant size for the verifier. */
#define CHUNK_CLASS(N)                                                                         \
	if (n <= N) {                                                                         \
		struct ev_data *e = bpf_ringbuf_reserve(&ring, sizeof(*e) + N, 0);            \
		if (!e)                                                                       \
			goto full;                                                            \
		*e = w->e;                                                                    \
		e->hdr.size = sizeof(*e) + n;                                                 \
		e->want = n;                                                                  \
		bad = bpf_probe_read_user(e->data, n, (void *)w->base) >> 63;                 \
		e->have = n & ~bad; /* bad is 0 or -1, and no branch */                       \
		e->hdr.flags |= EV_F_FAULT & bad;                                             \
		bpf_ringbuf_submit(e, flags);                                                 \
		goto done;                                                                    \
	}

/* One piece, or one segment descriptor fetched. 1: finished. */
static __always_inline int walk_step(struct walk *w, u64 flags)
{
	s64 bad = 0;
	u64 n;

	if (!w->left)
		return walk_message(w);
	if (!w->seg) {
		struct iovec v = {};

		if (!w->nseg || bpf_probe_read_user(&v, sizeof(v), (void *)w->iov))
			return 1;
		w->iov += sizeof(v);
		w->nseg--;
		w->base = (u64)v.iov_base;
		w->seg = v.iov_len;
		if (!w->seg)
			return 0;
	}
	n = forget(w->seg < w->left ? w->seg : w->left);
	if (n > CHUNK_BYTES)
		n = CHUNK_BYTES;
	barrier_var(n);
	CHUNK_CLASS(256)
	CHUNK_CLASS(1024)
	CHUNK_CLASS(4096)
	CHUNK_CLASS(8192)
	CHUNK_CLASS(16384)
	CHUNK_CLASS(32768)
full:
	w->full += n;
done:
	w->faults -= bad;
	w->base += n;
	w->seg -= n;
	w->left -= n;
	w->e.pos += n;
	return 0;
}

static int walk_cb(u32 i, struct walk **w)
{
	return walk_step(*w, ring_flags());
}

/* The loops are global functions, so that the verifier walks them once and not once for each path that leads here.
 * Their state is per CPU: preemption is off around the programs that load.c chooses (see sys.bpf.c). */
__weak int walk_loop_new(void)
{
	struct walk *w = walk_get();

	if (!w)
		return 0;
	bpf_loop(CALL_BYTES_LOOP / CHUNK_BYTES + SEGMENTS_MAX * 2, walk_cb, &w, 0);
	return 0;
}

__weak int walk_loop_old(void)
{
	struct walk *w = walk_get();

	if (!w)
		return 0;
	for (int i = 0; i < CALL_BYTES_OLD / CHUNK_BYTES + SEGMENTS_OLD; i++)
		if (walk_step(w, BPF_RB_NO_WAKEUP))
			break;
	return 0;
}

static __always_inline void walk_counts(const struct walk *w)
{
	if (w->full) {
		count(C_RING_FULL, 1);
		count(C_RING_FULL_BYTES, w->full);
	}
	if (w->faults)
		count(C_READ_FAULT, w->faults);
	if (w->left)
		count(C_SEGS_CUT, 1);
}

/* Copy everything the walk describes. What could not be copied is counted; its positions are missing. */
static __always_inline void walk_run(const enum tier tier, struct walk *w)
{
	w->full = w->faults = 0;
	if (tier == TIER_NEW)
		walk_loop_new();
	else
		walk_loop_old();
	walk_counts(w);
}

/* The same where no global function may be called (guard.h), of a walk that is not the processor's but the call's own. */
static __always_inline void walk_run_tls(const enum tier tier, struct walk *w)
{
	w->full = w->faults = 0;
	if (tier == TIER_NEW)
		bpf_loop(CALL_BYTES_LOOP / CHUNK_BYTES + 2, walk_cb, &w, 0);
	else
		walk_loop_old();
	walk_counts(w);
}

#endif
