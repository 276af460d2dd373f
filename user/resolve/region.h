/* SPDX-License-Identifier: Apache-2.0 */
/* A stretch of code, decoded and cut into functions. Private to funcs.c. */
#ifndef MCPVIGIL_RESOLVE_REGION_H
#define MCPVIGIL_RESOLVE_REGION_H

#include "resolve/xref.h"

#define REGION_INSNS (96 << 10)
#define REGION_TOTAL (1500 << 10) /* a second */

/* What an address seems to be, by what refers to it. */
#define START_CALLED  1 /* directly */
#define START_POINTED 2

struct region {
	const struct look *l;
	unsigned int (*start)(void *ctx, uint64_t addr); /* START_ of an address */
	void *ctx;
	uint32_t n, nedge;
	struct insn *in;
	struct edge *edge; /* direct jumps, by where they go to */
	uint16_t *mark;
	int32_t *cross; /* jumps that lead over the front of an instruction */
	bool open;	/* the code goes on behind it */
	uint32_t total; /* instructions decoded in all */
};

/* Instructions from @begin to in front of @end. */
struct piece {
	uint32_t begin, end;
	unsigned int starts; /* of @begin */
};

/* The caller fills in @l, @start and @ctx. 0 or -ENOMEM. */
int region_init(struct region *r);
void region_free(struct region *r);
/* Decode from @from, a start, to behind @at, as far as it takes to see where the function of @at ends. 0; -ENOENT: @at is not
 * reached; -ENOSPC: REGION_TOTAL. */
int region_decode(struct region *r, uint64_t from, uint64_t at);
/* The function with the instruction that holds @at. 0; -ENOENT: there is none; -ENOTUNIQ: where it begins or ends is not sure. */
int region_piece(const struct region *r, uint64_t at, struct piece *ret);

#endif
