/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* io_uring on streams that are watched: an exact gap where the kernel tells the result, else a count.
 *
 * io_uring_file_get (5.10: without the request) says that a request took a file; io_uring_complete says how many bytes it
 * moved. Their bytes are not copied: the buffers may be registered, or belong to another address space by then. Misses:
 * registered files (no file_get), and before 5.19, where completions do not name the request, the length. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "maps.h"
#include "sock.h"
#include "stream.h"
#include "task.h"
#include "tcp.h"

/* IORING_OP_*: ABI. By direction, as bits. */
#define URING_READS (1ULL << 1 | 1ULL << 4 | 1ULL << 10 | 1ULL << 22 | 1ULL << 27 | 1ULL << 49)
#define URING_WRITES (1ULL << 2 | 1ULL << 5 | 1ULL << 9 | 1ULL << 23 | 1ULL << 26 | 1ULL << 47 | 1ULL << 48)

struct uring_req {
	struct object o;
	u64 start;
	u32 tgid, tid;
	u8 end;
	u8 pad[7];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct uring_req);
} uring_reqs SEC(".maps");

/* The object behind @fd, if its @end is a stream that is copied. */
static __always_inline bool uring_object(u32 fd, u8 end, struct object *o)
{
	struct file *f = task_file(TIER_OLD, fd);
	struct stream *s;
	struct ev_key k;

	if (!f || !object_of(f, o))
		return false;
	k = object_key(o, end);
	s = bpf_map_lookup_elem(&streams, &k);
	return s && s->state != S_NO;
}

SEC("?tp_btf/io_uring_file_get")
int BPF_PROG(uring_file, struct io_kiocb *req, int fd)
{
	struct uring_req r = {};
	u64 op = BPF_CORE_READ(req, opcode), key = (u64)req;

	if (op > 63 || !((URING_READS | URING_WRITES) >> op & 1))
		return 0;
	r.end = URING_WRITES >> op & 1 ? END_WRITE : END_READ;
	r.tgid = bpf_get_current_pid_tgid() >> 32;
	if (is_self(r.tgid) || !uring_object(fd, r.end, &r.o))
		return 0;
	r.tid = bpf_get_current_pid_tgid();
	r.start = task_start((void *)bpf_get_current_task());
	bpf_map_update_elem(&uring_reqs, &key, &r, BPF_ANY);
	return 0;
}

/* 5.10: the request is not given; that it happened is all there is to say. */
SEC("?tp_btf/io_uring_file_get")
int BPF_PROG(uring_file_old, void *ring_ctx, int fd)
{
	struct object o = {};

	if (uring_object(fd, END_READ, &o) || uring_object(fd, END_WRITE, &o))
		count(C_URING_OPS, 1);
	return 0;
}

static __always_inline int uring_done(u64 req, s64 res)
{
	struct uring_req *r = bpf_map_lookup_elem(&uring_reqs, &req);
	struct stream *s;
	struct ev_data *e;
	struct ev_key k;
	u64 pos;

	if (!r)
		return 0;
	k = object_key(&r->o, r->end);
	s = bpf_map_lookup_elem(&streams, &k);
	if (res <= 0 || !s)
		goto out;
	if (r->o.chan == CHAN_TCP) {
		struct sock *sk = r->o.sk;

		pos = tcp_pos(sk, r->end, res);
	} else {
		u64 *p = r->end == END_WRITE ? &s->pos[END_WRITE] : &s->pos[END_READ];

		pos = *(volatile u64 *)p;
		__sync_fetch_and_add(p, res);
	}
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(C_RING_FULL, 1);
		goto out;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_DATA, sizeof(*e));
	e->hdr.flags = EV_F_URING;
	e->hdr.pid = r->tgid; /* completions run anywhere */
	e->hdr.tid = r->tid;
	e->start = r->start;
	e->key.obj = k.obj;
	e->key.ino = s->gen;
	e->pos = pos;
	e->want = res;
	e->chan = r->o.chan;
	e->end = r->end;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
out:
	bpf_map_delete_elem(&uring_reqs, &req);
	return 0;
}

/* 5.19: (ctx, req, user_data, res, cflags, ...) */
SEC("?tp_btf/io_uring_complete")
int BPF_PROG(uring_done_res, void *ring_ctx, void *req, u64 user_data, int res)
{
	return uring_done((u64)req, res);
}

/* 6.16: (ctx, req, cqe) */
SEC("?tp_btf/io_uring_complete")
int BPF_PROG(uring_done_cqe, void *ring_ctx, void *req, struct io_uring_cqe *cqe)
{
	return uring_done((u64)req, BPF_CORE_READ(cqe, res));
}
