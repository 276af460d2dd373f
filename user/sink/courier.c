/* SPDX-License-Identifier: Apache-2.0 */
/* How one endpoint is kept supplied. */
#include "sink/courier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/log.h"
#include "sink/redact.h"

#define LINGER_STEPS 200
#define LINGER_STEP_NS 10000000L

void courier_init(struct courier *c, const struct post_ops *ops, void *post)
{
	memset(c, 0, sizeof(*c));
	c->ops = ops;
	c->post = post;
	c->dice = hash_bytes(&c, sizeof(c)) | 1;
}

void courier_name(struct courier *c, const char *kind, const char *url, bool path)
{
	char *shown = redact_uri(url);
	char *at = shown ? strstr(shown, "://") : NULL;

	at = at ? strpbrk(at + 3, "/?#\\") : NULL;
	if (at && !path)
		*at = '\0';
	/* A URL that is cut to fit is still told from others by its beginning. */
	snprintf(c->name, sizeof(c->name), "%s %s", kind, shown ? shown : "");
	free(shown);
}

void courier_done(struct courier *c)
{
	if (c->ops)
		c->ops->free(c->post);
	memset(c, 0, sizeof(*c));
}

uint64_t courier_now(const struct courier *c)
{
	return c->ops->now(c->post);
}

/* xorshift64: it only has to keep agents that failed together from coming back together. */
static uint64_t roll(struct courier *c)
{
	c->dice ^= c->dice << 13;
	c->dice ^= c->dice >> 7;
	c->dice ^= c->dice << 17;
	return c->dice;
}

/* Between half of the pause and all of it. */
static uint64_t pause_ns(struct courier *c)
{
	uint64_t ns = c->retry_ns;

	for (unsigned int i = 1; i < c->misses && ns < c->retry_max_ns; i++)
		ns *= 2;
	if (ns > c->retry_max_ns)
		ns = c->retry_max_ns;
	return ns - (ns / 2 ? roll(c) % (ns / 2) : 0);
}

static void miss(struct courier *c, const struct post_result *r)
{
	uint64_t ns;

	c->failed++;
	c->misses++;
	ns = pause_ns(c);
	if (r->retry_after_ns > ns)
		ns = r->retry_after_ns < c->retry_max_ns ? r->retry_after_ns : c->retry_max_ns;
	c->next = courier_now(c) + ns;
	if (!c->failing && r->status)
		log_warn("%s fails: HTTP %d%s%s", c->name, r->status, r->why[0] ? ", " : "", r->why);
	else if (!c->failing)
		log_warn("%s fails: %s", c->name, r->why);
	c->failing = true;
}

static void hit(struct courier *c)
{
	c->sent++;
	if (c->failing)
		log_info("%s works again, after %u failed requests", c->name, c->misses);
	c->misses = 0;
	c->next = 0;
	c->failing = false;
}

enum courier_news courier_look(struct courier *c)
{
	struct post_result r;

	if (!c->busy || !c->ops->take(c->post, &r))
		return COURIER_NOTHING;
	c->busy = false;
	if (r.status >= 200 && r.status < 300) {
		hit(c);
		return COURIER_DELIVERED;
	}
	miss(c, &r);
	return r.status >= 300 && r.status < 500 && r.status != 408 && r.status != 429 ? COURIER_REFUSED : COURIER_LATER;
}

bool courier_ready(const struct courier *c)
{
	return !c->busy && courier_now(c) >= c->next;
}

int courier_send(struct courier *c, const struct post_req *r)
{
	int err = c->ops->start(c->post, r);

	c->busy = !err;
	if (err)
		miss(c, &(struct post_result){ .why = "no memory" });
	return err;
}

void courier_self(const struct courier *c, struct self_sink *ret)
{
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->name, sizeof(ret->name), "%s", c->name);
	ret->failing = c->failing;
	ret->sent = c->sent;
	ret->failed = c->failed;
}

void courier_linger(struct courier *c, bool (*waits)(const void *self), void (*flush)(void *self), void *self)
{
	const struct timespec step = { 0, LINGER_STEP_NS };

	for (int i = 0; i < LINGER_STEPS; i++) {
		flush(self);
		if (c->failing || !waits(self))
			return;
		nanosleep(&step, NULL);
	}
}
