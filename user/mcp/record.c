/* SPDX-License-Identifier: Apache-2.0 */
/* Records out of messages. */
#include "mcp/record.h"

#include <stdlib.h>

#include "base/num.h"
#include "mcp/call_marks.h"
#include "mcp/method.h"
#include "mcp/moment.h"
#include "mcp/shape.h"
#include "mcp/text.h"
#include "mcp/traceparent.h"
#include "model/call.h"

static void set_proc(struct proc_id *to, const struct proc_id *from)
{
	if (from->pid && !to->pid)
		*to = *from;
}

static void set_addr(struct net_addr *to, const struct net_addr *from)
{
	if (from->family && !to->family)
		*to = *from;
}

static void set_route(struct route *r, const struct mcp_link *l)
{
	const struct mcp_msg *msg = l->msg;
	bool client = l->from == SIDE_CLIENT;

	r->transport = l->s->route.transport;
	r->channel = msg->channel;
	if (msg->http)
		r->http_version = msg->http->http_version;
	if (msg->tls) /* by the answer's time the asking end may be known, where it was not as it asked */
		r->tls = msg->tls;
	r->client_unread = client ? msg->writer_unread : msg->reader_unread;
	r->server_unread = client ? msg->reader_unread : msg->writer_unread;
	set_proc(&r->client, client ? &msg->writer : &msg->reader);
	set_proc(&r->server, client ? &msg->reader : &msg->writer);
	set_addr(&r->client_addr, client ? &msg->src : &msg->dst);
	set_addr(&r->server_addr, client ? &msg->dst : &msg->src);
}

static void set_target(struct call *c, const struct rpc_msg *rpc)
{
	const struct method *me = method_find(rpc->f[RPC_F_METHOD].text);
	struct sv target = method_target(me, rpc);

	if (target.n == 0)
		return;
	if (me->target == TARGET_TOOL)
		c->tool = text_new(target);
	else if (me->target == TARGET_PROMPT)
		c->prompt = text_new(target);
	else
		c->resource = text_new(target);
}

static void set_id(struct call *c, const struct rpc_value *id)
{
	if (id->type != RPC_STRING && id->type != RPC_NUMBER)
		return;
	c->id = text_new(id->text);
	if (!c->id)
		c->id = calloc(1, 1); /* "" is an id */
	c->has_id = c->id != NULL;
	c->id_is_string = id->type == RPC_STRING;
}

struct call *record_request(const struct mcp_link *l)
{
	const struct mcp_msg *msg = l->msg;
	const struct rpc_msg *rpc = msg->rpc;
	struct call *c = call_new();

	if (!c)
		return NULL;
	set_id(c, &rpc->f[RPC_F_ID]);
	c->from = l->from;
	c->session_no = l->s->no;
	c->agent = msg->agent;
	c->attempt = 1;
	c->method = text_new(rpc->f[RPC_F_METHOD].text);
	set_target(c, rpc);
	c->start = moment_begin(msg);
	c->request_bytes = rpc->bytes;
	c->has_request = true;
	c->request_seen = 1;
	c->lost_bytes = msg->lost_bytes;
	c->order_uncertain = msg->order_uncertain;
	c->params = text_new(rpc->params);
	c->route.era = shape_is_modern(rpc) ? ERA_MODERN : ERA_LEGACY;
	if (c->route.era == ERA_MODERN)
		c->protocol_version = text_of(&rpc->f[RPC_F_META_VERSION]);
	if (!c->protocol_version && msg->http)
		c->protocol_version = text_new(msg->http->version);
	traceparent_parse(rpc->f[RPC_F_META_TRACEPARENT].text, &c->trace_id, &c->parent_span_id);
	if (l->from == SIDE_CLIENT)
		c->client_name = text_of(&rpc->f[RPC_F_META_CLIENT_NAME]);
	call_marks_request(c, msg);
	set_route(&c->route, l);
	return c;
}

static void set_outcome(struct call *c, const struct rpc_msg *rpc)
{
	const struct rpc_value *is_error = &rpc->f[RPC_F_IS_ERROR];

	c->outcome = CALL_OK;
	if (rpc->kind == RPC_ERROR) {
		c->outcome = CALL_RPC_ERROR;
		c->has_error_code = num_i64(rpc->f[RPC_F_ERROR_CODE].text, &c->error_code) == 0;
	} else if (is_error->type == RPC_BOOL && sv_eq(is_error->text, SV("true"))) {
		c->outcome = CALL_TOOL_ERROR;
	}
}

/* Both are read off the same clock, but at ends whose records may be missing: what is not possible is left out. */
static void set_durations(struct call *c, const struct mcp_msg *msg, uint64_t begin, uint64_t last_r)
{
	const struct proc_id *answerer = c->from == SIDE_CLIENT ? &c->route.server : &c->route.client;
	uint64_t first = moment_first(msg), end = moment_end(msg);

	if (begin && end >= begin) {
		c->duration_ns = end - begin;
		c->has_duration = true;
	}
	if (answerer->pid && last_r && first >= last_r) {
		c->server_ns = first - last_r;
		c->has_server_ns = true;
	}
}

void record_answer(struct call *c, const struct mcp_link *l, uint64_t begin, uint64_t last_r)
{
	const struct mcp_msg *msg = l->msg;
	const struct rpc_msg *rpc = msg->rpc;

	set_route(&c->route, l);
	set_outcome(c, rpc);
	c->ts = moment_end(msg);
	c->response_bytes = rpc->bytes;
	c->has_response = true;
	c->response_seen = 1;
	c->lost_bytes += msg->lost_bytes;
	c->order_uncertain |= msg->order_uncertain;
	c->result = text_new(rpc->result);
	c->error = text_new(rpc->error);
	if (c->from == SIDE_CLIENT && !c->server_name)
		c->server_name = text_of(&rpc->f[RPC_F_META_SERVER_NAME]);
	call_marks_answer(c, msg);
	set_durations(c, msg, begin, last_r);
}

struct call *record_orphan(const struct mcp_link *l)
{
	struct call *c = call_new();

	if (!c)
		return NULL;
	set_id(c, &l->msg->rpc->f[RPC_F_ID]);
	c->from = l->from == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
	c->agent = l->msg->agent;
	c->route.era = l->s->route.era;
	record_answer(c, l, 0, 0);
	c->outcome = CALL_ORPHAN;
	return c;
}

static uint8_t view_of(const struct call *c)
{
	bool client = c->route.client.pid && !c->route.client_unread;
	bool server = c->route.server.pid && !c->route.server_unread;
	bool asker = c->from == SIDE_CLIENT ? client : server;
	bool answerer = c->from == SIDE_CLIENT ? server : client;

	if (asker && answerer)
		return VIEW_BOTH;
	if (asker)
		return VIEW_ASKER;
	return answerer ? VIEW_ANSWERER : VIEW_UNKNOWN;
}

static void set_known(struct route *r, const struct session *s)
{
	set_proc(&r->client, &s->route.client);
	set_proc(&r->server, &s->route.server);
	set_addr(&r->client_addr, &s->route.client_addr);
	set_addr(&r->server_addr, &s->route.server_addr);
}

/* What the session agreed on, where the call does not say it better; NULL: leave it. */
static char *version_of(const struct call *c, const struct session *s)
{
	if (c->route.era == ERA_MODERN)
		return NULL;
	return s->version ? s->version : c->protocol_version ? NULL : s->header_version;
}

void record_show(const struct call *c, const struct session *s, struct call *ret_shown)
{
	char *version = version_of(c, s);

	*ret_shown = *c;
	if (version)
		ret_shown->protocol_version = version;
	ret_shown->view = view_of(c);
	set_known(&ret_shown->route, s);
	ret_shown->route.transport = s->route.transport;
	ret_shown->session = s->name;
	ret_shown->session_no = s->no;
	if (!c->client_name)
		ret_shown->client_name = s->client_name;
	if (!c->server_name)
		ret_shown->server_name = s->server_name;
}

static void set_name(char **name, const char *of_session)
{
	if (!*name && of_session)
		*name = text_new(sv_of(of_session));
}

void record_session(struct call *c, const struct session *s)
{
	const char *version = version_of(c, s);

	c->view = view_of(c); /* of the messages; what follows is from elsewhere */
	set_known(&c->route, s);
	c->route.transport = s->route.transport;
	c->session_no = s->no;
	set_name(&c->session, s->name);
	set_name(&c->client_name, s->client_name);
	set_name(&c->server_name, s->server_name);
	if (!version)
		return;
	free(c->protocol_version);
	c->protocol_version = text_new(sv_of(version));
}

static char *dup(const char *s)
{
	return s ? strdup(s) : NULL;
}

struct call *record_copy(const struct call *c)
{
	struct call *to = call_new();

	if (!to)
		return NULL;
	*to = *c;
	to->id = dup(c->id);
	to->method = dup(c->method);
	to->tool = dup(c->tool);
	to->prompt = dup(c->prompt);
	to->resource = dup(c->resource);
	to->session = dup(c->session);
	to->protocol_version = dup(c->protocol_version);
	to->trace_id = dup(c->trace_id);
	to->parent_span_id = dup(c->parent_span_id);
	to->logical = NULL;
	to->client_name = dup(c->client_name);
	to->server_name = dup(c->server_name);
	to->params = to->result = to->error = NULL;
	return to;
}

const char *record_target(const struct call *c)
{
	if (c->tool)
		return c->tool;
	return c->prompt ? c->prompt : c->resource;
}

void record_note(struct mcp *m, const struct mcp_link *l)
{
	const struct rpc_msg *rpc = l->msg->rpc;
	struct note n = {
		.ts = moment_end(l->msg),
		.from = l->from,
		.method = text_new(rpc->f[RPC_F_METHOD].text),
		.session = l->s->name ? text_new(sv_of(l->s->name)) : NULL,
		.bytes = rpc->bytes,
		.lost_bytes = l->msg->lost_bytes,
		.params = text_new(rpc->params),
		.route = { .era = shape_is_modern(rpc) ? ERA_MODERN : l->s->route.era },
	};

	if (!n.ts)
		n.ts = m->now;
	set_route(&n.route, l);
	set_known(&n.route, l->s);
	if (m->ops.note)
		m->ops.note(m->ops.ctx, &n);
	free(n.method);
	free(n.session);
	free(n.params);
}
