/* SPDX-License-Identifier: Apache-2.0 */
/* Which session an HTTP message belongs to.
 *
 * An initialize has no session id: it is a session of its own until the head of its answer names one. The ids may be
 * credentials; they go into keys by their digest and are not kept. */
#include "mcp/http_session.h"

#include <errno.h>

#include "base/hash.h"
#include "mcp/endpoint.h"
#include "mcp/pair.h"
#include "mcp/resend.h"
#include "mcp/shape.h"

struct http_key {
	enum session_kind kind;
	struct session_key key;
};

static struct session_key id_key(struct sv id, const struct net_addr *server)
{
	struct session_parts parts;

	session_parts_init(&parts, SESSION_ID);
	session_parts_text(&parts, id);
	session_parts_addr(&parts, server);
	return session_parts_key(&parts);
}

static void put_client(struct session_parts *parts, const struct mcp_msg *msg)
{
	if (msg->http->in_response)
		session_parts_peer(parts, &msg->reader, &msg->dst);
	else
		session_parts_peer(parts, &msg->writer, &msg->src);
}

static const struct net_addr *server_of(const struct mcp_msg *msg)
{
	return msg->http->in_response ? &msg->src : &msg->dst;
}

static struct session_key peers_key(const struct mcp_msg *msg)
{
	struct session_parts parts;

	session_parts_init(&parts, SESSION_PEERS);
	put_client(&parts, msg);
	session_parts_addr(&parts, server_of(msg));
	session_parts_text(&parts, msg->http->host);
	session_parts_text(&parts, endpoint_path(msg->http->target));
	return session_parts_key(&parts);
}

static void put_endpoint(struct session_parts *parts, const struct mcp_msg *msg)
{
	if (msg->http->host.n > 0)
		session_parts_text(parts, msg->http->host);
	else
		session_parts_addr(parts, server_of(msg));
	session_parts_text(parts, endpoint_path(msg->http->target));
}

/* Whoever asks there: task ids are the server's. */
static uint64_t endpoint_scope(const struct mcp_msg *msg)
{
	struct session_parts parts;

	session_parts_init(&parts, KEY_TASK);
	put_endpoint(&parts, msg);
	return session_parts_key(&parts).h[0];
}

static struct session_key identity_key(const struct mcp_msg *msg)
{
	const struct rpc_value *f = msg->rpc->f;
	struct session_parts parts;

	session_parts_init(&parts, SESSION_IDENTITY);
	put_client(&parts, msg);
	put_endpoint(&parts, msg);
	session_parts_text(&parts, f[RPC_F_META_CLIENT_NAME].text);
	session_parts_text(&parts, f[RPC_F_META_CLIENT_VER].text);
	return session_parts_key(&parts);
}

static struct session_key exchange_key(const struct exchange *x)
{
	struct session_parts parts;

	session_parts_init(&parts, SESSION_EXCHANGE);
	session_parts_num(&parts, x->id);
	return session_parts_key(&parts);
}

static bool is_initialize(const struct mcp_msg *msg)
{
	return msg->rpc->kind == RPC_REQUEST && !msg->http->in_response &&
	       sv_eq(msg->rpc->f[RPC_F_METHOD].text, SV("initialize"));
}

static struct http_key key_of(struct mcp *m, const struct exchange *x, const struct mcp_msg *msg)
{
	const struct mcp_http *http = msg->http;
	const struct endpoint e = { .dir = { "", 0 }, .path = http->target };
	struct http_key k = { .kind = SESSION_ENDPOINT };

	if (!http->in_response && shape_is_modern(msg->rpc))
		return (struct http_key){ SESSION_IDENTITY, identity_key(msg) };
	if (http->session_id.n > 0)
		return (struct http_key){ SESSION_ID, id_key(http->session_id, server_of(msg)) };
	k.key = endpoint_key(http->host, &e);
	if (endpoint_is(http->target) || session_find(m, &k.key))
		return k;
	if (is_initialize(msg))
		return (struct http_key){ SESSION_EXCHANGE, exchange_key(x) };
	return (struct http_key){ SESSION_PEERS, peers_key(msg) };
}

bool http_session_known(struct mcp *m, const struct exchange *x, const struct mcp_msg *msg)
{
	struct http_key k = key_of(m, x, msg);

	return session_find(m, &k.key) != NULL;
}

static void set_session(struct exchange *x, struct session *s)
{
	session_ref(s);
	session_unref(x->s);
	x->s = s;
}

static struct session *open_http(struct mcp *m, const struct http_key *k, uint8_t transport, uint8_t channel)
{
	struct route r = { .transport = transport, .channel = channel };
	struct session *s = session_find(m, &k->key);

	if (s)
		return s;
	s = session_open(m, &k->key, &r);
	if (!s)
		return NULL;
	s->provisional = k->kind == SESSION_EXCHANGE;
	if (!s->provisional)
		session_name(m, s, NULL);
	return s;
}

static uint64_t id_hash(struct sv id)
{
	return hash_bytes(id.p, id.n) | 1;
}

int http_session_join(struct mcp *m, struct exchange *x, const struct mcp_msg *msg)
{
	struct http_key k = key_of(m, x, msg);
	struct session *s = k.kind == SESSION_EXCHANGE ? resend_session(m, msg) : NULL;

	if (!s)
		s = open_http(m, &k, TRANSPORT_HTTP, msg->channel);
	if (!s)
		return -ENOMEM;
	s->route.http_version = msg->http->http_version;
	if (!s->route.tls)
		s->route.tls = msg->tls;
	if (k.kind == SESSION_ID)
		s->id_hash = id_hash(msg->http->session_id);
	if (s->provisional) {
		x->server = *server_of(msg);
		x->peers = peers_key(msg);
	}
	if (k.kind == SESSION_IDENTITY) {
		s->grouped = true;
		s->scope = endpoint_scope(msg);
	}
	set_session(x, s);
	return 0;
}

static void move_text(char **to, char **from)
{
	char *text = *to;

	if (text)
		return;
	*to = *from;
	*from = text;
}

/* The session is known by now: from messages that overtook this answer, or it has no id and is an old one's. */
static void merge(struct mcp *m, struct session *from, struct session *to)
{
	pair_session_moved(m, from, to);
	to->init_seen |= from->init_seen;
	if (!to->started && from->begin_ts && (!to->begin_ts || from->begin_ts < to->begin_ts))
		to->begin_ts = from->begin_ts;
	move_text(&to->client_name, &from->client_name);
	move_text(&to->client_version, &from->client_version);
	move_text(&to->requested, &from->requested);
	if (!to->startup_ns)
		to->startup_ns = from->startup_ns;
	session_end(m, from, m->now, "idle"); /* it never began: no event */
}

void http_session_settle(struct mcp *m, struct exchange *x, struct sv id)
{
	struct session *s = x->s, *known;
	struct session_key key;

	if (!s || !s->provisional || s->ended)
		return;
	key = id.n > 0 ? id_key(id, &x->server) : x->peers;
	known = session_find(m, &key);
	s->provisional = false;
	if (known) {
		merge(m, s, known);
		set_session(x, known);
		s = known;
	} else {
		session_rekey(m, s, &key);
		session_name(m, s, NULL);
	}
	if (id.n > 0)
		s->id_hash = id_hash(id);
}

struct session *http_session_by_id(struct mcp *m, struct sv id, const struct net_addr *server)
{
	struct session_key key = id_key(id, server);
	uint64_t hash = id_hash(id);

	if (server->family)
		return session_find(m, &key);
	for (struct table_node *n = m->sessions.by_key.newest; n; n = n->older) {
		struct session *s = table_entry(n, struct session, node);

		if (s->id_hash == hash)
			return s;
	}
	return NULL;
}

struct session *http_session_endpoint(struct mcp *m, struct exchange *x, const struct mcp_http *http,
				      struct sv uri)
{
	struct http_key k = { .kind = SESSION_ENDPOINT };
	struct endpoint e;
	struct session *s;

	endpoint_resolve(http->target, uri, &e);
	k.key = endpoint_key(http->host, &e);
	s = open_http(m, &k, TRANSPORT_SSE, CHANNEL_UNKNOWN);
	if (!s)
		return NULL;
	s->route.transport = TRANSPORT_SSE;
	s->route.http_version = http->http_version;
	if (!s->route.tls)
		s->route.tls = http->tls;
	set_session(x, s);
	return s;
}
