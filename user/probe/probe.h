/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel side, loaded and attached: records in, verdicts out, losses read. Entry point of user/probe. */
#ifndef MCPVIGIL_PROBE_PROBE_H
#define MCPVIGIL_PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "capture.h"
#include "counters.h"
#include "event.h"

struct probe;

struct probe_opts {
	struct capture cfg;
	const char *tier; /* NULL: the best that loads; else "old", "new", "tp" */
	const char *uprobes; /* NULL: the best that there is; else "perf", "multi" */
};
#define PROBE_RATE (64ull << 20)	 /* bytes/s of a process */
#define PROBE_CGROUP_RATE (256ull << 20) /* ... of a cgroup */
#define PROBE_OPTS_DEFAULT                                                                \
	{ { PROBE_RATE, PROBE_CGROUP_RATE, 8 << 20, 32 << 20, 256, 0 }, NULL, NULL }

/* Receives each record that passed the size check. */
typedef void (*probe_fn)(void *ctx, const struct ev_hdr *h);

/* Load and attach everything, or nothing; the programs for TLS libraries are loaded where the kernel takes them. On failure
 * NULL. It and each lack were logged, one line for people. */
struct probe *probe_new(const struct probe_opts *opts);
void probe_free(struct probe *p);
/* Hand on what stands in the rings. @return records; -EAGAIN: there may be more; other -errno. */
int probe_consume(struct probe *p, probe_fn fn, void *ctx);
/* Becomes readable when a ring wants to be emptied before the next tick. */
int probe_fd(const struct probe *p);
/* List what is open on this host, as EV_OPEN and EV_EXEC records with EV_F_LATE, and give counted streams their
 * origin. Takes tens of milliseconds. The agent's own fds 0 to 2 are excluded for good. 0 or -errno. */
int probe_list(struct probe *p, probe_fn fn, void *ctx);
/* @code is an enum verdict_code. */
void probe_verdict(struct probe *p, const struct ev_key *key, uint8_t code);
/* Kernel counters by enum counter, then MISSED_RUNS and BAD_RECORD of the user part. */
void probe_losses(struct probe *p, uint64_t ret[C_N]);

/* For doctor. */
struct probe_prog {
	const char *name, *hook;
	bool loaded, attached; /* uprobes: never attached here, but to each library (attach.h) */
	uint64_t missed;
	uint64_t runs, run_ns; /* only where somebody switched the kernel's statistics on; else 0 */
};
#define PROBE_PROGS_MAX 64
/* The programs of the object; @return their number. */
unsigned int probe_progs(struct probe *p, struct probe_prog ret[PROBE_PROGS_MAX]);
/* Streams in the verdict table by code: [0] undecided, [1] no, [2] http without MCP, [3] JSON-RPC, [4] MCP,
 * [5] MCP with both ends seen, [6] own. */
void probe_verdicts(struct probe *p, uint64_t ret[7]);
/* 0 where the kernel still answers about our programs; -errno. */
int probe_works(const struct probe *p);
const char *probe_tier(const struct probe *p);
/* Why no TLS library can be probed; "" where they can. */
const char *probe_tls_why(const struct probe *p);
/* Bytes of all rings, and of those not read yet. */
void probe_rings(const struct probe *p, uint64_t *ret_size, uint64_t *ret_used);

#endif
