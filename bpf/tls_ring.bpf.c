/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ring's AEAD, below rustls: the functions of its aead::Algorithm, which are called through pointers. EV_OPEN, EV_DATA.
 *
 * Rust's ABI has no contract, but gives this signature no choice (rustc 1.88 to 1.95): the result, larger than two registers, is
 * returned in memory; the nonce is passed by address; slices are two words. Additional data that is a record's, with the
 * record's length, says that the arguments are where they are looked for.
 *
 *	seal(key, nonce, aad, in_out) -> Result<Tag>		DI result, SI key, DX nonce, CX and R8 aad, R9 and stack in_out
 *	open(key, nonce, aad, in_out, from..) -> Result<Tag>	the same, and where in in_out the ciphertext begins
 *
 * A key is moved to where it stays after it was made: nothing says when its address is another's. The nonces of one key do: they
 * are its IV and the numbers of its records, one after the other. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define GUARD_FLAVOUR ring
#include "guard.h"
#include "maps.h"
#include "tls_aead.h"
#include "tls_call.h"
#include "tls_conn.h"
#include "tls_record.h"
#include "tls_seal.h"
#include "tls_unseal.h"

/* The last record of a key. */
struct ring_nonce {
	u64 low; /* of the nonce; TLS 1.2: the record's number, as its nonces need not follow one another */
	u32 high;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tls_key);
	__type(value, struct ring_nonce);
} ring_nonces SEC(".maps");

/* Does @now follow @last? An IV with one number more differs in the last bits alone, up to one that was 0. */
static __always_inline bool nonce_follows(const struct ring_nonce *last, const struct ring_nonce *now, u64 ad_len)
{
	u64 diff = last->low ^ now->low;

	if (last->high != now->high)
		return false;
	return ad_len == 5 ? diff && !(diff & (diff + 1)) : now->low == last->low + 1;
}

/* What is known of the key is another's, unless this record is the next one. */
static __always_inline void key_renew(const struct aead_args *a)
{
	struct tls_key k = { bpf_get_current_pid_tgid() >> 32, a->ctx };
	struct ring_nonce now = {}, *last = bpf_map_lookup_elem(&ring_nonces, &k);

	bpf_probe_read_user(&now.high, sizeof(now.high), (void *)a->nonce);
	bpf_probe_read_user(&now.low, sizeof(now.low), (void *)(a->ad_len == 5 ? a->nonce + 4 : a->ad));
	now.low = bpf_be64_to_cpu(now.low);
	if (last && nonce_follows(last, &now, a->ad_len)) {
		last->low = now.low;
		return;
	}
	bpf_map_update_elem(&ring_nonces, &k, &now, BPF_ANY);
	aead_born(a->ctx);
}

/* The arguments that both functions have. -1: no record. */
static __always_inline int ring_args(struct pt_regs *r, struct aead_args *a, u64 size, u64 from)
{
	int type;

	if (from > size)
		return -1;
	a->ctx = r->si;
	a->nonce = r->dx;
	a->ad = r->cx;
	a->ad_len = r->r8;
	a->out = r->r9;
	a->in = r->r9 + from;
	a->len = size - from;
	a->stack = TLS_RUSTLS;
	type = aead_record(a);
	if (type >= 0)
		key_renew(a);
	return type;
}

SEC("uprobe")
int ring_seal_in(struct pt_regs *r)
{
	struct aead_args a;
	u64 size = 0;
	int type;

	guard_on();
	if (!bpf_probe_read_user(&size, sizeof(size), (void *)(r->sp + 8))) {
		type = ring_args(r, &a, size, 0);
		if (type >= 0)
			seal_in(r, &a, type);
	}
	guard_off();
	return 0;
}

/* The result: 0 and the tag, or 1. */
struct ring_result {
	u8 failed;
	u8 tag[TLS_TAG];
	u8 pad[7];
};

SEC("uretprobe")
int ring_seal_out(struct pt_regs *r)
{
	struct tls_call *t;
	u8 failed = 1;

	guard_on();
	t = cipher_ended(bpf_get_current_pid_tgid(), r->sp, END_WRITE);
	if (t && !bpf_probe_read_user(&failed, sizeof(failed), (void *)t->count) && !failed)
		seal_out(t);
	guard_off();
	return 0;
}

SEC("uprobe")
int ring_open_in(struct pt_regs *r)
{
	struct aead_args a;
	u64 s[2] = {};
	int type;

	guard_on();
	if (!bpf_probe_read_user(s, sizeof(s), (void *)(r->sp + 8))) {
		type = ring_args(r, &a, s[0], s[1]);
		if (type >= 0)
			unseal_in(r, &a, type);
	}
	guard_off();
	return 0;
}

/* It is the caller who compares the tags. */
static __always_inline bool tag_is_right(const struct tls_call *t)
{
	struct ring_result res = { 1 };
	u64 is[2] = {}, was[2] = {};

	if (bpf_probe_read_user(&res, 1 + TLS_TAG, (void *)t->enter) || res.failed ||
	    bpf_probe_read_user(is, sizeof(is), (void *)(t->count - TLS_TAG)))
		return false;
	__builtin_memcpy(was, res.tag, sizeof(was));
	return is[0] == was[0] && is[1] == was[1];
}

SEC("uretprobe")
int ring_open_out(struct pt_regs *r)
{
	struct tls_call *t;

	guard_on();
	t = cipher_ended(bpf_get_current_pid_tgid(), r->sp, END_READ);
	if (t && tag_is_right(t))
		unseal_out(t, TLS_RUSTLS);
	guard_off();
	return 0;
}
