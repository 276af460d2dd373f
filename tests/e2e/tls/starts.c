/* SPDX-License-Identifier: Apache-2.0 */
/* TLS connections within this process that begin with binary data: starts CONNECTIONS TEXT. The one numbered TEXT, from 1 on,
 * begins with text. Says "ready", makes them once a line comes, says "done", and stays until its input ends. */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loopback.h"

static const char binary[] = "\x00\x00\x00\x1d\x00\x12\x00\x03\x00\x00\x00\x01\x00\x07 a broker";

static int say(SSL *from, SSL *to, const char *what, int n)
{
	char got[200] = "";

	return SSL_write(from, what, n) == n && SSL_read(to, got, sizeof(got)) == n && !memcmp(what, got, (size_t)n);
}

static int start(int text)
{
	const char *what = text ? "GET / HTTP/1.1\r\n\r\n" : binary;
	int n = text ? (int)strlen(what) : (int)sizeof(binary);
	struct loopback l;
	int ok = !loopback_open(&l, 0) && say(l.client, l.server, what, n) && say(l.server, l.client, what, n);

	if (!ok)
		ERR_print_errors_fp(stderr);
	loopback_close(&l);
	return ok;
}

int main(int c, char **v)
{
	long count = c == 3 ? strtol(v[1], NULL, 10) : 0, text = c == 3 ? strtol(v[2], NULL, 10) : 0;
	int ok = count > 0;
	char byte;

	puts("ready");
	fflush(stdout);
	if (read(0, &byte, 1) != 1)
		return 1;
	for (long i = 1; ok && i <= count; i++)
		ok = start(i == text);
	puts(ok ? "done" : "failed");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return !ok;
}
