/* SPDX-License-Identifier: Apache-2.0 */
/* TLS libraries of running processes, found and probed by a process of its own, so that neither the loop that empties the
 * rings waits for it nor the process that holds payloads and talks to the network keeps the rights that it takes.
 *
 * It is forked once the programs are loaded, and lives as long as the agent: as its end of the socket says that the agent is gone,
 * however that came, it takes its probes off and ends. Where it is killed or stuck, it is started again (hooks_keep.c). */
#ifndef MCPVIGIL_PROBE_HOOKS_H
#define MCPVIGIL_PROBE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/probe.h"

struct buf;
struct ev_odd;
struct hooks;

enum hooks_reason {
	HOOKS_EXEC = 1,	 /* a new program: looked at now, 50 ms, 500 ms and 3 s later, as libraries are loaded late */
	HOOKS_HELLO = 2, /* it speaks TLS: looked at now */
	HOOKS_EXIT = 3,	 /* it is gone */
	HOOKS_ODD = 4,	 /* for hooks_odd() alone */
};

struct hooks_opts {
	const char *cache_dir; /* see struct resolver_opts; NULL: none */
	bool fuse_network;     /* also look at files on FUSE and network file systems, whose servers may make us wait */
	int (*confine)(void);  /* run in the new process before it looks at anything: gives up what it does not need; NULL */
};

/* Fork it. Before threads are started and rights are given up. NULL with errno. */
struct hooks *hooks_start(struct probe *p, const struct hooks_opts *o);
/* Ends it and waits until every probe is down. Takes NULL. */
void hooks_stop(struct hooks *h);
/* Wait until every process that runs now was looked at and its probes are on. 0 or -errno. */
int hooks_wait(struct hooks *h, uint32_t ms);
/* Never blocks. What finds no room is counted in C_HOOKS_BUSY, and the sweep each 30 s makes up for it. */
void hooks_look(struct hooks *h, uint32_t pid, uint64_t start, enum hooks_reason why);
/* Functions of a process are not what they were taken for: the probes are taken off its files that have that stack, for as long
 * as those stay what they are, and EV_HOOKED says so of whoever maps them. Never blocks. */
void hooks_odd(struct hooks *h, const struct ev_odd *o);
/* Readable when it has something to tell. */
int hooks_fd(const struct hooks *h);
/* Hand on what it told, as EV_HOOKED records. 0, or -errno: -EPIPE it died, and with it every probe. */
int hooks_consume(struct hooks *h, probe_fn fn, void *ctx);
uint64_t hooks_busy(const struct hooks *h);
/* How often it had to be started again. */
uint32_t hooks_restarts(const struct hooks *h);

/* What it last said of itself, once a second; for doctor and metrics. "Since the start" is its own. */
#define HOOKS_FILES_SHOWN 24
struct hooks_file {
	char path[96];	   /* as mapped; the end of it where it is longer */
	char evidence[96]; /* or why it is not probed */
	uint32_t points, procs;
};
struct hooks_stats {
	uint32_t nfiles; /* probed, or with TLS code that is not; the first ones below */
	uint32_t procs, probed_procs, known_files;
	uint32_t pid; /* its own; 0: not known */
	uint32_t restarts;
	uint64_t attached, detached, refused_files, rewritten; /* since the start */
	uint64_t resolved, cached, resolver_died, resolver_late; /* see struct resolver_stats */
	uint64_t look_ns_max;
	uint64_t busy; /* processes, looks and files that found no room; a part of hooks_busy */
	struct hooks_file file[HOOKS_FILES_SHOWN];
};
void hooks_stats(const struct hooks *h, struct hooks_stats *ret);

#endif
