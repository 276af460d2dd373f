/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verdict words: what user space made of a stream. */
#ifndef MCPVIGIL_BPF_VERDICT_H
#define MCPVIGIL_BPF_VERDICT_H

#include "maps.h"

/* Also computed in user/probe/verdict.c: keep alike. */
static __always_inline u64 key_hash(const struct ev_key *k)
{
	u64 h = k->obj * 0x9e3779b97f4a7c15ULL ^ k->ino * 0xc2b2ae3d27d4eb4fULL;

	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9ULL;
	return h ^ h >> 32;
}

static __always_inline struct verdict_set *verdict_set(u64 hash)
{
	u32 slot = hash & (VERDICT_SETS - 1);

	return bpf_map_lookup_elem(&verdicts, &slot);
}

/* enum verdict_code of the stream; V_NONE where it has no word. */
static __always_inline u8 verdict_get(const struct ev_key *k)
{
	u64 h = key_hash(k);
	struct verdict_set *s = verdict_set(h);

	for (int i = 0; s && i < VERDICT_WAYS; i++) {
		u64 w = *(volatile u64 *)&s->w[i];

		if (w >> 8 == h >> 8)
			return (u8)w;
	}
	return V_NONE;
}

/* Its word, else one that is free, else one that matters least. Never over what is known of another stream's JSON-RPC. */
static __always_inline void verdict_put(const struct ev_key *k, u8 code)
{
	u64 h = key_hash(k), *at = NULL;
	struct verdict_set *s = verdict_set(h);
	u8 least = V_RPC;

	for (int i = 0; s && i < VERDICT_WAYS; i++) {
		u64 *w = &s->w[i];

		if (*w >> 8 == h >> 8) {
			at = w;
			break;
		}
		if ((u8)*w < least) {
			least = (u8)*w;
			at = w;
		}
	}
	if (at)
		*at = (h & ~0xffULL) | code;
	else
		count(C_VERDICTS_FULL, 1);
}

#endif
