/* SPDX-License-Identifier: Apache-2.0 */
/* Probes, one set in each real file, shared by whatever shows it. Private to probe/. */
#ifndef MCPVIGIL_PROBE_HOLDS_H
#define MCPVIGIL_PROBE_HOLDS_H

#include <stdint.h>

struct evloop;
struct file_id;
struct hold;
struct holds;
struct probe;
struct tls_found;

/* @broken: somebody is about to write to the file of @h, or has; put it, and holds_release. NULL with errno. */
struct holds *holds_new(struct probe *p, struct evloop *l, void (*broken)(void *ctx, struct hold *h), void *ctx);
/* Takes every probe off. Takes NULL. */
void holds_free(struct holds *s);
/* Probe the file behind @fd, which is in state @id, or share the probes that show in it. @fd is taken over in any case. 0 or -errno:
 * -EAGAIN somebody has it open for writing; -ESTALE it was written. */
int hold_get(struct holds *s, int fd, const struct file_id *id, const struct tls_found *found, struct hold **ret);
/* Takes NULL. */
void hold_put(struct hold *h);
/* Take off the probes of all that were put as often as got. */
void holds_release(struct holds *s);
uint32_t hold_points(const struct hold *h);
/* Sets put on and taken off, since the start. */
void holds_count(const struct holds *s, uint64_t *ret_attached, uint64_t *ret_detached);

#endif
