/* SPDX-License-Identifier: Apache-2.0 */
/* The paths of RPC_FIELDS as a tree of keys. */
#include "proto/rpc_path.h"

#include <pthread.h>

#include "proto/jsonrpc.h"

static const char *const paths[RPC_F_N] = {
#define X(name, path) [RPC_F_##name] = path,
	RPC_FIELDS(X)
#undef X
};

/* Derived from constants alone, and constant once made. */
static struct rpc_node tree[RPC_PATH_NODES];
static uint8_t field_node[RPC_F_N];
static bool good;
static pthread_once_t made = PTHREAD_ONCE_INIT;

/* Take the first key off @path: up to a '.', or what [] encloses. */
static struct sv key_cut(const char **path)
{
	const char *p = *path, *end;
	struct sv key;

	if (*p == '[') {
		end = strchr(p, ']');
		if (!end)
			return (struct sv){ 0 };
		key = (struct sv){ p + 1, (size_t)(end - p - 1) };
		end++;
	} else {
		key = (struct sv){ p, strcspn(p, ".") };
		end = p + key.n;
	}
	*path = *end == '.' ? end + 1 : end;
	return key;
}

uint8_t rpc_path_find(const struct rpc_node *t, uint8_t node, struct sv key)
{
	uint8_t n = t[node].child;

	while (n && !sv_eq(t[n].key, key))
		n = t[n].next;
	return n;
}

static bool path_add(unsigned int field, unsigned int *used)
{
	const char *path = paths[field];
	uint8_t at = RPC_PATH_ROOT, n;
	unsigned int depth = 0;

	while (*path) {
		struct sv key = key_cut(&path);

		if (key.n == 0 || key.n > RPC_KEY_MAX || ++depth > RPC_PATH_DEPTH)
			return false;
		n = rpc_path_find(tree, at, key);
		if (!n && *used == RPC_PATH_NODES)
			return false;
		if (!n) {
			n = (uint8_t)(*used)++;
			tree[n] = (struct rpc_node){
				.key = key, .field = -1, .parent = at, .next = tree[at].child
			};
			tree[at].child = n;
			for (uint8_t up = n; up; up = tree[up].parent)
				rpc_nodes_add(&tree[up].under, n);
		}
		at = n;
	}
	if (at == RPC_PATH_ROOT || tree[at].field >= 0)
		return false; /* empty, or the same path twice */
	tree[at].field = (int16_t)field;
	field_node[field] = at;
	return true;
}

static void make(void)
{
	unsigned int used = 1;

	good = true;
	tree[RPC_PATH_ROOT].field = -1;
	for (unsigned int f = 0; f < RPC_F_N; f++)
		good = good && path_add(f, &used);
}

const struct rpc_node *rpc_paths(void)
{
	pthread_once(&made, make);
	return good ? tree : NULL;
}

uint8_t rpc_path_node(unsigned int field)
{
	return field_node[field];
}
