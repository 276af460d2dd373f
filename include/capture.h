/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The one struct that user space fills before load. All zero is the smallest thing that loads. */
#ifndef MCPVIGIL_CAPTURE_H
#define MCPVIGIL_CAPTURE_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

#define RING_BYTES (8u << 20)	 /* bulk ring; twice its pages are mapped, Pss counts them once */
#define CTL_RING_BYTES (256u << 10) /* exec and exit: never starved by data */
#define STREAMS_MAX 32768	 /* counted positions; least recently used first */
#define PROCS_MAX 8192		 /* budgets; least recently used first */
#define VERDICT_SETS 16384	 /* of words; a power of 2 */
#define VERDICT_WAYS 4		 /* words a set: those of as many streams */
#define UNDECIDED_BYTES 4096	 /* of a stream without a word of JSON or HTTP, before "no" */
#define UNDECIDED_CALLS 4
#define STDIO_BYTES 65536	 /* the same for fd 0 and 1: servers print banners first */
#define TLS_CONNS_MAX 16384	 /* TLS connections; least recently used first */
#define TLS_CALLS_MAX 8192	 /* threads inside a TLS library at once */
#define SEGMENTS_MAX 1024	 /* iovecs walked per call: all that the kernel takes (UIO_MAXIOV). Node writes one per SSE line */
#define SEGMENTS_OLD 64		 /* ... with a bounded loop */
#define CHUNK_BYTES 32768	 /* largest piece of one record */
#define CALL_BYTES_LOOP (8u << 20)  /* copied of one call with bpf_loop (5.17) */
#define CALL_BYTES_OLD (512u << 10) /* ... with a bounded loop */

/* Verdict word: (tag << 8 | code), anywhere in the set that the stream's hash names. User space writes it through mmap: no system
 * call, no missed run. */
struct verdict_set {
	__u64 w[VERDICT_WAYS];
};

enum verdict_code {
	V_NONE = 0,
	V_TLS = 15,	/* ciphertext whose TLS connection is not known yet: not copied. Known, it becomes V_NO */
	V_NO = 16,	/* other traffic: not copied */
	V_NO_HTTP = 17, /* HTTP without MCP so far: a POST is still shown, or a frame that begins like JSON-RPC */
	V_RPC = 18,	/* JSON-RPC was decoded: copied */
	V_YES = 19,	/* MCP: copied, and first in line for room in the ring */
	V_BOTH = 20,	/* ... and both ends were seen: while the ring is short of room, the reader's copy will do */
	V_SELF = 21,	/* what the agent itself reads or writes: never, not even after exec */
};

struct capture {
	__u64 rate;	   /* bytes/s of a process; 0: no budget */
	__u64 cgroup_rate; /* bytes/s of a cgroup */
	__u64 burst;	   /* bytes a process may save up */
	__u64 cgroup_burst;
	__u32 open_rate;   /* streams/s a process may open, beyond a burst of 2048 */
	__u32 call_bytes;  /* copied of one call; 0: the tier's limit */
};

#endif
