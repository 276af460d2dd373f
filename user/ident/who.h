/* SPDX-License-Identifier: Apache-2.0 */
/* Who is behind a (pid, start): a bounded cache that outlives the process. */
#ifndef MCPVIGIL_IDENT_WHO_H
#define MCPVIGIL_IDENT_WHO_H

#include <linux/types.h>

#include "event.h"
#include "model/who.h"

struct idents;

/* @max processes, least recently used first; @live: ask /proc for what records do not say (not in a replay). */
struct idents *idents_new(uint32_t max, bool live);
void idents_free(struct idents *t);
/* A record of this process came. While it lives is the time to ask who it is. */
void idents_see(struct idents *t, const struct ev_hdr *h, uint64_t start);
/* It became another program. */
void idents_exec(struct idents *t, const struct ev_exec *e);
/* NULL where the process was never seen. Valid until the next call of idents_see or idents_exec. */
const struct who *idents_get(struct idents *t, const struct proc_id *id);

#endif
