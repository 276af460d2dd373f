/* SPDX-License-Identifier: Apache-2.0 */
/* An elliptic curve's key: an RSA one takes seconds to find in an emulated guest. Written for OpenSSL 1.1.1 and later. */
#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "tls_cert.h"

#define DAY (24 * 3600L)

static EVP_PKEY *make_key(void)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *key = NULL;

	if (!c || EVP_PKEY_keygen_init(c) <= 0 ||
	    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(c, NID_X9_62_prime256v1) <= 0 || EVP_PKEY_keygen(c, &key) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(c);
	return key;
}

static int extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int ok = e && X509_add_ext(x, e, -1);

	X509_EXTENSION_free(e);
	return ok;
}

static int fill(X509 *x, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(x);

	return X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -DAY) && X509_gmtime_adj(X509_getm_notAfter(x), 7 * DAY) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0) &&
	       X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) &&
	       extension(x, NID_basic_constraints, "critical,CA:TRUE") &&
	       extension(x, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
	       X509_sign(x, key, EVP_sha256());
}

int cert_make(EVP_PKEY **key, X509 **cert)
{
	*key = make_key();
	*cert = X509_new();
	if (*key && *cert && fill(*cert, *key))
		return 0;
	EVP_PKEY_free(*key);
	X509_free(*cert);
	*key = NULL;
	*cert = NULL;
	return -1;
}
