/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that died and what they took along; how long sessions took to start. The last few of each. */
#ifndef MCPVIGIL_SINK_LIVES_H
#define MCPVIGIL_SINK_LIVES_H

#include "sink/sink.h"

#define LIVES_DEATHS 64
#define LIVES_STARTS 256
#define LIVES_NAMES 4
#define LIVES_NAME_BYTES 48

/* Requests of one session that were never answered. */
struct lives_lost {
	uint64_t session_no, ts; /* of the last one */
	uint32_t calls;
	uint8_t names;
	char name[LIVES_NAMES][LIVES_NAME_BYTES]; /* tool, else method, of the first few; as they came */
};

struct death {
	uint64_t ts;
	char session[64]; /* "" where unknown */
	struct route route;
	bool known;	  /* the two below are */
	bool oom;
	int exit_code;	  /* as wait() gives it */
	struct lives_lost lost;
};

struct lives {
	struct death death[LIVES_DEATHS];
	uint64_t deaths; /* since the start; the last is at (deaths - 1) % LIVES_DEATHS */
	struct lives_lost lost[LIVES_DEATHS];
	uint64_t losts;
	uint64_t start[LIVES_STARTS]; /* ns from initialize to its answer */
	uint64_t starts;
};

/* The row's self is a struct lives, zeroed at first, that stays the caller's. */
extern const struct sink_ops lives_ops;

/* Of the starts that are kept; 0 where there are none. */
void lives_starts(const struct lives *v, uint64_t *ret_p50, uint64_t *ret_max);

#endif
