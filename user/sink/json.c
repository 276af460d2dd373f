/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON object a line: the output contract. What is not known is left out. */
#include "sink/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fp.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "sink/alert_json.h"
#include "sink/content.h"
#include "sink/label.h"
#include "sink/out.h"
#include "sink/process_json.h"

/* Longest record. A call's three payloads, each up to six times its size as \u escapes. */
#define LINE_MAX_BYTES (256UL << 20)

struct json_sink {
	struct out out;
	struct buf line;
	struct jsonw w;
	int64_t wall_offset;
	uint64_t seq;
};

static void put_str(struct jsonw *w, const char *key, const char *s)
{
	if (s)
		jsonw_cstr(w, key, s);
}

static void put_time(struct json_sink *j, const char *key, uint64_t boot_ns)
{
	char text[32];

	if (!boot_ns)
		return;
	clock_rfc3339(boot_ns + (uint64_t)j->wall_offset, text);
	jsonw_cstr(&j->w, key, text);
}

static void begin(struct json_sink *j, const char *kind, uint64_t ts)
{
	buf_reset(&j->line);
	jsonw_init(&j->w, &j->line);
	jsonw_open(&j->w, NULL, '{');
	jsonw_cstr(&j->w, "kind", kind);
	put_time(j, "ts", ts);
	jsonw_u64(&j->w, "seq", j->seq + 1);
}

/* false where the record did not fit: nothing is printed, and seq has no hole. */
static bool finish(struct json_sink *j)
{
	jsonw_close(&j->w, '}');
	if (j->w.bad || buf_add_ch(&j->line, '\n') < 0)
		return false;
	/* What the output has no room for was not printed either; it counts that itself. */
	if (!out_add(&j->out, buf_sv(&j->line)))
		j->seq++;
	return true;
}

static void put_end(struct jsonw *w, const char *key, const struct who *who,
		    const struct proc_id *id, const struct net_addr *addr)
{
	char text[64];

	if (!id->pid && !who && !addr->family)
		return;
	jsonw_open(w, key, '{');
	process_json(w, id->pid || !who ? id : &who->id, who);
	if (addr->family) {
		net_addr_show(addr, text);
		jsonw_cstr(w, "addr", text);
	}
	jsonw_close(w, '}');
}

static void put_route(struct jsonw *w, const struct route *r, const struct sink_peers *p)
{
	put_str(w, "transport", label_transport(r->transport));
	put_str(w, "channel", label_channel(r->channel));
	put_str(w, "http", label_http(r->http_version));
	put_str(w, "tls", label_tls(r->tls));
	put_end(w, "client", p ? p->client : NULL, &r->client, &r->client_addr);
	put_end(w, "server", p ? p->server : NULL, &r->server, &r->server_addr);
}

static void put_call_head(struct json_sink *j, const struct call *c)
{
	struct jsonw *w = &j->w;

	if (c->has_id && c->id) {
		/* An id longer than what the decoder keeps of a value may end in mid-number. */
		if (!c->id_is_string && content_is_number(sv_of(c->id)))
			jsonw_raw(w, "id", sv_of(c->id));
		else
			jsonw_cstr(w, "id", c->id);
	}
	put_str(w, "from", label_side(c->from));
	put_str(w, "method", c->method);
	put_str(w, "tool", c->tool);
	put_str(w, "prompt", c->prompt);
	put_str(w, "resource", c->resource);
	put_time(j, "start", c->start);
	if (c->has_duration)
		jsonw_u64(w, "duration_ns", c->duration_ns);
	if (c->has_server_ns)
		jsonw_u64(w, "server_ns", c->server_ns);
	put_str(w, "view", label_view(c->view));
	put_str(w, "outcome", label_outcome(c->outcome));
	if (c->has_error_code)
		jsonw_i64(w, "error_code", c->error_code);
}

static void put_fp(struct jsonw *w, const char *key, const struct fp *f, const char *scope)
{
	char hex[33];

	if (!fp_is(f))
		return;
	fp_hex(f, scope, hex);
	jsonw_cstr(w, key, hex);
}

/* What ties the call to others. */
static void put_ties(struct jsonw *w, const struct call *c)
{
	if (c->attempt > 1)
		jsonw_u64(w, "attempt", c->attempt);
	if (c->progress)
		jsonw_u64(w, "progress", c->progress);
	if (c->hops)
		jsonw_u64(w, "hops", c->hops);
	put_str(w, "logical", c->logical);
	put_str(w, "part", label_part(c->part));
	if (c->agent)
		jsonw_u64(w, "agent", c->agent);
	put_fp(w, "args_fp", &c->args_fp, "args");
	put_fp(w, "result_fp", &c->result_fp, "result");
	put_fp(w, "result_masked_fp", &c->masked_fp, "masked");
}

static void put_call_tail(struct json_sink *j, const struct call *c, const struct sink_peers *p)
{
	struct jsonw *w = &j->w;

	if (c->has_request)
		jsonw_u64(w, "request_bytes", c->request_bytes);
	if (c->has_response)
		jsonw_u64(w, "response_bytes", c->response_bytes);
	if (c->request_seen > 1)
		jsonw_u64(w, "request_seen", c->request_seen);
	if (c->response_seen > 1)
		jsonw_u64(w, "response_seen", c->response_seen);
	put_str(w, "session", c->session);
	put_str(w, "era", label_era(c->route.era));
	put_str(w, "protocol_version", c->protocol_version);
	put_route(w, &c->route, p);
	put_ties(w, c);
	put_str(w, "trace_id", c->trace_id);
	put_str(w, "parent_span_id", c->parent_span_id);
	if (c->order_uncertain)
		jsonw_cstr(w, "order", "uncertain");
	if (c->lost_bytes)
		jsonw_u64(w, "lost_bytes", c->lost_bytes);
}

static void put_content(struct json_sink *j, const char *key, const char *raw)
{
	if (raw)
		content_add(&j->w, key, sv_of(raw));
}

static bool print_call(struct json_sink *j, const struct call *c, const struct sink_peers *p,
		       bool content)
{
	begin(j, "call", c->ts);
	put_call_head(j, c);
	put_call_tail(j, c, p);
	if (content) {
		put_content(j, "params", c->params);
		put_content(j, "result", c->result);
		put_content(j, "error", c->error);
	}
	return finish(j);
}

static void json_call(void *self, const struct call *c, const struct sink_peers *p)
{
	/* A call whose payloads have no room is still a call. */
	if (!print_call(self, c, p, true) && !print_call(self, c, p, false))
		log_err("no memory to print a call");
}

static void json_note(void *self, const struct note *n, const struct sink_peers *p)
{
	struct json_sink *j = self;
	struct jsonw *w = &j->w;

	for (int content = 1; content >= 0; content--) {
		begin(j, "notification", n->ts);
		put_str(w, "from", label_side(n->from));
		put_str(w, "method", n->method);
		put_str(w, "session", n->session);
		jsonw_u64(w, "bytes", n->bytes);
		put_route(w, &n->route, p);
		if (n->lost_bytes)
			jsonw_u64(w, "lost_bytes", n->lost_bytes);
		if (content)
			put_content(j, "params", n->params);
		if (finish(j))
			return;
	}
	log_err("no memory to print a notification");
}

static void put_info(struct jsonw *w, const char *key, const char *name, const char *version)
{
	if (!name && !version)
		return;
	jsonw_open(w, key, '{');
	put_str(w, "name", name);
	put_str(w, "version", version);
	jsonw_close(w, '}');
}

static void json_session(void *self, const struct session_event *e, const struct sink_peers *p)
{
	struct json_sink *j = self;
	struct jsonw *w = &j->w;

	begin(j, "session", e->ts);
	jsonw_cstr(w, "event", e->end ? "end" : "start");
	put_str(w, "session", e->session);
	put_str(w, "era", label_era(e->route.era));
	put_info(w, "client_info", e->client_name, e->client_version);
	put_info(w, "server_info", e->server_name, e->server_version);
	put_str(w, "protocol_version", e->protocol_version);
	put_str(w, "requested_version", e->requested_version);
	put_route(w, &e->route, p);
	if (e->late)
		jsonw_bool(w, "late", true);
	if (e->startup_ns)
		jsonw_u64(w, "startup_ns", e->startup_ns);
	if (e->end) {
		jsonw_u64(w, "calls", e->calls);
		jsonw_u64(w, "errors", e->errors);
		jsonw_u64(w, "duration_ns", e->duration_ns);
		put_str(w, "reason", e->reason);
	}
	if (!finish(j))
		log_err("no memory to print a session");
}

static const struct who *who_of(const struct proc_id *id, const struct sink_peers *p)
{
	const struct who *const ends[] = { p ? p->client : NULL, p ? p->server : NULL };

	for (unsigned int i = 0; i < 2; i++) {
		if (ends[i] && ends[i]->id.pid == id->pid && ends[i]->id.start == id->start)
			return ends[i];
	}
	return NULL;
}

static void json_finding(void *self, const struct finding *f, const struct sink_peers *p)
{
	struct json_sink *j = self;
	struct jsonw *w = &j->w;

	begin(j, "finding", f->ts);
	put_str(w, "finding", f->name);
	put_str(w, "severity", f->severity);
	put_str(w, "session", f->session);
	if (f->proc.pid) {
		jsonw_open(w, "process", '{');
		process_json(w, &f->proc, who_of(&f->proc, p));
		jsonw_close(w, '}');
	}
	if (f->evidence)
		jsonw_raw(w, "evidence", sv_of(f->evidence));
	if (f->count)
		jsonw_u64(w, "count", f->count);
	if (f->forgeable)
		jsonw_bool(w, "forgeable", true);
	if (!finish(j))
		log_err("no memory to print a finding");
}

static void json_logical(void *self, const struct logical *l, const struct sink_peers *p)
{
	const struct call *c = l->first;
	struct json_sink *j = self;
	struct jsonw *w = &j->w;

	begin(j, "logical", l->ts);
	jsonw_cstr(w, "logical", l->name);
	put_str(w, "joined_by", l->joined_by);
	put_str(w, "method", c->method);
	put_str(w, "tool", c->tool);
	put_str(w, "prompt", c->prompt);
	put_str(w, "resource", c->resource);
	put_time(j, "start", l->start);
	if (!l->open)
		jsonw_u64(w, "duration_ns", l->duration_ns);
	put_str(w, "outcome", label_outcome(c->outcome));
	if (c->has_error_code)
		jsonw_i64(w, "error_code", c->error_code);
	jsonw_u64(w, "requests", l->requests);
	if (l->polls)
		jsonw_u64(w, "polls", l->polls);
	put_str(w, "session", c->session);
	put_route(w, &c->route, p);
	put_fp(w, "args_fp", &c->args_fp, "args");
	put_fp(w, "result_fp", &c->result_fp, "result");
	put_fp(w, "result_masked_fp", &c->masked_fp, "masked");
	if (!finish(j))
		log_err("no memory to print a logical call");
}

static void json_alert(void *self, const struct alert *a, const struct sink_peers *p)
{
	struct json_sink *j = self;

	begin(j, "alert", a->ts);
	alert_json_fields(&j->w, a, p, j->wall_offset);
	if (!finish(j))
		log_err("no memory to print an alert");
}

static void json_loss(void *self, const struct loss *l)
{
	struct json_sink *j = self;

	begin(j, "loss", l->ts);
	jsonw_cstr(&j->w, "loss", l->name);
	jsonw_u64(&j->w, "count", l->count);
	put_str(&j->w, "where", l->where);
	if (!finish(j))
		log_err("no memory to print a loss");
}

static void json_flush(void *self)
{
	struct json_sink *j = self;

	out_flush(&j->out);
}

static int json_broken(const void *self)
{
	const struct json_sink *j = self;

	return j->out.err;
}

static void json_free(void *self)
{
	struct json_sink *j = self;

	if (!j)
		return;
	out_done(&j->out);
	buf_done(&j->line);
	free(j);
}

const struct sink_ops json_sink_ops = {
	.call = json_call,
	.note = json_note,
	.session = json_session,
	.finding = json_finding,
	.logical = json_logical,
	.alert = json_alert,
	.loss = json_loss,
	.flush = json_flush,
	.broken = json_broken,
	.free = json_free,
};

void *json_sink_new(int fd, int64_t wall_offset)
{
	struct json_sink *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	out_init(&j->out, fd);
	buf_init(&j->line, LINE_MAX_BYTES);
	j->wall_offset = wall_offset;
	return j;
}

struct json_sink *json_sink_to(out_line_fn take, void *ctx, int64_t wall_offset)
{
	struct json_sink *j = json_sink_new(-1, wall_offset);

	if (j)
		out_init_lines(&j->out, take, ctx);
	return j;
}

struct jsonw *json_begin(struct json_sink *j, const char *kind, uint64_t ts)
{
	begin(j, kind, ts);
	return &j->w;
}

void json_call_fields(struct json_sink *j, const struct call *c, const struct sink_peers *p)
{
	put_call_head(j, c);
	put_call_tail(j, c, p);
}

void json_route(struct jsonw *w, const struct route *r, const struct sink_peers *p)
{
	put_route(w, r, p);
}

bool json_finish(struct json_sink *j)
{
	return finish(j);
}
