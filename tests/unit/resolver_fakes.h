/* SPDX-License-Identifier: Apache-2.0 */
/* What runs in the resolver's child instead of resolve_fd. */
#ifndef MCPVIGIL_TESTS_RESOLVER_FAKES_H
#define MCPVIGIL_TESTS_RESOLVER_FAKES_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "event_tls.h"
#include "resolve/resolve.h"

/* One point, true of any file: at 4200, in a function at 4100. The evidence is a byte of the file. */
static inline int finds(int fd, struct tls_found *ret)
{
	struct tls_point *p = &ret->point[0];
	uint8_t bytes[104];
	char fill;

	if (pread(fd, bytes, sizeof(bytes), 4100) != (ssize_t)sizeof(bytes) || pread(fd, &fill, 1, 4) != 1)
		return -EBADMSG;
	ret->n = 1;
	*p = (struct tls_point){ .offset = 4200, .func = 4100, .fn = TLS_F_SSL_READ, .stack = TLS_OPENSSL, .nbytes = 4 };
	memcpy(p->bytes, bytes + 100, 4);
	p->hash = hash_fixed(bytes, sizeof(bytes));
	snprintf(ret->evidence, sizeof(ret->evidence), "filled with %c", fill);
	return 0;
}

static inline int crashes(int fd, struct tls_found *ret)
{
	(void)fd;
	(void)ret;
	__builtin_trap();
}

static inline int spins(int fd, struct tls_found *ret)
{
	(void)fd;
	(void)ret;
	for (;;)
		__asm__ volatile("");
	return 0;
}

#endif
