/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a TLS connection in one thread. */
#ifndef MCPVIGIL_TESTS_LOOPBACK_H
#define MCPVIGIL_TESTS_LOOPBACK_H

#include <openssl/ssl.h>

struct loopback {
	SSL_CTX *server_ctx, *client_ctx;
	SSL *server, *client;
	int fd[2]; /* of TCP; -1 */
};

/* Connected, the handshake done: through memory alone, or over TCP (@tcp) by SSL_set_fd. 0, or -1: OpenSSL's error queue or
 * errno says why. */
int loopback_open(struct loopback *l, int tcp);
/* The same connection goes on through memory, without system calls. 0, or -1. */
int loopback_unplug(struct loopback *l);
void loopback_close(struct loopback *l);

#endif
