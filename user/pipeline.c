/* SPDX-License-Identifier: Apache-2.0 */
/* The stages up to mcp/, joined; what mcp/ says goes on in facts.c.
 *
 *   record -> idents_see/exec/exit (who)
 *          -> opaque_feed (TLS that is not read)
 *          -> flow_feed -> flow_msg  -> mcp_feed -> facts.c
 *                       -> verdicts -> the kernel side
 */
#include "pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_tls.h"
#include "flow/flow.h"
#include "ident/who.h"
#include "mcp/mcp.h"
#include "opaque.h"
#include "tls_show.h"

#define IDENTS_MAX 8192

_Static_assert(sizeof(struct flow_proc) == sizeof(struct proc_id), "one shape, two layers");
_Static_assert(sizeof(struct flow_addr) == sizeof(struct net_addr), "one shape, two layers");

struct pipeline {
	struct flow *flow;
	struct facts *facts;
	struct mcp *mcp; /* of facts */
	struct idents *idents;
	struct opaque *opaque; /* NULL: not asked for */
	uint64_t now;
	pipeline_verdict_fn verdict;
	void *verdict_ctx;
};

static struct proc_id proc_of(const struct flow_proc *p)
{
	return (struct proc_id){ .start = p->start, .pid = p->pid };
}

static struct net_addr addr_of(const struct flow_addr *a)
{
	struct net_addr n = { .family = a->family, .port = a->port, .netns = a->netns };

	memcpy(n.ip, a->ip, sizeof(n.ip));
	return n;
}

/* From mcp/ back to flow/. */

static void on_mcp_verdict(void *ctx, uint64_t stream, bool is_mcp)
{
	struct pipeline *p = ctx;

	flow_verdict(p->flow, stream, is_mcp);
}

/* From flow/ to mcp/. */

static void http_of(const struct pump_http *x, struct mcp_http *ret)
{
	*ret = (struct mcp_http){
		.id = x->id,
		.done = x->resp_done,
		.aborted = x->aborted,
		.status = x->status,
		.method = x->method,
		.target = x->target,
		.host = x->host,
		.session_id = x->session_id,
		.version = x->version,
		.last_event_id = x->last_event_id,
		.user_agent = x->user_agent,
		.http_version = (uint8_t)x->http_version,
	};
}

static void on_msg(void *ctx, const struct flow_msg *m)
{
	struct pipeline *p = ctx;
	struct mcp_http http;
	struct mcp_msg out = {
		.rpc = m->pump->rpc,
		.stream = m->stream,
		.reverse = m->reverse,
		.channel = m->chan == CHAN_PIPE ? CHANNEL_PIPE :
			   m->chan == CHAN_UNIX ? CHANNEL_UNIX :
						  CHANNEL_TCP, /* CHAN_TLS too: what it is in is known by .tls */
		.tls = m->tls,
		.writer_unread = m->writer_unread,
		.reader_unread = m->reader_unread,
		.writer = proc_of(&m->writer),
		.reader = proc_of(&m->reader),
		.src = addr_of(&m->src),
		.dst = addr_of(&m->dst),
		.t = { m->t.first_w, m->t.last_w, m->t.first_r, m->t.last_r },
		.lost_bytes = m->pump->lost,
		.order_uncertain = m->uncertain,
		.late = m->late,
	};

	if (m->pump->http) {
		http_of(m->pump->http, &http);
		http.in_response = m->pump->dir != m->pump->http->req_dir;
		http.sse = m->pump->sse;
		http.sse_event = m->pump->sse_event;
		http.sse_id = m->pump->sse_id;
		http.first_w = m->http_first_w;
		http.last_r = m->http_last_r;
		http.client_gone = m->http_client_gone;
		out.http = &http;
	}
	mcp_feed(p->mcp, &out);
}

static void flow_http_of(const struct flow_http *x, struct mcp_http *ret)
{
	http_of(x->http, ret);
	ret->first_w = x->first_w;
	ret->last_r = x->last_r;
	ret->client_gone = x->client_gone;
	ret->tls = x->tls;
	ret->client = proc_of(&x->client);
	ret->server = proc_of(&x->server);
	ret->client_addr = addr_of(&x->client_addr);
	ret->server_addr = addr_of(&x->server_addr);
}

static void on_http_done(void *ctx, const struct flow_http *x)
{
	struct pipeline *p = ctx;
	struct mcp_http http;

	flow_http_of(x, &http);
	mcp_http_done(p->mcp, &http, x->last_r);
}

static void on_endpoint(void *ctx, const struct flow_http *x, struct sv uri)
{
	struct pipeline *p = ctx;
	struct mcp_http http;

	flow_http_of(x, &http);
	mcp_sse_endpoint(p->mcp, &http, uri, x->last_r);
}

static const char *const finding_names[PUMP_F_N] = {
	[PUMP_F_TOO_LONG] = "message_too_long", [PUMP_F_LSP] = "other_protocol",
	[PUMP_F_BOMB] = "decompression_bomb",	[PUMP_F_CODING] = "broken_content_coding",
	[PUMP_F_HTTP] = "malformed_http",	[PUMP_F_UPGRADE] = "protocol_upgrade",
	[PUMP_F_H2] = "malformed_http2",	[PUMP_F_H2_FLOOD] = "http2_flood",
};

static void on_pump_finding(void *ctx, uint64_t stream, enum pump_finding w, uint64_t n,
			    uint64_t bytes)
{
	struct pipeline *p = ctx;
	char evidence[96];
	struct finding f = {
		.name = finding_names[w],
		.severity = w == PUMP_F_BOMB ? "warning" : "info",
		.ts = p->now,
		.count = n,
		.evidence = evidence,
	};

	if (w == PUMP_F_NOISE || w == PUMP_F_BAD_JSON) {
		mcp_noise(p->mcp, stream, n, bytes, p->now);
		return;
	}
	snprintf(evidence, sizeof(evidence), "{%s\"bytes\":%llu}",
		 w == PUMP_F_LSP ? "\"protocol\":\"lsp\"," : "", (unsigned long long)bytes);
	facts_finding(p->facts, &f);
}

static void on_terminal(void *ctx, struct flow_proc who, uint64_t ts)
{
	struct finding f = {
		.name = "json_rpc_on_terminal",
		.severity = "notice",
		.proc = proc_of(&who),
		.ts = ts,
		.count = 1,
	};
	struct pipeline *p = ctx;

	facts_finding(p->facts, &f);
}

static void on_opaque(void *ctx, const struct finding *f)
{
	struct pipeline *p = ctx;

	facts_finding(p->facts, f);
}

static void on_stdio_set(void *ctx, uint64_t in, uint64_t out, struct flow_proc proc)
{
	struct pipeline *p = ctx;

	mcp_stdio_set(p->mcp, in, out, proc_of(&proc));
}

static void on_stream_end(void *ctx, uint64_t stream, uint64_t ts, const char *reason)
{
	struct pipeline *p = ctx;

	mcp_stream_end(p->mcp, stream, ts, reason);
}

static void on_verdict(void *ctx, const struct ev_key *key, uint8_t code)
{
	struct pipeline *p = ctx;

	if (p->verdict)
		p->verdict(p->verdict_ctx, key, code);
}

static int stages_new(struct pipeline *p, const struct pipeline_opts *o)
{
	struct flow_opts fo = FLOW_OPTS_DEFAULT;
	struct flow_ops flow_ops = { on_msg,	   on_http_done,  on_endpoint, on_pump_finding,
				     on_terminal, on_stdio_set,  on_stream_end, on_verdict, p };

	fo.content_max = o->content_max;
	p->idents = idents_new(o->idents ? o->idents : IDENTS_MAX, p->verdict != NULL);
	p->facts = p->idents ? facts_new(&o->facts, p->idents, on_mcp_verdict, p) : NULL;
	p->flow = p->facts ? flow_new(&fo, &flow_ops) : NULL;
	p->opaque = p->flow && !o->no_tls ? opaque_new(on_opaque, p) : NULL;
	if (!p->flow || (!p->opaque && !o->no_tls))
		return -ENOMEM;
	p->mcp = facts_mcp(p->facts);
	return 0;
}

struct pipeline *pipeline_new(const struct pipeline_opts *o, pipeline_verdict_fn verdict, void *ctx)
{
	struct pipeline *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return NULL;
	p->verdict = verdict;
	p->verdict_ctx = ctx;
	err = stages_new(p, o);
	if (err) {
		pipeline_free(p);
		errno = -err;
		return NULL;
	}
	return p;
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	flow_free(p->flow);
	opaque_free(p->opaque);
	facts_free(p->facts);
	idents_free(p->idents);
	free(p);
}

/* mcp/ waits its grace time: the process's last bytes may come behind its end. */
static void feed_exit(struct pipeline *p, const struct ev_exit *e)
{
	const struct who *w = idents_exit(p->idents, e);

	if (w)
		mcp_process_exit(p->mcp, w->id, e->hdr.ts);
}

void pipeline_feed(struct pipeline *p, const struct ev_hdr *h)
{
	if (h->ts > p->now)
		p->now = h->ts;
	switch (h->kind) {
	case EV_DATA:
		idents_see(p->idents, h, ((const struct ev_data *)h)->start);
		break;
	case EV_OPEN:
		idents_see(p->idents, h, ((const struct ev_open *)h)->start);
		break;
	case EV_EXEC:
		if (h->flags & EV_F_LATE)
			idents_see(p->idents, h, ((const struct ev_exec *)h)->start);
		else
			idents_exec(p->idents, (const struct ev_exec *)h);
		break;
	case EV_EXIT:
		feed_exit(p, (const struct ev_exit *)h);
		break;
	case EV_HELLO:
		idents_see(p->idents, h, ((const struct ev_hello *)h)->start);
		break;
	default:
		break;
	}
	if (p->opaque)
		opaque_feed(p->opaque, h);
	flow_feed(p->flow, h);
}

void pipeline_tick(struct pipeline *p, uint64_t now)
{
	if (now > p->now)
		p->now = now;
	flow_tick(p->flow, p->now);
	if (p->opaque)
		opaque_tick(p->opaque, p->now);
	facts_tick(p->facts, p->now);
}

void pipeline_flush(struct pipeline *p, uint64_t now)
{
	if (now > p->now)
		p->now = now;
	flow_flush(p->flow, p->now);
	if (p->opaque)
		opaque_flush(p->opaque, p->now);
	facts_flush(p->facts, p->now);
}

static void losses_of_user(const struct pipeline *p, uint64_t v[C_N])
{
	struct idents_stats i;
	struct flow_stats f;

	flow_stats(p->flow, &f);
	idents_stats(p->idents, &i);
	facts_counts(p->facts, v);
	v[C_IDENTS_EVICTED] = i.evicted;
	v[C_STREAM_GAP_BYTES] = f.gap_bytes[FLOW_GAP_MISSING];
	v[C_CUT_BYTES] = f.gap_bytes[FLOW_GAP_CUT];
	v[C_SPLICED_BYTES] = f.gap_bytes[FLOW_GAP_SPLICED];
	v[C_URING_BYTES] = f.gap_bytes[FLOW_GAP_URING];
	v[C_FAULT_BYTES] = f.gap_bytes[FLOW_GAP_FAULT];
	v[C_CHANS_EVICTED] = f.evicted;
	v[C_PENDING_FULL] = f.pending_full;
	v[C_PARTS_DROPPED] = f.parts_dropped;
	v[C_MARKS_FULL] = f.marks_full;
	v[C_CODINGS_FULL] = f.codings_full;
	v[C_H2_STREAMS_FULL] = f.h2_streams_full;
	v[C_OPAQUE_EVICTED] = p->opaque ? opaque_evicted(p->opaque) : 0;
}

void pipeline_losses(struct pipeline *p, const uint64_t kernel[C_N], uint64_t now)
{
	uint64_t v[C_N];

	pipeline_lost(p, kernel, v);
	facts_losses(p->facts, v, now);
}

void pipeline_lost(const struct pipeline *p, const uint64_t kernel[C_N], uint64_t ret_v[C_N])
{
	if (kernel)
		memcpy(ret_v, kernel, C_N * sizeof(*ret_v));
	else
		memset(ret_v, 0, C_N * sizeof(*ret_v));
	losses_of_user(p, ret_v);
}

const struct idents *pipeline_idents(const struct pipeline *p)
{
	return p->idents;
}

void pipeline_show_opaque(struct pipeline *p, struct buf *out)
{
	if (p->opaque)
		tls_show_opaque(p->opaque, p->idents, out);
}

struct facts *pipeline_facts(struct pipeline *p)
{
	return p->facts;
}

void pipeline_output(struct pipeline *p)
{
	sink_flush(facts_sink(p->facts));
}

int pipeline_broken(struct pipeline *p)
{
	return sink_broken(facts_sink(p->facts));
}
