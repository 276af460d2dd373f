/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* AEAD functions of AWS-LC, below rustls: records of TLS 1.2 and 1.3 as they are encrypted and decrypted. EV_OPEN, EV_DATA.
 *
 * Buffers are encrypted in place: a record is copied as it goes in. Nothing is encrypted twice, and what is will be sent. What
 * comes in is copied when it was found genuine. Other uses of these functions (QUIC, files, tickets) have other additional data
 * than records have: their type, version and length.
 *
 * Misses: programs that decrypt elsewhere than in the buffer that they read into, where none of their reads ends with a record;
 * writes that do not begin with one; io_uring. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define GUARD_FLAVOUR aead
#include "guard.h"
#include "maps.h"
#include "tls_aead.h"
#include "tls_call.h"
#include "tls_conn.h"
#include "tls_record.h"
#include "tls_seal.h"
#include "tls_unseal.h"

/* Of what stands on the stack, behind the return address and @skip words: EVP_AEAD_CTX_seal and _open have the same there. */
#define ON_STACK(r, skip, s) (!bpf_probe_read_user(s, sizeof(s), (void *)((r)->sp + 8 + (skip) * 8)))

/* @skip: words in front of the input; @ad: of the words from there on, the first of the additional data. */
static __always_inline void seal_args(struct pt_regs *r, u32 skip, u32 ad)
{
	u64 s[6] = {};
	struct aead_args a = { .ctx = r->di, .out = r->si, .stack = TLS_AWS_LC };
	int type;

	if (!ON_STACK(r, skip, s))
		return;
	a.in = s[0];
	a.len = s[1];
	a.ad = s[ad];
	a.ad_len = s[ad + 1];
	type = aead_record(&a);
	if (type >= 0)
		seal_in(r, &a, type);
}

SEC("uprobe")
int aead_seal_in(struct pt_regs *r)
{
	guard_on();
	seal_args(r, 0, 2);
	guard_off();
	return 0;
}

SEC("uprobe")
int aead_scatter_in(struct pt_regs *r)
{
	guard_on();
	seal_args(r, 1, 4);
	guard_off();
	return 0;
}

SEC("uretprobe")
int aead_seal_out(struct pt_regs *r)
{
	struct tls_call *t;

	guard_on();
	t = cipher_ended(bpf_get_current_pid_tgid(), r->sp, END_WRITE);
	if (t && (u32)r->ax == 1)
		seal_out(t);
	guard_off();
	return 0;
}

SEC("uprobe")
int aead_open_in(struct pt_regs *r)
{
	u64 s[4] = {};
	struct aead_args a = { .ctx = r->di, .out = r->si };
	int type;

	guard_on();
	if (ON_STACK(r, 0, s) && s[1] >= TLS_TAG) {
		a.in = s[0];
		a.len = s[1] - TLS_TAG;
		a.ad = s[2];
		a.ad_len = s[3];
		type = aead_record(&a);
		if (type >= 0)
			unseal_in(r, &a, type);
	}
	guard_off();
	return 0;
}

SEC("uprobe")
int aead_gather_in(struct pt_regs *r)
{
	u64 s[2] = {};
	struct aead_args a = { .ctx = r->di, .out = r->si, .in = r->r8, .len = r->r9 };
	int type;

	guard_on();
	if (ON_STACK(r, 2, s)) {
		a.ad = s[0];
		a.ad_len = s[1];
		type = aead_record(&a);
		if (type >= 0)
			unseal_in(r, &a, type);
	}
	guard_off();
	return 0;
}

SEC("uretprobe")
int aead_open_out(struct pt_regs *r)
{
	struct tls_call *t;

	guard_on();
	t = cipher_ended(bpf_get_current_pid_tgid(), r->sp, END_READ);
	if (t && (u32)r->ax == 1)
		unseal_out(t, TLS_AWS_LC);
	guard_off();
	return 0;
}

SEC("uprobe")
int aead_init_in(struct pt_regs *r)
{
	guard_on();
	aead_born(r->di);
	guard_off();
	return 0;
}
