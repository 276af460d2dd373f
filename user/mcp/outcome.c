/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of requests. */
#include "mcp/outcome.h"

#include "mcp/logical.h"
#include "mcp/moment.h"
#include "mcp/record.h"
#include "mcp/relay.h"
#include "mcp/report.h"
#include "mcp/resend.h"
#include "mcp/tools.h"

void outcome_tell(struct mcp *m, struct finished *f, struct whole *whole)
{
	struct session *s = f->s;
	struct call *c = f->c;
	struct whole *over;

	session_start(m, s);
	record_session(c, s);
	c->seq = ++m->calls;
	if (!c->ts)
		c->ts = m->now;
	s->calls++;
	s->errors += c->outcome == CALL_TOOL_ERROR || c->outcome == CALL_RPC_ERROR ||
		     c->outcome == CALL_HTTP_ERROR;
	over = logical_part(m, s, c, &f->step, whole);
	if (m->ops.call)
		m->ops.call(m->ops.ctx, c);
	else
		call_free(c);
	if (over)
		logical_tell(m, over);
}

/* @p's call is complete. Over HTTP an answer may come again (resumption); without an answer, one may come late. */
static void finish(struct mcp *m, struct pending *p)
{
	struct finished f = { p->call, session_ref(p->s), p->step };
	struct whole *whole = p->whole;
	bool held;

	p->given_up = !p->call->has_response;
	resend_release(m, p);
	tools_answered(m, p);
	relay_settle(m, p);
	held = relay_end(m, p) || relay_await(m, p) || relay_hold(m, p) || resend_hold(m, p);
	p->whole = NULL;
	pending_retire(m, p, p->given_up || p->exchange);
	if (!held)
		outcome_tell(m, &f, whole);
	session_unref(f.s);
}

/* The asker took @c back: what comes later it has to ignore (cancellation, 2025-11-25), and how long it would have taken
 * is not known. */
static void cancelled(struct call *c)
{
	c->outcome = CALL_CANCELLED;
	c->has_error_code = false;
	c->has_duration = c->has_server_ns = false;
}

void outcome_give_up(struct mcp *m, struct pending *p, enum call_outcome outcome, uint64_t ts)
{
	p->call->outcome = outcome;
	p->call->ts = ts;
	if (outcome == CALL_CANCELLED)
		cancelled(p->call);
	finish(m, p);
}

void outcome_http_error(struct mcp *m, struct pending *p, uint16_t status, uint64_t end, uint64_t ts)
{
	struct call *c = p->call;

	c->error_code = status;
	c->has_error_code = status > 0;
	c->has_duration = p->begin && end >= p->begin;
	c->duration_ns = c->has_duration ? end - p->begin : 0;
	outcome_give_up(m, p, CALL_HTTP_ERROR, ts);
}

void outcome_at_end(struct mcp *m, struct pending *p, uint64_t ts)
{
	if (p->cancel_at)
		outcome_give_up(m, p, CALL_CANCELLED, p->cancel_at);
	else if (p->broken.at && p->broken.outcome == CALL_HTTP_ERROR)
		outcome_http_error(m, p, p->broken.status, p->broken.end, p->broken.ts);
	else if (p->broken.at)
		outcome_give_up(m, p, p->broken.outcome, p->broken.ts);
	else
		outcome_give_up(m, p, CALL_UNANSWERED, ts);
}

static void saw_result(struct mcp *m, struct pending *p, const struct rpc_msg *rpc)
{
	struct session *s = p->s;

	session_saw_answer(s, rpc, p->initialize);
	if (rpc->kind != RPC_RESULT || p->asker != SIDE_CLIENT)
		return;
	if (p->initialize && p->call->has_duration)
		s->startup_ns = p->call->duration_ns;
	if (rpc->n_tools > 0 && p->call->method && sv_eq(sv_of(p->call->method), SV("tools/list")))
		tools_listed(m, s, rpc);
}

void outcome_answer(struct mcp *m, struct pending *p, const struct mcp_link *l)
{
	struct mcp_link in = { p->s, l->x, l->msg, l->from };

	record_answer(p->call, &in, p->begin, p->last_r);
	if (p->cancel_at && moment_end(l->msg) >= p->cancel_at)
		cancelled(p->call);
	logical_answered(p, l->msg->rpc);
	saw_result(m, p, l->msg->rpc);
	finish(m, p);
}

void outcome_orphan(struct mcp *m, const struct mcp_link *l)
{
	struct finished f = { record_orphan(l), l->s, { 0 } };

	if (!f.c) {
		m->stats.no_memory++;
		return;
	}
	session_saw_answer(l->s, l->msg->rpc, false);
	outcome_tell(m, &f, NULL);
}
