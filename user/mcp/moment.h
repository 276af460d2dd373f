/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time of a message. 0: not seen. */
#ifndef MCPVIGIL_MCP_MOMENT_H
#define MCPVIGIL_MCP_MOMENT_H

#include "mcp/mcp.h"

static inline uint64_t moment_earlier(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* First byte on its way, at whichever end it was seen first. */
static inline uint64_t moment_first(const struct mcp_msg *msg)
{
	return moment_earlier(msg->t.first_w, msg->t.first_r);
}

/* Beginning of a request: over HTTP its head, which goes before. */
static inline uint64_t moment_begin(const struct mcp_msg *msg)
{
	uint64_t first = moment_first(msg);

	if (msg->http && !msg->http->in_response)
		return moment_earlier(first, msg->http->first_w);
	return first;
}

/* Complete: read where that was seen, else written. */
static inline uint64_t moment_end(const struct mcp_msg *msg)
{
	return msg->t.last_r ? msg->t.last_r : msg->t.last_w;
}

/* The latest we know of it. */
static inline uint64_t moment_latest(const struct mcp_msg *msg)
{
	uint64_t end = msg->t.last_r > msg->t.last_w ? msg->t.last_r : msg->t.last_w;
	uint64_t first = msg->t.first_r > msg->t.first_w ? msg->t.first_r : msg->t.first_w;

	return end > first ? end : first;
}

#endif
