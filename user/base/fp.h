/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed fingerprints of JSON values.
 *
 * Inside the program a fingerprint is 128 bits of a seeded hash (struct fp): cheap, equal for equal values under one
 * key. What leaves the program goes through fp_hex, a keyed HMAC: who has no key cannot try values against it. */
#ifndef MCPVIGIL_BASE_FP_H
#define MCPVIGIL_BASE_FP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/sv.h"

/* All zero: absent. */
struct fp {
	uint64_t w[2];
};

static inline bool fp_is(const struct fp *f)
{
	return f->w[0] | f->w[1];
}

static inline bool fp_eq(const struct fp *a, const struct fp *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}

#define FP_KEY_BYTES 32
#define FP_KEY_FILE  "/var/lib/mcpvigil/fp.key" /* of the daemon, and what others take where they can read it */

/* The key of this process, before the first value is hashed: those of another key are not equal to any under this one.
 * Without it the key is random, for this run only. Not while another thread is in here. */
void fp_key_set(const uint8_t key[FP_KEY_BYTES]);
/* Read @path, or where it does not exist make it: FP_KEY_BYTES of the kernel's random source as hex, mode 0600, its
 * folder too (one level). 0; -errno of the file system; -EPERM where somebody besides root and us may write it, or it
 * is not ours; -EBADMSG: no key in it. */
int fp_key_load(const char *path, uint8_t ret_key[FP_KEY_BYTES]);

/* Seeded hash of @n bytes, never all zero. */
struct fp fp_bytes(const void *p, size_t n);
/* The same of what comes in pieces. */
struct fp_stream {
	struct hash128_stream hash;
};
void fp_begin(struct fp_stream *s);
void fp_add(struct fp_stream *s, const void *p, size_t n);
/* Of all added so far. */
struct fp fp_end(const struct fp_stream *s);
/* Hash of two fingerprints in this order; cheaper than fp_bytes of them. */
struct fp fp_pair(const struct fp *a, const struct fp *b);
/* 32 hex digits and NUL: the outer form; empty where memory lacks. @scope (at most 24 characters) keeps kinds apart:
 * "args", "result", "masked". */
void fp_hex(const struct fp *f, const char *scope, char ret_hex[33]);

#endif
