/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and HMAC-SHA256. */
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

static EVP_MD_CTX *digest(struct sha256 *s)
{
	return (EVP_MD_CTX *)s;
}

struct sha256 *sha256_new(void)
{
	EVP_MD *sha = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD_CTX *c = sha ? EVP_MD_CTX_new() : NULL;

	if (c && EVP_DigestInit_ex2(c, sha, NULL) != 1) {
		EVP_MD_CTX_free(c);
		c = NULL;
	}
	EVP_MD_free(sha); /* the context holds it */
	if (!c)
		errno = ENOMEM;
	return (struct sha256 *)c;
}

void sha256_free(struct sha256 *s)
{
	EVP_MD_CTX_free(digest(s));
}

int sha256_add(struct sha256 *s, const void *p, size_t n)
{
	return EVP_DigestUpdate(digest(s), p, n) == 1 ? 0 : -ENOMEM;
}

int sha256_end(struct sha256 *s, uint8_t ret_digest[SHA256_BYTES])
{
	unsigned int n = 0;

	if (EVP_DigestFinal_ex(digest(s), ret_digest, &n) == 1 && n == SHA256_BYTES &&
	    EVP_DigestInit_ex2(digest(s), NULL, NULL) == 1)
		return 0;
	memset(ret_digest, 0, SHA256_BYTES);
	return -ENOMEM;
}
