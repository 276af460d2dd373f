/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of one end that wait to be decoded, in order of position. */
#ifndef MCPVIGIL_FLOW_SEGS_H
#define MCPVIGIL_FLOW_SEGS_H

#include <stddef.h>
#include <stdint.h>

struct seg {
	struct seg *next;
	uint64_t pos;
	uint64_t ts;   /* when the call ended */
	uint64_t first; /* when it began, where that is known, else @ts */
	uint32_t want; /* bytes that passed */
	uint32_t have; /* bytes held, from pos on */
	uint32_t tid;
	uint16_t flags; /* enum ev_flag */
	char data[];
};

struct segs {
	struct seg *first, *last;
	uint64_t bytes; /* held */
};

/* NULL: out of memory. */
struct seg *segs_add(struct segs *s, uint64_t pos, const void *data, uint32_t have);
/* Move all of @from into @to. */
void segs_move(struct segs *to, struct segs *from);
/* Drop what ends at or before @pos. @return bytes freed. */
uint64_t segs_drop(struct segs *s, uint64_t pos);
/* Drop everything. @return bytes freed. */
uint64_t segs_done(struct segs *s);

#endif
