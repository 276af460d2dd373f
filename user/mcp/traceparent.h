/* SPDX-License-Identifier: Apache-2.0 */
/* W3C traceparent: "00-<32 hex>-<16 hex>-<2 hex>", as MCP carries it in params._meta (SEP-414). */
#ifndef MCPVIGIL_MCP_TRACEPARENT_H
#define MCPVIGIL_MCP_TRACEPARENT_H

#include "base/sv.h"

/* Both stay untouched where @s is not well-formed or all zero, which W3C calls invalid. */
void traceparent_parse(struct sv s, char **ret_trace_id, char **ret_span_id);

#endif
