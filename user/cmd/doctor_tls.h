/* SPDX-License-Identifier: Apache-2.0 */
/* What doctor says of TLS where no agent runs: it probes the libraries for as long as it captures. */
#ifndef MCPVIGIL_CMD_DOCTOR_TLS_H
#define MCPVIGIL_CMD_DOCTOR_TLS_H

#include <linux/types.h>

#include "event.h"

struct buf;
struct doctor_tls;
struct probe;

/* Look at every process, and put probes on; takes seconds where no file is in the cache yet. NULL where that cannot be, which
 * it says on standard error. @p must outlive it. */
struct doctor_tls *doctor_tls_new(struct probe *p);
/* Takes NULL, as all below. */
void doctor_tls_free(struct doctor_tls *t);
/* A record of the kernel side. */
void doctor_tls_feed(struct doctor_tls *t, const struct ev_hdr *h);
/* Call each 20 ms. */
void doctor_tls_tick(struct doctor_tls *t);
/* The end of the capture: append what was found. */
void doctor_tls_show(struct doctor_tls *t, struct buf *out);

#endif
