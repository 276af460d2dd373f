/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in and out of text: checked parsing, sizes and durations for people. */
#ifndef MCPVIGIL_BASE_NUM_H
#define MCPVIGIL_BASE_NUM_H

#include <stdint.h>

#include "base/sv.h"

/* Whole of @s as a decimal, no sign, no space. 0, -EINVAL, -ERANGE. */
int num_u64(struct sv s, uint64_t *ret_v);
/* Whole of @s as a decimal with optional '-'. 0, -EINVAL, -ERANGE. */
int num_i64(struct sv s, int64_t *ret_v);
/* Exactly @n bytes as pairs of lower-case hexadecimal digits. 0, -EINVAL. */
int num_hex(struct sv s, uint8_t *ret, size_t n);
/* "500ms", "2s", "1.5s", "10us", "3m", "1h"; a bare number is an error. Result in ns. */
int num_duration(struct sv s, uint64_t *ret_ns);
/* "64k", "8M", "1G" (powers of 1024) or plain bytes. */
int num_size(struct sv s, uint64_t *ret_bytes);
/* 1234567 ns -> "1.23ms"; always at most 8 characters. */
void num_show_ns(uint64_t ns, char ret_s[16]);
/* 400123 -> "391K". */
void num_show_bytes(uint64_t bytes, char ret_s[16]);

#endif
