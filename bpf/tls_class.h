/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is what a TLS connection carries to be copied? */
#ifndef MCPVIGIL_BPF_TLS_CLASS_H
#define MCPVIGIL_BPF_TLS_CLASS_H

#include "class.h"
#include "tls_conn.h"

static __always_inline int tls_class(u64 buf, u32 n)
{
	u64 k = n < CLASS_BYTES ? n : CLASS_BYTES;
	u64 b[2] = {};

	barrier_var(k); /* the bound is to be checked in the register that is used */
	if (k > CLASS_BYTES)
		return CLASS_UNREAD;
	if (bpf_probe_read_user(b, k, (void *)buf))
		return CLASS_UNREAD;
	return class_bytes(b[0], b[1], k);
}

/* Does a frame of JSON-RPC follow the head of its message? Both are often sent in one call. */
static __always_inline bool tls_asks_behind(u64 buf, u32 n)
{
	u32 head = 0, skip;
	u64 b[2] = {};

	if (n < 2 * CLASS_BYTES || bpf_probe_read_user(&head, sizeof(head), (void *)buf))
		return false;
	skip = 9 + (__builtin_bswap32(head) >> 8);
	if (head >> 24 != 1 || skip > n - CLASS_BYTES) /* HEADERS */
		return false;
	return !bpf_probe_read_user(b, sizeof(b), (void *)(buf + skip)) && class_h2_asks(b[0], b[1]);
}

/* Are these bytes to be copied? The first KiBs are, whatever they are: user space knows better. Beyond them a connection that was
 * there before the probes may have been in the middle of a body: the beginning of a message is still to come. */
static __always_inline bool tls_decide(struct tls_conn *c, u8 verdict, u64 buf, u32 n)
{
	int class;

	if (verdict >= V_RPC || (c->state == S_CANDIDATE && verdict != V_NO_HTTP))
		return true;
	class = tls_class(buf, n);
	if (verdict == V_NO_HTTP)
		return class == CLASS_POST || (class == CLASS_H2 && tls_asks_behind(buf, n));
	if (class_ours(class)) {
		c->state = S_CANDIDATE;
		return true;
	}
	if (c->looked > UNDECIDED_BYTES * 2)
		return false;
	c->looked += n;
	if (c->looked <= UNDECIDED_BYTES * 2)
		return true;
	if (c->fresh)
		c->state = S_NO;
	return false;
}

#endif
