/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded 64-bit hashing (xxHash). The seed is random per run: keys come from the wire. */
#ifndef MCPVIGIL_BASE_HASH_H
#define MCPVIGIL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Hash of @n bytes under the process's random seed (getrandom, once). */
uint64_t hash_bytes(const void *p, size_t n);

#endif
