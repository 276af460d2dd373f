/* SPDX-License-Identifier: Apache-2.0 */
/* A program with OpenSSL in it, to be linked statically and stripped. It is not run. */
#include <openssl/ssl.h>

int main(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *s = SSL_new(ctx);
	char buf[16];
	size_t n = 0;

	if (!s || !SSL_set_fd(s, 0) || SSL_do_handshake(s) != 1)
		return 1;
	SSL_write(s, "x", 1);
	SSL_write_ex(s, "y", 1, &n);
	SSL_peek(s, buf, sizeof(buf));
	SSL_read_ex(s, buf, sizeof(buf), &n);
	return SSL_read(s, buf, sizeof(buf));
}
