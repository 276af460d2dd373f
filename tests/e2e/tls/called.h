/* SPDX-License-Identifier: Apache-2.0 */
/* A library with functions like those of OpenSSL, whose results a caller can foretell. Its names are its own, so that an agent
 * that runs beside the test leaves it alone. */
#ifndef MCPVIGIL_TESTS_CALLED_H
#define MCPVIGIL_TESTS_CALLED_H

#include <stddef.h>

#define CALLED_SLOW 11 /* a call for so many bytes takes 3 ms */

struct called;

struct called *called_new(void *key); /* of one byte */
void called_free(struct called *s);
/* @num bytes of the key; -1 for multiples of seven. */
int called_read(struct called *s, void *buf, int num);
/* @num, one less where the first byte is the key; -1 for multiples of five. */
int called_write(struct called *s, const void *buf, int num);
/* 1 and the count, or 0. */
int called_read_ex(struct called *s, void *buf, size_t num, size_t *n);
int called_write_ex(struct called *s, const void *buf, size_t num, size_t *n);

#endif
