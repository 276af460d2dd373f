/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML document as a bounded tree. No anchors, aliases, tags or second documents; duplicate keys are errors. */
#ifndef MCPVIGIL_CONFIG_YAML_H
#define MCPVIGIL_CONFIG_YAML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

#define TREE_BYTES (1U << 20) /* of a document */
#define TREE_NODES 16384
#define TREE_WIDTH 512	/* children of one node */
#define TREE_DEPTH 16

enum tree_kind { TREE_TEXT, TREE_LIST, TREE_MAP };

struct tree_node {
	uint8_t kind;
	bool quoted;   /* TREE_TEXT: written with quotes or as a block */
	uint32_t line; /* from 1 */
	uint32_t n;    /* children */
	struct sv key;	/* of a map's child; ends with a NUL that is not counted, like the text */
	struct sv text; /* TREE_TEXT; no NUL inside */
	struct tree_node *child, *last, *next, *parent;
};

struct tree_error {
	uint32_t line;
	char why[192];
};

struct tree;

/* NULL with @ret_error. An empty document is an empty map. */
struct tree *tree_parse(struct sv text, struct tree_error *ret_error);
const struct tree_node *tree_root(const struct tree *t);
void tree_free(struct tree *t);

/* true for nothing, "~" and "null" without quotes. */
bool tree_is_null(const struct tree_node *n);

#endif
