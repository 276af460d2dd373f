/* SPDX-License-Identifier: Apache-2.0 */
/* cert KEYFILE CERTFILE: a key and its self-signed certificate, as PEM. */
#include <openssl/pem.h>
#include <stdio.h>

#include "../../vm/tls_cert.h"

int main(int c, char **v)
{
	FILE *k = c == 3 ? fopen(v[1], "w") : NULL, *x = c == 3 ? fopen(v[2], "w") : NULL;
	EVP_PKEY *key;
	X509 *cert;

	if (!k || !x || cert_make(&key, &cert) || !PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) ||
	    !PEM_write_X509(x, cert)) {
		fprintf(stderr, "cert: failed\n");
		return 1;
	}
	return fclose(k) || fclose(x);
}
