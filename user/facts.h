/* SPDX-License-Identifier: Apache-2.0 */
/* The half of the pipeline behind decoding: mcp/ -> who, detection -> sinks. Live capture, recordings and transcripts
 * share it. */
#ifndef MCPVIGIL_FACTS_H
#define MCPVIGIL_FACTS_H

#include "counters.h"
#include "detect/alerts.h"
#include "detect/loop.h"
#include "mcp/mcp.h"
#include "sink/sink.h"

struct idents;

struct facts_opts {
	struct mcp_caps caps;
	struct loop_opts loops;
	struct alerts_opts alerts;
	bool no_transport; /* a transcript does not say which transport its messages went by */
};

void facts_opts_default(struct facts_opts *o);

struct facts;

/* @idents may be NULL: nobody is known. @verdict: see mcp_ops. The sinks are added by the caller (facts_sink).
 * NULL with errno. */
struct facts *facts_new(const struct facts_opts *o, struct idents *idents,
			void (*verdict)(void *ctx, uint64_t stream, bool is_mcp), void *ctx);
void facts_free(struct facts *f);
struct mcp *facts_mcp(struct facts *f);
struct sink *facts_sink(struct facts *f);
struct loops *facts_loops(struct facts *f);
struct alerts *facts_alerts(struct facts *f);
/* New thresholds and rules; caps stay. */
void facts_reload(struct facts *f, const struct facts_opts *o);
/* Who both ends are; valid until the next record. */
struct sink_peers facts_peers(struct facts *f, const struct route *r);
/* A finding that is not mcp/'s own. */
void facts_finding(struct facts *f, const struct finding *x);
void facts_tick(struct facts *f, uint64_t now);
/* The end of the run: everything pending becomes a record. */
void facts_flush(struct facts *f, uint64_t now);
/* Set what is counted here and behind in @v, by enum counter. */
void facts_counts(const struct facts *f, uint64_t v[C_N]);
/* Report what of @v is more than at the last call. */
void facts_losses(struct facts *f, const uint64_t v[C_N], uint64_t now);

#endif
