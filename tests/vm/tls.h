/* SPDX-License-Identifier: Apache-2.0 */
/* TLS under a wire, by OpenSSL, in each way in which programs use it. Weak: the static pair is linked without. */
#ifndef MCPVIGIL_TESTS_TLS_H
#define MCPVIGIL_TESTS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum tls_way {
	TLS_NONE,
	TLS_FD,	 /* the library reads and writes a blocking socket: curl, CPython's ssl */
	TLS_NB,	 /* ... a non-blocking one: calls are refused, repeated and taken in part: nginx */
	TLS_MEM, /* ciphertext goes through memory, the program moves it: asyncio, Node */
};

struct tls;
#define TLS_WEAK __attribute__((weak))

/* On the connected socket @fd. Whatever goes wrong here ends the process. */
struct tls *tls_new(int fd, bool server, enum tls_way way) TLS_WEAK;
/* One call of the library that succeeds: bytes moved, not all of @n perhaps; 0: end of the stream, reading. */
size_t tls_move(struct tls *t, char *p, size_t n, bool out) TLS_WEAK;
/* Bytes come into @p that the next tls_move brings again. */
void tls_peek(struct tls *t, char *p, size_t n) TLS_WEAK;
/* What was written is on its way. */
void tls_flush(struct tls *t) TLS_WEAK;
/* Takes NULL. */
void tls_free(struct tls *t) TLS_WEAK;

#endif
