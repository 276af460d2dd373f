/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of the record "alert". */
#include "sink/alert_json.h"

#include "base/clock.h"
#include "sink/label.h"
#include "sink/process_json.h"

const char *alert_severity_text(uint8_t severity)
{
	return severity == ALERT_HIGH ? "high" : severity == ALERT_NOTICE ? "notice" : NULL;
}

const char *alert_state_text(uint8_t state)
{
	return state == ALERT_FIRING ? "firing" : state == ALERT_RESOLVED ? "resolved" : NULL;
}

static void put_str(struct jsonw *w, const char *key, const char *s)
{
	if (s)
		jsonw_cstr(w, key, s);
}

static void put_time(struct jsonw *w, const char *key, uint64_t boot_ns, int64_t wall_offset)
{
	char text[32];

	if (!boot_ns)
		return;
	clock_rfc3339(boot_ns + (uint64_t)wall_offset, text);
	jsonw_cstr(w, key, text);
}

struct end {
	const char *name;
	const struct who *who;
	const struct proc_id *id;
	const struct net_addr *addr;
};

static void put_end(struct jsonw *w, const char *key, const struct end *e)
{
	const struct proc_id *id = e->id->pid || !e->who ? e->id : &e->who->id;
	char text[64];

	if (!e->name && !id->pid && !e->addr->family)
		return;
	jsonw_open(w, key, '{');
	put_str(w, "name", e->name);
	process_json(w, id, e->who);
	if (e->addr->family) {
		net_addr_show(e->addr, text);
		jsonw_cstr(w, "addr", text);
	}
	jsonw_close(w, '}');
}

static void put_where(struct jsonw *w, const struct alert *a, const struct sink_peers *p)
{
	const struct route *r = &a->route;

	put_str(w, "tool", a->tool);
	if (a->agent)
		jsonw_u64(w, "agent", a->agent);
	put_str(w, "transport", label_transport(r->transport));
	put_end(w, "client", &(struct end){ a->client, p ? p->client : NULL, &r->client, &r->client_addr });
	put_end(w, "server", &(struct end){ a->server, p ? p->server : NULL, &r->server, &r->server_addr });
}

static void put_cost(struct jsonw *w, const struct alert *a)
{
	if (!a->calls)
		return;
	jsonw_open(w, "cost", '{');
	jsonw_u64(w, "calls", a->calls);
	jsonw_u64(w, "bytes", a->bytes);
	jsonw_u64(w, "busy_ns", a->busy_ns);
	jsonw_close(w, '}');
}

void alert_json_fields(struct jsonw *w, const struct alert *a, const struct sink_peers *p, int64_t wall_offset)
{
	put_str(w, "severity", alert_severity_text(a->severity));
	put_str(w, "rule", a->rule);
	put_str(w, "state", alert_state_text(a->state));
	put_str(w, "session", a->session);
	if (a->has_call)
		jsonw_u64(w, "call", a->call);
	put_time(w, "since", a->since, wall_offset);
	if (a->state == ALERT_RESOLVED)
		put_time(w, "ended", a->ended, wall_offset);
	if (a->count)
		jsonw_u64(w, "count", a->count);
	if (a->notified)
		jsonw_u64(w, "notified", a->notified);
	put_where(w, a, p);
	if (a->agent)
		jsonw_u64(w, "agent", a->agent);
	put_cost(w, a);
	if (a->evidence)
		jsonw_raw(w, "evidence", sv_of(a->evidence));
	put_str(w, "summary", a->summary);
	put_str(w, "advice", a->advice);
}
