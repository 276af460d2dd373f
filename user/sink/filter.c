/* SPDX-License-Identifier: Apache-2.0 */
/* Which records pass. */
#include "sink/filter.h"

#include <errno.h>
#include <string.h>

#include "base/sv.h"

#define COMM_LEN 15 /* TASK_COMM_LEN less the NUL */

int filter_add_word(struct filter_words *w, const char *value)
{
	if (w->n == FILTER_VALUES)
		return -ENOSPC;
	w->v[w->n++] = value;
	return 0;
}

int filter_add_pid(struct filter *f, uint32_t pid)
{
	if (f->pids == FILTER_VALUES)
		return -ENOSPC;
	f->pid[f->pids++] = pid;
	return 0;
}

/* Whether one of @w stands for @s, of which only the first @kept bytes exist (0: all of them). */
static bool words_match(const struct filter_words *w, struct sv s, size_t kept)
{
	if (!s.p)
		return false;
	for (unsigned int i = 0; i < w->n; i++) {
		struct sv want = sv_of(w->v[i]);
		bool prefix = want.n && want.p[want.n - 1] == '*';

		if (prefix)
			want.n--;
		if (kept && want.n > kept)
			want.n = kept;
		if (prefix ? sv_starts(s, want) : sv_eq(s, want))
			return true;
	}
	return false;
}

static bool word_ok(const struct filter_words *w, const char *s)
{
	return !w->n || words_match(w, sv_of(s), 0);
}

static bool pid_in(const struct filter *f, uint32_t pid)
{
	for (unsigned int i = 0; i < f->pids; i++) {
		if (pid && f->pid[i] == pid)
			return true;
	}
	return false;
}

static bool comm_in(const struct filter_words *w, const struct who *who)
{
	return who && who->comm[0] && words_match(w, sv_of(who->comm), COMM_LEN);
}

static bool exe_in(const struct filter_words *w, const struct who *who)
{
	const char *slash;

	if (!who || !who->exe[0])
		return false;
	slash = strrchr(who->exe, '/');
	return words_match(w, sv_of(slash ? slash + 1 : who->exe), 0);
}

static bool addr_in(const struct filter_words *w, const struct net_addr *a)
{
	char text[64];
	const char *colon;

	if (!a->family)
		return false;
	net_addr_show(a, text);
	colon = strrchr(text, ':');
	return words_match(w, sv_of(text), 0) ||
	       (colon && (words_match(w, sv_of(colon), 0) ||
			  words_match(w, (struct sv){ text, (size_t)(colon - text) }, 0)));
}

static bool route_ok(const struct filter *f, const struct route *r, const struct sink_peers *p)
{
	const struct who *client = p ? p->client : NULL, *server = p ? p->server : NULL;

	if (f->pids && !pid_in(f, r->client.pid) && !pid_in(f, r->server.pid))
		return false;
	if (f->comm.n && !comm_in(&f->comm, client) && !comm_in(&f->comm, server))
		return false;
	return !f->server.n || comm_in(&f->server, server) || exe_in(&f->server, server) ||
	       addr_in(&f->server, &r->server_addr);
}

static bool is_error(const struct call *c)
{
	if (c->outcome == CALL_ORPHAN)
		return c->has_error_code;
	return c->outcome != CALL_OK;
}

static bool is_slow(const struct call *c, uint64_t limit)
{
	if (c->has_duration)
		return c->duration_ns >= limit;
	return c->outcome == CALL_UNANSWERED && c->start && c->ts > c->start &&
	       c->ts - c->start >= limit;
}

bool filter_call(const struct filter *f, const struct call *c, const struct sink_peers *p)
{
	return !f->only_alerts && route_ok(f, &c->route, p) && word_ok(&f->tool, c->tool) &&
	       word_ok(&f->method, c->method) && (!f->errors || is_error(c)) &&
	       (!f->slow_ns || is_slow(c, f->slow_ns));
}

bool filter_note(const struct filter *f, const struct note *n, const struct sink_peers *p)
{
	return !f->only_alerts && !f->tool.n && !f->errors && !f->slow_ns && word_ok(&f->method, n->method) &&
	       route_ok(f, &n->route, p);
}

bool filter_session(const struct filter *f, const struct session_event *e,
		    const struct sink_peers *p)
{
	return !f->only_alerts && !f->tool.n && !f->method.n && !f->errors && !f->slow_ns && route_ok(f, &e->route, p);
}

bool filter_finding(const struct filter *f, const struct finding *x, const struct sink_peers *p)
{
	/* A finding has no route: its process may be either end of one. */
	const struct route r = { .client = x->proc, .server = x->proc };
	const struct who *who = p && p->client ? p->client : p ? p->server : NULL;
	const struct sink_peers ends = { who, who };

	return !f->only_alerts && route_ok(f, &r, &ends);
}
