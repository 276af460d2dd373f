/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of mcp/: one stdio channel between two processes. */
#ifndef MCPVIGIL_TESTS_MCP_CHANNEL_H
#define MCPVIGIL_TESTS_MCP_CHANNEL_H

#include "mcp_words.h"

enum { UP = 11, DOWN = 12, CLIENT = 100, SERVER = 200 };

static inline void channel_up(struct peers *p, struct rpc_msg r)
{
	words_say(p, words_line(p, UP, CLIENT, SERVER), r);
}

static inline void channel_down(struct peers *p, struct rpc_msg r)
{
	words_say(p, words_line(p, DOWN, SERVER, CLIENT), r);
}

static inline void channel_begin(struct peers *p, const struct mcp_caps *caps)
{
	peers_init(p, caps);
	mcp_stdio_set(p->m, UP, DOWN, words_proc(SERVER));
	channel_up(p, words_request("0", "initialize"));
	channel_down(p, words_welcome("0"));
	channel_up(p, words_note("notifications/initialized"));
	assert_said(p, "call s1 client 0 initialize ok", 1);
}

/* The call that was reported last. */
static inline struct call *channel_last(struct peers *p)
{
	assert_true(p->calls > 0);
	return p->call[p->calls - 1];
}

#endif
