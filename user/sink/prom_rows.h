/* SPDX-License-Identifier: Apache-2.0 */
/* From facts to updates of series. */
#ifndef MCPVIGIL_SINK_PROM_ROWS_H
#define MCPVIGIL_SINK_PROM_ROWS_H

#include "sink/metrics.h"
#include "sink/sink.h"

struct prom_rows {
	struct metrics *m;   /* the caller's */
	int64_t wall_offset; /* of exemplars */
	struct table sweeps; /* tools/list whose next page is awaited, by session */
	struct net_addr addr; /* met last, and its text: calls come in runs */
	char ip[64], port[8];
};

/* 0 or -ENOMEM. */
int prom_rows_init(struct prom_rows *r, struct metrics *m, int64_t wall_offset);
void prom_rows_done(struct prom_rows *r);
void prom_rows_call(struct prom_rows *r, const struct call *c, const struct sink_peers *p);
void prom_rows_logical(struct prom_rows *r, const struct logical *l, const struct sink_peers *p);
void prom_rows_note(struct prom_rows *r, const struct note *n, const struct sink_peers *p);
void prom_rows_session(struct prom_rows *r, const struct session_event *e, const struct sink_peers *p);
void prom_rows_finding(struct prom_rows *r, const struct finding *f);
/* true where @a is the first message of an episode: what is to be counted once. */
bool prom_rows_alert(struct prom_rows *r, const struct alert *a);

#endif
