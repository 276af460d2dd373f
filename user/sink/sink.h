/* SPDX-License-Identifier: Apache-2.0 */
/* Where finished facts go. Fan-out over outputs; each output is one row of struct sink_ops.
 * Any operation of a row may be NULL. */
#ifndef MCPVIGIL_SINK_SINK_H
#define MCPVIGIL_SINK_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "model/alert.h"
#include "model/call.h"
#include "model/session.h"
#include "model/who.h"

/* What the sinks need to know of both ends; NULL where that end is not on this host. */
struct sink_peers {
	const struct who *client, *server;
};

/* A loss since the last report of the same name. */
struct loss {
	const char *name; /* of include/counters.h */
	uint64_t count, ts;
	const char *where; /* NULL: not known */
};

struct sink_ops {
	void (*call)(void *self, const struct call *c, const struct sink_peers *p);
	void (*note)(void *self, const struct note *n, const struct sink_peers *p);
	void (*session)(void *self, const struct session_event *e, const struct sink_peers *p);
	void (*finding)(void *self, const struct finding *f, const struct sink_peers *p);
	void (*logical)(void *self, const struct logical *l, const struct sink_peers *p);
	void (*alert)(void *self, const struct alert *a, const struct sink_peers *p);
	void (*loss)(void *self, const struct loss *l);
	void (*flush)(void *self); /* at least each 100 ms */
	/* 0, or -errno once nothing can be written any more; -EPIPE: the reader went away. */
	int (*broken)(const void *self);
	void (*free)(void *self);
};

struct filter;

#define SINKS_MAX 24

struct sink {
	struct {
		const struct sink_ops *ops;
		void *self;
	} row[SINKS_MAX];
	unsigned int n;
	const struct filter *filter; /* what passes at all; NULL: everything */
	bool content;		     /* false: payloads and parts of URIs are removed before any output */
};

/* 0 or -ENOSPC. The sink owns @self from here on. */
int sink_add(struct sink *s, const struct sink_ops *ops, void *self);
void sink_call(struct sink *s, const struct call *c, const struct sink_peers *p);
void sink_note(struct sink *s, const struct note *n, const struct sink_peers *p);
void sink_session(struct sink *s, const struct session_event *e, const struct sink_peers *p);
void sink_finding(struct sink *s, const struct finding *f, const struct sink_peers *p);
void sink_logical(struct sink *s, const struct logical *l, const struct sink_peers *p);
/* Alerts always pass the filter: it must not make a loop look like none. */
void sink_alert(struct sink *s, const struct alert *a, const struct sink_peers *p);
void sink_loss(struct sink *s, const struct loss *l);
void sink_flush(struct sink *s);
/* 0, or the first output's -errno: a loop that polls this ends quietly on -EPIPE. */
int sink_broken(const struct sink *s);
void sink_done(struct sink *s);

#endif
