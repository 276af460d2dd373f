/* SPDX-License-Identifier: Apache-2.0 */
/* Pairing.
 *
 * An answer belongs to the request of the same exchange with the same id, else to the oldest one of the session. It
 * may come before its request, since records of two streams overtake each other; it then waits for the grace time and
 * becomes an orphan. A cancelled request waits as long for an answer that was on its way. */
#include "mcp/pair.h"

#include "mcp/call_marks.h"
#include "mcp/exchange.h"
#include "mcp/hang.h"
#include "mcp/inflight.h"
#include "mcp/logical.h"
#include "mcp/moment.h"
#include "mcp/outcome.h"
#include "mcp/record.h"
#include "mcp/relay.h"
#include "mcp/resend.h"
#include "mcp/tools.h"

#define EARLY_BYTES  (32UL << 20)
#define EARLY_SHARE  1024 /* answers without a request that one session may have */
#define PROGRESS_STEPS 256 /* requests of a session that are looked at for a token, the newest first */
#define CANCEL_STEPS 16 /* of requests with one id in flight at once, this many can be told apart */

int pair_init(struct mcp *m)
{
	return inflight_init(m);
}

void pair_done(struct mcp *m)
{
	inflight_done(m);
}

static void early_expire(struct mcp *m, struct early *e)
{
	struct rpc_msg rpc;
	struct mcp_msg msg;
	struct mcp_link l = { e->s, NULL, &msg, e->from };

	early_unlink(m, e);
	held_view(e->h, &msg, &rpc);
	if (rpc.kind != RPC_NOTIFICATION)
		outcome_orphan(m, &l);
	early_free(e);
}

/* A request that was on the wire before: sent again on a resumed stream. */
static bool is_replay(struct mcp *m, const struct mcp_link *l, const struct request_key *k)
{
	struct pending *p, *before;
	struct early *e;

	if (l->from != SIDE_SERVER || !l->x || !l->x->get)
		return false;
	p = pending_in_session(m, k);
	before = p ? NULL : pending_answered(m, k);
	if (p)
		p->call->request_seen++;
	else if (!before)
		return false;
	e = before ? early_take(m, k) : NULL;
	if (e)
		early_free(e); /* the second answer overtook it */
	else if (before)
		before->again++;
	m->stats.redelivered++;
	return true;
}

/* One session cannot take all the room from the others: it loses its own oldest request first. */
static void make_room(struct mcp *m, struct session *s)
{
	uint32_t share = m->caps.in_flight / 8 > 1024 ? m->caps.in_flight / 8 : 1024;
	struct pending *p;

	if (s->pendings > share)
		p = list_entry(s->pending.next, struct pending, in_session);
	else if (m->inflight.n > m->caps.in_flight)
		p = list_entry(m->inflight.by_age.next, struct pending, age);
	else
		return;
	m->stats.in_flight_evicted++;
	outcome_at_end(m, p, m->now);
}

static struct pending *request_new(struct mcp *m, const struct mcp_link *l, const struct request_key *k)
{
	struct sv method = l->msg->rpc->f[RPC_F_METHOD].text;
	struct call *c = record_request(l);
	struct pending *p = c ? pending_new(m, l, k) : NULL;

	if (!p) {
		call_free(c);
		m->stats.no_memory++;
		return NULL;
	}
	p->call = c;
	p->begin = c->start;
	p->last_r = l->msg->t.last_r;
	p->args_known = call_marks_known(l->msg);
	p->initialize = sv_eq(method, SV("initialize"));
	if (p->initialize)
		hang_asked(m, p);
	if (l->from == SIDE_CLIENT && sv_eq(method, SV("tools/call"))) {
		c->ordinal = l->s->tool_calls++;
		c->has_ordinal = true;
	}
	make_room(m, l->s);
	return p;
}

static void take_back(struct mcp *m, struct pending *p, const struct mcp_msg *msg)
{
	uint64_t at = moment_first(msg);

	p->cancel_at = at ? at : m->now;
	list_move(&m->inflight.cancelled, &p->cancelled);
}

/* The cancellation that @e is, where it is one: of a request that was decoded after it. @return the answer that came early. */
static struct early *take_back_early(struct mcp *m, struct pending *p, const struct request_key *k, struct early *e)
{
	struct rpc_msg rpc;
	struct mcp_msg msg;

	if (!e)
		return NULL;
	held_view(e->h, &msg, &rpc);
	if (rpc.kind != RPC_NOTIFICATION)
		return e;
	take_back(m, p, &msg);
	early_free(e);
	return early_take(m, k);
}

static void answer_early(struct mcp *m, struct pending *p, struct early *e)
{
	struct rpc_msg rpc;
	struct mcp_msg msg;
	struct mcp_link l = { p->s, NULL, &msg, e->from };

	held_view(e->h, &msg, &rpc);
	outcome_answer(m, p, &l);
	early_free(e);
}

static void tell_asked(struct mcp *m, const struct pending *p)
{
	struct call shown;

	if (!m->ops.asked || p->relay.outer)
		return;
	record_show(p->call, p->s, &shown);
	m->ops.asked(m->ops.ctx, &shown);
}

static uint64_t token_of(const struct rpc_value *v)
{
	uint64_t hash = call_marks_hash(v);

	return hash ? hash ^ v->type : 0; /* 7 is not "7" */
}

/* A request that was not on the wire before; NULL with ENOMEM. */
static struct pending *request_first(struct mcp *m, const struct mcp_link *l, const struct request_key *k)
{
	struct pending *p = request_new(m, l, k);

	if (!p)
		return NULL;
	p->token = token_of(&l->msg->rpc->f[RPC_F_META_PROGRESS]);
	tools_asked(m, p, l->msg->rpc);
	logical_asked(m, p, l->msg->rpc);
	relay_asked(m, p, l->msg);
	if (!p->initialize)
		session_start(m, l->s);
	tell_asked(m, p);
	return p;
}

static void request(struct mcp *m, const struct mcp_link *l)
{
	struct request_key k;
	struct pending *p;
	struct early *e;

	request_key_make(&k, l->x ? l->x->id : 0, l->s->no, l->from, &l->msg->rpc->f[RPC_F_ID]);
	if (is_replay(m, l, &k))
		return;
	p = resend_join(m, l, &k);
	if (!p)
		p = request_first(m, l, &k);
	if (!p)
		return;
	e = take_back_early(m, p, &k, early_take(m, &k));
	if (e)
		answer_early(m, p, e);
	else if (l->x && l->x->done)
		pair_exchange_done(m, l->x, l->x->done_at);
}

/* An error without an id answers the only request of its exchange. */
static struct pending *only_request(const struct mcp_link *l)
{
	struct list *pending = l->x ? &l->x->pending : NULL;

	if (!pending || l->from != SIDE_SERVER || list_empty(pending) || pending->next != pending->prev)
		return NULL;
	return list_entry(pending->next, struct pending, in_exchange);
}

static bool answered_here(struct mcp *m, const struct mcp_link *l, const struct request_key *k)
{
	const struct pending *before = pending_answered(m, k);

	return before && before->exchange == l->x->id;
}

static struct pending *asked(struct mcp *m, const struct mcp_link *l, const struct request_key *k)
{
	struct pending *p;

	if (l->msg->rpc->f[RPC_F_ID].type != RPC_STRING && l->msg->rpc->f[RPC_F_ID].type != RPC_NUMBER)
		return only_request(l);
	if (l->x && l->from == SIDE_SERVER) {
		p = pending_in_exchange(m, k);
		if (p || l->x->get)
			return p ? p : pending_in_session(m, k);
		/* A POST whose own request has not come, or was answered, does not answer that of another. */
		if (!l->x->requests || answered_here(m, l, k))
			return NULL;
	}
	return pending_in_session(m, k);
}

/* Answered before: over HTTP on a stream that was resumed; or given up, and here is the answer after all. */
static bool is_repeated(struct mcp *m, const struct mcp_link *l, const struct request_key *k)
{
	struct pending *before = pending_answered(m, k);

	if (!before)
		return false;
	if (before->again && l->from == SIDE_CLIENT) { /* a client answers a request that comes again once more */
		before->again--;
		m->stats.redelivered++;
		return true;
	}
	if (before->given_up) {
		m->stats.late_answers++;
		return true;
	}
	if (!l->x || l->from != SIDE_SERVER || (!l->x->get && before->exchange != l->x->id))
		return false;
	m->stats.redelivered++;
	return true;
}

static void wait_for_request(struct mcp *m, const struct mcp_link *l, const struct request_key *k)
{
	struct inflight *f = &m->inflight;
	bool by_exchange = l->x && l->from == SIDE_SERVER && !l->x->get;

	if (l->s->earlies >= EARLY_SHARE)
		early_expire(m, list_entry(l->s->early.next, struct early, in_session));
	while (f->early.n >= f->early.max || (f->early_bytes > EARLY_BYTES && f->early.n > 0))
		early_expire(m, early_oldest(m));
	if (early_add(m, l, k, by_exchange))
		m->stats.no_memory++;
}

/* In the modern era closing the stream is the cancellation. Its answer went to nobody. */
static bool unheard(const struct mcp_link *l)
{
	return l->x && l->x->modern && l->msg->http->client_gone && moment_end(l->msg) >= l->msg->http->client_gone;
}

/* 405 and the like for a GET or DELETE, with an error as its body: there was no request. */
static bool refuses_stream(const struct mcp_link *l)
{
	return l->x && l->from == SIDE_SERVER && l->msg->http->status >= 400 &&
	       !sv_eq(l->msg->http->method, SV("POST"));
}

static void response(struct mcp *m, const struct mcp_link *l)
{
	const struct rpc_value *id = &l->msg->rpc->f[RPC_F_ID];
	uint8_t asker = l->from == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
	struct request_key k;
	struct pending *p;

	request_key_make(&k, l->x ? l->x->id : 0, l->s->no, asker, id);
	p = asked(m, l, &k);
	if (p && unheard(l))
		outcome_give_up(m, p, CALL_CANCELLED, l->msg->http->client_gone);
	else if (p)
		outcome_answer(m, p, l);
	else if (id->type != RPC_STRING && id->type != RPC_NUMBER && refuses_stream(l))
		return;
	else if (id->type != RPC_STRING && id->type != RPC_NUMBER)
		outcome_orphan(m, l); /* it names no request that might still come */
	else if (!is_repeated(m, l, &k))
		wait_for_request(m, l, &k);
}

/* The asker takes its request back. One that was answered is not there any more: nothing happens. One that went over another
 * connection may be decoded later. */
static void cancel(struct mcp *m, const struct mcp_link *l)
{
	const struct rpc_value *id = &l->msg->rpc->f[RPC_F_REQUEST_ID];
	struct request_key k;
	struct pending *p;

	if (id->type != RPC_STRING && id->type != RPC_NUMBER)
		return;
	request_key_make(&k, 0, l->s->no, l->from, id);
	p = pending_in_session(m, &k);
	for (unsigned int i = 0; p && p->cancel_at && i < CANCEL_STEPS; i++)
		p = pending_next(p);
	if (p && !p->cancel_at)
		take_back(m, p, l->msg);
	else if (!p && l->x && !pending_answered(m, &k))
		wait_for_request(m, l, &k);
}

/* The answerer tells how far it is: of the newest request with that token, since a client may use one again. */
static void progress(const struct mcp_link *l)
{
	uint64_t token = token_of(&l->msg->rpc->f[RPC_F_PROGRESS_TOKEN]);
	unsigned int steps = 0;

	for (struct list *at = l->s->pending.prev; token && at != &l->s->pending && steps < PROGRESS_STEPS; at = at->prev) {
		struct pending *p = list_entry(at, struct pending, in_session);

		steps++;
		if (p->token != token || p->asker == l->from)
			continue;
		p->call->progress++;
		return;
	}
}

static void notification(struct mcp *m, const struct mcp_link *l)
{
	session_start(m, l->s);
	if (sv_eq(l->msg->rpc->f[RPC_F_METHOD].text, SV("notifications/progress")))
		progress(l);
	if (sv_eq(l->msg->rpc->f[RPC_F_METHOD].text, SV("notifications/cancelled")))
		cancel(m, l);
	logical_note(m, l);
	record_note(m, l);
}

void pair_feed(struct mcp *m, const struct mcp_link *l)
{
	session_saw(m, l);
	switch (l->msg->rpc->kind) {
	case RPC_REQUEST:
		request(m, l);
		break;
	case RPC_NOTIFICATION:
		notification(m, l);
		break;
	case RPC_RESULT:
	case RPC_ERROR:
		response(m, l);
		break;
	default:
		break;
	}
	session_told(m, l->s);
}

/* Nothing came back on a connection that broke. In the modern era that may be a cancellation; who cancels goes first. */
static void broke(struct mcp *m, struct pending *p, const struct exchange *x, uint64_t ts)
{
	uint64_t end = x->last_r ? x->last_r : ts;

	if (p->cancel_at)
		outcome_give_up(m, p, CALL_CANCELLED, p->cancel_at);
	else if (x->modern && (x->status || x->gone))
		outcome_give_up(m, p, CALL_CANCELLED, x->gone ? x->gone : ts);
	else if (!x->status)
		resend_wait(m, p, x->modern ? CALL_CANCELLED : CALL_HTTP_ERROR, end, ts);
	else
		pending_leave_exchange(p); /* the answer may come on another stream */
}

/* The client is told to ask elsewhere: the same request, sent again. */
static void redirected(struct mcp *m, struct pending *p, const struct exchange *x, uint64_t ts)
{
	p->broken.status = x->status;
	resend_wait(m, p, CALL_HTTP_ERROR, x->last_r ? x->last_r : ts, ts);
}

void pair_exchange_done(struct mcp *m, struct exchange *x, uint64_t ts)
{
	while (!list_empty(&x->pending)) {
		struct pending *p = list_entry(x->pending.next, struct pending, in_exchange);

		if (x->status >= 400)
			outcome_http_error(m, p, x->status, x->last_r ? x->last_r : ts, ts);
		else if (x->aborted)
			broke(m, p, x, ts);
		else if (x->status / 100 == 3)
			redirected(m, p, x, ts);
		else
			pending_leave_exchange(p); /* the answer may come on another stream */
	}
}

void pair_exchange_gone(struct exchange *x)
{
	while (!list_empty(&x->pending))
		pending_leave_exchange(list_entry(x->pending.next, struct pending, in_exchange));
}

void pair_session_moved(struct mcp *m, struct session *from, struct session *to)
{
	while (!list_empty(&from->pending))
		pending_move(m, list_entry(from->pending.next, struct pending, in_session), to);
}

void pair_session_end(struct mcp *m, struct session *s, uint64_t ts)
{
	relay_session_end(m, s);
	while (!list_empty(&s->early))
		early_expire(m, list_entry(s->early.next, struct early, in_session));
	while (!list_empty(&s->pending))
		outcome_at_end(m, list_entry(s->pending.next, struct pending, in_session), ts);
}

void pair_tick(struct mcp *m)
{
	struct list *cancelled = &m->inflight.cancelled;

	while (!list_empty(cancelled)) {
		struct pending *p = list_entry(cancelled->next, struct pending, cancelled);

		if (p->cancel_at + MCP_GRACE_NS > m->now)
			break;
		outcome_give_up(m, p, CALL_CANCELLED, p->cancel_at);
	}
	for (struct early *e = early_oldest(m); e; e = early_oldest(m)) {
		if (e->h->at + MCP_GRACE_NS > m->now)
			break;
		early_expire(m, e);
	}
}

void pair_flush(struct mcp *m)
{
	for (struct early *e = early_oldest(m); e; e = early_oldest(m))
		early_expire(m, e);
}

void pair_in_flight(struct mcp *m, bool (*fn)(void *ctx, const struct call *c), void *ctx)
{
	const struct list *head = &m->inflight.by_age;
	struct call shown;

	for (const struct list *l = head->next; l != head; l = l->next) {
		const struct pending *p = list_entry(l, struct pending, age);

		record_show(p->call, p->s, &shown);
		if (!fn(ctx, &shown))
			return;
	}
}
