/* SPDX-License-Identifier: Apache-2.0 */
/* Logical calls.
 *
 * A whole that waits is in the table: under the state that the next request has to echo, else under its arguments,
 * which come again with the input; or under its task. While that next request is in flight it belongs to the request
 * alone. A task of the 2025-11-25 core tells by its status only how it ended; tasks/result brings the rest, and is
 * waited for. Tasks of the extension bring all in tasks/get. */
#include "mcp/logical.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "mcp/inflight.h"
#include "mcp/logical_key.h"
#include "mcp/moment.h"
#include "mcp/record.h"

#define RESULT_NS 60000000000ULL /* from the end of a task on, for its tasks/result */

struct whole {
	struct table_node node;
	struct session_key key;
	struct list in_session, settling;
	struct session *s;
	char name[24];
	struct call *first;
	uint32_t requests, polls;
	bool task, flat;
	bool by_input;	      /* at some point joined by its arguments, for want of a state */
	uint8_t status;	      /* enum task_status */
	bool over;	      /* the outcome is in @first */
	uint64_t end, settle; /* when the task ended, and when that was told */
};

int logicals_init(struct mcp *m)
{
	list_init(&m->logicals.settling);
	return table_init(&m->logicals.open, m->caps.tasks);
}

void logical_free(struct whole *w)
{
	if (!w)
		return;
	session_unref(w->s);
	call_free(w->first);
	free(w);
}

/* It is out of the table. */
static void leave(struct whole *w)
{
	list_del(&w->in_session);
	list_del(&w->settling);
	w->s->open_wholes--;
}

static void take_out(struct mcp *m, struct whole *w)
{
	table_del(&m->logicals.open, &w->node);
	leave(w);
}

void logicals_done(struct mcp *m)
{
	while (m->logicals.open.oldest) {
		struct whole *w = table_entry(m->logicals.open.oldest, struct whole, node);

		take_out(m, w);
		logical_free(w);
	}
	table_done(&m->logicals.open);
}

static struct whole *find(struct mcp *m, const struct session_key *key)
{
	struct table_node *node = table_get(&m->logicals.open, key, sizeof(*key));

	return node ? table_entry(node, struct whole, node) : NULL;
}

static bool has_text(const struct rpc_value *v)
{
	return v->type == RPC_STRING && v->text.n > 0;
}

static bool is_one_of(const char *method, const struct sv *names, size_t n)
{
	for (size_t i = 0; method && i < n; i++)
		if (sv_eq(sv_of(method), names[i]))
			return true;
	return false;
}

static bool takes_input(const char *method)
{
	static const struct sv names[] = { { "tools/call", 10 }, { "resources/read", 14 }, { "prompts/get", 11 } };

	return is_one_of(method, names, 3);
}

static bool is_poll(const char *method)
{
	static const struct sv names[] = {
		{ "tasks/get", 9 }, { "tasks/result", 12 }, { "tasks/update", 12 }, { "tasks/cancel", 12 }
	};

	return is_one_of(method, names, 4);
}

static void set_part(struct call *c, const struct whole *w, enum call_part part)
{
	if (!c->logical)
		c->logical = strdup(w->name);
	c->part = (uint8_t)part;
}

static void asked_poll(struct mcp *m, struct pending *p, const struct rpc_value *task)
{
	struct whole *w;

	p->step.key = logical_key_task(p->s, p->asker, task);
	w = find(m, &p->step.key);
	if (!w || !w->task)
		return;
	p->step.poll = true;
	w->requests++;
	w->polls++;
	set_part(p->call, w, PART_POLL);
}

static void asked_again(struct mcp *m, struct pending *p, const struct session_key *key)
{
	struct whole *w = find(m, key);

	if (!w)
		return;
	take_out(m, w);
	w->requests++;
	set_part(p->call, w, PART_LAST);
	p->whole = w;
}

void logical_asked(struct mcp *m, struct pending *p, const struct rpc_msg *rpc)
{
	const struct rpc_value *state = &rpc->f[RPC_F_REQUEST_STATE];
	struct session_key key;
	bool known;

	if (m->logicals.open.n == 0)
		return;
	if (has_text(&rpc->f[RPC_F_TASK_ID]) && is_poll(p->call->method)) {
		asked_poll(m, p, &rpc->f[RPC_F_TASK_ID]);
		return;
	}
	if (p->asker != SIDE_CLIENT || !takes_input(p->call->method))
		return;
	known = has_text(state);
	if (known)
		key = logical_key_state(p, state);
	else if (rpc->f[RPC_F_INPUT_RESPONSES].type == RPC_OBJECT)
		known = logical_key_input(p, &key);
	if (known)
		asked_again(m, p, &key);
}

static uint8_t status_of(const struct rpc_value *v)
{
	if (v->type != RPC_STRING)
		return TASK_GOES_ON;
	if (sv_eq(v->text, SV("completed")))
		return TASK_COMPLETED;
	if (sv_eq(v->text, SV("failed")))
		return TASK_FAILED;
	return sv_eq(v->text, SV("cancelled")) ? TASK_CANCELLED : TASK_GOES_ON;
}

static bool is_true(const struct rpc_value *v)
{
	return v->type == RPC_BOOL && sv_eq(v->text, SV("true"));
}

static void answered_poll(struct logical_step *step, const char *method, const struct rpc_msg *rpc)
{
	step->result = sv_eq(sv_of(method), SV("tasks/result"));
	if (step->result || rpc->kind != RPC_RESULT)
		return;
	step->status = status_of(&rpc->f[RPC_F_RESULT_STATUS]);
	step->inner_error = is_true(&rpc->f[RPC_F_RESULT_INNER_ERROR]);
	step->has_code = num_i64(rpc->f[RPC_F_RESULT_INNER_CODE].text, &step->code) == 0;
}

void logical_answered(struct pending *p, const struct rpc_msg *rpc)
{
	struct logical_step *step = &p->step;
	const struct rpc_value *f = rpc->f, *task = NULL;

	if (step->poll) {
		answered_poll(step, p->call->method, rpc);
		return;
	}
	if (rpc->kind != RPC_RESULT || is_poll(p->call->method))
		return;
	if (has_text(&f[RPC_F_RESULT_TASK_ID]) && sv_eq(f[RPC_F_RESULT_TYPE].text, SV("task")))
		task = &f[RPC_F_RESULT_TASK_ID];
	else if (has_text(&f[RPC_F_RESULT_TASK_ID1]))
		task = &f[RPC_F_RESULT_TASK_ID1];
	if (task) {
		step->task = true;
		step->flat = task == &f[RPC_F_RESULT_TASK_ID];
		step->key = logical_key_task(p->s, p->asker, task);
	} else if (p->asker == SIDE_CLIENT && takes_input(p->call->method) &&
		   sv_eq(f[RPC_F_RESULT_TYPE].text, SV("input_required"))) {
		step->by_state = has_text(&f[RPC_F_RESULT_STATE]);
		if (step->by_state)
			step->key = logical_key_state(p, &f[RPC_F_RESULT_STATE]);
		step->input = step->by_state || logical_key_input(p, &step->key);
	}
}

static struct whole *whole_new(struct mcp *m, struct session *s, const struct call *c)
{
	struct whole *w = calloc(1, sizeof(*w));

	if (w)
		w->first = record_copy(c);
	if (!w || !w->first) {
		free(w);
		m->stats.no_memory++;
		return NULL;
	}
	list_init(&w->in_session);
	list_init(&w->settling);
	w->s = session_ref(s);
	w->requests = 1;
	snprintf(w->name, sizeof(w->name), "l%" PRIu64, ++m->logicals.made);
	return w;
}

static void give_up(struct mcp *m, struct whole *w)
{
	struct call *c = w->first;

	if (!w->over) {
		c->outcome = CALL_UNANSWERED;
		c->has_duration = false;
		w->end = m->now;
	}
	logical_tell(m, w);
}

static void evict(struct mcp *m, struct whole *w)
{
	m->stats.tasks_evicted++;
	give_up(m, w);
}

/* One session cannot take all the room from the others. */
static void make_room(struct mcp *m, struct session *s)
{
	struct whole *w;

	if (s->open_wholes < m->caps.tasks / 4)
		return;
	w = list_entry(s->wholes.next, struct whole, in_session);
	take_out(m, w);
	evict(m, w);
}

static void wait_for(struct mcp *m, struct whole *w, const struct session_key *key)
{
	struct table_node *out;
	struct whole *before = find(m, key);

	if (before) { /* the same state or task id once more: the older one cannot be told from it any longer */
		take_out(m, before);
		give_up(m, before);
	}
	if (before && w->by_input) { /* nor the other way round */
		give_up(m, w);
		return;
	}
	make_room(m, w->s);
	w->key = *key;
	list_add(&w->s->wholes, &w->in_session);
	w->s->open_wholes++;
	out = table_add(&m->logicals.open, &w->node, &w->key, sizeof(w->key));
	if (!out)
		return;
	before = table_entry(out, struct whole, node);
	leave(before);
	evict(m, before);
}

/* The outcome is that of @c, which ended it or tells of its end. */
static void settle(struct whole *w, const struct call *c)
{
	struct call *to = w->first;

	to->outcome = c->outcome;
	to->error_code = c->error_code;
	to->has_error_code = c->has_error_code;
	to->result_fp = c->result_fp;
	to->masked_fp = c->masked_fp;
	to->response_bytes = c->response_bytes;
	to->has_response = c->has_response;
	to->marks.error_class = c->marks.error_class;
	to->marks.text_bytes = c->marks.text_bytes;
	to->lost_bytes += c->lost_bytes;
	w->over = c->outcome != CALL_UNANSWERED;
	if (!w->end)
		w->end = c->ts;
}

static void settle_by_status(struct whole *w, uint8_t status, uint64_t ts)
{
	static const uint8_t outcomes[] = { CALL_UNANSWERED, CALL_OK, CALL_TOOL_ERROR, CALL_CANCELLED };

	w->status = status;
	w->first->outcome = outcomes[status];
	w->first->has_error_code = false;
	w->over = true;
	w->end = ts;
}

static void set_inner(struct call *to, uint8_t status, const struct logical_step *step)
{
	if (status == TASK_CANCELLED)
		return;
	if (step->has_code) {
		to->outcome = CALL_RPC_ERROR;
		to->error_code = step->code;
		to->has_error_code = true;
	} else if (step->inner_error) {
		to->outcome = CALL_TOOL_ERROR;
	}
}

/* true: nothing more is needed to tell of it. */
static bool task_ended(struct mcp *m, struct whole *w, const struct logical_step *step, uint64_t ts)
{
	if (step->status == TASK_GOES_ON || w->status != TASK_GOES_ON)
		return false;
	settle_by_status(w, step->status, ts);
	if (w->flat || w->status == TASK_CANCELLED) {
		set_inner(w->first, step->status, step);
		return true;
	}
	w->settle = m->now;
	list_move(&m->logicals.settling, &w->settling);
	return false;
}

/* An error of tasks/result may be the task's, or say that there is no such task any more. */
static bool result_came(struct whole *w, const struct call *c)
{
	if (!c->has_response)
		return false;
	if (w->status == TASK_CANCELLED || (w->status == TASK_COMPLETED && c->outcome == CALL_RPC_ERROR))
		return true;
	settle(w, c);
	return true;
}

static struct whole *polled(struct mcp *m, struct call *c, const struct logical_step *step)
{
	struct whole *w = find(m, &step->key);
	bool ended;

	if (!w || !c->logical || !sv_eq(sv_of(w->name), sv_of(c->logical)))
		return NULL;
	ended = step->result ? result_came(w, c) : task_ended(m, w, step, c->ts);
	if (!ended)
		return NULL;
	if (!step->result && w->flat) { /* what surrounds the result is the task's own: only what is masked compares */
		w->first->masked_fp = c->masked_fp;
		w->first->marks.error_class = c->marks.error_class;
		w->first->response_bytes = c->response_bytes;
		w->first->has_response = true;
		w->first->lost_bytes += c->lost_bytes;
	}
	take_out(m, w);
	return w;
}

/* @c was answered with what is not the outcome yet. */
static void go_on(struct mcp *m, struct session *s, struct call *c, const struct logical_step *step,
		  struct whole *w)
{
	if (!w)
		w = whole_new(m, s, c);
	if (!w)
		return;
	w->task = step->task;
	w->flat = step->flat;
	w->by_input |= step->input && !step->by_state;
	set_part(c, w, step->task ? PART_TASK : PART_INPUT);
	wait_for(m, w, &step->key);
}

struct whole *logical_part(struct mcp *m, struct session *s, struct call *c, const struct logical_step *step,
			   struct whole *whole)
{
	if (step->poll)
		return polled(m, c, step);
	if ((step->input || step->task) && c->outcome == CALL_OK && !s->ended) {
		go_on(m, s, c, step, whole);
		return NULL;
	}
	if (whole)
		settle(whole, c);
	if (whole && (step->input || step->task)) /* its session is over: nothing can go on */
		whole->over = false;
	return whole;
}

void logical_tell(struct mcp *m, struct whole *w)
{
	struct call *c = w->first;
	struct logical l = {
		.name = w->name,
		.joined_by = w->task ? "task" : w->by_input ? "arguments" : "request_state",
		.ts = w->end ? w->end : m->now,
		.start = c->start,
		.requests = w->requests,
		.polls = w->polls,
		.first = c,
		.open = !w->over,
	};

	c->ts = l.ts;
	l.duration_ns = c->start && l.ts >= c->start ? l.ts - c->start : 0;
	c->has_duration = w->over && c->start && l.ts >= c->start && c->outcome != CALL_CANCELLED;
	c->duration_ns = c->has_duration ? l.duration_ns : 0;
	c->has_server_ns = false;
	free(c->logical);
	c->logical = strdup(w->name);
	if (m->ops.logical)
		m->ops.logical(m->ops.ctx, &l);
	logical_free(w);
}

void logical_note(struct mcp *m, const struct mcp_link *l)
{
	const struct rpc_value *f = l->msg->rpc->f;
	struct logical_step step = { .status = status_of(&f[RPC_F_STATUS]) };
	struct session_key key;
	struct whole *w;
	uint64_t ts = moment_end(l->msg);

	if (m->logicals.open.n == 0 || step.status == TASK_GOES_ON || !has_text(&f[RPC_F_TASK_ID]) ||
	    !sv_starts(f[RPC_F_METHOD].text, SV("notifications/tasks")))
		return;
	key = logical_key_task(l->s, l->from == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT, &f[RPC_F_TASK_ID]);
	w = find(m, &key);
	if (!w || !w->task)
		return;
	step.inner_error = is_true(&f[RPC_F_NOTE_ERROR]);
	step.has_code = num_i64(f[RPC_F_NOTE_CODE].text, &step.code) == 0;
	if (!task_ended(m, w, &step, ts ? ts : m->now))
		return;
	take_out(m, w);
	logical_tell(m, w);
}

void logical_session_end(struct mcp *m, struct session *s)
{
	while (!list_empty(&s->wholes)) {
		struct whole *w = list_entry(s->wholes.next, struct whole, in_session);

		take_out(m, w);
		give_up(m, w);
	}
}

void logical_tick(struct mcp *m)
{
	struct list *settling = &m->logicals.settling;

	while (!list_empty(settling)) {
		struct whole *w = list_entry(settling->next, struct whole, settling);

		if (w->settle + RESULT_NS > m->now)
			return;
		take_out(m, w);
		logical_tell(m, w);
	}
}
