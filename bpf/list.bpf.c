/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Late start: every open pipe, unix stream and TCP socket of the host, with the keys that sys.bpf.c uses.
 *
 * Counted positions have no origin for streams that were there before us: both counters begin at 0 while bytes stand
 * unread. written - read = unread gives it, but a call under way disturbs the sum. So user space lists several times,
 * and the difference is applied once LIST_STABLE passes found the same. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "sock.h"
#include "stream.h"
#include "task.h"
#include "unread.h"

#define FMODE_WRITE 2

#define LIST_STABLE 3

/* [0]: number of the pass, from 1; user space counts it up. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, u64);
} list_pass SEC(".maps");

/* Once a pass. Streams that the first pass did not meet are younger than we are and have their origin. */
static __always_inline void list_settle(struct stream *s, s64 skew, u16 pass)
{
	if (s->pass == pass || (pass > 1 && !s->pass) || s->runs > LIST_STABLE)
		return;
	s->pass = pass;
	s->late = 1;
	s->runs = pass > 1 && skew == s->skew ? s->runs + 1 : 0;
	s->skew = skew;
	if (s->runs < LIST_STABLE)
		return;
	__sync_fetch_and_add(&s->pos[END_WRITE], skew);
	s->runs = LIST_STABLE + 1;
}

static __always_inline void list_counted(struct object *o, struct file *f, struct ev_list *l)
{
	struct ev_key k = {}, wk = {};
	struct stream *s = stream_get(o, END_READ, l->pid, &k);
	u32 zero = 0;
	u64 *pass = bpf_map_lookup_elem(&list_pass, &zero);
	u64 rd, wr, unread;

	stream_get(o, END_WRITE, l->pid, &wk); /* so that both directions have their key */
	l->key[END_READ] = k;
	l->key[END_WRITE] = wk;
	l->settled = 1; /* nothing to settle where its process has too many: counted, and not listed */
	if (!s || !pass)
		return;
	rd = s->pos[END_READ];
	wr = s->pos[END_WRITE];
	unread = o->chan == CHAN_PIPE ? pipe_unread(f) : unix_unread(o->sk);
	list_settle(s, unread - (wr - rd), *pass);
	l->settled = s->runs > LIST_STABLE || (*pass > 1 && !s->pass);
	l->pos[END_READ] = s->pos[END_READ];
	l->pos[END_WRITE] = s->pos[END_WRITE];
}

static __always_inline void list_tcp(struct object *o, struct ev_list *l)
{
	l->key[END_READ].obj = l->key[END_WRITE].obj = (u64)o->sk;
	l->key[END_READ].ino = o->ino[END_READ];
	l->key[END_WRITE].ino = o->ino[END_WRITE];
	l->settled = 1;
}

/* iter/task_file since 5.8. Runs in the reader's context, so it also learns who we are in the init namespace. */
SEC("iter/task_file")
int list_files(struct bpf_iter__task_file *c)
{
	struct task_struct *t = c->task;
	struct file *f = c->file;
	struct ev_list l = {};
	struct object o = {};
	u32 zero = 0, me = bpf_get_current_pid_tgid() >> 32;
	u64 *v = bpf_map_lookup_elem(&self, &zero);

	if (v)
		*v = me;
	if (!t || !f || !object_of(f, &o) || o.chan == CHAN_TTY)
		return 0;
	l.pid = BPF_CORE_READ(t, tgid);
	l.fd = c->fd;
	l.start = task_start(t);
	l.chan = o.chan;
	l.writable = (BPF_CORE_READ(f, f_mode) & FMODE_WRITE) != 0;
	if (o.chan == CHAN_TCP)
		list_tcp(&o, &l);
	else
		list_counted(&o, f, &l);
	bpf_seq_write(c->meta->seq, &l, sizeof(l));
	return 0;
}
