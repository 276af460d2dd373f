/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of agents, which outlive their processes: one that is started again goes on under the number of the one
 * before it; two that live at the same time never share one. */
#ifndef MCPVIGIL_IDENT_LINEAGE_H
#define MCPVIGIL_IDENT_LINEAGE_H

#include "model/who.h"

/* What a restarted agent has in common with the one before it. parent.pid 0: not known, nothing is handed on. */
struct lineage_key {
	struct proc_id parent;
	uint64_t program; /* hash of executable and container */
	uint32_t uid;
	uint32_t zero; /* no padding: the struct is a hash key */
};

struct lineage;

/* Numbers of @max keys are kept for those who come back, least recently used first. NULL with errno. */
struct lineage *lineage_new(uint32_t max);
void lineage_free(struct lineage *l);
/* For a process that started at @start, boot ns: the number of the last one with this key that had ended by then and was
 * not followed yet; else a new one, from 1. Exact whatever order the two are told in. */
uint64_t lineage_enter(struct lineage *l, const struct lineage_key *k, uint64_t start);
/* The process that entered under @number ended at @ts, boot ns. */
void lineage_leave(struct lineage *l, const struct lineage_key *k, uint64_t number, uint64_t ts);
/* Keys that are kept, how many may be, and numbers that nobody can go on with any more: too many were kept. */
void lineage_stats(const struct lineage *l, uint64_t *ret_n, uint64_t *ret_max, uint64_t *ret_evicted);

#endif
