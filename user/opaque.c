/* SPDX-License-Identifier: Apache-2.0 */
/* Processes whose TLS is not read.
 *
 * Two tables: what was looked at is nearly every process of the host, and must not push out the few that speak TLS. The
 * control ring, which tells of ends and new programs, is emptied before the other: what a process did last comes after its
 * end, so nothing is judged or forgotten for a second. */
#include "opaque.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "base/table.h"
#include "event_tls.h"

#define GONE_NS 1000000000ull
#define ENDS 1024 /* of processes not known here, the last ones */
#define EVIDENCE_MAX 2048

struct looked {
	struct table_node node;
	struct proc_id id;
	uint64_t ts, gone;
	uint8_t state; /* enum hooked_state */
	char why[EV_WHY_MAX];
};

struct speaker {
	struct table_node node;
	struct proc_id id;
	uint64_t since; /* it is this program */
	uint64_t hello; /* TLS that was not read yet passed then; 0: none */
	uint64_t read;	/* a connection was last found to be read; 0: never */
	uint64_t gone;
	struct net_addr peer; /* of @hello */
	bool told, opaque;
	bool odd; /* what is probed in it is not TLS code */
};

struct opaque {
	struct table speakers, looked;
	uint64_t due; /* nothing is to be done before */
	struct {
		struct proc_id id;
		uint64_t ts;
	} end[ENDS];
	unsigned int ends;
	void (*finding)(void *ctx, const struct finding *f);
	void *ctx;
};

static struct proc_id id_of(const struct ev_hdr *h, uint64_t start)
{
	return (struct proc_id){ .start = start, .pid = h->pid };
}

static struct looked *looked_get(const struct opaque *o, const struct proc_id *id)
{
	struct table_node *n = table_peek(&o->looked, id, sizeof(*id));

	return n ? table_entry(n, struct looked, node) : NULL;
}

static struct speaker *speaker_get(struct opaque *o, const struct proc_id *id)
{
	struct table_node *n = table_get(&o->speakers, id, sizeof(*id));

	return n ? table_entry(n, struct speaker, node) : NULL;
}

static void looked_free(struct opaque *o, struct looked *k)
{
	table_del(&o->looked, &k->node);
	free(k);
}

static void speaker_free(struct opaque *o, struct speaker *s)
{
	table_del(&o->speakers, &s->node);
	free(s);
}

static void due_by(struct opaque *o, uint64_t ts)
{
	if (ts < o->due)
		o->due = ts;
}

static void end_note(struct opaque *o, const struct proc_id *id, uint64_t ts)
{
	o->end[o->ends % ENDS].id = *id;
	o->end[o->ends++ % ENDS].ts = ts;
}

/* When it ended; 0: not that we know. */
static uint64_t end_find(const struct opaque *o, const struct proc_id *id)
{
	for (unsigned int i = 0; i < ENDS; i++) {
		if (memcmp(&o->end[i].id, id, sizeof(*id)) == 0)
			return o->end[i].ts;
	}
	return 0;
}

static struct speaker *speaker_make(struct opaque *o, const struct proc_id *id)
{
	struct speaker *s = speaker_get(o, id);
	struct table_node *old;

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->id = *id;
	s->gone = end_find(o, id);
	if (s->gone)
		due_by(o, s->gone + GONE_NS);
	old = table_add(&o->speakers, &s->node, &s->id, sizeof(s->id));
	if (old)
		free(table_entry(old, struct speaker, node));
	return s;
}

static void why_of(const struct opaque *o, const struct proc_id *id, char ret[OPAQUE_WHY_MAX])
{
	const struct looked *k = looked_get(o, id);

	if (!k)
		snprintf(ret, OPAQUE_WHY_MAX, "not looked at");
	else if (k->state == HOOKED_YES)
		snprintf(ret, OPAQUE_WHY_MAX, "hooks are attached%s%s but saw nothing of this connection",
			 k->why[0] ? " to " : "", k->why);
	else if (k->why[0])
		snprintf(ret, OPAQUE_WHY_MAX, "%s", k->why);
	else
		snprintf(ret, OPAQUE_WHY_MAX, "%s",
			 k->state == HOOKED_NOTHING ? "no TLS code was found in its files" : "its TLS code is not read");
}

static void tell(struct opaque *o, struct speaker *s, uint64_t ts)
{
	struct finding f = { .name = "opaque_tls", .severity = "notice", .proc = s->id, .ts = ts, .count = 1 };
	char why[OPAQUE_WHY_MAX], peer[64];
	struct buf evidence;
	struct jsonw w;

	why_of(o, &s->id, why);
	net_addr_show(&s->peer, peer);
	buf_init(&evidence, EVIDENCE_MAX);
	jsonw_init(&w, &evidence);
	jsonw_open(&w, NULL, '{');
	if (peer[0])
		jsonw_cstr(&w, "peer", peer);
	jsonw_cstr(&w, "why", why);
	jsonw_close(&w, '}');
	if (!w.bad && buf_add_ch(&evidence, '\0') == 0)
		f.evidence = evidence.p;
	s->told = true;
	s->opaque = s->read <= s->hello;
	s->hello = 0;
	o->finding(o->ctx, &f);
	buf_done(&evidence);
}

/* Its hooks were seen to work: nothing was said yet on this connection. */
static bool is_quiet(const struct looked *k, const struct speaker *s)
{
	return s->read && (!k || k->state == HOOKED_YES);
}

static bool is_refused(const struct looked *k)
{
	return k && k->state == HOOKED_REFUSED;
}

static void judge_end(struct opaque *o, struct speaker *s, uint64_t end)
{
	const struct looked *k = looked_get(o, &s->id);

	if (s->hello && !is_quiet(k, s) && (is_refused(k) || end >= s->hello + OPAQUE_LEAST_NS))
		tell(o, s, end);
	s->hello = 0;
}

/* 0, or when it is to be looked at again. */
static uint64_t judge(struct opaque *o, struct speaker *s, uint64_t now)
{
	uint64_t end = s->hello + OPAQUE_WAIT_NS;

	if (s->hello && now >= end && (!s->gone || s->gone >= end)) {
		if (!is_quiet(looked_get(o, &s->id), s))
			tell(o, s, end);
		s->hello = 0;
	}
	if (!s->gone)
		return s->hello ? end : 0;
	if (now < s->gone + GONE_NS)
		return s->gone + GONE_NS;
	judge_end(o, s, s->gone);
	speaker_free(o, s);
	return 0;
}

void opaque_tick(struct opaque *o, uint64_t now)
{
	struct table_node *next;

	if (now < o->due)
		return;
	o->due = UINT64_MAX;
	for (struct table_node *n = o->speakers.oldest; n; n = next) {
		uint64_t at;

		next = n->newer;
		at = judge(o, table_entry(n, struct speaker, node), now);
		if (at)
			due_by(o, at);
	}
	for (struct table_node *n = o->looked.oldest; n; n = next) {
		struct looked *k = table_entry(n, struct looked, node);

		next = n->newer;
		if (k->gone && now >= k->gone + GONE_NS)
			looked_free(o, k);
		else if (k->gone)
			due_by(o, k->gone + GONE_NS);
	}
}

void opaque_flush(struct opaque *o, uint64_t now)
{
	opaque_tick(o, now);
	for (struct table_node *n = o->speakers.oldest; n; n = n->newer) {
		struct speaker *s = table_entry(n, struct speaker, node);
		const struct looked *k = looked_get(o, &s->id);

		if (s->gone)
			judge_end(o, s, s->gone);
		else if (k && k->state != HOOKED_YES) /* what is attached may still see it */
			judge_end(o, s, now);
	}
}

static void feed_hello(struct opaque *o, const struct ev_hello *h)
{
	struct proc_id id = id_of(&h->hdr, h->start);
	struct speaker *s = id.pid ? speaker_make(o, &id) : NULL;

	if (!s || s->told || s->hello || h->hdr.ts < s->since || s->read >= h->hdr.ts)
		return;
	s->hello = h->hdr.ts;
	s->peer = (struct net_addr){ .family = h->family, .port = h->rport, .netns = h->netns };
	memcpy(s->peer.ip, h->raddr, sizeof(s->peer.ip));
	due_by(o, s->hello + OPAQUE_WAIT_NS);
}

static void feed_read(struct opaque *o, const struct ev_open *e)
{
	struct proc_id id = id_of(&e->hdr, e->start);
	uint64_t ts = e->hdr.ts;
	struct speaker *s = speaker_make(o, &id);

	if (!s || ts < s->since)
		return;
	if (ts > s->read)
		s->read = ts;
	if (ts >= s->hello && ts - s->hello <= OPAQUE_WAIT_NS)
		s->hello = 0;
	s->opaque = false;
}

static void feed_hooked(struct opaque *o, const struct ev_hooked *h)
{
	struct proc_id id = id_of(&h->hdr, h->start);
	struct looked *k = looked_get(o, &id);
	struct table_node *old;
	struct speaker *s;

	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k)
			return;
		k->id = id;
		k->gone = end_find(o, &id);
		if (k->gone)
			due_by(o, k->gone + GONE_NS);
		old = table_add(&o->looked, &k->node, &k->id, sizeof(k->id));
		if (old)
			free(table_entry(old, struct looked, node));
	}
	k->ts = h->hdr.ts;
	k->state = h->state;
	snprintf(k->why, sizeof(k->why), "%s", h->why);
	s = h->state == HOOKED_REFUSED ? speaker_get(o, &id) : NULL;
	if (s && s->odd && !s->told) {
		tell(o, s, h->hdr.ts);
		s->opaque = true;
	}
}

/* Its probes will be withdrawn: what seemed to be read was not. */
static void feed_odd(struct opaque *o, const struct ev_odd *e)
{
	struct proc_id id = id_of(&e->hdr, e->start);
	struct speaker *s = speaker_make(o, &id);

	if (s && e->hdr.ts >= s->since)
		s->odd = true;
}

/* Another program: nothing that is known of the one before holds. */
static void feed_exec(struct opaque *o, const struct ev_exec *e)
{
	struct proc_id id = id_of(&e->hdr, e->start);
	struct looked *k = looked_get(o, &id);
	struct speaker *s = speaker_get(o, &id);

	if (e->hdr.flags & EV_F_LATE) /* a line of the listing */
		return;
	if (k && k->ts < e->hdr.ts)
		looked_free(o, k);
	if (!s)
		return;
	s->since = e->hdr.ts;
	s->hello = s->read = 0;
	s->told = s->opaque = s->odd = false;
}

static void feed_exit(struct opaque *o, const struct ev_exit *e)
{
	struct proc_id id = id_of(&e->hdr, e->start);
	struct looked *k = looked_get(o, &id);
	struct speaker *s = speaker_get(o, &id);

	end_note(o, &id, e->hdr.ts);
	if (k)
		k->gone = e->hdr.ts;
	if (s)
		s->gone = e->hdr.ts;
	if (k || s)
		due_by(o, e->hdr.ts + GONE_NS);
}

void opaque_feed(struct opaque *o, const struct ev_hdr *h)
{
	switch (h->kind) {
	case EV_HELLO:
		feed_hello(o, (const struct ev_hello *)h);
		break;
	case EV_HOOKED:
		feed_hooked(o, (const struct ev_hooked *)h);
		break;
	case EV_ODD:
		feed_odd(o, (const struct ev_odd *)h);
		break;
	case EV_OPEN:
		if (((const struct ev_open *)h)->chan == CHAN_TLS)
			feed_read(o, (const struct ev_open *)h);
		break;
	case EV_EXEC:
		feed_exec(o, (const struct ev_exec *)h);
		break;
	case EV_EXIT:
		feed_exit(o, (const struct ev_exit *)h);
		break;
	default:
		break;
	}
}

struct opaque *opaque_new(void (*finding)(void *ctx, const struct finding *f), void *ctx)
{
	struct opaque *o = calloc(1, sizeof(*o));
	int err = o ? table_init(&o->speakers, OPAQUE_PROCS) : -ENOMEM;

	if (!err)
		err = table_init(&o->looked, OPAQUE_PROCS);
	if (err) {
		opaque_free(o);
		errno = -err;
		return NULL;
	}
	o->due = UINT64_MAX;
	o->finding = finding;
	o->ctx = ctx;
	return o;
}

void opaque_free(struct opaque *o)
{
	if (!o)
		return;
	while (o->speakers.oldest)
		speaker_free(o, table_entry(o->speakers.oldest, struct speaker, node));
	while (o->looked.oldest)
		looked_free(o, table_entry(o->looked.oldest, struct looked, node));
	table_done(&o->speakers);
	table_done(&o->looked);
	free(o);
}

unsigned int opaque_rows(const struct opaque *o, struct opaque_row *ret, unsigned int max)
{
	unsigned int all = 0;

	for (struct table_node *n = o->speakers.newest; n; n = n->older) {
		const struct speaker *s = table_entry(n, struct speaker, node);

		if (!s->opaque || s->gone)
			continue;
		if (all++ >= max)
			continue;
		ret[all - 1].proc = s->id;
		ret[all - 1].peer = s->peer;
		why_of(o, &s->id, ret[all - 1].why);
	}
	return all;
}

uint64_t opaque_evicted(const struct opaque *o)
{
	return o->speakers.evicted + o->looked.evicted;
}
