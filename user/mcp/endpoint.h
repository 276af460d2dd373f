/* SPDX-License-Identifier: Apache-2.0 */
/* Old HTTP+SSE (2024-11-05): the POSTs go to a URI that the GET stream announces. */
#ifndef MCPVIGIL_MCP_ENDPOINT_H
#define MCPVIGIL_MCP_ENDPOINT_H

#include "mcp/session_key.h"

/* Where POSTs go, resolved against the GET's own target; a view into one of both, or two pieces. */
struct endpoint {
	struct sv host;	   /* empty: the GET's own */
	struct sv dir, path; /* the target is these two, one behind the other */
};

/* @base: target of the GET; @uri: as announced, absolute or relative. */
void endpoint_resolve(struct sv base, struct sv uri, struct endpoint *ret_e);
/* The session of POSTs to this target at this host. */
struct session_key endpoint_key(struct sv host, const struct endpoint *e);
/* A target that names a session in its query, as these do ("/messages?sessionId=..."). */
bool endpoint_is(struct sv target);
/* @target without its query. */
struct sv endpoint_path(struct sv target);

#endif
