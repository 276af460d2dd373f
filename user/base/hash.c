/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded hashing. */
#include "base/hash.h"

#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#define XXH_STATIC_LINKING_ONLY /* the size of its state; no call that the shared library lacks is made */
#include <xxhash.h>

_Static_assert(sizeof(XXH3_state_t) <= sizeof(struct hash128_stream), "the library's state fits");
_Static_assert(_Alignof(XXH3_state_t) <= _Alignof(struct hash128_stream), "and is aligned");
_Static_assert(HASH_SECRET_BYTES >= XXH3_SECRET_SIZE_MIN, "the secret is long enough");

static uint64_t seed;
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void seed_init(void)
{
	const void *random;

	if (getrandom(&seed, sizeof(seed), 0) == sizeof(seed))
		return;
	/* Only a system call filter refuses it; the kernel left 16 random bytes at exec as well. */
	random = (const void *)getauxval(AT_RANDOM);
	if (random)
		memcpy(&seed, random, sizeof(seed));
}

uint64_t hash_fixed(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

uint64_t hash_bytes(const void *p, size_t n)
{
	pthread_once(&seeded, seed_init);
	return XXH3_64bits_withSeed(p, n, seed);
}

struct hash128 hash128_bytes(const void *p, size_t n, const uint8_t *secret)
{
	XXH128_hash_t h = XXH3_128bits_withSecret(p, n, secret, HASH_SECRET_BYTES);

	return (struct hash128){ { h.low64, h.high64 } };
}

void hash128_begin(struct hash128_stream *s, const uint8_t *secret)
{
	XXH3_state_t *x = (XXH3_state_t *)s->state;

	XXH3_INITSTATE(x);
	XXH3_128bits_reset_withSecret(x, secret, HASH_SECRET_BYTES);
}

void hash128_add(struct hash128_stream *s, const void *p, size_t n)
{
	XXH3_128bits_update((XXH3_state_t *)s->state, p, n);
}

struct hash128 hash128_end(const struct hash128_stream *s)
{
	XXH128_hash_t h = XXH3_128bits_digest((const XXH3_state_t *)s->state);

	return (struct hash128){ { h.low64, h.high64 } };
}
