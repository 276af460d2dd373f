/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of HTTP exchanges: by id, by endpoint, by peers, by what a modern client says of itself. */
#ifndef MCPVIGIL_MCP_HTTP_SESSION_H
#define MCPVIGIL_MCP_HTTP_SESSION_H

#include "mcp/exchange.h"
#include "mcp/session.h"

/* There is a session that the message would belong to. */
bool http_session_known(struct mcp *m, const struct exchange *x, const struct mcp_msg *msg);
/* The session of @msg, found or new, is @x's from now on. 0 or -ENOMEM. */
int http_session_join(struct mcp *m, struct exchange *x, const struct mcp_msg *msg);
/* @x's session, if it is that of an initialize alone, becomes what the head of the answer makes it: the session with
 * this id, or where @id is empty the one of these peers. */
void http_session_settle(struct mcp *m, struct exchange *x, struct sv id);
/* The session with this id; @server may be unknown. NULL. */
struct session *http_session_by_id(struct mcp *m, struct sv id, const struct net_addr *server);
/* The session of the endpoint that the stream @x announced; NULL with ENOMEM. */
struct session *http_session_endpoint(struct mcp *m, struct exchange *x, const struct mcp_http *http,
				      struct sv uri);

#endif
