/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded hashing (xxHash). The 64-bit seed is random per run, since keys come from the wire; 128 bits come under a
 * secret that the caller holds. */
#ifndef MCPVIGIL_BASE_HASH_H
#define MCPVIGIL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Hash of @n bytes under the process's random seed (getrandom, once). */
uint64_t hash_bytes(const void *p, size_t n);

/* The same for everybody and for ever: for what is kept on disk and is no table's key. */
uint64_t hash_fixed(const void *p, size_t n);

#define HASH_SECRET_BYTES 192

struct hash128 {
	uint64_t w[2];
};

/* Hash of @n bytes. @secret: HASH_SECRET_BYTES of randomness. */
struct hash128 hash128_bytes(const void *p, size_t n, const uint8_t *secret);

/* The same of what comes in pieces; the state belongs to the library. */
struct hash128_stream {
	_Alignas(64) unsigned char state[576];
};

/* @secret must outlive @s. */
void hash128_begin(struct hash128_stream *s, const uint8_t *secret);
void hash128_add(struct hash128_stream *s, const void *p, size_t n);
/* Of all added so far. */
struct hash128 hash128_end(const struct hash128_stream *s);

#endif
