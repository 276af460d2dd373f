/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs now, as tables for people. Names that peers chose go through text_safe. */
#include "calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/num.h"
#include "base/utf8.h"
#include "sink/redact.h"

#define NAME_COLS 60
#define ROOM_BYTES (128 << 10) /* kept free for what stands behind the requests */

enum { W_AGE = 9, W_CLOCK = 10, W_END = 34, W_WHAT = 32 };

struct table_out {
	const struct calls_view *v;
	struct buf *out;
	bool starting; /* the rows are requests of initialize; else all others */
	uint64_t n, shown;
};

static size_t columns(const struct buf *b, size_t from)
{
	return utf8_count((struct sv){ b->p + from, b->n - from });
}

/* End a column: at least two spaces before the next. */
static void pad(struct buf *b, size_t from, size_t width)
{
	size_t n = columns(b, from);

	do {
		buf_add_ch(b, ' ');
		n++;
	} while (n < width + 2);
}

static void put_clock(struct table_out *t, uint64_t boot_ns)
{
	time_t seconds = (time_t)((boot_ns + (uint64_t)t->v->wall_offset) / NSEC_PER_SEC);
	struct tm tm = { 0 };
	size_t at = t->out->n;

	localtime_r(&seconds, &tm);
	if (boot_ns)
		buf_addf(t->out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
	else
		buf_add_ch(t->out, '?');
	pad(t->out, at, W_CLOCK - 2);
}

/* comm(pid), and the container's id as its own tools show it. */
static void put_end(struct buf *b, const struct who *who, const struct proc_id *id, const struct net_addr *addr)
{
	size_t at = b->n;
	char text[64];

	if (who && who->comm[0]) {
		text_safe(b, (struct sv){ who->comm, strnlen(who->comm, sizeof(who->comm)) }, NAME_COLS);
		buf_addf(b, "(%" PRIu32 ")", who->id.pid);
	} else if (id->pid) {
		buf_addf(b, "?(%" PRIu32 ")", id->pid);
	} else if (addr->family) {
		net_addr_show(addr, text);
		buf_add_str(b, text);
	} else {
		buf_add_ch(b, '?');
	}
	if (who && who->more && who->more->container[0])
		buf_addf(b, " in %.12s", who->more->container);
	pad(b, at, W_END);
}

static void put_what(struct buf *b, const struct call *c)
{
	char *uri = c->resource ? redact_uri(c->resource) : NULL;
	const char *name = c->tool ? c->tool : c->prompt ? c->prompt : uri;
	size_t at = b->n;

	if (c->from == SIDE_SERVER)
		buf_add_str(b, "server asks: ");
	text_safe(b, sv_of(c->method ? c->method : "?"), NAME_COLS);
	if (name) {
		buf_add_ch(b, ' ');
		text_safe(b, sv_of(name), NAME_COLS);
	}
	free(uri);
	pad(b, at, W_WHAT);
}

static bool on_call(void *ctx, const struct call *c)
{
	bool starting = c->method && strcmp(c->method, "initialize") == 0;
	struct table_out *t = ctx;
	struct sink_peers p;
	char age[16] = "?";

	if (starting != t->starting)
		return true;
	t->n++;
	if (t->shown == CALLS_ROWS || t->out->max - t->out->n < ROOM_BYTES)
		return true;
	t->shown++;
	p = facts_peers(t->v->facts, &c->route);
	if (c->start && c->start <= t->v->now)
		num_show_ns(t->v->now - c->start, age);
	buf_addf(t->out, "  %-*s", W_AGE, age);
	put_clock(t, c->start);
	put_end(t->out, p.client, &c->route.client, &c->route.client_addr);
	put_end(t->out, p.server, &c->route.server, &c->route.server_addr);
	if (!starting)
		put_what(t->out, c);
	text_safe(t->out, sv_of(c->session ? c->session : "?"), NAME_COLS);
	buf_add_ch(t->out, '\n');
	return true;
}

static void requests(const struct calls_view *v, bool starting, struct buf *out)
{
	struct table_out t = { .v = v, .out = out, .starting = starting };
	size_t at = out->n;

	buf_addf(out, "  %-*s%-*s%-*s%-*s", W_AGE, "age", W_CLOCK, "since", W_END + 2, "client", W_END + 2, "server");
	if (!starting)
		buf_addf(out, "%-*s", W_WHAT + 2, "what");
	buf_add_str(out, "session\n");
	mcp_in_flight(facts_mcp(v->facts), on_call, &t);
	if (!t.n) {
		out->n = at; /* a head without rows */
		buf_add_str(out, "  none\n");
	} else if (t.n > t.shown) {
		buf_addf(out, "  and %" PRIu64 " more\n", t.n - t.shown);
	}
}

void calls_how(const struct death *d, char ret_s[64])
{
	const char *oom = d->oom ? ", out of memory" : "";

	if (!d->known)
		snprintf(ret_s, 64, "how is not known");
	else if (WIFSIGNALED(d->exit_code))
		snprintf(ret_s, 64, "signal %d (%s)%s", WTERMSIG(d->exit_code), strsignal(WTERMSIG(d->exit_code)), oom);
	else
		snprintf(ret_s, 64, "exit %d%s", WEXITSTATUS(d->exit_code), oom);
}

static void death(struct table_out *t, const struct death *d)
{
	struct sink_peers p = facts_peers(t->v->facts, &d->route);
	struct buf *b = t->out;
	char how[64];

	calls_how(d, how);
	buf_add_str(b, "  ");
	put_clock(t, d->ts);
	put_end(b, p.server, &d->route.server, &d->route.server_addr);
	buf_addf(b, "%-26s", how);
	if (d->lost.calls)
		buf_addf(b, "  took along %" PRIu32 " call%s:", d->lost.calls, d->lost.calls == 1 ? "" : "s");
	for (unsigned int i = 0; i < d->lost.names; i++) {
		buf_add_str(b, i ? ", " : " ");
		text_safe(b, sv_of(d->lost.name[i]), LIVES_NAME_BYTES);
	}
	if (d->lost.calls > d->lost.names)
		buf_add_str(b, ", ...");
	buf_add_ch(b, '\n');
}

static void deaths(const struct calls_view *v, struct buf *out)
{
	struct table_out t = { .v = v, .out = out };
	uint64_t n = v->lives->deaths;

	if (!n)
		buf_add_str(out, "  none\n");
	for (uint64_t i = n > LIVES_DEATHS ? n - LIVES_DEATHS : 0; i < n; i++)
		death(&t, &v->lives->death[i % LIVES_DEATHS]);
}

void calls_text(const struct calls_view *v, struct buf *out)
{
	char p50_text[16], max_text[16];
	uint64_t p50, max;

	buf_add_str(out, "in flight\n");
	requests(v, false, out);
	buf_add_str(out, "servers that have not answered initialize\n");
	requests(v, true, out);
	buf_add_str(out, "servers that died\n");
	deaths(v, out);
	lives_starts(v->lives, &p50, &max);
	num_show_ns(p50, p50_text);
	num_show_ns(max, max_text);
	buf_addf(out, "starts of sessions\n  %" PRIu64, v->lives->starts);
	if (v->lives->starts)
		buf_addf(out, "; of the last %" PRIu64 ": half within %s, the slowest %s",
			 v->lives->starts < LIVES_STARTS ? v->lives->starts : LIVES_STARTS, p50_text, max_text);
	buf_add_ch(out, '\n');
}

void calls_show(const struct calls_view *v, bool json, struct buf *out)
{
	if (json)
		calls_json(v, out);
	else
		calls_text(v, out);
}
