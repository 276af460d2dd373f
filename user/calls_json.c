/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs now, as JSON lines. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "calls.h"
#include "sink/json.h"
#include "sink/redact.h"

#define DEATHS_BYTES 131072 /* kept free for what stands behind the requests */
#define TOTAL_BYTES 1024

struct lines {
	const struct calls_view *v;
	struct buf *out;
	struct json_sink *json;
	size_t spare; /* bytes of @out that a line may not use */
	uint64_t calls, shown, lines;
};

static int take(void *ctx, struct sv line)
{
	struct lines *l = ctx;
	size_t room = l->out->max - l->out->n;
	int err = room < l->spare + line.n ? -ENOSPC : buf_add_sv(l->out, line);

	if (!err)
		l->lines++;
	return err;
}

static bool on_call(void *ctx, const struct call *c)
{
	struct lines *l = ctx;
	struct call shown = *c;
	struct sink_peers p;
	struct jsonw *w;

	l->calls++;
	if (l->shown == CALLS_ROWS)
		return true;
	p = facts_peers(l->v->facts, &c->route);
	shown.outcome = CALL_OUTCOMES; /* none yet */
	shown.resource = c->resource ? redact_uri(c->resource) : NULL;
	w = json_begin(l->json, "in_flight", l->v->now);
	json_call_fields(l->json, &shown, &p);
	if (c->start && c->start <= l->v->now)
		jsonw_u64(w, "age_ns", l->v->now - c->start);
	free(shown.resource);
	json_finish(l->json);
	l->shown = l->lines; /* they are the first */
	return true;
}

static void put_how(struct jsonw *w, const struct death *d)
{
	if (!d->known)
		return;
	if (WIFSIGNALED(d->exit_code))
		jsonw_i64(w, "signal", WTERMSIG(d->exit_code));
	else
		jsonw_i64(w, "exit_code", WEXITSTATUS(d->exit_code));
	if (d->oom)
		jsonw_bool(w, "oom", true);
}

static void put_death(struct lines *l, const struct death *d)
{
	struct sink_peers p = facts_peers(l->v->facts, &d->route);
	struct jsonw *w = json_begin(l->json, "death", d->ts);

	put_how(w, d);
	if (d->session[0])
		jsonw_cstr(w, "session", d->session);
	json_route(w, &d->route, &p);
	jsonw_u64(w, "calls", d->lost.calls);
	jsonw_open(w, "names", '[');
	for (unsigned int i = 0; i < d->lost.names; i++)
		jsonw_cstr(w, NULL, d->lost.name[i]);
	jsonw_close(w, ']');
	json_finish(l->json);
}

static void put_total(struct lines *l)
{
	const struct lives *v = l->v->lives;
	struct jsonw *w = json_begin(l->json, "calls_total", l->v->now);
	uint64_t p50, max;

	lives_starts(v, &p50, &max);
	jsonw_u64(w, "in_flight", l->calls);
	jsonw_u64(w, "shown", l->shown);
	jsonw_u64(w, "deaths", v->deaths);
	jsonw_u64(w, "starts", v->starts);
	if (v->starts) {
		jsonw_u64(w, "startup_p50_ns", p50);
		jsonw_u64(w, "startup_max_ns", max);
	}
	json_finish(l->json);
}

void calls_json(const struct calls_view *v, struct buf *out)
{
	struct lines l = { .v = v, .out = out, .spare = DEATHS_BYTES };
	uint64_t n = v->lives->deaths;

	l.json = json_sink_to(take, &l, v->wall_offset);
	if (!l.json)
		return;
	mcp_in_flight(facts_mcp(v->facts), on_call, &l);
	l.spare = TOTAL_BYTES;
	for (uint64_t i = n > LIVES_DEATHS ? n - LIVES_DEATHS : 0; i < n; i++)
		put_death(&l, &v->lives->death[i % LIVES_DEATHS]);
	l.spare = 0;
	put_total(&l);
	json_sink_ops.free(l.json);
}
