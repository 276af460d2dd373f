/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA256 (RFC 2104), by OpenSSL. */
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

#endif
