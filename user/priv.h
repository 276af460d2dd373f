/* SPDX-License-Identifier: Apache-2.0 */
/* After the start: give up the capabilities, the system calls and the ways to new privileges that are not needed any
 * more. */
#ifndef MCPVIGIL_PRIV_H
#define MCPVIGIL_PRIV_H

#include <stdbool.h>

#include "base/buf.h"

struct priv_need {
	bool writes;	/* files are made, renamed, removed: an alert log */
	bool low_port;	/* a port below 1024 is still to be bound */
	/* 0 where what is asked of the kernel's BPF side still works; -errno. It is called once without CAP_BPF, which
	 * is kept if that fails: before 5.19 bpf(2) wants it even for a descriptor's own facts. NULL: nothing is asked
	 * any more. */
	int (*bpf_works)(void *ctx);
	void *ctx;
};

/* In this order: bounding set, capabilities, no_new_privs, seccomp. Call it once everything is loaded and attached and
 * before any thread is started: capabilities are each thread's own. 0; -EBUSY where there is a second thread already;
 * -errno after a line on standard error. What this process does not have cannot be given up, and is no error. */
int priv_drop(const struct priv_need *need);
/* Append, for doctor: what this process holds and why, no_new_privs, seccomp. */
void priv_show(struct buf *out);

#endif
