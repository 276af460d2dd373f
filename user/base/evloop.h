/* SPDX-License-Identifier: Apache-2.0 */
/* Event loop on epoll: file descriptors, one periodic tick, signals through signalfd. */
#ifndef MCPVIGIL_BASE_EVLOOP_H
#define MCPVIGIL_BASE_EVLOOP_H

#include <stdbool.h>
#include <stdint.h>

struct evloop;

/* NULL with errno on failure. */
struct evloop *evloop_new(void);
void evloop_free(struct evloop *l);
/* Call @cb(@ctx) when @fd is readable. At most 64 descriptors: -ENOSPC. */
int evloop_add_fd(struct evloop *l, int fd, void (*cb)(void *ctx), void *ctx);
/* Call for @fd, which was added, when it is readable (@in), when it is writable (@out), and in any case when its other
 * end is gone: a callback that leaves it added then is called again at once. 0 or -errno. */
int evloop_want(struct evloop *l, int fd, bool in, bool out);
void evloop_del_fd(struct evloop *l, int fd);
/* Call @cb(@ctx) each @ms milliseconds. One tick per loop. */
int evloop_tick(struct evloop *l, unsigned int ms, void (*cb)(void *ctx), void *ctx);
/* Block @sig in this process and have @cb(@ctx, sig) called from the loop instead. */
int evloop_signal(struct evloop *l, int sig, void (*cb)(void *ctx, int sig), void *ctx);
/* Run until evloop_stop; 0 or -errno. */
int evloop_run(struct evloop *l);
void evloop_stop(struct evloop *l);

#endif
