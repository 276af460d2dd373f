/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes: exec with what stands on fd 0 and 1, and exit. EV_EXEC, EV_EXIT on the control ring. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.h"
#include "maps.h"
#include "sock.h"
#include "stream.h"
#include "task.h"
#include "tls_call.h"
#include "verdict.h"

/* What @end of @fd moves becomes a stdio stream: looked at for longer, and decided anew, since a shell hands its
 * pipes to a server at exec. */
static __always_inline u8 stdio_mark(u32 fd, int end, u32 tgid, struct ev_key *ret_key)
{
	struct file *f = task_file(TIER_OLD, fd);
	struct object o = {};
	struct stream *s;

	if (!f || !object_of(f, &o) || o.chan == CHAN_TTY)
		return 0;
	if (o.chan == CHAN_TCP) {
		*ret_key = object_key(&o, end);
		return o.chan;
	}
	s = stream_get(&o, end, tgid, ret_key);
	if (!s)
		return 0;
	s->stdio = 1;
	s->looked = 0;
	s->calls = 0;
	if (s->state == S_NO)
		s->state = S_UNDECIDED;
	if (verdict_get(ret_key) < V_RPC)
		verdict_put(ret_key, V_NONE);
	return o.chan;
}

/* tp_btf since 5.5. After the point of no return: the task is the new program already. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(proc_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct ev_exec *e = bpf_ringbuf_reserve(&ctl_ring, sizeof(*e), 0);
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	long n;

	if (!e) {
		count(C_RING_FULL, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_EXEC, sizeof(*e));
	e->start = task_start(task);
	e->ppid = BPF_CORE_READ(task, real_parent, tgid);
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	n = bpf_probe_read_kernel_str(e->path, sizeof(e->path), BPF_CORE_READ(bprm, filename));
	e->path_len = n > 0 ? n - 1 : 0;
	e->in_chan = stdio_mark(0, END_READ, tgid, &e->in);
	e->out_chan = stdio_mark(1, END_WRITE, tgid, &e->out);
	if (e->in_chan || e->out_chan)
		bank_of_proc(tgid); /* its exit is told, though it may never say anything */
	bpf_ringbuf_submit(e, 0);
	return 0;
}

/* Is the end of @tgid to be told? Of those whose streams we know: always. Of the others while the control ring is at
 * most half full: the table of the former forgets, and nobody else tells of the death of an idle server. */
static __always_inline bool exit_wanted(u32 tgid)
{
	return bpf_map_lookup_elem(&procs, &tgid) ||
	       bpf_ringbuf_query(&ctl_ring, BPF_RB_AVAIL_DATA) <= CTL_RING_BYTES / 2;
}

#define SIGKILL 9

/* do_exit() has taken the thread off signal->live before this tracepoint: 0 means the last one goes. Two last threads
 * at once may both see 0: the reader takes the first. oom_mm stays set from mark_oom_victim() on, which also marks
 * those that were about to go anyway: only who died by SIGKILL was killed by it. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(proc_exit, struct task_struct *task)
{
	u64 id = bpf_get_current_pid_tgid();
	u32 tgid = id >> 32;
	struct ev_exit *e;

	for (u64 level = 0; level < TLS_LEVELS_ALL; level++) { /* counted in a register, or 6.12 finds no end */
		struct tls_call_key call = { id, level };

		bpf_map_delete_elem(&tls_calls, &call);
	}
	if (BPF_CORE_READ(task, signal, live.counter) > 0 || !exit_wanted(tgid))
		return 0;
	e = bpf_ringbuf_reserve(&ctl_ring, sizeof(*e), 0);
	if (!e) {
		count(C_RING_FULL, 1);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	hdr_fill(&e->hdr, EV_EXIT, sizeof(*e));
	e->start = task_start(task);
	e->code = BPF_CORE_READ(task, exit_code);
	e->uid = BPF_CORE_READ(task, cred, euid.val);
	e->hdr.flags = EV_F_UID;
	if ((e->code & 0x7f) == SIGKILL && BPF_CORE_READ(task, signal, oom_mm))
		e->hdr.flags |= EV_F_OOM;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	bpf_map_delete_elem(&procs, &tgid);
	return 0;
}
