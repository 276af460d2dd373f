/* SPDX-License-Identifier: Apache-2.0 */
/* One subscriber of the running agent: a trace of its own, whose records go into a queue. */
#ifndef MCPVIGIL_CTL_SUB_H
#define MCPVIGIL_CTL_SUB_H

#include "cmd/trace_opts.h"
#include "sink/out.h"
#include "sink/sink.h"

#define CTL_LOSS "subscriber_dropped" /* of include/counters.h */

struct facts;

struct ctl_sub {
	struct sink sink;	 /* filter, removal of payloads, one of the printers, the summary */
	struct trace_opts opts;	 /* its strings are the request's */
	struct summary sum;
	out_line_fn take;	 /* refuses what has no room */
	void *ctx;
	uint64_t started, cutoff; /* boot ns; cutoff 0: still on, else what happened later is not told */
	uint64_t untold;	 /* records refused since the last loss record about that */
};

/* Zeroed @s begins: lines go to @take. @opts was parsed from the client's words. 0 or -errno. */
int ctl_sub_open(struct ctl_sub *s, const struct trace_opts *opts, out_line_fn take, void *ctx);
void ctl_sub_close(struct ctl_sub *s);

void ctl_sub_call(struct ctl_sub *s, const struct call *c, const struct sink_peers *p);
void ctl_sub_note(struct ctl_sub *s, const struct note *n, const struct sink_peers *p);
void ctl_sub_session(struct ctl_sub *s, const struct session_event *e, const struct sink_peers *p);
void ctl_sub_finding(struct ctl_sub *s, const struct finding *f, const struct sink_peers *p);
void ctl_sub_logical(struct ctl_sub *s, const struct logical *l, const struct sink_peers *p);
void ctl_sub_alert(struct ctl_sub *s, const struct alert *a, const struct sink_peers *p);
void ctl_sub_loss(struct ctl_sub *s, const struct loss *l);
/* The record about what was refused, where there was any; the queue has to have room for it. */
void ctl_sub_tell(struct ctl_sub *s);
/* Past the cutoff: requests that it saw begin and that have no answer are told as unanswered. The summary goes to
 * @ret. */
void ctl_sub_end(struct ctl_sub *s, struct facts *f, struct buf *ret);

#endif
