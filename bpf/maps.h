/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps that several objects share; bpftool merges the weak copies. */
#ifndef MCPVIGIL_BPF_MAPS_H
#define MCPVIGIL_BPF_MAPS_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "capture.h"
#include "counters.h"
#include "event.h"

extern const volatile struct capture cfg;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} ring SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CTL_RING_BYTES);
} ctl_ring SEC(".maps") __weak;

/* enum counter -> count. mmap'ed: from 7.2 a bpf(MAP_LOOKUP) during capture makes the kernel skip program runs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, C_KERNEL_N);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, u64);
} losses SEC(".maps") __weak;

/* Verdict words by hash of the stream's key; see enum verdict_code. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VERDICT_SETS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct verdict_set);
} verdicts SEC(".maps") __weak;

/* What is known of one direction of a pipe or unix socket, or of one end and direction of a TCP sock. */
struct stream {
	u64 pos[2];  /* bytes that passed, by enum ev_end; pipes and unix sockets */
	u64 ino;     /* inode number last seen of the object, 0: not accepted yet */
	u64 gen;     /* the key's second half for user space: inode number, or birth of a unix sock's entry */
	u32 looked;  /* bytes looked at while undecided */
	u8 state;    /* enum stream_state */
	u8 calls;    /* calls looked at while undecided that were no text */
	u8 stdio;    /* fd 0 or 1 of a process at its exec */
	u8 late;     /* it was there before us */
	u8 opened;   /* EV_OPEN is out, by (1 << enum ev_end) */
	u8 runs;     /* passes of the listing at start that found the same skew */
	u16 pass;    /* the last of them */
	u32 pad;
	s64 skew;    /* unread bytes that the counters do not explain, at that pass */
};

enum stream_state { S_UNDECIDED, S_CANDIDATE, S_NO };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STREAMS_MAX);
	__type(key, struct ev_key);
	__type(value, struct stream);
} streams SEC(".maps") __weak;

/* Token buckets: bytes, and streams opened. */
struct bank {
	u64 ts;
	s64 tokens, demand;
	s64 opens; /* streams opened, less what time gave back */
	u64 open_ts;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PROCS_MAX);
	__type(key, u32);
	__type(value, struct bank);
} procs SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PROCS_MAX);
	__type(key, u64);
	__type(value, struct bank);
} groups SEC(".maps") __weak;

/* [0]: the agent's own thread group in the init namespace, learnt by the listing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, u64);
} self SEC(".maps") __weak;

static __always_inline void count(u32 name, u64 n)
{
	u64 *v = bpf_map_lookup_elem(&losses, &name);

	if (v)
		__sync_fetch_and_add(v, n);
}

static __always_inline bool is_self(u32 tgid)
{
	u32 zero = 0;
	u64 *v = bpf_map_lookup_elem(&self, &zero);

	return v && *v == tgid;
}

#endif
