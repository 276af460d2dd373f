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

/* The word of the stream of hash @h; where it has none, the one that matters least. */
static uint64_t *verdict_word(const struct probe *p, uint64_t h, uint64_t *ret_now)
{
	uint64_t *set = p->verdicts + (h & (VERDICT_SETS - 1)) * VERDICT_WAYS, *at = set;

	*ret_now = ~0ull;
	for (int i = 0; i < VERDICT_WAYS; i++) {
		uint64_t now = __atomic_load_n(&set[i], __ATOMIC_RELAXED);

		if (now >> 8 == h >> 8 || (uint8_t)now < (uint8_t)*ret_now) {
			at = &set[i];
			*ret_now = now;
		}
		if (now >> 8 == h >> 8)
			break;
	}
	return at;
}

/* Ciphertext is the kernel side's to judge: what came of it while it was taken for text is no reason to leave it alone. */
static bool verdict_stays(uint8_t now, uint8_t code)
{
	return now == V_SELF || (now == V_TLS && code != V_SELF);
}

void probe_verdict(struct probe *p, const struct ev_key *key, uint8_t code)
{
	uint64_t h = key_hash(key), now, *w = verdict_word(p, h, &now);
	bool own = now >> 8 == h >> 8;

	if (own ? verdict_stays(now, code) : code == V_NONE)
		return;
	if (!own && (uint8_t)now >= V_RPC)
		__atomic_fetch_add(&p->losses[C_VERDICTS_FULL], 1, __ATOMIC_RELAXED);
	__atomic_store_n(w, (h & ~0xffull) | code, __ATOMIC_RELAXED);
}

void probe_verdicts(struct probe *p, uint64_t ret[7])
{
	for (int i = 0; i < 7; i++)
		ret[i] = 0;
	for (uint32_t i = 0; i < VERDICT_SETS * VERDICT_WAYS; i++) {
		uint64_t w = __atomic_load_n(&p->verdicts[i], __ATOMIC_RELAXED);
		uint8_t code = w;

		if (!w)
			continue;
		ret[code >= V_NO && code <= V_SELF ? code - V_NO + 1 : 0]++;
	}
}
