/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that died and what they took along; how long sessions took to start.
 *
 * A session that ends because a process is gone tells which; the requests that it leaves unanswered are reported in front
 * of that or just behind, and found again by the session's number. */
#include "sink/lives.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define TOGETHER_NS (5 * NSEC_PER_SEC) /* between a session's end and what it took along */

static void lost_add(struct lives_lost *l, const struct call *c)
{
	const char *name = c->tool ? c->tool : c->method;

	l->session_no = c->session_no;
	l->ts = c->ts;
	l->calls++;
	if (name && l->names < LIVES_NAMES)
		snprintf(l->name[l->names++], LIVES_NAME_BYTES, "%s", name);
}

static bool together(uint64_t a, uint64_t b)
{
	return a > b ? a - b <= TOGETHER_NS : b - a <= TOGETHER_NS;
}

static unsigned int kept(uint64_t n)
{
	return n < LIVES_DEATHS ? (unsigned int)n : LIVES_DEATHS;
}

static struct lives_lost *lost_of(struct lives *v, uint64_t session_no, uint64_t ts)
{
	for (unsigned int i = 0; i < kept(v->losts); i++) {
		if (v->lost[i].session_no == session_no && together(v->lost[i].ts, ts))
			return &v->lost[i];
	}
	return NULL;
}

static struct death *death_of(struct lives *v, uint64_t session_no, uint64_t ts)
{
	for (unsigned int i = 0; i < kept(v->deaths); i++) {
		if (v->death[i].lost.session_no == session_no && together(v->death[i].ts, ts))
			return &v->death[i];
	}
	return NULL;
}

/* An agent that leaves takes its servers along: that is no death. */
static bool client_left(const struct sink_peers *p)
{
	const struct who *client = p ? p->client : NULL, *server = p ? p->server : NULL;

	if (!client || !client->exited)
		return false;
	return !server || !server->exited || client->exit_ts < server->exit_ts;
}

static void death_set_how(struct death *d, const struct who *server)
{
	if (!server || !server->exited)
		return;
	d->known = true;
	d->oom = server->oom;
	d->exit_code = server->exit_code;
}

static struct death *death_add(struct lives *v, const struct route *r, uint64_t session_no, uint64_t ts)
{
	const struct lives_lost *l = lost_of(v, session_no, ts);
	struct death *d = &v->death[v->deaths++ % LIVES_DEATHS];

	*d = (struct death){ .ts = ts, .route = *r };
	if (l)
		d->lost = *l;
	d->lost.session_no = session_no;
	return d;
}

/* A session whose initialize was never answered does not begin, so no end of it is told. */
static bool died_starting(const struct call *c, const struct sink_peers *p)
{
	return c->method && strcmp(c->method, "initialize") == 0 && p && p->server && p->server->exited &&
	       !client_left(p);
}

static void lives_call(void *self, const struct call *c, const struct sink_peers *p)
{
	struct lives *v = self;
	struct lives_lost *l;
	struct death *d;

	if (c->outcome != CALL_UNANSWERED || !c->session_no)
		return;
	d = death_of(v, c->session_no, c->ts);
	if (!d && died_starting(c, p)) {
		d = death_add(v, &c->route, c->session_no, c->ts);
		death_set_how(d, p->server);
	}
	if (d) {
		lost_add(&d->lost, c);
		return;
	}
	l = lost_of(v, c->session_no, c->ts);
	if (!l) {
		l = &v->lost[v->losts++ % LIVES_DEATHS];
		*l = (struct lives_lost){ 0 };
	}
	lost_add(l, c);
}

static void lives_session(void *self, const struct session_event *e, const struct sink_peers *p)
{
	struct lives *v = self;
	struct death *d;

	if (!e->end && e->startup_ns)
		v->start[v->starts++ % LIVES_STARTS] = e->startup_ns;
	if (!e->end || !e->reason || strcmp(e->reason, "exit") != 0 || client_left(p))
		return;
	d = death_of(v, e->session_no, e->ts);
	if (!d)
		d = death_add(v, &e->route, e->session_no, e->ts);
	if (e->session)
		snprintf(d->session, sizeof(d->session), "%s", e->session);
	death_set_how(d, p ? p->server : NULL);
}

const struct sink_ops lives_ops = {
	.call = lives_call,
	.session = lives_session,
};

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void lives_starts(const struct lives *v, uint64_t *ret_p50, uint64_t *ret_max)
{
	size_t n = v->starts < LIVES_STARTS ? v->starts : LIVES_STARTS;
	uint64_t sorted[LIVES_STARTS];

	memcpy(sorted, v->start, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_size);
	*ret_p50 = n ? sorted[(n - 1) / 2] : 0;
	*ret_max = n ? sorted[n - 1] : 0;
}
