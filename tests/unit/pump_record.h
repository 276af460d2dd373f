/* SPDX-License-Identifier: Apache-2.0 */
/* Records what a pump says as text: for its tests and its fuzzer. */
#ifndef MCPVIGIL_TESTS_PUMP_RECORD_H
#define MCPVIGIL_TESTS_PUMP_RECORD_H

#include <stdint.h>

#include "base/buf.h"
#include "flow/pump.h"

struct record {
	struct buf text;
	uint64_t ids[64]; /* of exchanges, in order of appearance */
	bool loose;	  /* leave out what depends on the cuts: positions in coded bodies */
	bool stop_http; /* stop at malformed HTTP or HTTP/2: how that goes on depends on where feeds begin */
	bool stop;	/* record nothing more */
	bool coding;	/* a coded body was given up */
};

static inline void record_http(struct record *r, const struct pump_http *x)
{
	unsigned int i = 0;

	while (i < 63 && r->ids[i] && r->ids[i] != x->id)
		i++;
	r->ids[i] = x->id;
	buf_addf(&r->text, " http=%u", i);
}

static inline void record_sv(struct record *r, const char *name, struct sv s)
{
	if (s.n)
		buf_addf(&r->text, " %s=%.*s", name, (int)s.n, s.p);
}

static inline void record_lost(struct record *r, uint64_t lost)
{
	if (lost)
		buf_addf(&r->text, " lost=%ju", (uintmax_t)lost);
}

static inline void record_msg(void *ctx, const struct pump_msg *m)
{
	static const char *const kinds[] = { "request", "notification", "result", "error",
					     "other" };
	struct record *r = ctx;

	if (r->stop)
		return;
	buf_addf(&r->text, "%u %s", m->dir, kinds[m->rpc->kind]);
	record_sv(r, "id", m->rpc->f[RPC_F_ID].text);
	record_sv(r, "method", m->rpc->f[RPC_F_METHOD].text);
	if (!r->loose)
		buf_addf(&r->text, " %ju-%ju", (uintmax_t)m->beg, (uintmax_t)m->end);
	record_lost(r, m->lost);
	if (m->http)
		record_http(r, m->http);
	buf_add_str(&r->text, m->sse ? " sse" : "");
	record_sv(r, "event", m->sse_event);
	record_sv(r, "eid", m->sse_id);
	buf_add_ch(&r->text, '\n');
}

static inline void record_done(void *ctx, const struct pump_http *x)
{
	struct record *r = ctx;

	if (r->stop)
		return;
	buf_add_str(&r->text, "done");
	record_http(r, x);
	record_sv(r, "", x->method);
	record_sv(r, "", x->target);
	record_sv(r, "session", x->session_id);
	record_sv(r, "version", x->version);
	record_sv(r, "mcp", x->mcp_method);
	record_sv(r, "last", x->last_event_id);
	record_sv(r, "host", x->http_version == 20 ? x->host : (struct sv){ NULL, 0 });
	buf_addf(&r->text, "%s status=%u%s%s%s%s%s rpc=%u", x->http_version == 20 ? " h2" : "", x->status,
		 x->has_request ? "" : " norequest", x->req_done ? "" : " noreq",
		 x->resp_done ? "" : " noresp", x->aborted ? " aborted" : "", x->sse ? " sse" : "",
		 x->rpc);
	buf_addf(&r->text, " req=%ju-%ju resp=%ju-%ju", (uintmax_t)x->req_beg,
		 (uintmax_t)x->req_end, (uintmax_t)x->resp_beg, (uintmax_t)x->resp_end);
	if (x->reset_end)
		buf_addf(&r->text, " reset=%ju", (uintmax_t)x->reset_end);
	record_lost(r, x->lost);
	buf_add_ch(&r->text, '\n');
}

static inline void record_endpoint(void *ctx, const struct pump_http *x, struct sv uri)
{
	struct record *r = ctx;

	if (r->stop)
		return;
	buf_add_str(&r->text, "endpoint");
	record_http(r, x);
	record_sv(r, "uri", uri);
	buf_add_ch(&r->text, '\n');
}

static inline void record_verdict(void *ctx, uint8_t dir, enum pump_verdict v)
{
	static const char *const names[] = { "undecided", "rpc", "nothing", "tls" };
	struct record *r = ctx;

	if (!r->stop)
		buf_addf(&r->text, "%u is %s\n", dir, names[v]);
}

static inline void record_finding(void *ctx, uint8_t dir, enum pump_finding f, uint64_t n,
				  uint64_t bytes)
{
	static const char *const names[] = { "noise", "bad-json", "too-long", "lsp",
					     "bomb",  "coding",	  "http",     "upgrade",
					     "http2", "http2-flood" };
	struct record *r = ctx;

	if (r->stop)
		return;
	r->coding |= f == PUMP_F_BOMB || f == PUMP_F_CODING;
	buf_addf(&r->text, "%u finds %s %ju %ju\n", dir, names[f], (uintmax_t)n, (uintmax_t)bytes);
	r->stop = r->stop_http && (f == PUMP_F_HTTP || f == PUMP_F_H2);
}

static inline struct pump_ops record_ops(struct record *r)
{
	return (struct pump_ops){ .msg = record_msg,
				  .http_done = record_done,
				  .endpoint = record_endpoint,
				  .verdict = record_verdict,
				  .finding = record_finding,
				  .ctx = r };
}

#endif
