/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, and HMAC-SHA256 (RFC 2104), by OpenSSL. */
#ifndef MCPVIGIL_BASE_HMAC_H
#define MCPVIGIL_BASE_HMAC_H

#include <stdint.h>

#include "base/sv.h"

#define HMAC_BYTES 32

/* A key made ready, for one thread at a time: a sum costs a sixth of what hmac_sha256 does. */
struct hmac;
/* NULL with ENOMEM. */
struct hmac *hmac_new(struct sv key);
void hmac_free(struct hmac *h);
/* 0; -ENOMEM where the library fails, then @ret_mac is all zero. */
int hmac_sum(struct hmac *h, struct sv data, uint8_t ret_mac[HMAC_BYTES]);
/* The same once. */
int hmac_sha256(struct sv key, struct sv data, uint8_t ret_mac[HMAC_BYTES]);

#define SHA256_BYTES 32

/* SHA-256 of what comes in pieces. Making it may read the library's configuration; adding and ending make no system call. */
struct sha256;
/* NULL with ENOMEM. */
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *s);
/* 0, or -ENOMEM where the library fails. */
int sha256_add(struct sha256 *s, const void *p, size_t n);
/* Of all added since the start; then it starts again. 0 or -ENOMEM. */
int sha256_end(struct sha256 *s, uint8_t ret_digest[SHA256_BYTES]);

#endif
