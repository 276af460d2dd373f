/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded hashing. */
#include "base/hash.h"

#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <xxhash.h>

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

uint64_t hash_bytes(const void *p, size_t n)
{
	pthread_once(&seeded, seed_init);
	return XXH3_64bits_withSeed(p, n, seed);
}
