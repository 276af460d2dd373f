/* SPDX-License-Identifier: Apache-2.0 */
/* Verdict words: written through mmap, read by the programs at their next call on the stream. */
#include "probe/load.h"

/* The twin of bpf/stream.h's key_hash: keep alike. */
static uint64_t key_hash(const struct ev_key *k)
{
	uint64_t h = k->obj * 0x9e3779b97f4a7c15ull ^ k->ino * 0xc2b2ae3d27d4eb4full;

	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9ull;
	return h ^ h >> 32;
}

void probe_verdict(struct probe *p, const struct ev_key *key, uint8_t code)
{
	uint64_t h = key_hash(key), *w = &p->verdicts[h & (VERDICTS_MAX - 1)];
	uint64_t now = __atomic_load_n(w, __ATOMIC_RELAXED);

	if (now >> 8 == h >> 8 && (uint8_t)now == V_SELF)
		return;
	__atomic_store_n(w, (h & ~0xffull) | code, __ATOMIC_RELAXED);
}

void probe_verdicts(struct probe *p, uint64_t ret[7])
{
	for (int i = 0; i < 7; i++)
		ret[i] = 0;
	for (uint32_t i = 0; i < VERDICTS_MAX; i++) {
		uint64_t w = __atomic_load_n(&p->verdicts[i], __ATOMIC_RELAXED);
		uint8_t code = w;

		if (!w)
			continue;
		ret[code >= V_NO && code <= V_SELF ? code - V_NO + 1 : 0]++;
	}
}
