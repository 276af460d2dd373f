/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts to a webhook.
 *
 *   alert -> the open group of its rule -> after group_wait, its body -> queue -> one request at a time
 *
 * Messages are told in order, each until it was taken: a receiver that was away for a while hears all that the queue
 * holds, from its oldest. */
#include "sink/webhook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hmac.h"
#include "sink/courier.h"
#include "sink/webhook_group.h"

#define GROUPS_MAX 64

struct item {
	struct item *next;
	struct buf body;
};

struct webhook {
	struct webhook_opts o;
	struct courier courier;
	struct group *open; /* oldest first */
	unsigned int open_n;
	struct item *first, *last;
	const struct item *under_way; /* the one that the request holds; NULL where it was dropped meanwhile */
	uint32_t queued;
	uint64_t dropped;
	bool hurry; /* the end: no group waits for more */
};

void webhook_opts_default(struct webhook_opts *o)
{
	memset(o, 0, sizeof(*o));
	o->timeout_ns = 10 * NSEC_PER_SEC;
	o->group_wait_ns = 5 * NSEC_PER_SEC;
	o->retry_ns = NSEC_PER_SEC;
	o->retry_max_ns = 300 * NSEC_PER_SEC;
	o->queue = 256;
}

static void item_free(struct item *i)
{
	if (!i)
		return;
	buf_done(&i->body);
	free(i);
}

static void drop_first(struct webhook *s)
{
	struct item *i = s->first;

	s->first = i->next;
	if (!s->first)
		s->last = NULL;
	if (s->under_way == i)
		s->under_way = NULL;
	s->queued--;
	item_free(i);
}

static void queue_add(struct webhook *s, struct item *i)
{
	if (s->queued >= s->o.queue) {
		drop_first(s);
		s->dropped++;
	}
	if (s->last)
		s->last->next = i;
	else
		s->first = i;
	s->last = i;
	s->queued++;
}

/* The oldest group is complete. */
static void close_group(struct webhook *s)
{
	struct group *g = s->open;
	struct item *i = calloc(1, sizeof(*i));

	s->open = g->next;
	s->open_n--;
	if (i)
		buf_init(&i->body, GROUP_BYTES);
	if (i && group_body(g, s->o.wall_offset, &i->body) == 0) {
		queue_add(s, i);
	} else {
		item_free(i);
		s->dropped++;
	}
	group_free(g);
}

static struct group *group_of(struct webhook *s, const char *rule)
{
	struct group **link = &s->open, *g;

	for (; *link; link = &(*link)->next) {
		if (strncmp((*link)->rule, rule, sizeof((*link)->rule) - 1) == 0)
			return *link;
	}
	g = group_new(rule, courier_now(&s->courier));
	if (!g)
		return NULL;
	*link = g;
	s->open_n++;
	if (s->open_n > GROUPS_MAX)
		close_group(s);
	return g;
}

static void on_alert(void *self, const struct alert *a, const struct sink_peers *p)
{
	struct webhook *s = self;
	struct group *g;

	(void)p;
	if (a->state != ALERT_FIRING && a->state != ALERT_RESOLVED)
		return;
	g = group_of(s, a->rule ? a->rule : "");
	if (!g || group_add(g, a, s->o.labels) < 0)
		s->dropped++;
}

static void look(struct webhook *s)
{
	enum courier_news news = courier_look(&s->courier);

	if ((news != COURIER_DELIVERED && news != COURIER_REFUSED) || !s->under_way)
		return;
	drop_first(s);
	if (news == COURIER_REFUSED)
		s->dropped++;
}

static int sign(const struct webhook *s, struct sv body, char ret_time[64], char ret_signature[128])
{
	uint64_t seconds = (courier_now(&s->courier) + (uint64_t)s->o.wall_offset) / NSEC_PER_SEC;
	uint8_t mac[HMAC_BYTES];
	struct buf text;
	size_t n;
	int err;

	snprintf(ret_time, 64, "X-Mcpvigil-Timestamp: %" PRIu64, seconds);
	buf_init(&text, GROUP_BYTES + 64);
	err = buf_addf(&text, "%" PRIu64 ".", seconds);
	if (!err)
		err = buf_add_sv(&text, body);
	if (!err)
		err = hmac_sha256(sv_of(s->o.secret), buf_sv(&text), mac);
	buf_done(&text);
	n = (size_t)snprintf(ret_signature, 128, "X-Mcpvigil-Signature: sha256=");
	for (int i = 0; i < HMAC_BYTES; i++)
		n += (size_t)snprintf(ret_signature + n, 128 - n, "%02x", err ? 0 : mac[i]);
	return err;
}

static void send_first(struct webhook *s)
{
	struct post_req req = { .body = buf_sv(&s->first->body) };
	char time[64], signature[128];

	if (s->o.secret[0]) {
		/* Unsigned it would be refused: better later. */
		if (sign(s, req.body, time, signature) < 0)
			return;
		req.header[0] = time;
		req.header[1] = signature;
	}
	if (courier_send(&s->courier, &req) == 0)
		s->under_way = s->first;
}

static void on_flush(void *self)
{
	struct webhook *s = self;
	uint64_t now = courier_now(&s->courier);

	look(s);
	while (s->open && (s->hurry || now - s->open->begin >= s->o.group_wait_ns))
		close_group(s);
	if (s->first && courier_ready(&s->courier))
		send_first(s);
}

static bool waits(const void *self)
{
	const struct webhook *s = self;

	return s->first || s->open;
}

static void on_free(void *self)
{
	struct webhook *s = self;

	if (!s)
		return;
	s->hurry = true;
	courier_linger(&s->courier, waits, on_flush, s);
	while (s->open)
		close_group(s);
	while (s->first)
		drop_first(s);
	courier_done(&s->courier);
	free(s);
}

const struct sink_ops webhook_ops = {
	.alert = on_alert,
	.flush = on_flush,
	.free = on_free,
};

void webhook_self(const void *self, struct self_sink *ret)
{
	const struct webhook *s = self;

	courier_self(&s->courier, ret);
	ret->queued = s->queued + s->open_n;
	ret->dropped = s->dropped;
}

void *webhook_new_over(const struct webhook_opts *o, const struct post_ops *ops, void *post)
{
	struct webhook *s = calloc(1, sizeof(*s));

	if (!s) {
		ops->free(post);
		errno = ENOMEM;
		return NULL;
	}
	s->o = *o;
	if (!s->o.queue)
		s->o.queue = 1;
	courier_init(&s->courier, ops, post);
	courier_name(&s->courier, "webhook", o->url, false);
	s->courier.retry_ns = o->retry_ns;
	s->courier.retry_max_ns = o->retry_max_ns;
	return s;
}

void *webhook_new(const struct webhook_opts *o)
{
	void *post = post_curl_new(o->url, o->timeout_ns);

	return post ? webhook_new_over(o, &post_curl_ops, post) : NULL;
}
