/* SPDX-License-Identifier: Apache-2.0 */
/* One aligned line a record, for people:
 *
 *	time  client(pid) -> server(pid)  method tool  outcome  duration  request  response
 *
 * Every text that a traced process can choose goes through text_safe. Colours stand outside the
 * columns, so that they do not count as width. */
#include "sink/compact.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/num.h"
#include "base/utf8.h"
#include "sink/label.h"
#include "sink/out.h"

/* Typical widths: what is longer shifts its own line and is not cut. */
enum { W_ROUTE = 40, W_WHAT = 32, W_OUTCOME = 16, W_NUMBER = 8 };

#define NAME_COLS    100  /* of one string */
#define CONTENT_COLS 2000 /* of one payload */
#define LINE_BYTES   65536

#define DIM    "\033[2m"
#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define CYAN   "\033[36m"
#define RESET  "\033[0m"

struct compact {
	struct out out;
	struct buf line;
	int64_t wall_offset;
	bool color;
};

static void put(struct compact *k, const char *s)
{
	buf_add_str(&k->line, s);
}

static void color(struct compact *k, const char *code)
{
	if (k->color)
		put(k, code);
}

/* At most @cols columns of @s, its "..." included. */
static void put_text(struct compact *k, const char *s, size_t cols)
{
	text_safe(&k->line, sv_of(s), cols - 3);
}

static size_t columns(const struct buf *b, size_t from)
{
	return utf8_count((struct sv){ b->p + from, b->n - from });
}

/* Fill up what was written since @from to @width columns. */
static void pad(struct compact *k, size_t from, size_t width)
{
	for (size_t n = columns(&k->line, from); n < width; n++)
		put(k, " ");
}

static void put_right(struct compact *k, const char *s)
{
	buf_addf(&k->line, " %*s", W_NUMBER, s);
}

static void begin(struct compact *k, uint64_t ts)
{
	uint64_t wall = ts + (uint64_t)k->wall_offset;
	time_t seconds = (time_t)(wall / NSEC_PER_SEC);
	struct tm tm = { 0 };

	buf_reset(&k->line);
	localtime_r(&seconds, &tm);
	color(k, DIM);
	buf_addf(&k->line, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (unsigned int)(wall % NSEC_PER_SEC / NSEC_PER_MSEC));
	color(k, RESET);
	put(k, "  ");
}

static void finish(struct compact *k)
{
	while (k->line.n && k->line.p[k->line.n - 1] == ' ')
		k->line.n--;
	put(k, "\n");
	out_add(&k->out, buf_sv(&k->line));
}

static void put_process(struct compact *k, const char *comm, uint32_t pid)
{
	put_text(k, comm, 15 + 3);
	buf_addf(&k->line, "(%" PRIu32 ")", pid);
}

static void put_end(struct compact *k, const struct who *who, uint32_t pid,
		    const struct net_addr *addr)
{
	char text[64];

	if (who && who->comm[0]) {
		put_process(k, who->comm, who->id.pid);
	} else if (pid) {
		put_process(k, "?", pid);
	} else if (addr->family) {
		net_addr_show(addr, text);
		put(k, text);
	} else {
		put(k, "?");
	}
}

/* Both ends; where nothing is known of either, the session's name tells records apart. */
static void put_route(struct compact *k, const struct route *r, const struct sink_peers *p,
		      const char *session, uint8_t from)
{
	const struct who *client = p ? p->client : NULL, *server = p ? p->server : NULL;
	const char *arrow = from == SIDE_SERVER ? " <- " : " -> ";
	size_t at = k->line.n;

	if (client || server || r->client.pid || r->server.pid || r->client_addr.family ||
	    r->server_addr.family) {
		put_end(k, client, r->client.pid, &r->client_addr);
		put(k, arrow);
		put_end(k, server, r->server.pid, &r->server_addr);
	} else {
		put_text(k, session ? session : "?", W_ROUTE - 4);
		put(k, from == SIDE_SERVER ? " <-" : " ->");
	}
	pad(k, at, W_ROUTE);
	put(k, "  ");
}

static void put_what(struct compact *k, const char *method, const char *name)
{
	size_t at;

	color(k, CYAN);
	at = k->line.n;
	put_text(k, method ? method : "?", NAME_COLS);
	if (name) {
		put(k, " ");
		put_text(k, name, NAME_COLS);
	}
	pad(k, at, W_WHAT);
	color(k, RESET);
	put(k, "  ");
}

static const char *outcome_color(uint8_t outcome)
{
	switch (outcome) {
	case CALL_OK:
		return GREEN;
	case CALL_TOOL_ERROR:
	case CALL_RPC_ERROR:
	case CALL_HTTP_ERROR:
		return RED;
	default:
		return YELLOW;
	}
}

static void put_outcome(struct compact *k, const struct call *c)
{
	const char *name = label_outcome(c->outcome);
	size_t at;

	color(k, outcome_color(c->outcome));
	at = k->line.n;
	put(k, name ? name : "?");
	if (c->has_error_code)
		buf_addf(&k->line, " %" PRId64, c->error_code);
	pad(k, at, W_OUTCOME);
	color(k, RESET);
}

static void put_size(struct compact *k, bool known, uint64_t bytes)
{
	char text[16] = "-";

	if (known)
		num_show_bytes(bytes, text);
	put_right(k, text);
}

static void put_tags(struct compact *k, const struct call *c)
{
	char text[16];

	if (c->attempt > 1)
		buf_addf(&k->line, "  attempt %" PRIu32, c->attempt);
	if (c->hops)
		buf_addf(&k->line, "  over %" PRIu32 " relay%s", c->hops, c->hops == 1 ? "" : "s");
	if (c->logical)
		buf_addf(&k->line, "  %s", c->logical);
	if (c->order_uncertain)
		put(k, "  order uncertain");
	if (c->lost_bytes) {
		num_show_bytes(c->lost_bytes, text);
		color(k, RED);
		buf_addf(&k->line, "  %s lost", text);
		color(k, RESET);
	}
}

static void put_content(struct compact *k, const char *name, const char *raw)
{
	if (!raw)
		return;
	buf_addf(&k->line, "\n%14s%s ", "", name);
	put_text(k, raw, CONTENT_COLS);
}

static void compact_call(void *self, const struct call *c, const struct sink_peers *p)
{
	struct compact *k = self;
	const char *name = c->tool ? c->tool : c->prompt ? c->prompt : c->resource;
	char text[16] = "-";

	begin(k, c->ts);
	put_route(k, &c->route, p, c->session, c->from);
	put_what(k, c->method, name);
	put_outcome(k, c);
	if (c->has_duration)
		num_show_ns(c->duration_ns, text);
	put_right(k, text);
	put_size(k, c->has_request, c->request_bytes);
	put_size(k, c->has_response, c->response_bytes);
	put_tags(k, c);
	put_content(k, "params", c->params);
	put_content(k, "result", c->result);
	put_content(k, "error", c->error);
	finish(k);
}

static void compact_note(void *self, const struct note *n, const struct sink_peers *p)
{
	struct compact *k = self;

	begin(k, n->ts);
	put_route(k, &n->route, p, n->session, n->from);
	put_what(k, n->method, NULL);
	buf_addf(&k->line, "%-*s", W_OUTCOME, "note");
	put_right(k, "");
	put_size(k, true, n->bytes);
	put_content(k, "params", n->params);
	finish(k);
}

static void put_info(struct compact *k, const char *name, const char *version)
{
	put_text(k, name ? name : "?", NAME_COLS);
	if (version) {
		put(k, " ");
		put_text(k, version, NAME_COLS);
	}
}

static void compact_session(void *self, const struct session_event *e, const struct sink_peers *p)
{
	struct compact *k = self;
	char text[16];

	begin(k, e->ts);
	put_route(k, &e->route, p, e->session, SIDE_CLIENT);
	buf_addf(&k->line, "session %s", e->end ? "end" : e->late ? "joined" : "start");
	if (e->client_name || e->server_name) {
		put(k, "  ");
		put_info(k, e->client_name, e->client_version);
		put(k, " -> ");
		put_info(k, e->server_name, e->server_version);
	}
	if (e->protocol_version) {
		put(k, "  ");
		put_text(k, e->protocol_version, NAME_COLS);
	}
	if (e->end) {
		num_show_ns(e->duration_ns, text);
		buf_addf(&k->line, "  %" PRIu64 " calls, %" PRIu64 " errors, %s, %s", e->calls,
			 e->errors, text, e->reason ? e->reason : "?");
	}
	finish(k);
}

static void compact_finding(void *self, const struct finding *f, const struct sink_peers *p)
{
	struct compact *k = self;
	/* A finding names one process, or a session whose ends are in @p. */
	struct route r = { .client = f->proc };

	begin(k, f->ts);
	put_route(k, &r, p, f->session, SIDE_CLIENT);
	color(k, YELLOW);
	buf_addf(&k->line, "%s: %s", f->severity ? f->severity : "finding", f->name);
	color(k, RESET);
	if (f->count > 1)
		buf_addf(&k->line, "  %" PRIu64 " times", f->count);
	if (f->evidence) {
		put(k, "  ");
		put_text(k, f->evidence, CONTENT_COLS);
	}
	finish(k);
}

static void compact_logical(void *self, const struct logical *l, const struct sink_peers *p)
{
	const struct call *c = l->first;
	const char *name = c->tool ? c->tool : c->prompt ? c->prompt : c->resource;
	struct compact *k = self;
	char text[16] = "-";

	begin(k, l->ts);
	put_route(k, &c->route, p, c->session, c->from);
	put_what(k, l->name, name);
	put_outcome(k, c);
	if (!l->open)
		num_show_ns(l->duration_ns, text);
	put_right(k, text);
	buf_addf(&k->line, "  %" PRIu32 " requests, %" PRIu32 " polls, by %s", l->requests, l->polls,
		 l->joined_by);
	finish(k);
}

static void compact_alert(void *self, const struct alert *a, const struct sink_peers *p)
{
	struct compact *k = self;
	bool resolved = a->state == ALERT_RESOLVED;

	begin(k, a->ts);
	put_route(k, &a->route, p, a->session, SIDE_CLIENT);
	color(k, resolved ? GREEN : a->severity == ALERT_HIGH ? RED : YELLOW);
	buf_addf(&k->line, "%s: %s", resolved ? "resolved" : a->severity == ALERT_HIGH ? "ALERT" : "notice",
		 a->rule);
	color(k, RESET);
	if (a->tool) {
		put(k, " ");
		put_text(k, a->tool, NAME_COLS);
	}
	buf_addf(&k->line, "  %" PRIu64 " times", a->count);
	if (a->summary) {
		put(k, "  ");
		put_text(k, a->summary, CONTENT_COLS);
	}
	finish(k);
}

static void compact_loss(void *self, const struct loss *l)
{
	struct compact *k = self;

	begin(k, l->ts);
	color(k, RED);
	buf_addf(&k->line, "lost: %s %" PRIu64, l->name, l->count);
	color(k, RESET);
	if (l->where) {
		put(k, "  ");
		put_text(k, l->where, NAME_COLS);
	}
	finish(k);
}

static void compact_flush(void *self)
{
	struct compact *k = self;

	out_flush(&k->out);
}

static int compact_broken(const void *self)
{
	const struct compact *k = self;

	return k->out.err;
}

static void compact_free(void *self)
{
	struct compact *k = self;

	if (!k)
		return;
	out_done(&k->out);
	buf_done(&k->line);
	free(k);
}

const struct sink_ops compact_ops = {
	.call = compact_call,
	.note = compact_note,
	.session = compact_session,
	.finding = compact_finding,
	.logical = compact_logical,
	.alert = compact_alert,
	.loss = compact_loss,
	.flush = compact_flush,
	.broken = compact_broken,
	.free = compact_free,
};

void *compact_new(int fd, int64_t wall_offset, bool colored)
{
	struct compact *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	out_init(&k->out, fd);
	buf_init(&k->line, LINE_BYTES);
	k->wall_offset = wall_offset;
	k->color = colored;
	return k;
}

void *compact_to(out_line_fn take, void *ctx, int64_t wall_offset, bool colored)
{
	struct compact *k = compact_new(-1, wall_offset, colored);

	if (k)
		out_init_lines(&k->out, take, ctx);
	return k;
}
