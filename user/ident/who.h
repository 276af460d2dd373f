/* SPDX-License-Identifier: Apache-2.0 */
/* Who is behind a (pid, start): a bounded cache that outlives the process. */
#ifndef MCPVIGIL_IDENT_WHO_H
#define MCPVIGIL_IDENT_WHO_H

#include <linux/types.h>

#include "event.h"
#include "model/who.h"

struct idents;

/* @max processes, least recently used first; half of them are kept for those that speak MCP, so that no storm of others
 * pushes them out. @live: ask /proc for what records do not say (not in a replay). NULL with errno. */
struct idents *idents_new(uint32_t max, bool live);
void idents_free(struct idents *t);
/* A record of this process came. While it lives is the time to ask who it is. */
void idents_see(struct idents *t, const struct ev_hdr *h, uint64_t start);
/* It became another program. */
void idents_exec(struct idents *t, const struct ev_exec *e);
/* It is gone; what is known of it stays. NULL where nothing is known of it, or its end was told before. Its last records
 * may still come. */
const struct who *idents_exit(struct idents *t, const struct ev_exit *e);
/* It speaks MCP: with everything that can be found out (who.more), and, where it is the @client, the number of the agent
 * that it is. As idents_get otherwise. */
const struct who *idents_peer(struct idents *t, const struct proc_id *id, bool client);
/* NULL where the process was never seen. Valid until the next idents_see or idents_exec. */
const struct who *idents_get(struct idents *t, const struct proc_id *id);
struct idents_stats {
	uint64_t processes, processes_max;
	uint64_t evicted;	      /* processes that lived and had said something, when they had to make room */
	uint64_t agents, agents_max;  /* kinds of agents whose number waits for one that is started again */
	uint64_t agents_evicted;      /* numbers that nobody can go on with any more */
};
void idents_stats(const struct idents *t, struct idents_stats *ret);

#endif
