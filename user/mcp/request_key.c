/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of requests. */
#include "mcp/request_key.h"

static void put(struct request_key *k, const void *p, size_t n)
{
	memcpy(k->b + k->n, p, n);
	k->n += n;
}

void request_key_make(struct request_key *k, uint64_t exchange, uint64_t session, uint8_t asker,
		      const struct rpc_value *id)
{
	size_t len = id->text.n < RPC_VALUE_MAX ? id->text.n : RPC_VALUE_MAX;

	k->n = 0;
	put(k, &exchange, sizeof(exchange));
	put(k, &asker, 1);
	put(k, &id->type, 1);
	if (len > 0)
		put(k, id->text.p, len);
	if (id->cut)
		put(k, &id->hash, sizeof(id->hash));
	put(k, &session, sizeof(session));
}
