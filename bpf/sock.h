/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files, pipes and sockets: what a file descriptor's bytes belong to. The other header that knows the kernel. */
#ifndef MCPVIGIL_BPF_SOCK_H
#define MCPVIGIL_BPF_SOCK_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "event.h"

#define S_IFMT 0170000
#define S_IFIFO 0010000
#define S_IFSOCK 0140000
#define S_IFCHR 0020000
#define PTY_MAJOR 136 /* UNIX98_PTY_SLAVE_MAJOR; eight of them */
#define MAJOR(dev) ((dev) >> 20) /* include/linux/kdev_t.h */
#define SOCK_STREAM 1
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define TCP_CLOSE 7 /* the state of a released unix sock too: unix_release_sock() */

/* What a file is: the streams that its reads and writes belong to, by enum ev_end. Their entries in the map are found
 * by the address of the object alone, since a sock has no inode before accept() and after close(); @ino tells
 * whether the entry is still the same object's. */
struct object {
	struct sock *sk; /* sockets */
	struct ev_key key[2];
	u64 ino[2]; /* unix: of the receiving sock, 0: not accepted, or released; TCP: inode << 1 | end */
	bool gone;  /* unix: the other end is released; what it did not read is lost */
	u8 chan;    /* enum ev_chan */
};

/* Stack memory takes no variable index, and the compiler makes one of any choice that it sees through. */
static __always_inline struct ev_key object_key(const struct object *o, int end)
{
	struct ev_key k = o->key[END_READ];

	barrier_var(k.obj);
	barrier_var(k.ino);
	if (end == END_WRITE)
		k = o->key[END_WRITE];
	return k;
}

static __always_inline u64 object_ino(const struct object *o, int end)
{
	u64 ino = o->ino[END_READ];

	barrier_var(ino);
	if (end == END_WRITE)
		ino = o->ino[END_WRITE];
	return ino;
}

static __always_inline u64 sock_ino(struct sock *sk)
{
	struct socket *s = BPF_CORE_READ(sk, sk_socket);

	return s ? BPF_CORE_READ(s, file, f_inode, i_ino) : 0;
}

static __always_inline bool object_unix(struct object *o, struct sock *sk, u64 ino)
{
	struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);

	/* A direction is named by the sock that receives it: the same name at both ends. */
	o->chan = CHAN_UNIX;
	o->key[END_READ].obj = (u64)sk;
	o->key[END_WRITE].obj = (u64)peer;
	o->ino[END_READ] = ino;
	o->ino[END_WRITE] = peer ? sock_ino(peer) : 0;
	o->gone = !peer || BPF_CORE_READ(peer, __sk_common.skc_state) == TCP_CLOSE;
	return true;
}

/* A pseudo terminal: `docker run -t`, `script`. MCP on it is named, never decoded: echo and line editing change the bytes. */
static __always_inline bool object_tty(struct object *o, struct inode *in)
{
	u64 ino = BPF_CORE_READ(in, i_ino);

	if (MAJOR(BPF_CORE_READ(in, i_rdev)) - PTY_MAJOR >= 8)
		return false;
	o->chan = CHAN_TTY;
	o->key[END_READ].obj = o->key[END_WRITE].obj = (u64)in;
	o->key[END_READ].ino = END_READ;
	o->key[END_WRITE].ino = END_WRITE;
	o->ino[END_READ] = ino << 1 | END_READ;
	o->ino[END_WRITE] = ino << 1 | END_WRITE;
	return true;
}

/* false: not a pipe, FIFO, unix stream, TCP socket or pseudo terminal. */
static __always_inline bool object_of(struct file *f, struct object *o)
{
	struct inode *in = BPF_CORE_READ(f, f_inode);
	u16 fmt = BPF_CORE_READ(in, i_mode) & S_IFMT;
	struct socket *so;
	struct sock *sk;
	u64 ino;
	u16 family;

	if (fmt == S_IFCHR)
		return object_tty(o, in);
	if (fmt != S_IFIFO && fmt != S_IFSOCK)
		return false;
	ino = BPF_CORE_READ(in, i_ino);
	if (fmt == S_IFIFO) {
		/* A file system gives a new FIFO the number of one that was removed; anonymous pipes have generation 0. */
		ino ^= (u64)BPF_CORE_READ(in, i_generation) << 32;
		o->chan = CHAN_PIPE;
		o->key[END_READ].obj = o->key[END_WRITE].obj = (u64)in;
		o->key[END_READ].ino = o->key[END_WRITE].ino = ino;
		return true;
	}
	so = BPF_CORE_READ(f, private_data);
	sk = BPF_CORE_READ(so, sk);
	if (!sk || BPF_CORE_READ(sk, sk_type) != SOCK_STREAM)
		return false;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	o->sk = sk;
	if (family == AF_UNIX)
		return object_unix(o, sk, ino);
	if ((family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return false;
	o->chan = CHAN_TCP;
	o->key[END_READ].obj = o->key[END_WRITE].obj = (u64)sk;
	o->key[END_READ].ino = END_READ;
	o->key[END_WRITE].ino = END_WRITE;
	o->ino[END_READ] = ino << 1 | END_READ;
	o->ino[END_WRITE] = ino << 1 | END_WRITE;
	return true;
}

#endif
