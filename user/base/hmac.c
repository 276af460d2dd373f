/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA256. */
#include "base/hmac.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/* The library's context is ours under another name. */
static EVP_MAC_CTX *context(struct hmac *h)
{
	return (EVP_MAC_CTX *)h;
}

struct hmac *hmac_new(struct sv key)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *c = mac ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac); /* the context holds it */
	if (c && EVP_MAC_init(c, (const unsigned char *)(key.n ? key.p : ""), key.n, params) == 1)
		return (struct hmac *)c;
	EVP_MAC_CTX_free(c);
	errno = ENOMEM;
	return NULL;
}

void hmac_free(struct hmac *h)
{
	EVP_MAC_CTX_free(context(h));
}

int hmac_sum(struct hmac *h, struct sv data, uint8_t ret_mac[HMAC_BYTES])
{
	EVP_MAC_CTX *c = context(h);
	size_t n = 0;

	/* Without a key the one before is used again. */
	if (EVP_MAC_init(c, NULL, 0, NULL) == 1 &&
	    EVP_MAC_update(c, (const unsigned char *)(data.n ? data.p : ""), data.n) == 1 &&
	    EVP_MAC_final(c, ret_mac, &n, HMAC_BYTES) == 1 && n == HMAC_BYTES)
		return 0;
	memset(ret_mac, 0, HMAC_BYTES);
	return -ENOMEM;
}

int hmac_sha256(struct sv key, struct sv data, uint8_t ret_mac[HMAC_BYTES])
{
	struct hmac *h = hmac_new(key);
	int err;

	memset(ret_mac, 0, HMAC_BYTES);
	if (!h)
		return -ENOMEM;
	err = hmac_sum(h, data, ret_mac);
	hmac_free(h);
	return err;
}
