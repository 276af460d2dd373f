/* SPDX-License-Identifier: Apache-2.0 */
/* The paths of RPC_FIELDS as a tree of keys, for jsonrpc.c only. */
#ifndef MCPVIGIL_PROTO_RPC_PATH_H
#define MCPVIGIL_PROTO_RPC_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

#define RPC_PATH_NODES 192 /* keys in the tree at most, the root included */
#define RPC_PATH_DEPTH 6   /* keys in a path at most */
#define RPC_KEY_MAX    64  /* bytes of a key at most */
#define RPC_PATH_ROOT  0

/* A set of nodes. */
struct rpc_nodes {
	uint64_t w[RPC_PATH_NODES / 64];
};

/* 0 is the root and, in the links, none: nobody links to the root. */
struct rpc_node {
	struct sv key;
	struct rpc_nodes under; /* this node and all below it */
	int16_t field;		/* enum rpc_field, or -1 */
	uint8_t parent, child, next;
};

static inline bool rpc_nodes_has(const struct rpc_nodes *s, uint8_t node)
{
	return s->w[node / 64] >> (node % 64) & 1;
}

static inline void rpc_nodes_add(struct rpc_nodes *s, uint8_t node)
{
	s->w[node / 64] |= 1ULL << (node % 64);
}

static inline void rpc_nodes_sub(struct rpc_nodes *s, const struct rpc_nodes *gone)
{
	for (unsigned int i = 0; i < RPC_PATH_NODES / 64; i++)
		s->w[i] &= ~gone->w[i];
}

/* The tree, made at the first call and constant afterwards. NULL where a path of RPC_FIELDS breaks
 * a cap above. */
const struct rpc_node *rpc_paths(void);
/* The child of @node under @key, or 0. */
uint8_t rpc_path_find(const struct rpc_node *tree, uint8_t node, struct sv key);
/* The node of enum rpc_field @field. */
uint8_t rpc_path_node(unsigned int field);

#endif
