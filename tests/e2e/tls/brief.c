/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is gone before anybody can look at it: one TLS connection with itself, one message each way. */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "loopback.h"

static int say(SSL *from, SSL *to, const char *what)
{
	char got[200] = "";
	int n = (int)strlen(what);

	return SSL_write(from, what, n) == n && SSL_read(to, got, sizeof(got)) == n && !memcmp(what, got, (size_t)n);
}

int main(void)
{
	struct loopback l;
	int ok = !loopback_open(&l, 0) &&
		 say(l.client, l.server, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n") &&
		 say(l.server, l.client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");

	if (!ok)
		ERR_print_errors_fp(stderr);
	loopback_close(&l);
	return !ok;
}
