/* SPDX-License-Identifier: Apache-2.0 */
/* Which servers and tools have been seen. */
#include "detect/alerts_known.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct name {
	struct table_node node;
	uint64_t key[2]; /* hash of the server; of the tool, 0 for the server itself */
	uint64_t first;
};

int known_init(struct known *k, uint32_t max)
{
	k->begin = 0;
	return table_init(&k->names, max);
}

void known_done(struct known *k)
{
	while (k->names.oldest) {
		struct table_node *n = k->names.oldest;

		table_del(&k->names, n);
		free(table_entry(n, struct name, node));
	}
	table_done(&k->names);
}

static uint64_t hash_of(const char *s)
{
	return hash_bytes(s, strlen(s));
}

/* Since when it is known; @now where it was not. */
static uint64_t meet(struct known *k, const uint64_t key[2], uint64_t now)
{
	struct table_node *node = table_get(&k->names, key, 2 * sizeof(key[0]));
	struct name *name;

	if (node)
		return table_entry(node, struct name, node)->first;
	name = calloc(1, sizeof(*name));
	if (!name)
		return now;
	memcpy(name->key, key, sizeof(name->key));
	name->first = now;
	node = table_add(&k->names, &name->node, name->key, sizeof(name->key));
	if (node)
		free(table_entry(node, struct name, node));
	return now;
}

static bool has(const struct known *k, const uint64_t key[2])
{
	return table_peek(&k->names, key, 2 * sizeof(key[0])) != NULL;
}

bool known_new_server(struct known *k, const char *server, uint64_t now, uint64_t learn_ns)
{
	uint64_t key[2] = { hash_of(server), 0 };
	bool fresh = !has(k, key);

	if (!k->begin)
		k->begin = now;
	meet(k, key, now);
	return fresh && now - k->begin > learn_ns;
}

bool known_new_tool(struct known *k, const char *server, const char *tool, uint64_t now, uint64_t learn_ns)
{
	uint64_t of_server[2] = { hash_of(server), 0 };
	uint64_t key[2] = { of_server[0], hash_of(tool) };
	bool fresh = !has(k, key);
	uint64_t first = meet(k, of_server, now);

	meet(k, key, now);
	return fresh && now - first > learn_ns;
}
