/* SPDX-License-Identifier: Apache-2.0 */
/* Session table.
 *
 * The start event is held back until an initialize is answered, or until anything else of the session is reported:
 * it then names both peers. A session that is evicted or ended leaves the table at once; who still holds a reference
 * finds it ended. */
#include "mcp/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mcp/ends.h"
#include "mcp/hang.h"
#include "mcp/logical.h"
#include "mcp/moment.h"
#include "mcp/pair.h"
#include "mcp/report.h"
#include "mcp/shape.h"
#include "mcp/text.h"
#include "mcp/tools.h"

#define IDLE_NS	 1800000000000ULL /* 30 min, for sessions that have no end of their own */
#define SWEEP_NS 10000000000ULL

int sessions_init(struct mcp *m)
{
	list_init(&m->sessions.ending);
	return table_init(&m->sessions.by_key, m->caps.sessions);
}

static void session_leave(struct mcp *m, struct session *s)
{
	ends_leave(m, s);
	table_del(&m->sessions.by_key, &s->node);
	session_unref(s);
}

void sessions_done(struct mcp *m)
{
	while (m->sessions.by_key.oldest)
		session_leave(m, table_entry(m->sessions.by_key.oldest, struct session, node));
	table_done(&m->sessions.by_key);
}

struct session *session_ref(struct session *s)
{
	s->refs++;
	return s;
}

void session_unref(struct session *s)
{
	if (!s || --s->refs)
		return;
	list_del(&s->ending);
	free(s->name);
	free(s->client_name);
	free(s->client_version);
	free(s->server_name);
	free(s->server_version);
	free(s->version);
	free(s->requested);
	free(s->header_version);
	free(s->modern_version);
	free(s);
}

struct session *session_find(struct mcp *m, const struct session_key *key)
{
	struct table_node *node = table_get(&m->sessions.by_key, key, sizeof(*key));

	return node ? table_entry(node, struct session, node) : NULL;
}

/* The oldest one made room: it is out of the table already. */
static void session_evicted(struct mcp *m, struct table_node *node)
{
	struct session *s;

	if (!node)
		return;
	s = table_entry(node, struct session, node);
	session_end(m, s, m->now, "idle");
	session_unref(s);
}

struct session *session_open(struct mcp *m, const struct session_key *key, const struct route *route)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s) {
		m->stats.no_memory++;
		return NULL;
	}
	s->key = *key;
	s->refs = 1;
	s->no = ++m->sessions.made;
	s->scope = s->no;
	s->route = *route;
	list_init(&s->pending);
	list_init(&s->early);
	list_init(&s->ending);
	list_init(&s->memo);
	list_init(&s->wholes);
	list_init(&s->end[SIDE_CLIENT].link);
	list_init(&s->end[SIDE_SERVER].link);
	session_evicted(m, table_add(&m->sessions.by_key, &s->node, &s->key, sizeof(s->key)));
	return s;
}

void session_rekey(struct mcp *m, struct session *s, const struct session_key *key)
{
	table_del(&m->sessions.by_key, &s->node);
	s->key = *key;
	session_evicted(m, table_add(&m->sessions.by_key, &s->node, &s->key, sizeof(s->key)));
}

int session_name(struct mcp *m, struct session *s, const char *name)
{
	char made[24];

	if (s->name)
		return 0;
	if (!name) {
		snprintf(made, sizeof(made), "s%" PRIu64, ++m->sessions.named);
		name = made;
	}
	s->name = text_new(sv_of(name));
	return s->name ? 0 : -ENOMEM;
}

static void session_saw_client(struct session *s, const struct rpc_msg *rpc)
{
	if (sv_eq(rpc->f[RPC_F_METHOD].text, SV("initialize"))) {
		s->init_seen = true;
		s->route.era = ERA_LEGACY; /* also after a server/discover that came to nothing */
		text_set(&s->client_name, &rpc->f[RPC_F_CLIENT_NAME]);
		text_set(&s->client_version, &rpc->f[RPC_F_CLIENT_VERSION]);
		text_set(&s->requested, &rpc->f[RPC_F_VERSION]);
	}
	if (!s->client_name)
		text_set(&s->client_name, &rpc->f[RPC_F_META_CLIENT_NAME]);
	if (!s->client_version)
		text_set(&s->client_version, &rpc->f[RPC_F_META_CLIENT_VER]);
	if (!s->modern_version)
		text_set(&s->modern_version, &rpc->f[RPC_F_META_VERSION]);
}

static void session_saw_ends(struct session *s, const struct mcp_link *l)
{
	struct route *r = &s->route;

	if (!r->client.pid)
		r->client = l->from == SIDE_CLIENT ? l->msg->writer : l->msg->reader;
	if (!r->server.pid)
		r->server = l->from == SIDE_SERVER ? l->msg->writer : l->msg->reader;
	if (!r->client_addr.family)
		r->client_addr = l->from == SIDE_CLIENT ? l->msg->src : l->msg->dst;
	if (!r->server_addr.family)
		r->server_addr = l->from == SIDE_SERVER ? l->msg->src : l->msg->dst;
}

/* A request or notification. */
static void session_saw_method(struct session *s, const struct mcp_link *l)
{
	const struct mcp_msg *msg = l->msg;

	if (shape_is_modern(msg->rpc) && !s->init_seen)
		s->route.era = ERA_MODERN;
	else if (s->route.era == ERA_UNKNOWN)
		s->route.era = ERA_LEGACY;
	if (l->from == SIDE_CLIENT && (msg->rpc->kind == RPC_REQUEST || !s->client_name))
		session_saw_client(s, msg->rpc);
	if (msg->http && msg->http->version.n > 0 && !s->header_version)
		s->header_version = text_new(msg->http->version);
}

void session_saw(struct mcp *m, const struct mcp_link *l)
{
	const struct mcp_msg *msg = l->msg;
	struct session *s = l->s;
	uint64_t at = moment_begin(msg);

	if (at && (!s->begin_ts || at < s->begin_ts) && !s->started)
		s->begin_ts = at;
	s->last_ts = m->now;
	s->late |= msg->late;
	session_saw_ends(s, l);
	ends_saw(m, s, l);
	if (msg->rpc->dup_keys || (msg->rpc->marks && msg->rpc->marks->dup_keys)) {
		s->dup_by = s->dup_keys ? s->dup_by : l->from;
		s->dup_keys = true;
	}
	if (msg->rpc->kind == RPC_REQUEST || msg->rpc->kind == RPC_NOTIFICATION)
		session_saw_method(s, l);
}

void session_saw_answer(struct session *s, const struct rpc_msg *rpc, bool initialize)
{
	if (rpc->kind != RPC_RESULT)
		return;
	if (initialize)
		text_set(&s->version, &rpc->f[RPC_F_RESULT_VERSION]);
	if (initialize || !s->server_name) {
		text_set(&s->server_name, &rpc->f[RPC_F_SERVER_NAME]);
		text_set(&s->server_version, &rpc->f[RPC_F_SERVER_VERSION]);
	}
	if (s->server_name)
		return;
	text_set(&s->server_name, &rpc->f[RPC_F_META_SERVER_NAME]);
	text_set(&s->server_version, &rpc->f[RPC_F_META_SERVER_VER]);
}

static const char *version_of(const struct session *s)
{
	if (s->version)
		return s->version;
	return s->route.era == ERA_MODERN && s->modern_version ? s->modern_version : s->header_version;
}

static void session_tell(struct mcp *m, struct session *s, uint64_t ts, const char *end_reason)
{
	struct session_event e = {
		.end = end_reason != NULL,
		.late = s->late && !s->init_seen,
		.ts = ts,
		.session = s->name,
		.session_no = s->no,
		.client_name = s->client_name,
		.client_version = s->client_version,
		.server_name = s->server_name,
		.server_version = s->server_version,
		.protocol_version = version_of(s),
		.requested_version = s->requested,
		.reason = end_reason,
		.startup_ns = s->startup_ns,
		.route = s->route,
	};

	if (e.end) {
		e.calls = s->calls;
		e.errors = s->errors;
		e.duration_ns = ts > s->begin_ts ? ts - s->begin_ts : 0;
	}
	if (m->ops.session)
		m->ops.session(m->ops.ctx, &e);
}

void session_start(struct mcp *m, struct session *s)
{
	if (s->started)
		return;
	s->started = true;
	session_name(m, s, NULL);
	if (!s->begin_ts)
		s->begin_ts = m->now;
	session_tell(m, s, s->begin_ts, NULL);
}

void session_told(struct mcp *m, struct session *s)
{
	if (!s->dup_keys || s->dup_told || !s->started)
		return;
	s->dup_told = true;
	report_dup_keys(m, s);
}

/* @ended comes first: what pairing reports now finds nothing to open again. */
void session_end(struct mcp *m, struct session *s, uint64_t ts, const char *reason)
{
	uint32_t died;

	if (s->ended)
		return;
	session_ref(s);
	died = hang_session_end(m, s, ts, reason);
	s->ended = true;
	list_del(&s->ending);
	pair_session_end(m, s, ts);
	logical_session_end(m, s);
	tools_forget(m, s);
	ends_leave(m, s);
	if (died)
		report_died(m, s, died);
	session_told(m, s);
	if (s->started)
		session_tell(m, s, ts, reason);
	if (table_peek(&m->sessions.by_key, &s->key, sizeof(s->key)) == &s->node)
		session_leave(m, s);
	session_unref(s);
}

void session_end_soon(struct mcp *m, struct session *s, uint64_t ts, const char *reason)
{
	if (s->end_at || s->ended)
		return;
	s->end_at = ts ? ts : m->now;
	s->end_reason = reason;
	list_add(&m->sessions.ending, &s->ending);
}

/* Who was not used for long is at the old end of the table; those that a client may still come back to stay. */
static void sweep(struct mcp *m)
{
	struct table_node *next;

	if (m->sessions.swept + SWEEP_NS > m->now)
		return;
	m->sessions.swept = m->now;
	for (struct table_node *n = m->sessions.by_key.oldest; n; n = next) {
		struct session *s = table_entry(n, struct session, node);

		next = n->newer;
		if (s->last_ts + IDLE_NS > m->now)
			return;
		if (s->grouped && list_empty(&s->pending))
			session_end(m, s, m->now, "idle");
	}
}

void sessions_tick(struct mcp *m)
{
	sweep(m);
	while (!list_empty(&m->sessions.ending)) {
		struct session *s = list_entry(m->sessions.ending.next, struct session, ending);

		if (s->end_at + MCP_GRACE_NS > m->now)
			return;
		session_end(m, s, s->end_at, s->end_reason);
	}
}

void sessions_flush(struct mcp *m)
{
	while (!list_empty(&m->sessions.ending)) {
		struct session *s = list_entry(m->sessions.ending.next, struct session, ending);

		session_end(m, s, s->end_at, s->end_reason);
	}
	while (m->sessions.by_key.oldest)
		session_end(m, table_entry(m->sessions.by_key.oldest, struct session, node), m->now,
			    "shutdown");
}
