/* SPDX-License-Identifier: Apache-2.0 */
/* Session keys: a digest for each part, and one over these. */
#include "mcp/session_key.h"

#include <string.h>
#include <sys/socket.h>

#include "base/hash.h"

#define PARTS_MAX (sizeof(((struct session_parts *)0)->part) / sizeof(uint64_t))

void session_parts_init(struct session_parts *p, enum session_kind kind)
{
	*p = (struct session_parts){ .part = { 0, kind }, .n = 2 };
}

void session_parts_num(struct session_parts *p, uint64_t v)
{
	if (p->n < PARTS_MAX)
		p->part[p->n++] = v;
}

void session_parts_text(struct session_parts *p, struct sv s)
{
	session_parts_num(p, s.n);
	session_parts_num(p, hash_bytes(s.p, s.n));
}

/* A server that listens on [::] sees ::ffff:127.0.0.1 where its client sees 127.0.0.1: the same host. */
static uint64_t host_of(const struct net_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t ip[16] = { 0 };

	if (a->family == AF_INET)
		memcpy(ip, a->ip, 4);
	else if (memcmp(a->ip, mapped, sizeof(mapped)) == 0)
		memcpy(ip, a->ip + sizeof(mapped), 4);
	else
		memcpy(ip, a->ip, sizeof(ip));
	return hash_bytes(ip, sizeof(ip));
}

void session_parts_addr(struct session_parts *p, const struct net_addr *a)
{
	session_parts_num(p, a->port);
	session_parts_num(p, host_of(a));
}

void session_parts_peer(struct session_parts *p, const struct proc_id *proc, const struct net_addr *a)
{
	session_parts_num(p, proc->pid);
	if (proc->pid)
		session_parts_num(p, proc->start);
	else
		session_parts_num(p, host_of(a));
}

struct session_key session_parts_key(const struct session_parts *p)
{
	struct session_parts q = *p;
	struct session_key key;

	key.h[0] = hash_bytes(q.part, q.n * sizeof(q.part[0]));
	q.part[0] = 1; /* 128 bits out of a 64-bit hash: the same parts again, behind another first word */
	key.h[1] = hash_bytes(q.part, q.n * sizeof(q.part[0]));
	return key;
}
