/* SPDX-License-Identifier: Apache-2.0 */
/* A key and the certificate that it signed for itself: tests bring their own. */
#ifndef MCPVIGIL_TESTS_TLS_CERT_H
#define MCPVIGIL_TESTS_TLS_CERT_H

#include <openssl/evp.h>
#include <openssl/x509.h>

/* For localhost, 127.0.0.1 and ::1, a week long, an authority for itself. 0, or -1: OpenSSL's error queue says why. */
int cert_make(EVP_PKEY **key, X509 **cert);

#endif
