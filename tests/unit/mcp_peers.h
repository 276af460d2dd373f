/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of mcp/: messages made by hand, and a recorder of what comes out. */
#ifndef MCPVIGIL_TESTS_MCP_PEERS_H
#define MCPVIGIL_TESTS_MCP_PEERS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mcp/mcp.h"

#define LOG_MAX 512
#define MS	NSEC_PER_MSEC

/* Everything reported, each as a line of text, in order. */
struct peers {
	struct mcp *m;
	uint64_t now;
	struct call *call[LOG_MAX];
	size_t calls;
	char line[LOG_MAX][256];
	size_t lines;
};

__attribute__((format(printf, 2, 3))) static inline void peers_log(struct peers *p, const char *fmt, ...)
{
	va_list ap;

	if (p->lines == LOG_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(p->line[p->lines++], sizeof(p->line[0]), fmt, ap);
	va_end(ap);
}

/* "call s1 client 1 tools/call ok" */
static inline void peers_call(void *ctx, struct call *c)
{
	struct peers *p = ctx;

	peers_log(p, "call %s %s %s %s %s", c->session, c->from == SIDE_CLIENT ? "client" : "server",
		  c->has_id ? c->id : "-", c->method ? c->method : "-", call_outcome_names[c->outcome]);
	if (p->calls < LOG_MAX)
		p->call[p->calls++] = c;
	else
		call_free(c);
}

static inline void peers_note(void *ctx, struct note *n)
{
	peers_log(ctx, "note %s %s %s", n->session, n->from == SIDE_CLIENT ? "client" : "server", n->method);
}

static inline void peers_session(void *ctx, const struct session_event *e)
{
	static const char *const eras[] = { "-", "legacy", "modern" };
	static const char *const transports[] = { "-", "stdio", "http", "sse" };

	if (e->end)
		peers_log(ctx, "end %s %s %u %u server=%s", e->session, e->reason, (unsigned int)e->calls,
			  (unsigned int)e->errors, e->server_name ? e->server_name : "-");
	else
		peers_log(ctx, "start %s %s %s%s client=%s server=%s version=%s", e->session,
			  transports[e->route.transport], eras[e->route.era], e->late ? " late" : "",
			  e->client_name ? e->client_name : "-", e->server_name ? e->server_name : "-",
			  e->protocol_version ? e->protocol_version : "-");
}

static inline void peers_finding(void *ctx, const struct finding *f)
{
	peers_log(ctx, "finding %s %s %u %s", f->name, f->session ? f->session : "-",
		  (unsigned int)f->count, f->evidence ? f->evidence : "-");
}

static inline void peers_verdict(void *ctx, uint64_t stream, bool is_mcp)
{
	peers_log(ctx, "verdict %u %s", (unsigned int)stream, is_mcp ? "mcp" : "other");
}

static inline void peers_init(struct peers *p, const struct mcp_caps *caps)
{
	const struct mcp_caps usual = MCP_CAPS_DEFAULT;
	const struct mcp_ops ops = { peers_call,    peers_note,	   peers_session,
				     peers_finding, peers_verdict, p };

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
