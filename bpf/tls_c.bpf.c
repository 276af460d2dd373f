/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TLS libraries in C whose calls take an object, a buffer and its size: OpenSSL 1.1.1 and later, BoringSSL, GnuTLS. EV_OPEN,
 * EV_DATA, EV_CLOSE of plaintext.
 *
 * Attached by user space (probe/attach.c): the entry programs where the arguments stand in their registers and the stack
 * pointer still at the return address, the return programs as uretprobes. Misses: SSL_peek (not data), SSL_sendfile (a file's
 * bytes), early data, a call that was open when its entry was attached. A write of GnuTLS that was refused may be gone on
 * with without its bytes (NULL, 0): they are an exact gap. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define GUARD_FLAVOUR c
#include "guard.h"
#include "maps.h"
#include "tls_bind.h"
#include "tls_bio.h"
#include "tls_call.h"
#include "tls_conn.h"
#include "tls_odd.h"
#include "tls_sock.h"

#define NESTED_BYTES (1 << 20) /* a call so far below on the stack is one inside the other */

static __always_inline struct tls_call *call_make(const struct tls_call_key *ck)
{
	struct tls_call *t, *blank;
	u32 zero = 0;

	blank = bpf_map_lookup_elem(&tls_blank, &zero);
	if (blank)
		bpf_map_update_elem(&tls_calls, ck, blank, BPF_NOEXIST);
	t = bpf_map_lookup_elem(&tls_calls, ck);
	if (!t)
		count(C_TLS_CALLS_FULL, 1);
	return t;
}

/* Where to keep a call whose return address stands at @sp: behind those that are open around it. NULL: it is a part of one of
 * them, or there is no room. */
static __always_inline struct tls_call *call_entry(u64 id, u64 sp, u64 obj, u8 end)
{
	for (u64 level = 0; level < TLS_LEVELS; level++) {
		struct tls_call_key ck = { id, level };
		struct tls_call *t = bpf_map_lookup_elem(&tls_calls, &ck);

		if (!t)
			return call_make(&ck);
		if (t->sp <= sp || t->sp - sp >= NESTED_BYTES) /* none, or left by a jump */
			return t;
		if (t->obj == obj && t->end == end)
			return NULL;
	}
	return NULL;
}

/* The call that returns to what stands below @sp; NULL: it is not followed. */
static __always_inline struct tls_call *call_ended(u64 id, u64 sp)
{
	for (u64 level = 0; level < TLS_LEVELS; level++) {
		struct tls_call_key ck = { id, level };
		struct tls_call *t = bpf_map_lookup_elem(&tls_calls, &ck);

		if (!t || !t->sp)
			return NULL;
		if (t->sp + 8 == sp)
			return t;
		if (t->sp < sp) /* left by a jump: its frame is gone */
			t->sp = 0;
	}
	return NULL;
}

static __always_inline void thread_know(u64 id, u8 stack)
{
	struct tls_thread *t = tls_thread_get(id);

	if (t && stack == TLS_OPENSSL)
		tls_thread_bios(id, t);
}

/* Nothing says that the object is freed, or nothing that is probed, and its address is given to the next one. It is another
 * connection's where the socket of the old one is closed and it writes, or the thread has just read the first bytes of a new
 * one; what was received before the end may still be read. */
static __always_inline bool conn_is_another(u64 id, const struct tls_conn *c, u8 end)
{
	struct tls_thread *t = bpf_map_lookup_elem(&tls_threads, &id);
	bool other = t && t->rx && !t->rx_mixed && t->rx != c->sk;

	if (c->over)
		return other || end != END_READ;
	if (!other || !t->rx_first || (!c->opened && !c->votes))
		return false;
	return !c->sk || sock_ino((struct sock *)c->sk) != c->ino;
}

/* Its address is another's. */
static __always_inline void conn_over(const struct tls_key *k, const struct tls_conn *c)
{
	if (c->over)
		return;
	tls_close(k, c, END_READ, 0);
	tls_close(k, c, END_WRITE, 0);
}

static __always_inline struct tls_conn *conn_get(u64 id, const struct tls_key *k, u8 stack, u8 end)
{
	struct tls_conn *c = tls_conn_get(k, stack);

	if (!c || stack == TLS_GNUTLS || (stack == TLS_OPENSSL && !c->over) || !conn_is_another(id, c, end))
		return c;
	conn_over(k, c);
	return tls_conn_new(k, stack, 0);
}

static __always_inline u32 arg_size(u64 n, u8 how)
{
	if (how == COUNT_INT)
		return (s32)n > 0 ? n : 0;
	return how == COUNT_AT && n < 0xffffffff ? n : 0xffffffff;
}

static __always_inline void call_in(struct pt_regs *r, u8 stack, u8 end, u8 how, u64 at_count)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_key k = { id >> 32, r->di };
	struct tls_call *t;
	struct tls_conn *c;

	if (is_self(id >> 32))
		return;
	c = conn_get(id, &k, stack, end);
	if (!c || (c->bound && tls_given_up(&k, c, end)))
		return;
	if (!c->bound && end != END_WRITE && stack == TLS_OPENSSL)
		bio_match(&k, c);
	t = call_entry(id, r->sp, k.obj, end);
	if (!t)
		return;
	t->sp = r->sp;
	t->obj = k.obj;
	t->buf = how == COUNT_BLIND ? 0 : r->si;
	t->num = arg_size(r->dx, how);
	t->count = at_count;
	t->end = end;
	t->how = how;
	t->enter = bpf_ktime_get_boot_ns();
}

/* The entry of functions of one shape. @at: where the count is to be written, COUNT_AT. */
#define CALL_IN(name, stack, end, how, at)         \
	SEC("uprobe")                              \
	int name(struct pt_regs *r)                \
	{                                          \
		guard_on();                        \
		call_in(r, stack, end, how, at);   \
		guard_off();                       \
		return 0;                          \
	}

CALL_IN(ssl_read_in, TLS_OPENSSL, END_READ, COUNT_INT, 0)
CALL_IN(ssl_write_in, TLS_OPENSSL, END_WRITE, COUNT_INT, 0)
CALL_IN(ssl_read_ex_in, TLS_OPENSSL, END_READ, COUNT_AT, r->cx)
CALL_IN(ssl_write_ex_in, TLS_OPENSSL, END_WRITE, COUNT_AT, r->cx)
CALL_IN(ssl_write_ex2_in, TLS_OPENSSL, END_WRITE, COUNT_AT, r->r8)
CALL_IN(bssl_read_in, TLS_BORINGSSL, END_READ, COUNT_INT, 0)
CALL_IN(bssl_write_in, TLS_BORINGSSL, END_WRITE, COUNT_INT, 0)
CALL_IN(gnutls_recv_in, TLS_GNUTLS, END_READ, COUNT_SSIZE, 0)
CALL_IN(gnutls_packet_in, TLS_GNUTLS, END_READ, COUNT_BLIND, 0)
CALL_IN(gnutls_send_in, TLS_GNUTLS, END_WRITE, COUNT_SSIZE, 0)
/* What was sent while corked was told of then; this sends it by the same functions. */
CALL_IN(gnutls_uncork_in, TLS_GNUTLS, END_WRITE, COUNT_NONE, 0)
/* No bytes of the application, but the reads and writes around it say which socket is whose before there are any. */
CALL_IN(ssl_handshake_in, TLS_OPENSSL, END_BOTH, COUNT_NONE, 0)
CALL_IN(bssl_hs_in, TLS_BORINGSSL, END_BOTH, COUNT_NONE, 0)
CALL_IN(gnutls_hs_in, TLS_GNUTLS, END_BOTH, COUNT_NONE, 0)

/* Bytes that the call moved. Of an int that is returned, the upper half of the register says nothing. */
static __always_inline u32 call_count(const struct tls_call *t, u64 ax)
{
	s64 n = 0;

	if (t->how == COUNT_NONE)
		return 0;
	if (t->how == COUNT_INT)
		n = (s32)ax;
	else if (t->how != COUNT_AT)
		n = ax;
	else if ((s32)ax != 1 || bpf_probe_read_user(&n, sizeof(n), (void *)t->count))
		return 0;
	return n > 0 && n <= 0x7fffffff ? n : 0;
}

/* What the thread's own reads and writes of sockets say. */
static __always_inline void ssl_bracket(u64 id, const struct tls_key *k, struct tls_conn *c, u8 end, u32 n)
{
	struct tls_thread *t = tls_thread_get(id);
	struct sock *sk;

	if (!t)
		return;
	if (c->stack == TLS_OPENSSL)
		tls_thread_bios(id, t);
	t->may = k->obj;
	if (end == END_WRITE && n) {
		t->tx_mixed |= t->tx && t->tx != k->obj;
		t->tx_bytes += n;
		t->tx = k->obj;
	}
	if (end == END_WRITE)
		return;
	sk = (struct sock *)t->rx;
	if (sk && !t->rx_mixed && sock_ino(sk) == t->rx_ino) {
		if (t->rx_first)
			tls_begins(c);
		tls_bind(k, c, sk, t->rx_ino, SAW_READ);
	}
	t->rx = 0;
	t->rx_mixed = 0;
	t->rx_first = 0;
}

static __always_inline void ssl_return(const enum tier tier, struct pt_regs *r)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_call *t = call_ended(id, r->sp);
	struct tls_key k = { id >> 32, 0 };
	struct tls_conn *c;
	u32 n;

	if (!t)
		return;
	t->sp = 0;
	n = call_count(t, r->ax);
	k.obj = t->obj;
	c = bpf_map_lookup_elem(&tls_conns, &k);
	if (!c)
		return;
	if (!c->bound)
		ssl_bracket(id, &k, c, t->end, n);
	if (n && tls_sane(t, &k, c, n))
		tls_data(tier, t, &k, c, n);
}

SEC("uretprobe")
int ssl_out_old(struct pt_regs *r)
{
	ssl_return(TIER_OLD, r);
	return 0;
}

SEC("uretprobe")
int ssl_out_new(struct pt_regs *r)
{
	guard_on();
	ssl_return(TIER_NEW, r);
	guard_off();
	return 0;
}

static __always_inline void new_out(struct pt_regs *r, u8 stack)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_key k = { id >> 32, r->ax };
	struct tls_conn *c;

	guard_on();
	if (k.obj && !is_self(id >> 32)) {
		c = bpf_map_lookup_elem(&tls_conns, &k);
		if (c) /* nobody told that it was freed */
			conn_over(&k, c);
		tls_conn_new(&k, stack, 1);
		thread_know(id, stack);
	}
	guard_off();
}

SEC("uretprobe")
int ssl_new_out(struct pt_regs *r)
{
	new_out(r, TLS_OPENSSL);
	return 0;
}

SEC("uretprobe")
int bssl_new_out(struct pt_regs *r)
{
	new_out(r, TLS_BORINGSSL);
	return 0;
}

SEC("uprobe")
int ssl_free_in(struct pt_regs *r)
{
	struct tls_key k = { bpf_get_current_pid_tgid() >> 32, r->di };
	struct tls_conn *c;

	guard_on();
	c = bpf_map_lookup_elem(&tls_conns, &k);
	if (c) {
		tls_close(&k, c, END_READ, c->pos[END_READ]);
		tls_close(&k, c, END_WRITE, c->pos[END_WRITE]);
		bpf_map_delete_elem(&tls_conns, &k);
	}
	guard_off();
	return 0;
}

#define TCP_ESTABLISHED 1

/* A client may set the descriptor before it connects: then its calls tell. */
SEC("uprobe")
int ssl_set_fd_in(struct pt_regs *r)
{
	u64 id = bpf_get_current_pid_tgid();
	struct tls_key k = { id >> 32, r->di };
	struct object o = {};
	struct tls_conn *c;
	struct sock *sk;
	struct file *f;

	guard_on();
	f = is_self(id >> 32) ? NULL : task_file(TIER_OLD, r->si);
	sk = f && object_of(f, &o) && o.chan == CHAN_TCP ? o.sk : NULL;
	if (sk && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_ESTABLISHED) {
		c = bpf_map_lookup_elem(&tls_conns, &k);
		if (c)
			tls_bind(&k, c, sk, o.ino[END_READ] >> 1, SAW_READ | SAW_WRITE);
	}
	guard_off();
	return 0;
}
