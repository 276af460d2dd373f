/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC over HTTP: which session a message belongs to, and whether it is MCP. */
#ifndef MCPVIGIL_MCP_HTTP_H
#define MCPVIGIL_MCP_HTTP_H

#include "mcp/state.h"

void http_feed(struct mcp *m, const struct mcp_msg *msg);
void http_done(struct mcp *m, const struct mcp_http *http, uint64_t ts);
void http_endpoint(struct mcp *m, const struct mcp_http *http, struct sv uri, uint64_t ts);
void http_tick(struct mcp *m);
void http_flush(struct mcp *m);

#endif
