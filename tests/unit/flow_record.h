/* SPDX-License-Identifier: Apache-2.0 */
/* Ring records made by hand, and a flow that notes what comes out. For the tests of flow/. */
#ifndef MCPVIGIL_TESTS_FLOW_RECORD_H
#define MCPVIGIL_TESTS_FLOW_RECORD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/flow.h"

#define MS 1000000ull

struct seen {
	struct flow *flow;
	char text[1 << 16]; /* a line for each thing that came out */
	size_t n;
	struct flow_msg last;
	uint8_t code;
	unsigned int verdicts;
	uint64_t enter; /* of the records that are put */
};

__attribute__((format(printf, 2, 3))) static void note(struct seen *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->text + s->n, sizeof(s->text) - s->n, fmt, ap);
	va_end(ap);
	if (n > 0 && s->n + n < sizeof(s->text))
		s->n += n;
}

static void on_msg(void *ctx, const struct flow_msg *m)
{
	const struct rpc_value *id = &m->pump->rpc->f[RPC_F_ID];
	struct seen *s = ctx;

	s->last = *m;
	note(s, "%.*s %u-%u%s%s\n", (int)id->text.n, id->text.p, m->writer.pid, m->reader.pid,
	     m->pump->lost ? " lost" : "", m->uncertain ? " uncertain" : "");
}

static void on_http_done(void *ctx, const struct flow_http *x)
{
	note(ctx, "http %u\n", x->http->status);
}

static void on_endpoint(void *ctx, const struct flow_http *x, struct sv uri)
{
	(void)x;
	note(ctx, "endpoint %.*s\n", (int)uri.n, uri.p);
}

static void on_finding(void *ctx, uint64_t stream, enum pump_finding f, uint64_t n, uint64_t bytes)
{
	(void)stream;
	note(ctx, "finding %d %llu %llu\n", f, (unsigned long long)n, (unsigned long long)bytes);
}

static void on_terminal(void *ctx, struct flow_proc who, uint64_t ts)
{
	(void)ts;
	note(ctx, "terminal %u\n", who.pid);
}

static void on_stdio_set(void *ctx, uint64_t in, uint64_t out, struct flow_proc proc)
{
	note(ctx, "set %d %u\n", in != out, proc.pid);
}

static void on_stream_end(void *ctx, uint64_t stream, uint64_t ts, const char *reason)
{
	(void)stream;
	(void)ts;
	note(ctx, "end %s\n", reason);
}

static void on_verdict(void *ctx, const struct ev_key *key, uint8_t code)
{
	struct seen *s = ctx;

	(void)key;
	s->code = code;
	s->verdicts++;
}

static inline void seen_init(struct seen *s)
{
	struct flow_ops ops = { on_msg,	      on_http_done,  on_endpoint, on_finding,
				on_terminal, on_stdio_set, on_stream_end, on_verdict,  s };
	struct flow_opts opts = FLOW_OPTS_DEFAULT;

	memset(s, 0, sizeof(*s));
	opts.conns_max = 64;
	s->flow = flow_new(&opts, &ops);
	assert_non_null(s->flow);
}

static inline void seen_clear(struct seen *s)
{
	s->n = 0;
	s->text[0] = 0;
}

/* What a record of bytes says besides them. */
struct at {
	struct ev_key key;
	uint8_t chan, end;
	uint64_t pos, ts;
	uint32_t pid;
	uint16_t flags;
};

/* @have of @want bytes at @p. */
static inline void put_cut(struct seen *s, struct at a, const char *p, uint32_t want, uint32_t have)
{
	struct ev_data *d = calloc(1, sizeof(*d) + have);

	assert_non_null(d);
	d->hdr = (struct ev_hdr){ sizeof(*d) + have, EV_DATA, a.flags, a.ts, a.pid, a.pid, 0 };
	d->start = a.pid;
	d->enter = s->enter;
	d->key = a.key;
	d->pos = a.pos;
	d->want = want;
	d->have = have;
	d->chan = a.chan;
	d->end = a.end;
	memcpy(d->data, p, have);
	flow_feed(s->flow, &d->hdr);
	free(d);
}

static inline void put(struct seen *s, struct at a, const char *text)
{
	put_cut(s, a, text, strlen(text), strlen(text));
}

#endif
