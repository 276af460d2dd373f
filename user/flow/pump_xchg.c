/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP exchanges of a connection, oldest first.
 *
 * As long as nothing was missed, the nth response answers the nth request, whichever of them is
 * fed first: records of the two directions may overtake each other. Once something was missed
 * (joined late, a hole, a malformed head), a response that finds no request stays alone, unless
 * its request comes while it lasts. */
#include "flow/pump_http.h"

#include <stdlib.h>

#define STRING_MAX 4096 /* bytes kept of one header value */

static uint64_t last_id; /* ids are unique in the run, so they cannot live in one pump */

struct pump_xchg *pump_xchg_new(const struct pump *p, uint16_t version)
{
	struct pump_xchg *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->pub.id = ++last_id;
	x->pub.req_dir = p->req_dir;
	x->pub.http_version = version;
	return x;
}

static struct pump_xchg *append(struct pump *p)
{
	struct pump_xchg *x = pump_xchg_new(p, 11);

	if (!x)
		return NULL;
	if (p->last)
		p->last->next = x;
	else
		p->first = x;
	p->last = x;
	p->n++;
	return x;
}

/* Copy @n views into one block, which they then point into. */
static char *own(struct sv *const v[], size_t n)
{
	size_t total = 0;
	char *block, *at;

	for (size_t i = 0; i < n; i++) {
		if (v[i]->n > STRING_MAX)
			v[i]->n = STRING_MAX;
		total += v[i]->n;
	}
	block = at = malloc(total ? total : 1);
	for (size_t i = 0; i < n; i++) {
		if (block && v[i]->n)
			memcpy(at, v[i]->p, v[i]->n);
		*v[i] = (struct sv){ block ? at : NULL, block ? v[i]->n : 0 };
		at += v[i]->n;
	}
	return block;
}

static void set_request(struct pump_xchg *x, const struct http1_head *h)
{
	struct pump_http *pub = &x->pub;
	bool keep_session = pub->session_id.n != 0; /* the response's counts more */
	struct sv session = h->session_id;
	struct sv *const v[] = { &pub->method,	   &pub->target,
				 &pub->host,	   &pub->version,
				 &pub->mcp_method, &pub->last_event_id,
				 &pub->user_agent, keep_session ? &session : &pub->session_id };

	pub->method = h->method;
	pub->target = h->target;
	pub->host = h->host;
	pub->version = h->version;
	pub->mcp_method = h->mcp_method;
	pub->last_event_id = h->last_event_id;
	pub->user_agent = h->user_agent;
	if (!keep_session)
		pub->session_id = h->session_id;
	pub->has_request = true;
	x->strings[0] = own(v, sizeof(v) / sizeof(v[0]));
}

void pump_xchg_ask(struct pump *p, struct pump_xchg *x, const struct http1_head *h, uint64_t beg)
{
	set_request(x, h);
	x->pub.req_beg = beg;
	if (p->ops.http_begin)
		p->ops.http_begin(p->ops.ctx, &x->pub);
}

void pump_xchg_answer(struct pump_xchg *x, const struct http1_head *h)
{
	struct sv *const v[] = { &x->pub.session_id };

	x->pub.status = h->status;
	x->pub.sse = sv_ieq(
		(struct sv){ h->content_type.p, h->content_type.n < 17 ? h->content_type.n : 17 },
		SV("text/event-stream"));
	if (h->session_id.n == 0)
		return;
	x->pub.session_id = h->session_id;
	free(x->strings[1]);
	x->strings[1] = own(v, 1);
}

struct pump_xchg *pump_xchg_request(struct pump *p, const struct http1_head *h, uint64_t beg)
{
	bool no_answer = p->d[!p->req_dir].eof;
	struct pump_xchg *x = p->first;

	while (x && (x->pub.has_request || x->alone))
		x = x->next;
	if (!x && (p->n >= p->opts.exchanges_max || p->overflow)) {
		p->overflow++;
		return NULL;
	}
	if (!x)
		x = append(p);
	if (!x)
		return NULL;
	pump_xchg_ask(p, x, h, beg);
	if (no_answer && !x->resp_over)
		x->resp_over = x->pub.aborted = true;
	return x;
}

/* Responses may have been missed. Clients do not pipeline, so the next one is for the newest
 * request. */
static struct pump_xchg *newest(struct pump *p)
{
	struct pump_xchg *found = NULL;

	for (struct pump_xchg *x = p->first; x; x = x->next)
		if (x->pub.has_request && !x->resp_over)
			found = x;
	return p->overflow ? NULL : found;
}

struct pump_xchg *pump_xchg_peek(struct pump *p)
{
	struct pump_xchg *x = p->first;

	if (p->d[!p->req_dir].h.resynced)
		return newest(p);
	while (x && x->resp_over)
		x = x->next;
	return x;
}

struct pump_xchg *pump_xchg_response(struct pump *p, const struct http1_head *h)
{
	bool *resynced = &p->d[!p->req_dir].h.resynced;
	struct pump_xchg *x = pump_xchg_peek(p);

	for (struct pump_xchg *i = *resynced ? p->first : NULL; i && i != x; i = i->next)
		if (!i->resp_over)
			i->resp_over = i->pub.aborted = true;
	if (*resynced)
		p->overflow = 0;
	*resynced = false;
	if (!x) {
		bool alone = p->overflow > 0;

		p->overflow -= alone;
		if (p->n >= p->opts.exchanges_max)
			p->ordinal = false; /* requests never come: stop waiting for them */
		x = append(p);
		if (!x)
			return NULL;
		x->alone = alone;
	}
	pump_xchg_answer(x, h);
	pump_xchg_flush(p);
	return x;
}

void pump_xchg_over(struct pump *p, struct pump_xchg *x)
{
	p->quiet_x++;
	if (p->ops.http_done)
		p->ops.http_done(p->ops.ctx, &x->pub);
	free(x->strings[0]);
	free(x->strings[1]);
	free(x);
}

void pump_xchg_unlink(struct pump *p, struct pump_xchg *x)
{
	struct pump_xchg *prev = NULL;

	for (struct pump_xchg *i = p->first; i && i != x; i = i->next)
		prev = i;
	if (prev)
		prev->next = x->next;
	else
		p->first = x->next;
	if (p->last == x)
		p->last = prev;
	x->next = NULL;
	p->n--;
}

static bool is_over(const struct pump *p, const struct pump_xchg *x)
{
	if (!x->resp_over)
		return false;
	if (x->pub.has_request)
		return x->req_over;
	return x->alone || !p->ordinal || p->d[p->req_dir].eof;
}

static void pop(struct pump *p)
{
	struct pump_xchg *x = p->first;

	pump_xchg_unlink(p, x);
	pump_xchg_over(p, x);
}

void pump_xchg_flush(struct pump *p)
{
	while (p->first && is_over(p, p->first))
		pop(p);
}

void pump_xchg_abort(struct pump *p)
{
	for (struct pump_xchg *x = p->first; x; x = x->next) {
		if (!x->pub.resp_done)
			x->pub.aborted = x->resp_over = true;
	}
	pump_xchg_flush(p);
}

void pump_xchg_free(struct pump *p)
{
	pump_xchg_abort(p);
	while (p->first)
		pop(p);
}
