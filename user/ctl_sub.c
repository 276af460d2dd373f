/* SPDX-License-Identifier: Apache-2.0 */
/* One subscriber of the running agent.
 *
 * Its records are to be those that a trace by itself would print. That one ends with a flush, which the agent cannot
 * afford for the others' sake: so a subscriber that wants to end stays until the stages have let go of what they held
 * back, and of that hears only what happened before its cutoff. */
#include "ctl_sub.h"

#include <errno.h>

#include "base/clock.h"
#include "facts.h"
#include "sink/compact.h"
#include "sink/json.h"

/* Refusals are counted here, whichever printer it was. */
static int take_line(void *ctx, struct sv line)
{
	struct ctl_sub *s = ctx;
	int err = s->take(s->ctx, line);

	if (err)
		s->untold++;
	return err;
}

int ctl_sub_open(struct ctl_sub *s, const struct trace_opts *opts, out_line_fn take, void *ctx)
{
	int64_t wall = clock_wall_offset_ns();
	const struct sink_ops *ops = NULL;
	void *self = NULL;
	int err;

	s->opts = *opts;
	s->take = take;
	s->ctx = ctx;
	s->started = clock_boot_ns();
	s->sink.filter = &s->opts.filter;
	s->sink.content = s->opts.content;
	if (s->opts.format == TRACE_JSON) {
		ops = &json_sink_ops;
		self = json_sink_to(take_line, s, wall);
	} else if (s->opts.format == TRACE_COMPACT) {
		ops = &compact_ops;
		self = compact_to(take_line, s, wall, s->opts.color == TRACE_COLOR_ALWAYS);
	}
	if (ops && !self)
		return -ENOMEM;
	err = ops ? sink_add(&s->sink, ops, self) : 0;
	return err ? err : sink_add(&s->sink, &summary_ops, &s->sum);
}

void ctl_sub_close(struct ctl_sub *s)
{
	sink_done(&s->sink);
}

static bool is_over(const struct ctl_sub *s, uint64_t ts)
{
	return s->cutoff && ts > s->cutoff;
}

static void tell_unanswered(struct ctl_sub *s, const struct call *c, const struct sink_peers *p)
{
	struct call x = *c;

	x.outcome = CALL_UNANSWERED;
	x.ts = s->cutoff;
	x.has_duration = x.has_server_ns = x.has_response = x.has_error_code = false;
	x.response_seen = 0;
	x.result = x.error = NULL;
	x.result_fp = x.masked_fp = (struct fp){ 0 };
	sink_call(&s->sink, &x, p);
}

void ctl_sub_call(struct ctl_sub *s, const struct call *c, const struct sink_peers *p)
{
	if (!is_over(s, c->ts))
		sink_call(&s->sink, c, p);
	else if (c->start && c->start >= s->started && !is_over(s, c->start))
		tell_unanswered(s, c, p);
}

void ctl_sub_note(struct ctl_sub *s, const struct note *n, const struct sink_peers *p)
{
	if (!is_over(s, n->ts))
		sink_note(&s->sink, n, p);
}

void ctl_sub_session(struct ctl_sub *s, const struct session_event *e, const struct sink_peers *p)
{
	if (!is_over(s, e->ts))
		sink_session(&s->sink, e, p);
}

void ctl_sub_finding(struct ctl_sub *s, const struct finding *f, const struct sink_peers *p)
{
	if (!is_over(s, f->ts))
		sink_finding(&s->sink, f, p);
}

void ctl_sub_logical(struct ctl_sub *s, const struct logical *l, const struct sink_peers *p)
{
	if (!is_over(s, l->ts))
		sink_logical(&s->sink, l, p);
}

void ctl_sub_alert(struct ctl_sub *s, const struct alert *a, const struct sink_peers *p)
{
	if (!is_over(s, a->ts))
		sink_alert(&s->sink, a, p);
}

/* A loss is found out late: better told to one whom it does not concern than to nobody. */
void ctl_sub_loss(struct ctl_sub *s, const struct loss *l)
{
	sink_loss(&s->sink, l);
}

void ctl_sub_tell(struct ctl_sub *s)
{
	struct loss l = { CTL_LOSS, s->untold, clock_boot_ns(), NULL };

	if (!s->untold)
		return;
	s->untold = 0;
	sink_loss(&s->sink, &l);
}

struct unanswered {
	struct ctl_sub *sub;
	struct facts *facts;
};

static bool on_pending(void *ctx, const struct call *c)
{
	struct unanswered *u = ctx;
	struct sink_peers p;

	if (!c->start || c->start < u->sub->started || is_over(u->sub, c->start))
		return true;
	p = facts_peers(u->facts, &c->route);
	tell_unanswered(u->sub, c, &p);
	return true;
}

void ctl_sub_end(struct ctl_sub *s, struct facts *f, struct buf *ret)
{
	struct unanswered u = { s, f };
	uint64_t ns = s->cutoff - s->started;

	mcp_in_flight(facts_mcp(f), on_pending, &u);
	ctl_sub_tell(s);
	if (trace_summary_is_json(&s->opts))
		summary_json(&s->sum, ns, ret);
	else
		summary_text(&s->sum, ns, ret);
}
