/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the marks of one message out of its tokens. For jsonrpc.c only. */
#ifndef MCPVIGIL_PROTO_MARKER_H
#define MCPVIGIL_PROTO_MARKER_H

#include "proto/json.h"
#include "proto/marks.h"

enum marker_member { MARKER_PARAMS, MARKER_RESULT, MARKER_ERROR };

struct marker;

/* About 30 KiB, for one message; NULL with ENOMEM. */
struct marker *marker_new(void);
void marker_free(struct marker *m);
/* The value of that member comes: its marks are made anew. */
void marker_begin(struct marker *m, enum marker_member member);
/* A token of the value begun last, up to its last one. */
void marker_token(struct marker *m, const struct json_token *t);
/* What was made of the values so far. @answer: which of MARKER_RESULT and MARKER_ERROR counts; marks of the other are
 * taken back. */
const struct rpc_marks *marker_get(struct marker *m, enum marker_member answer);
const struct rpc_tool *marker_tools(const struct marker *m, uint32_t *ret_n, bool *ret_cut);

#endif
