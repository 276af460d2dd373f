/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Streams: counted positions and state, one entry a direction. user/flow/conn is its twin. */
#ifndef MCPVIGIL_BPF_STREAM_H
#define MCPVIGIL_BPF_STREAM_H

#include "class.h"
#include "emit.h"
#include "maps.h"
#include "sock.h"

/* A sock's address may be used again. Its entry is another's where the inode number changed, or where somebody writes to a
 * unix sock without one that is alive: it is not accepted yet. (One that is gone took the bytes before it went.) */
static __always_inline bool stream_stale(const struct stream *s, const struct object *o, int end)
{
	u64 ino = object_ino(o, end);

	if (o->chan == CHAN_PIPE || !s->ino)
		return false;
	return ino ? ino != s->ino : end == END_WRITE && !o->gone;
}

static __always_inline void stream_fresh(struct stream *s, const struct object *o, int end)
{
	s->ino = object_ino(o, end);
	s->gen = o->chan == CHAN_UNIX ? bpf_ktime_get_boot_ns() :
		 o->chan == CHAN_PIPE ? object_key(o, end).ino :
					s->ino;
}

/* The entry of what @end of @o moves, made where there is none; NULL where the process opens too many. Sets the
 * key that user space knows. */
static __always_inline struct stream *stream_get(struct object *o, int end, u32 tgid,
						 struct ev_key *ret_key)
{
	struct ev_key k = object_key(o, end);
	struct stream *s = bpf_map_lookup_elem(&streams, &k);

	if (!k.obj)
		return NULL;
	if (!s || stream_stale(s, o, end)) {
		struct stream fresh = {};

		if (!budget_open(tgid))
			return NULL;
		stream_fresh(&fresh, o, end);
		bpf_map_update_elem(&streams, &k, &fresh, s ? BPF_ANY : BPF_NOEXIST);
		s = bpf_map_lookup_elem(&streams, &k);
		if (!s) {
			count(C_STREAMS_FULL, 1);
			return NULL;
		}
	}
	if (!s->ino)
		s->ino = object_ino(o, end);
	ret_key->obj = k.obj;
	ret_key->ino = s->gen;
	return s;
}

/* Move the counted position by @n; the position before. *ret_raced where two threads moved it at once (TIER_OLD,
 * which has neither fetch-add nor spin locks in tracing programs: plain add, read before and after). */
static __always_inline u64 stream_advance(const enum tier tier, struct stream *s, int end, u32 n,
					  bool *ret_raced)
{
	u64 *p = end == END_WRITE ? &s->pos[END_WRITE] : &s->pos[END_READ];
	u64 before;

	*ret_raced = false;
	if (tier == TIER_NEW)
		return __sync_fetch_and_add(p, n);
	before = *(volatile u64 *)p;
	__sync_fetch_and_add(p, n);
	*ret_raced = *(volatile u64 *)p - before != n;
	return before;
}

/* Undecided: do these bytes look like ours, so that they are to be copied? Decides for good once they do, or after too
 * much that does not. */
static __always_inline bool stream_look(struct stream *s, int c, u32 n)
{
	bool early = s->stdio || s->late;

	if (class_ours(c)) {
		s->state = S_CANDIDATE;
		return true;
	}
	s->looked += n;
	s->calls += c != CLASS_TEXT;
	if (s->looked <= (early ? STDIO_BYTES : UNDECIDED_BYTES) &&
	    (early || s->calls <= UNDECIDED_CALLS))
		return early || c == CLASS_TEXT;
	s->state = S_NO;
	return false;
}

#endif
