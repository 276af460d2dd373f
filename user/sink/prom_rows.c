/* SPDX-License-Identifier: Apache-2.0 */
/* Which fact counts where. Labels are set once for each fact, every family takes those that it has.
 *
 * Attributes are those of OpenTelemetry's MCP conventions: the sender's metric is the client's and the receiver's the
 * server's, whoever of the two is the MCP client. Stdio is "pipe" there, be it a pair of sockets. */
#include "sink/prom_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "sink/label.h"

#define SWEEPS 256

/* A tools/list that goes over pages. */
struct sweep {
	struct table_node node;
	uint64_t session_no;
	uint64_t cursor; /* that the next page is asked for with */
	uint64_t bytes;
};

int prom_rows_init(struct prom_rows *r, struct metrics *m, int64_t wall_offset)
{
	*r = (struct prom_rows){ .m = m, .wall_offset = wall_offset };
	return table_init(&r->sweeps, SWEEPS);
}

static void sweep_free(struct prom_rows *r, struct sweep *w)
{
	table_del(&r->sweeps, &w->node);
	free(w);
}

void prom_rows_done(struct prom_rows *r)
{
	while (r->sweeps.oldest)
		sweep_free(r, table_entry(r->sweeps.oldest, struct sweep, node));
	table_done(&r->sweeps);
}

static void label(struct prom_rows *r, struct metric_set *s, enum metric_label l, const char *value)
{
	metrics_label(r->m, s, l, sv_of(value));
}

static uint64_t owner_of_proc(const struct proc_id *p)
{
	return p->pid ? hash_bytes(p, sizeof(*p)) : 0;
}

/* Who brings values in: the agent, over all its restarts; else the client's process, else its host, else the server's
 * process. A client that opens many connections stays one. */
static uint64_t owner_of(const struct route *r, const struct sink_peers *p, uint64_t agent)
{
	if (!agent && p && p->client)
		agent = p->client->agent;
	if (agent)
		return hash_bytes(&agent, sizeof(agent));
	if (r->client.pid)
		return owner_of_proc(&r->client);
	if (r->client_addr.family)
		return hash_bytes(r->client_addr.ip, sizeof(r->client_addr.ip));
	return owner_of_proc(&r->server);
}

static void label_server(struct prom_rows *r, struct metric_set *s, const char *self, const struct sink_peers *p,
			 const struct route *route)
{
	char addr[64];

	label(r, s, LABEL_SERVER, who_name(self, p ? p->server : NULL, &route->server_addr, addr));
}

/* The port of a client is another one for each connection: an address stands for it without. */
static void label_client(struct prom_rows *r, struct metric_set *s, const char *self, const struct sink_peers *p,
			 const struct route *route)
{
	struct net_addr none = { 0 };
	char addr[64];
	const char *name = who_name(self, p ? p->client : NULL, &none, addr);

	if (!name) {
		net_addr_ip(&route->client_addr, addr);
		name = addr;
	}
	label(r, s, LABEL_CLIENT, name);
}

static const char *net_transport(const struct route *r)
{
	return r->transport == TRANSPORT_STDIO ? "pipe" : label_channel(r->channel);
}

static void label_endpoint(struct prom_rows *r, struct metric_set *s, const struct net_addr *a)
{
	if (memcmp(a, &r->addr, sizeof(*a)) != 0) {
		r->addr = *a;
		net_addr_ip(a, r->ip);
		snprintf(r->port, sizeof(r->port), "%u", a->port);
	}
	label(r, s, LABEL_ADDRESS, r->ip);
	label(r, s, LABEL_PORT, r->port);
}

static void label_network(struct prom_rows *r, struct metric_set *s, const struct route *route)
{
	label(r, s, LABEL_NET_TRANSPORT, net_transport(route));
	if (route->transport == TRANSPORT_HTTP || route->transport == TRANSPORT_SSE) {
		label(r, s, LABEL_NET_PROTOCOL, "http");
		label(r, s, LABEL_NET_VERSION, label_http(route->http_version));
	}
	if (route->server_addr.family)
		label_endpoint(r, s, &route->server_addr);
}

/* error.type and rpc.response.status_code. */
static void label_error(struct prom_rows *r, struct metric_set *s, const struct call *c)
{
	char code[24] = "_OTHER"; /* what the conventions want where nothing better is known */

	if (c->has_error_code)
		snprintf(code, sizeof(code), "%lld", (long long)c->error_code);
	switch (c->outcome) {
	case CALL_OK:
	case CALL_ORPHAN:
		return;
	case CALL_RPC_ERROR:
		label(r, s, LABEL_ERROR, code);
		if (c->has_error_code)
			label(r, s, LABEL_STATUS, code);
		return;
	case CALL_HTTP_ERROR:
		label(r, s, LABEL_ERROR, code);
		return;
	default:
		label(r, s, LABEL_ERROR, label_outcome(c->outcome));
	}
}

static void label_attempt(struct prom_rows *r, struct metric_set *s, uint32_t attempt)
{
	static const char *const names[] = { "1", "1", "2", "3", "4+" };

	label(r, s, LABEL_ATTEMPT, names[attempt < 4 ? attempt : 4]);
}

static void label_call(struct prom_rows *r, struct metric_set *s, const struct call *c, const struct sink_peers *p)
{
	label(r, s, LABEL_METHOD, c->method);
	label(r, s, LABEL_TOOL, c->tool);
	label(r, s, LABEL_PROMPT, c->prompt);
	label(r, s, LABEL_PROTOCOL, c->protocol_version);
	label(r, s, LABEL_OUTCOME, label_outcome(c->outcome));
	if (c->tool) {
		label(r, s, LABEL_OPERATION, "execute_tool");
		label_attempt(r, s, c->attempt);
	}
	label_error(r, s, c);
	label_network(r, s, &c->route);
	label_server(r, s, c->server_name, p, &c->route);
	label_client(r, s, c->client_name, p, &c->route);
}

static bool is_hex(const char *s, size_t n)
{
	return s && strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

static void exemplar_of(const struct prom_rows *r, const struct call *c, uint64_t ts, struct prom_exemplar *ret)
{
	*ret = (struct prom_exemplar){ .wall_ns = ts + (uint64_t)r->wall_offset };
	if (!is_hex(c->trace_id, 32))
		return;
	memcpy(ret->trace_id, c->trace_id, 32);
	if (is_hex(c->parent_span_id, 16))
		memcpy(ret->span_id, c->parent_span_id, 16);
}

static void observe_durations(struct prom_rows *r, struct metric_set *s, const struct call *c)
{
	struct prom_exemplar e;

	exemplar_of(r, c, c->ts, &e);
	if (c->has_duration && (c->view == VIEW_BOTH || c->view == VIEW_ASKER))
		metrics_observe(r->m, s, METRIC_CLIENT_OPERATION, c->duration_ns, &e);
	if (c->view != VIEW_BOTH && c->view != VIEW_ANSWERER)
		return;
	if (c->has_server_ns)
		metrics_observe(r->m, s, METRIC_SERVER_OPERATION, c->server_ns, &e);
	else if (c->has_duration && c->view == VIEW_ANSWERER)
		metrics_observe(r->m, s, METRIC_SERVER_OPERATION, c->duration_ns, &e);
}

static struct sweep *sweep_get(struct prom_rows *r, uint64_t session_no)
{
	struct table_node *node = table_get(&r->sweeps, &session_no, sizeof(session_no));

	return node ? table_entry(node, struct sweep, node) : NULL;
}

static void sweep_add(struct prom_rows *r, const struct call *c, uint64_t bytes)
{
	struct sweep *w = calloc(1, sizeof(*w));
	struct table_node *out;

	if (!w)
		return;
	w->session_no = c->session_no;
	w->cursor = c->marks.next_cursor;
	w->bytes = bytes;
	out = table_add(&r->sweeps, &w->node, &w->session_no, sizeof(w->session_no));
	if (out)
		free(table_entry(out, struct sweep, node));
}

/* What the whole list costs is known with its last page, if all before it were seen. */
static void tools_list(struct prom_rows *r, struct metric_set *s, const struct call *c)
{
	struct sweep *w = sweep_get(r, c->session_no);
	uint64_t bytes = c->response_bytes;

	if (w && c->marks.cursor == w->cursor)
		bytes += w->bytes;
	else if (c->marks.cursor)
		return; /* a page of a list whose beginning was not seen */
	if (w)
		sweep_free(r, w);
	if (c->marks.next_cursor)
		sweep_add(r, c, bytes);
	else
		metrics_gauge(r->m, s, METRIC_TOOLS_LIST_BYTES, bytes);
}

static void count_tool(struct prom_rows *r, struct metric_set *s, const struct call *c)
{
	metrics_count(r->m, s, METRIC_ATTEMPTS, 1);
	if (c->has_response && (c->outcome == CALL_OK || c->outcome == CALL_TOOL_ERROR))
		metrics_observe(r->m, s, METRIC_RESULT_TEXT, c->marks.text_bytes, NULL);
}

void prom_rows_call(struct prom_rows *r, const struct call *c, const struct sink_peers *p)
{
	struct metric_set s;

	metrics_begin(&s, owner_of(&c->route, p, c->agent), c->ts);
	label_call(r, &s, c, p);
	metrics_count(r->m, &s, METRIC_CALLS, 1);
	observe_durations(r, &s, c);
	if (c->has_request)
		metrics_count(r->m, &s, METRIC_REQUEST_BYTES, c->request_bytes);
	if (c->has_response)
		metrics_count(r->m, &s, METRIC_RESPONSE_BYTES, c->response_bytes);
	if (c->tool)
		count_tool(r, &s, c);
	if (c->method && strcmp(c->method, "tools/list") == 0 && c->outcome == CALL_OK && !c->lost_bytes)
		tools_list(r, &s, c);
	else if (s.v[LABEL_SERVER])
		metrics_keep(r->m, &s, METRIC_TOOLS_LIST_BYTES); /* as long as the server is used */
	metrics_end(r->m, &s);
}

void prom_rows_logical(struct prom_rows *r, const struct logical *l, const struct sink_peers *p)
{
	const struct call *c = l->first;
	struct prom_exemplar e;
	struct metric_set s;

	if (l->open)
		return;
	metrics_begin(&s, owner_of(&c->route, p, c->agent), l->ts);
	label_call(r, &s, c, p);
	label(r, &s, LABEL_JOINED_BY, l->joined_by);
	exemplar_of(r, c, l->ts, &e);
	metrics_observe(r->m, &s, METRIC_LOGICAL, l->duration_ns, &e);
	metrics_end(r->m, &s);
}

void prom_rows_note(struct prom_rows *r, const struct note *n, const struct sink_peers *p)
{
	struct metric_set s;

	metrics_begin(&s, owner_of(&n->route, p, 0), n->ts);
	label(r, &s, LABEL_METHOD, n->method);
	metrics_count(r->m, &s, METRIC_NOTIFICATIONS, 1);
	metrics_end(r->m, &s);
}

void prom_rows_session(struct prom_rows *r, const struct session_event *e, const struct sink_peers *p)
{
	/* The agent's own end is not the session's. */
	bool ended = e->end && !(e->reason && strcmp(e->reason, "shutdown") == 0);
	struct metric_set s;

	if (!ended)
		return;
	metrics_begin(&s, owner_of(&e->route, p, 0), e->ts);
	label(r, &s, LABEL_PROTOCOL, e->protocol_version);
	label(r, &s, LABEL_TRANSPORT, label_transport(e->route.transport));
	label(r, &s, LABEL_REASON, e->reason);
	label_network(r, &s, &e->route);
	label_server(r, &s, e->server_name, p, &e->route);
	label_client(r, &s, e->client_name, p, &e->route);
	metrics_count(r->m, &s, METRIC_SESSION_ENDS, 1);
	/* How long one lasted that began before the agent is not known. */
	if (!e->late && e->route.client.pid)
		metrics_observe(r->m, &s, METRIC_CLIENT_SESSION, e->duration_ns, NULL);
	if (!e->late && e->route.server.pid)
		metrics_observe(r->m, &s, METRIC_SERVER_SESSION, e->duration_ns, NULL);
	metrics_end(r->m, &s);
}

void prom_rows_finding(struct prom_rows *r, const struct finding *f)
{
	struct metric_set s;

	metrics_begin(&s, 0, f->ts);
	label(r, &s, LABEL_FINDING, f->name);
	label(r, &s, LABEL_SEVERITY, f->severity);
	metrics_count(r->m, &s, METRIC_FINDINGS, f->count ? f->count : 1);
	metrics_end(r->m, &s);
}

bool prom_rows_alert(struct prom_rows *r, const struct alert *a)
{
	bool first = a->state == ALERT_FIRING && a->notified <= 1;
	struct metric_set s;

	if (!first && a->state != ALERT_RESOLVED)
		return false;
	metrics_begin(&s, 0, a->ts);
	label(r, &s, LABEL_RULE, a->rule);
	label(r, &s, LABEL_SEVERITY, a->severity == ALERT_HIGH ? "high" : "notice");
	label(r, &s, LABEL_STATE, first ? "firing" : "resolved");
	metrics_count(r->m, &s, METRIC_ALERTS, 1);
	metrics_end(r->m, &s);
	return first;
}
