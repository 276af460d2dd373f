/* SPDX-License-Identifier: Apache-2.0 */
/* What mcp/ says goes to detection and to the sinks, with who it was. */
#include "facts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ident/who.h"
#include "model/exit.h"

struct facts {
	struct mcp *mcp;
	struct loops *loops;
	struct alerts *alerts;
	struct idents *idents;
	struct sink sink;
	bool no_transport;
	uint64_t lost[C_N]; /* reported so far */
};

static const char *const counter_names[C_N] = {
#define X(name, text, help) [C_##name] = text,
	KERNEL_COUNTERS(X) USER_COUNTERS(X)
#undef X
};

void facts_opts_default(struct facts_opts *o)
{
	memset(o, 0, sizeof(*o));
	o->caps = (struct mcp_caps)MCP_CAPS_DEFAULT;
	loop_opts_default(&o->loops);
	alerts_opts_default(&o->alerts);
}

static struct sink_peers peers_of(struct facts *f, const struct route *r)
{
	if (!f->idents)
		return (struct sink_peers){ 0 };
	return (struct sink_peers){ idents_peer(f->idents, &r->client, true),
				    idents_peer(f->idents, &r->server, false) };
}

struct sink_peers facts_peers(struct facts *f, const struct route *r)
{
	return peers_of(f, r);
}

struct named {
	struct sink_peers peers;
	struct loop_who who;
	char client[64], server[64];
};

static void name_call(struct facts *f, const struct call *c, struct named *n)
{
	n->peers = peers_of(f, &c->route);
	n->who.agent = c->agent;
	if (!n->who.agent && n->peers.client)
		n->who.agent = n->peers.client->agent;
	n->who.client = who_name(c->client_name, n->peers.client, &c->route.client_addr, n->client);
	if (n->who.client == n->client)
		net_addr_ip(&c->route.client_addr, n->client); /* a port is another one for each connection */
	n->who.server = who_name(c->server_name, n->peers.server, &c->route.server_addr, n->server);
}

/* Programs that pass on what they read to a server in a container, without a word of MCP of their own. */
static bool on_passes(void *ctx, const struct proc_id *id)
{
	static const char *const names[] = { "docker", "podman", "nerdctl", "kubectl", "crictl", "conmon", "dockerd" };
	struct facts *f = ctx;
	const struct who *who = f->idents ? idents_get(f->idents, id) : NULL;
	const char *name = who ? strrchr(who->exe, '/') : NULL;

	if (!name)
		return false;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name + 1, names[i]) == 0)
			return true;
	}
	return strncmp(name + 1, "containerd-shim", 15) == 0;
}

static void on_asked(void *ctx, const struct call *c)
{
	struct facts *f = ctx;
	struct named n;

	name_call(f, c, &n);
	loops_asked(f->loops, c, &n.who);
	alerts_asked(f->alerts, c, n.who.client, n.who.server);
}

static void on_withdrawn(void *ctx, const struct call *c)
{
	struct facts *f = ctx;
	struct named n;

	name_call(f, c, &n);
	loops_withdrawn(f->loops, c);
	alerts_withdrawn(f->alerts, c, n.who.client, n.who.server);
}

static void on_call(void *ctx, struct call *c)
{
	struct facts *f = ctx;
	struct named n;

	name_call(f, c, &n);
	c->agent = n.who.agent;
	if (f->no_transport)
		c->route.transport = TRANSPORT_UNKNOWN;
	sink_call(&f->sink, c, &n.peers);
	loops_call(f->loops, c, &n.who);
	alerts_call(f->alerts, c, n.who.client, n.who.server);
	call_free(c);
}

static void on_logical(void *ctx, const struct logical *l)
{
	struct facts *f = ctx;
	struct named n;

	name_call(f, l->first, &n);
	sink_logical(&f->sink, l, &n.peers);
	loops_call(f->loops, l->first, &n.who);
}

static void on_note(void *ctx, struct note *note)
{
	struct facts *f = ctx;
	struct sink_peers peers = peers_of(f, &note->route);

	if (f->no_transport)
		note->route.transport = TRANSPORT_UNKNOWN;
	sink_note(&f->sink, note, &peers);
}

/* The usual ways to be told to go, by the client among others: status of a shell, or signal. */
static bool was_asked_to_go(int code)
{
	int signal = code & 0x7f, status = code >> 8 & 0xff;

	if (!signal)
		signal = status > 128 ? status - 128 : 0;
	return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGPIPE;
}

/* A server that failed, and took the session along: its client had not ended it. */
static void tell_death(struct facts *f, const struct session_event *e, const struct who *server)
{
	struct finding x = {
		.name = "server_died",
		.severity = "warning",
		.session = e->session,
		.proc = e->route.server,
		.ts = e->ts,
		.count = 1,
	};
	struct buf evidence;

	if (!server || !server->exited || !server->exit_code || was_asked_to_go(server->exit_code))
		return;
	if (!e->reason || strcmp(e->reason, "exit") != 0)
		return;
	buf_init(&evidence, 256);
	if (exit_evidence(server, &evidence) == 0 && buf_add_ch(&evidence, '\0') == 0)
		x.evidence = evidence.p;
	facts_finding(f, &x);
	buf_done(&evidence);
}

static void on_session(void *ctx, const struct session_event *e)
{
	struct facts *f = ctx;
	struct sink_peers peers = peers_of(f, &e->route);
	struct session_event shown = *e;

	if (f->no_transport)
		shown.route.transport = TRANSPORT_UNKNOWN;
	sink_session(&f->sink, &shown, &peers);
	if (!e->end)
		return;
	tell_death(f, e, peers.server);
	loops_session_end(f->loops, e->session_no, e->ts);
}

void facts_finding(struct facts *f, const struct finding *x)
{
	struct sink_peers peers = { 0 };

	if (f->idents)
		peers.client = idents_peer(f->idents, &x->proc, false);
	sink_finding(&f->sink, x, &peers);
	alerts_finding(f->alerts, x);
}

static void on_finding(void *ctx, const struct finding *x)
{
	facts_finding(ctx, x);
}

static void on_loop(void *ctx, const struct alert *a)
{
	struct facts *f = ctx;

	alerts_loop(f->alerts, a);
}

static void on_alert(void *ctx, const struct alert *a)
{
	struct facts *f = ctx;
	struct sink_peers peers = peers_of(f, &a->route);
	struct alert shown = *a;

	if (f->no_transport)
		shown.route.transport = TRANSPORT_UNKNOWN;
	sink_alert(&f->sink, &shown, &peers);
}

struct facts *facts_new(const struct facts_opts *o, struct idents *idents,
			void (*verdict)(void *ctx, uint64_t stream, bool is_mcp), void *ctx)
{
	struct facts *f = calloc(1, sizeof(*f));
	struct mcp_ops ops = {
		.asked = on_asked,
		.withdrawn = on_withdrawn,
		.call = on_call,
		.logical = on_logical,
		.note = on_note,
		.session = on_session,
		.finding = on_finding,
		.passes = on_passes,
		.verdict = verdict,
		.ctx = f,
		.verdict_ctx = ctx,
	};

	if (!f)
		return NULL;
	f->idents = idents;
	f->no_transport = o->no_transport;
	f->mcp = mcp_new(&o->caps, &ops);
	f->loops = loops_new(&o->loops, &(struct loop_ops){ on_loop, f });
	f->alerts = alerts_new(&o->alerts, &(struct alerts_ops){ on_alert, f });
	if (f->mcp && f->loops && f->alerts)
		return f;
	facts_free(f);
	errno = ENOMEM;
	return NULL;
}

void facts_free(struct facts *f)
{
	if (!f)
		return;
	mcp_free(f->mcp);
	loops_free(f->loops);
	alerts_free(f->alerts);
	sink_done(&f->sink);
	free(f);
}

struct mcp *facts_mcp(struct facts *f)
{
	return f->mcp;
}

struct sink *facts_sink(struct facts *f)
{
	return &f->sink;
}

struct loops *facts_loops(struct facts *f)
{
	return f->loops;
}

struct alerts *facts_alerts(struct facts *f)
{
	return f->alerts;
}

void facts_reload(struct facts *f, const struct facts_opts *o)
{
	loops_reload(f->loops, &o->loops);
	alerts_reload(f->alerts, &o->alerts);
}

void facts_tick(struct facts *f, uint64_t now)
{
	mcp_tick(f->mcp, now);
	loops_tick(f->loops, now);
	alerts_tick(f->alerts, now);
}

void facts_flush(struct facts *f, uint64_t now)
{
	mcp_flush(f->mcp, now);
	loops_flush(f->loops, now);
	alerts_tick(f->alerts, now);
}

void facts_counts(const struct facts *f, uint64_t v[C_N])
{
	struct mcp_stats m;
	struct loops_stats l;
	struct alerts_stats a;

	mcp_stats(f->mcp, &m);
	loops_stats(f->loops, &l);
	alerts_stats(f->alerts, &a);
	v[C_SESSIONS_EVICTED] = m.sessions_evicted;
	v[C_IN_FLIGHT_EVICTED] = m.in_flight_evicted;
	v[C_MCP_STREAMS_EVICTED] = m.streams_evicted;
	v[C_EXCHANGES_EVICTED] = m.exchanges_evicted;
	v[C_HELD_DROPPED] = m.held_dropped;
	v[C_NO_MEMORY] = m.no_memory + l.no_memory;
	v[C_TOOLS_EVICTED] = m.tools_evicted;
	v[C_TASKS_EVICTED] = m.tasks_evicted;
	v[C_RELAYS_FULL] = m.relays_full;
	v[C_TRACKERS_EVICTED] = l.sessions_evicted + l.agents_evicted;
	v[C_EPISODES_REFUSED] = l.episodes_refused;
	v[C_SERIES_EVICTED] = a.series_evicted;
}

void facts_losses(struct facts *f, const uint64_t v[C_N], uint64_t now)
{
	for (int i = 0; i < C_N; i++) {
		struct loss l = { counter_names[i], v[i] - f->lost[i], now, NULL };

		if (v[i] <= f->lost[i])
			continue;
		sink_loss(&f->sink, &l);
		f->lost[i] = v[i];
	}
}
