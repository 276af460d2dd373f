/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of mcp/: peers that talk, and what was said of them. */
#ifndef MCPVIGIL_TESTS_MCP_PEERS_H
#define MCPVIGIL_TESTS_MCP_PEERS_H

#include "mcp_told.h"

static inline void peers_init(struct peers *p, const struct mcp_caps *caps)
{
	const struct mcp_caps usual = MCP_CAPS_DEFAULT;
	const struct mcp_ops ops = {
		.asked = peers_asked,
		.withdrawn = peers_withdrawn,
		.call = peers_call,
		.logical = peers_logical,
		.note = peers_note,
		.session = peers_session,
		.finding = peers_finding,
		.verdict = peers_verdict,
		.passes = peers_passes,
		.ctx = p,
		.verdict_ctx = p,
	};

	memset(p, 0, sizeof(*p));
	p->now = 1000 * NSEC_PER_SEC;
	p->m = mcp_new(caps ? caps : &usual, &ops);
	assert_non_null(p->m);
}

/* Forget what was said, to make room for more. */
static inline void peers_forget(struct peers *p)
{
	for (size_t i = 0; i < p->calls; i++)
		call_free(p->call[i]);
	p->calls = 0;
	p->lines = 0;
}

static inline void peers_done(struct peers *p)
{
	mcp_free(p->m);
	peers_forget(p);
}

/* Lines that begin with @prefix. */
static inline size_t peers_count(const struct peers *p, const char *prefix)
{
	size_t n = 0;

	for (size_t i = 0; i < p->lines; i++)
		n += strncmp(p->line[i], prefix, strlen(prefix)) == 0;
	return n;
}

#define assert_said(p, prefix, times)                                                            \
	do {                                                                                     \
		if (peers_count(p, prefix) != (size_t)(times)) {                                 \
			for (size_t i_ = 0; i_ < (p)->lines; i_++)                               \
				print_message("%s\n", (p)->line[i_]);                            \
			fail_msg("\"%s\": %zu times, not %d", prefix, peers_count(p, prefix), times); \
		}                                                                                \
	} while (0)

/* Time passes, with a tick each 100 ms. */
static inline void peers_wait(struct peers *p, unsigned int ms)
{
	for (unsigned int i = 0; i < ms; i += 100) {
		p->now += 100 * MS;
		mcp_tick(p->m, p->now);
	}
}

#endif
