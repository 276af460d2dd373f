/* SPDX-License-Identifier: Apache-2.0 */
/* Probes in the TLS code of one file. Private to probe/. */
#ifndef MCPVIGIL_PROBE_ATTACH_H
#define MCPVIGIL_PROBE_ATTACH_H

#include <stdint.h>

#include "resolve/resolve.h"

struct probe;
struct attached;

/* Attach every point of @f to the file behind @fd, in whichever process maps it: all or nothing. Before that the bytes from
 * each function's start to its probe are compared with those analysed (-ESTALE where they differ). Attached through
 * /proc/self/fd: the very file, whatever its path has become. NULL with errno. */
struct attached *attach_file(struct probe *p, int fd, const struct tls_found *f);
/* Takes NULL. Returns once no program can run from it any more: up to 0.2 s on kernels that wait for that (from 6.12), with
 * threads of its own while it waits; 0.1 s a probe where the process may have no threads, or with perf uprobes. */
void attach_free(struct attached *a);
/* Of many at once, in the time of one; none of them NULL. */
void attach_free_all(struct attached *const *list, uint32_t n);
/* Points of the file that are probed. */
uint32_t attach_points(const struct attached *a);

/* Be told before somebody writes to the file (a read lease; the writer's open waits until lease_drop, or the kernel's
 * lease-break-time), else as he does (inotify). */
struct leases;
struct evloop;
/* @broken is called from the loop: detach, then lease_drop. NULL with errno. One per process: it takes SIGRTMIN and SIGIO over. */
struct leases *leases_new(struct evloop *l, void (*broken)(void *ctx, int fd), void *ctx);
void leases_free(struct leases *s);
/* @fd: opened for reading alone, and open until lease_drop. Before attach_file, which then compares what stays as it is.
 * 0 or -errno: -EAGAIN somebody has it open for writing; -ENOSPC too many (1024). */
int lease_take(struct leases *s, int fd);
void lease_drop(struct leases *s, int fd);

#endif
