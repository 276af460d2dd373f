/* SPDX-License-Identifier: Apache-2.0 */
/* Owned strings. */
#ifndef MCPVIGIL_MCP_TEXT_H
#define MCPVIGIL_MCP_TEXT_H

#include "proto/jsonrpc.h"

/* A NUL-terminated copy; NULL for an empty view, and where memory fails. */
char *text_new(struct sv s);
/* A copy of a string value; NULL for anything else. */
char *text_of(const struct rpc_value *v);
/* Replace *@text by a copy of @v where @v is a string; else leave it. */
void text_set(char **text, const struct rpc_value *v);

#endif
