/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Universal tier: pipes, FIFOs, unix stream sockets and TCP at sys_exit alone. EV_OPEN, EV_DATA, EV_CLOSE.
 *
 * The system call's number and arguments are still in pt_regs at its exit, the count is known, and the pages were just
 * touched. One body, three programs; user/probe/load.c picks one by trial:
 *   sys_exit_old  5.10: bounded loop, plain add
 *   sys_exit_new  5.17: bpf_loop, fetch-add, direct loads
 *   sys_exit_tp   7.2: as new, on the classic tracepoint. tp_btf/sys_exit runs preemptibly there; a task preempted
 *                 inside makes others on that CPU skip the program (bpf_prog_info.recursion_misses). */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "chunk.h"
#include "class.h"
#include "emit.h"
#include "look.h"
#include "maps.h"
#include "open.h"
#include "sock.h"
#include "stream.h"
#include "task.h"
#include "tcp.h"
#include "tls_sock.h"
#include "tls_wire.h"
#include "verdict.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct capture cfg = {};

#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000

/* One call, as far as it is known. */
struct call {
	u64 nr;
	u64 arg[4];	/* 2nd to 4th, and flags */
	struct object o;
	struct ev_key key;
	u64 pos;
	u64 bytes;
	u64 read; /* position of the reader, where that is counted */
	u32 tgid;
	u8 end;
	bool raced;
	bool sure; /* user space confirmed the stream */
	bool both; /* ... and sees its reader */
	u16 flags;
};

static __always_inline int call_look(const struct call *c)
{
	return call_class(c->nr, c->arg[0], c->bytes);
}

/* Bytes that sendmmsg or recvmmsg moved in @n messages. */
__weak u64 mmsg_bytes(u64 addr, u64 n)
{
	u64 sum = 0;

	for (u32 i = 0; i < 64 && i < n; i++) {
		struct mmsghdr m = {};

		bpf_probe_read_user(&m, sizeof(m), (void *)(addr + i * sizeof(m)));
		sum += m.msg_len;
	}
	return sum;
}

/* A record without bytes: they passed, but not through memory that we can read. */
static __always_inline void call_gap(struct call *c)
{
	struct ev_data *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count(C_RING_FULL, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_DATA, sizeof(*e));
	e->hdr.flags = c->flags | (c->raced ? EV_F_RACED : 0);
	e->start = task_start((void *)bpf_get_current_task());
	e->key = c->key;
	e->pos = c->pos;
	e->want = c->bytes;
	e->chan = c->o.chan;
	e->end = c->end;
	e->nr = c->nr;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

static __always_inline void walk_init(struct walk *w, const struct call *c)
{
	struct user_msghdr m = {};

	w->iov = w->base = w->seg = w->mm = 0;
	w->nseg = w->nmm = 0;
	w->e.enter = 0;
	w->e.zero = 0;
	hdr_fill(&w->e.hdr, EV_DATA, 0);
	w->e.hdr.flags = c->raced ? EV_F_RACED : 0;
	w->e.start = task_start((void *)bpf_get_current_task());
	w->e.key = c->key;
	w->e.pos = c->pos;
	w->e.chan = c->o.chan;
	w->e.end = c->end;
	w->e.nr = c->nr;
	w->left = c->bytes;
	if (c->nr == NR_READV || c->nr == NR_WRITEV || c->nr == NR_PREADV2 || c->nr == NR_PWRITEV2) {
		w->iov = c->arg[0];
		w->nseg = c->arg[1];
	} else if (c->nr == NR_SENDMSG || c->nr == NR_RECVMSG) {
		bpf_probe_read_user(&m, sizeof(m), (void *)c->arg[0]);
		w->iov = (u64)m.msg_iov;
		w->nseg = m.msg_iovlen;
	} else if (c->nr == NR_SENDMMSG || c->nr == NR_RECVMMSG) {
		w->mm = c->arg[0];
		w->nmm = c->arg[3];
		w->left = 0;
	} else {
		w->base = c->arg[0];
		w->seg = c->bytes;
	}
	if (w->nseg > SEGMENTS_MAX)
		w->nseg = SEGMENTS_MAX;
}

/* A large write to a pipe ends when most of it was read. What a read took by then was copied there: here it is only told
 * of. */
static __always_inline void call_skip_read(struct call *c)
{
	u64 skip = c->read > c->pos ? c->read - c->pos : 0, bytes = c->bytes;

	if (!skip || (c->nr != NR_WRITE && c->nr != NR_SENDTO))
		return;
	if (skip > bytes)
		skip = bytes;
	c->bytes = skip;
	call_gap(c);
	c->bytes = bytes - skip;
	c->pos += skip;
	c->arg[0] += skip;
}

/* Copy the call's bytes within the budget and the limit of one call; positions go on in any case. */
static __always_inline void call_copy(const enum tier tier, struct call *c)
{
	u32 cap = tier == TIER_NEW ? CALL_BYTES_LOOP : CALL_BYTES_OLD;
	u64 cut = 0;
	struct walk *w = walk_get();

	if (!w)
		return;
	if (c->both && c->end == END_WRITE && !ring_spare(c->bytes, RING_BYTES / 4)) {
		call_gap(c); /* that it was written, and when */
		return;
	}
	call_skip_read(c);
	if (!c->bytes)
		return;
	if (cfg.call_bytes && cfg.call_bytes < cap)
		cap = cfg.call_bytes;
	if (!budget_take(c->tgid, c->bytes < cap ? c->bytes : cap, c->sure))
		return;
	walk_init(w, c);
	if (w->left > cap) {
		cut = w->left - cap;
		w->left = cap;
	}
	walk_run(tier, w);
	if (cut) { /* an exact gap for the rest, so that it has a name */
		c->pos += cap;
		c->bytes = cut;
		c->flags |= EV_F_CUT;
		call_gap(c);
	}
}

/* TLS records of a connection that is not known yet. */
static __always_inline void call_tls(const enum tier tier, const struct call *c, bool first)
{
	struct sock_use u = {
		.sk = c->o.sk, .ino = c->o.ino[END_READ] >> 1, .bytes = c->bytes, .end = c->end, .first = first,
	};
	u64 n = c->bytes;

	u.at = first_bytes(c->nr, c->arg[0], &n);
	if (c->end == END_READ)
		u.bytes = n; /* those that stand together */
	if (tier == TIER_NEW && c->end == END_WRITE) /* 5.10 to 5.16 load no aead_*, and refuse this */
		aead_written(c->tgid, (u64)u.sk, u.ino, u.at, u.bytes);
	else if (tier == TIER_NEW)
		aead_was_read(c->tgid, (u64)u.sk, u.ino, u.at, u.bytes);
	sock_seen(&u);
}

/* TCP has no entry until a chunk looks like ours, since the kernel has the positions. The first bytes of a connection
 * decide; one joined in the middle is looked at call by call. @return whether an entry is to be made. */
static __always_inline bool tcp_begin(const enum tier tier, const struct call *c, int class)
{
	u64 done;
	u32 mark;
	bool first = (u32)c->pos - tcp_base(c->o.sk, c->end, &done, &mark) <= 1;

	if (class_ours(class) || (first && class == CLASS_TEXT))
		return true;
	if (class == CLASS_TLS) {
		if (!hello_told(&c->key) && budget_open(c->tgid))
			hello_tell(c->o.sk, &c->key, c->end, first);
		verdict_put(&c->key, V_TLS);
		call_tls(tier, c, first);
	} else if (first) {
		verdict_put(&c->key, V_NO);
	}
	return false;
}

/* What the call looks like, where that still decides anything. Ciphertext may have looked like ours where it was joined, in the
 * middle of a record; a few bytes of ours may look like ciphertext. */
static __always_inline int tcp_look(const struct call *c, u8 verdict, bool known, bool decided)
{
	int class = CLASS_UNREAD;

	if (!decided || verdict == V_NO_HTTP || verdict == V_NONE)
		class = call_look(c);
	return class == CLASS_TLS && known && c->bytes <= 4 ? CLASS_OTHER : class;
}

/* Is the TCP call to be copied? Finds or makes the entry. */
static __always_inline bool tcp_decide(const enum tier tier, struct call *c, u8 verdict, struct stream **ret_s)
{
	struct ev_key k = object_key(&c->o, c->end);
	struct stream *s = bpf_map_lookup_elem(&streams, &k);
	bool known = s && s->ino == c->key.ino, decided = known && s->state != S_UNDECIDED;
	int class = verdict >= V_RPC ? CLASS_UNREAD : tcp_look(c, verdict, known, decided);

	if (verdict == V_NO_HTTP)
		return class == CLASS_POST;
	if ((!known || class == CLASS_TLS) && !tcp_begin(tier, c, class))
		return false;
	if (tcp_ktls(c->o.sk)) { /* sequence numbers count ciphertext */
		count(C_KTLS_CALLS, 1);
		return false;
	}
	s = stream_get(&c->o, c->end, c->tgid, &c->key);
	*ret_s = s;
	if (!s || verdict >= V_RPC)
		return s != NULL;
	return s->state == S_UNDECIDED ? stream_look(s, class, c->bytes) : s->state == S_CANDIDATE;
}

/* Is the call on a counted stream (already in c->key, s) to be copied? */
static __always_inline bool counted_decide(struct call *c, u8 verdict, struct stream *s)
{
	int class;

	if (verdict == V_NO || verdict == V_SELF)
		return false;
	if (verdict >= V_RPC)
		return true;
	if (verdict == V_NO_HTTP)
		return call_look(c) == CLASS_POST;
	if (s->state != S_UNDECIDED)
		return s->state == S_CANDIDATE;
	class = call_look(c);
	if (c->o.chan == CHAN_TTY) /* what a person types is none of our business */
		return class == CLASS_JSON;
	return stream_look(s, class, c->bytes);
}

/* Position, decision, and EV_OPEN where it is due. false: nothing to copy. */
static __always_inline bool call_place(const enum tier tier, struct call *c)
{
	struct stream *s = NULL;
	u8 verdict;

	if (c->o.chan == CHAN_TCP) {
		c->key.obj = (u64)c->o.sk;
		c->key.ino = object_ino(&c->o, c->end);
		verdict = verdict_get(&c->key);
		if (verdict == V_NO || verdict == V_SELF)
			return false;
		if (verdict == V_TLS) {
			call_tls(tier, c, false);
			return false;
		}
		c->pos = tcp_pos(c->o.sk, c->end, c->bytes);
		if (!tcp_decide(tier, c, verdict, &s))
			return false;
	} else {
		s = stream_get(&c->o, c->end, c->tgid, &c->key);
		if (!s)
			return false;
		c->pos = stream_advance(tier, s, c->end, c->bytes, &c->raced);
		if (c->end == END_WRITE)
			c->read = *(volatile u64 *)&s->pos[END_READ];
		verdict = verdict_get(&c->key);
		if (!counted_decide(c, verdict, s))
			return false;
	}
	c->sure = verdict >= V_YES;
	c->both = verdict == V_BOTH;
	if (s && !s->opened)
		stream_open(&c->o, c->end, s, &c->key);
	return true;
}

/* A read of nothing: end of file, told for streams that are copied. */
static __always_inline void call_eof(struct call *c)
{
	struct ev_key k = object_key(&c->o, END_READ);
	struct stream *s = bpf_map_lookup_elem(&streams, &k);
	struct ev_close *e;

	if (!s || !s->opened)
		return;
	if ((c->nr == NR_READ || c->nr == NR_RECVFROM) && !c->arg[1])
		return; /* asked for nothing */
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(C_RING_FULL, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_CLOSE, sizeof(*e));
	e->start = task_start((void *)bpf_get_current_task());
	e->key.obj = k.obj;
	e->key.ino = s->gen;
	e->pos = c->o.chan == CHAN_TCP ? tcp_pos(c->o.sk, END_READ, 0) : s->pos[END_READ];
	e->chan = c->o.chan;
	e->end = END_READ;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* splice, tee, sendfile, vmsplice: one or two streams moved on, and nobody's memory holds the bytes. */
static __always_inline void gap_at(const enum tier tier, struct call *c, u32 fd, u8 end)
{
	struct file *f = task_file(tier, fd);

	__builtin_memset(&c->o, 0, sizeof(c->o));
	if (!f || !object_of(f, &c->o))
		return;
	c->end = end;
	c->flags = EV_F_SPLICE;
	if (c->o.chan == CHAN_TCP) {
		struct ev_key k = object_key(&c->o, end);

		if (!bpf_map_lookup_elem(&streams, &k))
			return;
	}
	if (!call_place(tier, c))
		return;
	call_gap(c);
}

static __always_inline void call_spliced(const enum tier tier, struct call *c, u32 fd)
{
	u32 from = ~0u, to = fd;

	if (c->nr == NR_TEE) { /* what it copies is not consumed */
		to = c->arg[0];
	} else if (c->nr == NR_SPLICE) {
		from = fd;
		to = c->arg[1];
	}
	for (int i = 0; i < 2; i++)
		gap_at(tier, c, i ? to : from, i ? END_WRITE : END_READ);
}

static __always_inline u32 call_msg_flags(const struct call *c)
{
	if (c->nr == NR_SENDTO || c->nr == NR_RECVFROM)
		return c->arg[2];
	if (c->nr == NR_SENDMSG || c->nr == NR_RECVMSG)
		return c->arg[1];
	if (c->nr == NR_SENDMMSG || c->nr == NR_RECVMMSG)
		return c->arg[2];
	return 0;
}

/* false: not data, or not in order. MSG_TRUNC on TCP throws bytes away: the sequence numbers show the hole. Unix streams do
 * not know it and copy as ever (unix_stream_read_generic). */
static __always_inline bool call_is_data(const struct call *c)
{
	u32 flags = call_msg_flags(c);

	if (flags & (MSG_OOB | MSG_PEEK | MSG_ERRQUEUE))
		return false;
	return !(flags & MSG_TRUNC) || c->o.chan != CHAN_TCP;
}

static __always_inline int sys_body(const enum tier tier, struct pt_regs *r, u64 nr, long ret)
{
	struct call c = {};
	struct file *f;

	c.tgid = bpf_get_current_pid_tgid() >> 32;
	if (is_self(c.tgid))
		return 0;
	if (task_compat(tier)) {
		count(C_COMPAT_CALLS, 1);
		return 0;
	}
	c.nr = nr;
	c.bytes = ret;
	c.arg[0] = REGS_ARG2(r);
	c.arg[1] = REGS_ARG3(r);
	c.arg[2] = REGS_ARG4(r);
	c.arg[3] = ret;
	if (nr_is_splice(nr)) {
		if (ret > 0)
			call_spliced(tier, &c, REGS_ARG1(r));
		return 0;
	}
	f = task_file(tier, REGS_ARG1(r));
	if (!f || !object_of(f, &c.o))
		return 0;
	c.end = nr_is_write(nr) ? END_WRITE : END_READ;
	if (!call_is_data(&c))
		return 0;
	if (!ret) {
		if (c.end == END_READ)
			call_eof(&c);
		return 0;
	}
	if (nr == NR_SENDMMSG || nr == NR_RECVMMSG)
		c.bytes = mmsg_bytes(c.arg[0], ret);
	if (call_place(tier, &c))
		call_copy(tier, &c);
	return 0;
}

/* Misses: bytes moved by io_uring (its own program), by splice (gaps), by 32-bit tasks (counted). */
SEC("?tp_btf/sys_exit")
int BPF_PROG(sys_exit_old, struct pt_regs *r, long ret)
{
	u64 nr = REGS_NR(r);

	if (!nr_wanted(nr) || ret < 0)
		return 0;
	return sys_body(TIER_OLD, r, nr, ret);
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(sys_exit_new, struct pt_regs *r, long ret)
{
	u64 nr = REGS_NR(r);

	if (!nr_wanted(nr) || ret < 0)
		return 0;
	return sys_body(TIER_NEW, r, nr, ret);
}

SEC("?tracepoint/raw_syscalls/sys_exit")
int sys_exit_tp(struct trace_event_raw_sys_exit *t)
{
	u64 nr = t->id;
	long ret = t->ret;

	if (!nr_wanted(nr) || ret < 0)
		return 0;
	return sys_body(TIER_NEW, (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf()), nr,
			ret);
}
