/* SPDX-License-Identifier: Apache-2.0 */
/* What the process that puts probes on TLS libraries gives up (probe/hooks.h). */
#ifndef MCPVIGIL_PRIV_HOOKS_H
#define MCPVIGIL_PRIV_HOOKS_H

#include <stdint.h>

struct buf;

/* For hooks_opts.confine: capabilities, no_new_privs, seccomp, in this order. It may go on forking processes that confine
 * themselves further, and may write nothing but files that it makes. 0; -EBUSY with a second thread; -errno after a line
 * on standard error. */
int priv_confine_hooks(void);
/* Append, for doctor: what process @pid holds and why. */
void priv_hooks_show(uint32_t pid, struct buf *out);

#endif
