/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus: metrics of calls, sessions, loops and of ourselves, on a listening socket. */
#ifndef MCPVIGIL_SINK_PROM_H
#define MCPVIGIL_SINK_PROM_H

#include "sink/self.h"
#include "sink/sink.h"

struct prom_opts {
	char listen[64];	 /* "127.0.0.1:9464"; "": off */
	uint32_t series;	 /* 4096 label sets over all families; beyond them "_other_" */
	uint32_t label_values;	 /* 512 values of one label */
	uint32_t client_values;	 /* 64 of those may be brought in by one client process */
	uint64_t expire_ns;	 /* 10 min without a change: the series is forgotten */
};
void prom_opts_default(struct prom_opts *o);

struct prom;
extern const struct sink_ops prom_ops;

/* Listens; its own thread answers /metrics, /healthz and /readyz. NULL with errno after a line on standard error. The
 * sink frees it. */
struct prom *prom_new(const struct prom_opts *o);
/* State of the agent, each second: self metrics, in flight, and whether /readyz is 200. Copied. s->rule lists all rules
 * of loop detection from the first time on: alerts of those are counted as loops. */
void prom_self(struct prom *p, const struct self_stats *s);
/* That it listens on: listen "127.0.0.1:0" takes any. */
uint16_t prom_port(const struct prom *p);

#endif
