/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that were looked at for TLS libraries, and when to look again. In the hooks process alone. */
#ifndef MCPVIGIL_PROBE_TLSPROCS_H
#define MCPVIGIL_PROBE_TLSPROCS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "event_tls.h"
#include "probe/hooks.h"
#include "probe/tlsfiles.h"

#define TLSPROCS_MAX 8192
#define TLSPROCS_TIMERS 4096
#define TLSPROCS_SWEEP 32768 /* processes that a sweep goes through */
#define TLSPROCS_SWEEP_NS (30 * 1000000000ull)

struct tlsprocs;

/* @tell: what was found in a process whose start is known, where that is new; 0, or it is told again later. NULL with errno. */
struct tlsprocs *tlsprocs_new(const struct tlsfiles_opts *files, int (*tell)(void *ctx, const struct ev_hooked *h), void *ctx);
void tlsprocs_free(struct tlsprocs *t);
/* @start: boot ns, as records have it; 0: not known. */
void tlsprocs_look(struct tlsprocs *t, uint32_t pid, uint64_t start, enum hooks_reason why);
/* Functions of a process, by its files with that enum tls_stack, are none of TLS: the files are probed no more. */
void tlsprocs_odd(struct tlsprocs *t, uint32_t pid, uint64_t start, uint32_t stack, enum odd_what what);
/* Look at whatever runs now, little by little in tlsprocs_tick. */
void tlsprocs_sweep(struct tlsprocs *t);
/* Looks that are due, files whose last user is gone, what could not be told. */
void tlsprocs_tick(struct tlsprocs *t, uint64_t now);
/* Files and processes that are still to be looked at at once. */
uint32_t tlsprocs_busy(const struct tlsprocs *t);
/* Looks that are due within seconds. */
bool tlsprocs_waiting(const struct tlsprocs *t);
/* What found no room, since the start: processes, looks, files. */
uint64_t tlsprocs_full(const struct tlsprocs *t);
void tlsprocs_stats(const struct tlsprocs *t, struct hooks_stats *ret);

#endif
