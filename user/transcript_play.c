/* SPDX-License-Identifier: Apache-2.0 */
/* A transcript through mcp/ to the sinks: it enters where decoded messages of live capture do.
 *
 * A session becomes two one-way streams, ended behind its last message, so that the tables hold no
 * more than the sessions that overlap in time. */
#include "transcript_play.h"

#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "cmd/trace_opts.h"
#include "facts.h"
#include "proto/jsonrpc.h"
#include "transcript.h"

#define TICK_NS	 (100 * NSEC_PER_MSEC)
#define FLUSH_NS (50 * NSEC_PER_MSEC)

#define IN_FLIGHT_MAX (1U << 20)

struct play {
	struct transcript t;
	struct facts *facts;
	struct summary sum;
	struct mcp *mcp; /* of facts */
	struct rpc *rpc;
	const struct transcript_msg *now; /* being fed */
	uint64_t ticked;		  /* transcript time */
	uint64_t flushed;		  /* our time */
};

/* Two streams a session, from 1: 0 stands for none. */
static uint64_t stream_of(const struct transcript_session *s, uint8_t from)
{
	return 2 * (uint64_t)s->index + 1 + (from == SIDE_SERVER);
}

static void on_msg(void *ctx, const struct rpc_msg *rpc)
{
	struct play *p = ctx;
	const struct transcript_msg *m = p->now;
	struct mcp_msg msg = {
		.rpc = rpc,
		.stream = stream_of(m->session, m->from),
		.reverse = stream_of(m->session, m->from == SIDE_SERVER ? SIDE_CLIENT : SIDE_SERVER),
		.t = { m->ts, m->ts, m->ts, m->ts },
		.transcript = m->session->name,
		.from = m->from,
		.agent = m->agent,
	};

	if (rpc->kind == RPC_OTHER)
		transcript_reject(&p->t, m->line, "msg is no JSON-RPC message");
	mcp_feed(p->mcp, &msg);
}

static void feed(struct play *p, const struct transcript_msg *m)
{
	if (m->ts - p->ticked >= TICK_NS) {
		facts_tick(p->facts, m->ts);
		p->ticked = m->ts;
	}
	p->now = m;
	if (rpc_feed(p->rpc, m->json) <= 0) {
		transcript_reject(&p->t, m->line, "msg is no JSON-RPC message");
		rpc_reset(p->rpc);
	}
	if (m->last) {
		mcp_stream_end(p->mcp, stream_of(m->session, SIDE_CLIENT), m->ts, "eof");
		mcp_stream_end(p->mcp, stream_of(m->session, SIDE_SERVER), m->ts, "eof");
	}
}

static void flush_in_time(struct play *p)
{
	uint64_t now = clock_boot_ns();

	if (now - p->flushed < FLUSH_NS)
		return;
	p->flushed = now;
	sink_flush(facts_sink(p->facts));
}

static void report_losses(struct play *p, uint64_t ts)
{
	uint64_t v[C_N] = { 0 };

	facts_counts(p->facts, v);
	facts_losses(p->facts, v, ts);
}

/* Everything, in order; the time it covers. */
static uint64_t play_all(struct play *p)
{
	const struct transcript *t = &p->t;
	uint64_t end = TRANSCRIPT_BIAS_NS;

	for (size_t i = 0; i < t->n && !sink_broken(facts_sink(p->facts)); i++) {
		feed(p, &t->msg[i]);
		end = t->msg[i].ts;
		flush_in_time(p);
	}
	facts_flush(p->facts, end);
	report_losses(p, end);
	return t->n ? end - t->msg[0].ts : 0;
}

static uint32_t at_most(size_t n, uint32_t max)
{
	return n < max ? (uint32_t)n : max;
}

static int play_init(struct play *p, const struct trace_opts *o)
{
	/* The text is in memory whole: tables that hold all that can be open at once add little to it. */
	struct facts_opts fo;
	const struct rpc_opts rpc = {
		.content_max = trace_content_max(o),
		.marks = true,
		.msg = on_msg,
		.ctx = p,
	};
	int err;

	trace_facts(o, &fo);
	fo.no_transport = true;
	fo.caps.sessions = at_most(p->t.sessions.n + 1, TRANSCRIPT_SESSIONS_MAX);
	fo.caps.in_flight = at_most(p->t.n + 1, IN_FLIGHT_MAX);
	fo.caps.streams = at_most(2 * p->t.sessions.n + 2, 2 * TRANSCRIPT_SESSIONS_MAX);
	fo.caps.exchanges = 1;
	p->facts = facts_new(&fo, NULL, NULL, NULL);
	if (!p->facts)
		return -errno;
	p->mcp = facts_mcp(p->facts);
	err = trace_sinks(facts_sink(p->facts), o, &p->sum);
	if (err)
		return err;
	p->rpc = rpc_new(&rpc);
	return p->rpc ? 0 : -errno;
}

/* What the end of the output and of the input means for the caller. */
static int verdict(const struct play *p, int broken)
{
	if (broken == -EPIPE)
		return 0;
	if (broken)
		return broken;
	return p->t.malformed ? -EBADMSG : 0;
}

int transcript_play(const char *path, const struct trace_opts *o)
{
	struct trace_opts opts = *o;
	struct play p = { 0 };
	uint64_t ns;
	int err = transcript_load(&p.t, path);

	if (err)
		goto out;
	opts.wall_offset = -(int64_t)TRANSCRIPT_BIAS_NS;
	err = trace_key(&opts);
	if (err)
		goto out;
	err = play_init(&p, &opts);
	if (err) {
		log_err("%s: %s", path, errstr(err));
		goto out;
	}
	ns = play_all(&p);
	sink_flush(facts_sink(p.facts));
	err = sink_broken(facts_sink(p.facts));
	if (p.t.malformed)
		log_err("%s: malformed lines skipped: %llu", path,
			(unsigned long long)p.t.malformed);
	if (err != -EPIPE)
		trace_end(o, &p.sum, ns);
	err = verdict(&p, err);
out:
	rpc_free(p.rpc);
	facts_free(p.facts);
	transcript_done(&p.t);
	return err;
}
