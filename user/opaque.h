/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that speak TLS whose plaintext is not read: each is named once, with the first peer, and why.
 *
 * A process is opaque where TLS records passed on a socket of its (EV_HELLO) and none of its connections was read
 * (EV_OPEN with CHAN_TLS) within OPAQUE_WAIT_NS. One that ended meanwhile is judged by what was known then, and left alone
 * where there was too little time to know. What is attached to a process, and why not, EV_HOOKED has told. One whose probes
 * turned out to be in the wrong place (EV_ODD) is told of as they are withdrawn. */
#ifndef MCPVIGIL_OPAQUE_H
#define MCPVIGIL_OPAQUE_H

#include <stdint.h>

#include <linux/types.h>

#include "event.h"
#include "model/session.h"

#define OPAQUE_WAIT_NS 5000000000ull
#define OPAQUE_LEAST_NS 1000000000ull /* from the first TLS record to the end of a process: less says nothing */
#define OPAQUE_PROCS 4096	      /* that speak TLS, and as many that were looked at; least recently used first */
#define OPAQUE_WHY_MAX 256

struct opaque;

/* @finding gets "opaque_tls"; it is borrowed. NULL with errno. */
struct opaque *opaque_new(void (*finding)(void *ctx, const struct finding *f), void *ctx);
void opaque_free(struct opaque *o);
/* A record, of whatever kind. The end of a process may come before what it did last. */
void opaque_feed(struct opaque *o, const struct ev_hdr *h);
/* All records up to @now, boot ns, were fed. */
void opaque_tick(struct opaque *o, uint64_t now);
/* The end of the run: what is known for sure is told at once. */
void opaque_flush(struct opaque *o, uint64_t now);

/* For doctor. */
struct opaque_row {
	struct proc_id proc;
	struct net_addr peer;
	char why[OPAQUE_WHY_MAX];
};
/* Processes that run and are opaque, the most recent first: fills @max rows at most, returns how many there are. */
unsigned int opaque_rows(const struct opaque *o, struct opaque_row *ret, unsigned int max);
/* Processes forgotten that lived: a table was full. */
uint64_t opaque_evicted(const struct opaque *o);

#endif
