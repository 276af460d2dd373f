/* SPDX-License-Identifier: Apache-2.0 */
/* The rings: consume, check each record's size against its kind, hand it on. */
#include <errno.h>

#include <bpf/libbpf.h>

#include "probe/load.h"
#include "probe/record.h"

#define BATCH_MAX 32768 /* records, then the caller gets a turn */

static int on_sample(void *ctx, void *data, size_t size)
{
	struct probe *p = ctx;
	const struct ev_hdr *h = data;

	if (!record_ok(h, size)) {
		p->bad_records++;
		return 0;
	}
	p->fn(p->ctx, h);
	return ++p->batch < BATCH_MAX ? 0 : -EAGAIN;
}

int rings_open(struct probe *p)
{
	int bulk = bpf_object__find_map_fd_by_name(p->obj, "ring");
	int ctl = bpf_object__find_map_fd_by_name(p->obj, "ctl_ring");

	/* The control ring first: a stdio set is best known before its data. */
	p->rings = ring_buffer__new(ctl, on_sample, p, NULL);
	if (!p->rings)
		return -errno;
	return ring_buffer__add(p->rings, bulk, on_sample, p);
}

int probe_consume(struct probe *p, probe_fn fn, void *ctx)
{
	p->fn = fn;
	p->ctx = ctx;
	p->batch = 0;
	return ring_buffer__consume(p->rings);
}

int probe_fd(const struct probe *p)
{
	return ring_buffer__epoll_fd(p->rings);
}

void probe_rings(const struct probe *p, uint64_t *ret_size, uint64_t *ret_used)
{
	*ret_size = *ret_used = 0;
	for (unsigned int i = 0; i < 2; i++) {
		struct ring *r = ring_buffer__ring(p->rings, i);

		if (!r)
			continue;
		*ret_size += ring__size(r);
		*ret_used += ring__avail_data_size(r);
	}
}
