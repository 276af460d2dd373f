/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Go's crypto/tls, register ABI (1.17 and later). EV_OPEN, EV_DATA, EV_CLOSE of plaintext.
 *
 * A goroutine changes threads and its stack is copied as it grows: calls are keyed by the goroutine, and their ends are probed
 * at each return instruction, never by a uretprobe, whose changed return address does not survive the copy. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "goabi.h"
#define GUARD_FLAVOUR go
#include "guard.h"
#include "maps.h"
#include "tls_bind.h"
#include "tls_call.h"
#include "tls_conn.h"

/* Open calls by goroutine. Those of a process that was killed stay: least recently used first. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_CALLS_MAX);
	__type(key, struct tls_call_key);
	__type(value, struct tls_call);
} go_calls SEC(".maps");

/* The TCP socket under a *tls.Conn, whose first field is the net.Conn that it was made of. Known where that is a
 * *net.TCPConn: the socket's family and type stand behind the descriptor, and the descriptor is such a socket. */
static __always_inline void go_bind(const struct tls_key *k, struct tls_conn *c)
{
	struct object o = {};
	struct go_netfd fd = {};
	struct file *f;
	u64 conn = 0, at = 0;

	if (bpf_probe_read_user(&conn, sizeof(conn), (void *)(k->obj + GO_IFACE_DATA)) ||
	    bpf_probe_read_user(&at, sizeof(at), (void *)conn) || bpf_probe_read_user(&fd, sizeof(fd), (void *)at))
		return;
	if ((fd.family != AF_INET && fd.family != AF_INET6) || fd.sotype != SOCK_STREAM || fd.sysfd > 0x7fffffff)
		return;
	f = task_file(TIER_OLD, fd.sysfd);
	if (f && object_of(f, &o) && o.chan == CHAN_TCP)
		tls_bind(k, c, o.sk, o.ino[END_READ] >> 1, SAW_READ | SAW_WRITE);
}

static __always_inline struct tls_call *go_entry(const struct tls_call_key *ck)
{
	struct tls_call *t = bpf_map_lookup_elem(&go_calls, ck), *blank;
	u32 zero = 0;

	if (t)
		return t;
	blank = bpf_map_lookup_elem(&tls_blank, &zero);
	if (blank)
		bpf_map_update_elem(&go_calls, ck, blank, BPF_NOEXIST);
	t = bpf_map_lookup_elem(&go_calls, ck);
	if (!t)
		count(C_TLS_CALLS_FULL, 1);
	return t;
}

/* The entry may be run again after the stack grew: the same connection then, whose call begins anew. */
static __always_inline void go_in(struct pt_regs *r, u8 end)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_call_key ck = { id >> 32, GO_G(r) };
	struct tls_key k = { id >> 32, GO_ARG1(r) };
	struct tls_conn *c = tls_conn_get(&k, TLS_GO);
	struct tls_call *t = c ? go_entry(&ck) : NULL;

	if (!t)
		return;
	if (t->sp && t->obj != k.obj) { /* TLS inside TLS: the outer call tells */
		t->depth++;
		return;
	}
	if (!c->bound)
		go_bind(&k, c);
	t->sp = 1;
	t->depth = 0;
	t->obj = k.obj;
	t->buf = GO_ARG2(r);
	t->end = end;
	t->enter = bpf_ktime_get_boot_ns();
}

SEC("uprobe")
int go_read_in(struct pt_regs *r)
{
	guard_on();
	go_in(r, END_READ);
	guard_off();
	return 0;
}

SEC("uprobe")
int go_write_in(struct pt_regs *r)
{
	guard_on();
	go_in(r, END_WRITE);
	guard_off();
	return 0;
}

/* A Read that was open as its entry was probed: goroutines stand in one for as long as a connection is idle. Its arguments
 * were spilled to the places that the ABI has for them above the return address. Believed where they lead to a TCP socket and
 * the result fits the buffer. */
static __always_inline struct tls_call *go_missed(struct pt_regs *r, const struct tls_call_key *ck, u64 n)
{
	u64 arg[3] = {};
	struct tls_key k = { ck->task, 0 };
	struct tls_call *t;
	struct tls_conn *c;

	if (bpf_probe_read_user(arg, sizeof(arg), (void *)(GO_SPILL(r))) || !arg[0] || n > arg[2])
		return NULL;
	k.obj = arg[0];
	c = tls_conn_get(&k, TLS_GO);
	if (!c)
		return NULL;
	if (!c->bound)
		go_bind(&k, c);
	t = c->bound ? go_entry(ck) : NULL;
	if (!t)
		return NULL;
	t->depth = 0;
	t->obj = arg[0];
	t->buf = arg[1];
	t->end = END_READ;
	return t;
}

static __always_inline void go_return(const enum tier tier, struct pt_regs *r, u8 end)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_call_key ck = { id >> 32, GO_G(r) };
	struct tls_call *t = bpf_map_lookup_elem(&go_calls, &ck);
	struct tls_key k = { id >> 32, 0 };
	s64 n = GO_RESULT1(r);
	struct tls_conn *c;

	if (t && t->sp && t->depth) {
		t->depth--;
		return;
	}
	if (!t && end == END_READ && n > 0)
		t = go_missed(r, &ck, n); /* a goroutine that was seen to call anything has an entry */
	else if (t && !t->sp)
		return;
	if (!t)
		return;
	t->sp = 0;
	k.obj = t->obj;
	c = n > 0 && n <= 0x7fffffff ? bpf_map_lookup_elem(&tls_conns, &k) : NULL;
	if (c)
		tls_data(tier, t, &k, c, n);
}

SEC("uprobe")
int go_read_out_old(struct pt_regs *r)
{
	go_return(TIER_OLD, r, END_READ);
	return 0;
}

SEC("uprobe")
int go_write_out_old(struct pt_regs *r)
{
	go_return(TIER_OLD, r, END_WRITE);
	return 0;
}

SEC("uprobe")
int go_read_out_new(struct pt_regs *r)
{
	guard_on();
	go_return(TIER_NEW, r, END_READ);
	guard_off();
	return 0;
}

SEC("uprobe")
int go_write_out_new(struct pt_regs *r)
{
	guard_on();
	go_return(TIER_NEW, r, END_WRITE);
	guard_off();
	return 0;
}

/* A connection shakes hands once. The first Write or Read comes before, where it is what starts it. */
SEC("uprobe")
int go_hs_in(struct pt_regs *r)
{
	struct tls_key k = { bpf_get_current_pid_tgid() >> 32, GO_ARG1(r) };
	struct tls_conn *c;

	guard_on();
	c = bpf_map_lookup_elem(&tls_conns, &k);
	if (!c || c->pos[END_READ] || c->pos[END_WRITE] || c->opened)
		c = tls_conn_new(&k, TLS_GO, 1);
	if (c) {
		c->fresh = 1;
		go_bind(&k, c);
	}
	guard_off();
	return 0;
}

SEC("uprobe")
int go_close_in(struct pt_regs *r)
{
	struct tls_key k = { bpf_get_current_pid_tgid() >> 32, GO_ARG1(r) };
	struct tls_conn *c;

	guard_on();
	c = bpf_map_lookup_elem(&tls_conns, &k);
	if (c) { /* a Read that is open may still return bytes */
		tls_close(&k, c, END_READ, 0);
		tls_close(&k, c, END_WRITE, 0);
	}
	guard_off();
	return 0;
}
