/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of mcp/: a recorder of what comes out. */
#ifndef MCPVIGIL_TESTS_MCP_TOLD_H
#define MCPVIGIL_TESTS_MCP_TOLD_H

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
	bool tell_asked; /* requests under way are told, too */
	uint64_t total_ns; /* of the last logical call */
	int64_t code;
	bool (*passes)(void *ctx, const struct proc_id *proc);
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

static inline void peers_asked(void *ctx, const struct call *c)
{
	struct peers *p = ctx;

	if (p->tell_asked)
		peers_log(p, "asked %s %s %s client=%s", c->session ? c->session : "-", c->id, c->method,
			  c->client_name ? c->client_name : "-");
}

static inline void peers_withdrawn(void *ctx, const struct call *c)
{
	struct peers *p = ctx;

	if (p->tell_asked)
		peers_log(p, "withdrawn %s %s %s", c->session ? c->session : "-", c->id, c->method);
}

/* "logical l1 by task: tools/call ok, requests 3, polls 2" */
static inline void peers_logical(void *ctx, const struct logical *l)
{
	struct peers *p = ctx;

	p->total_ns = l->duration_ns;
	p->code = l->first->error_code;
	peers_log(ctx, "logical %s by %s: %s %s, requests %u, polls %u%s", l->name, l->joined_by, l->first->method,
		  call_outcome_names[l->first->outcome], l->requests, l->polls, l->open ? ", open" : "");
}

static inline bool peers_passes(void *ctx, const struct proc_id *proc)
{
	const struct peers *p = ctx;

	return p->passes && p->passes(ctx, proc);
}

static inline void peers_note(void *ctx, struct note *n)
{
	peers_log(ctx, "note %s %s %s", n->session, n->from == SIDE_CLIENT ? "client" : "server", n->method);
}

static inline void peers_session(void *ctx, const struct session_event *e)
{
	static const char *const eras[] = { "-", "legacy", "modern" };
	static const char *const transports[] = { "-", "stdio", "http", "sse" };

	if (e->route.tls || e->route.http_version == 20)
		peers_log(ctx, "%s %s tls %u http %u", e->end ? "ended" : "began", e->session, e->route.tls,
			  e->route.http_version);
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

#endif
