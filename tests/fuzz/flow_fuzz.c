/* SPDX-License-Identifier: Apache-2.0 */
/* flow/ and what it feeds, on records that anybody may have made: each step of the input is a record's fields and its bytes.
 * Small numbers are favoured, so that records meet on the same keys and positions. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow.h"
#include "probe/record.h"

static void on_msg(void *ctx, const struct flow_msg *m)
{
	uint64_t *sum = ctx;

	/* Every view must be readable to its end. */
	for (int i = 0; i < RPC_F_N; i++)
		for (size_t k = 0; k < m->pump->rpc->f[i].text.n; k++)
			*sum += m->pump->rpc->f[i].text.p[k];
	if (m->pump->end < m->pump->beg)
		abort();
}

static void on_http_done(void *ctx, const struct flow_http *x)
{
	*(uint64_t *)ctx += x->http->status;
}

static void on_endpoint(void *ctx, const struct flow_http *x, struct sv uri)
{
	(void)x;
	*(uint64_t *)ctx += uri.n;
}

static void on_finding(void *ctx, uint64_t stream, enum pump_finding f, uint64_t n, uint64_t bytes)
{
	*(uint64_t *)ctx += stream + f + n + bytes;
}

static void on_terminal(void *ctx, struct flow_proc who, uint64_t ts)
{
	*(uint64_t *)ctx += who.pid + ts;
}

static void on_stdio_set(void *ctx, uint64_t in, uint64_t out, struct flow_proc proc)
{
	*(uint64_t *)ctx += in + out + proc.pid;
}

static void on_stream_end(void *ctx, uint64_t stream, uint64_t ts, const char *reason)
{
	*(uint64_t *)ctx += stream + ts + *reason;
}

static void on_verdict(void *ctx, const struct ev_key *key, uint8_t code)
{
	*(uint64_t *)ctx += key->obj + code;
}

struct input {
	const uint8_t *p;
	size_t n;
};

static unsigned int take(struct input *in)
{
	if (!in->n)
		return 0;
	in->n--;
	return *in->p++;
}

static void step_data(struct flow *f, struct input *in, uint64_t ts)
{
	unsigned int b = take(in), want = take(in), lo = take(in), hi = take(in), have;
	struct ev_data *d;

	have = b & 0x80 ? want / 2 : want;
	if (have > in->n)
		have = in->n;
	d = calloc(1, sizeof(*d) + have);
	if (!d)
		return;
	d->hdr = (struct ev_hdr){ sizeof(*d) + have, EV_DATA, 0, ts, 1 + (b & 1), b & 3, 0 };
	d->key = (struct ev_key){ 1 + (b & 3), 2 + (b >> 2 & 1) };
	d->pos = lo | hi << 8;
	d->want = want;
	d->have = have;
	d->chan = CHAN_PIPE + (b >> 3) % 4;
	d->end = b >> 6 & 1;
	memcpy(d->data, in->p, have);
	in->p += have;
	in->n -= have;
	if (record_ok(&d->hdr, d->hdr.size))
		flow_feed(f, &d->hdr);
	free(d);
}

static void step_other(struct flow *f, struct input *in, uint64_t ts)
{
	union {
		struct ev_hdr hdr;
		struct ev_open open;
		struct ev_close close;
		struct ev_exec exec;
		uint8_t bytes[512];
	} r;

	memset(&r, 0, sizeof(r));
	for (size_t i = sizeof(r.hdr); i < 120; i++)
		r.bytes[i] = take(in) & 7;
	r.hdr = (struct ev_hdr){ sizeof(r), take(in) % 8, take(in), ts, 1, 1, 0 };
	if (r.hdr.kind != EV_DATA && record_ok(&r.hdr, sizeof(r)))
		flow_feed(f, &r.hdr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t sum = 0, ts = 1000000;
	struct flow_ops ops = { on_msg,	      on_http_done,  on_endpoint, on_finding,
				on_terminal, on_stdio_set, on_stream_end, on_verdict,  &sum };
	struct flow_opts opts = { 8, 1 << 16, 1 << 14, 256 };
	struct flow *f = flow_new(&opts, &ops);
	struct input in = { data, size };

	while (f && in.n) {
		unsigned int op = take(&in);

		ts += (uint64_t)(op >> 3) * 2000000;
		if ((op & 7) < 5)
			step_data(f, &in, ts);
		else if ((op & 7) < 7)
			step_other(f, &in, ts);
		else
			flow_tick(f, ts);
	}
	if (f)
		flow_flush(f, ts);
	flow_free(f);
	return 0;
}
