/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that user/mcp knows, in one struct; each part belongs to the file of its name. */
#ifndef MCPVIGIL_MCP_STATE_H
#define MCPVIGIL_MCP_STATE_H

#include "base/table.h"
#include "mcp/list.h"
#include "mcp/mcp.h"

/* How far two streams may overtake each other: after this long nothing older comes. */
#define MCP_GRACE_NS 1000000000ULL

/* Messages that wait for a decision: each stream or exchange this many, all together this many bytes. */
#define MCP_HELD_MAX 64
#define MCP_HELD_BYTES (16UL << 20)

struct sessions {
	struct table by_key;
	struct list ending; /* by time of their end */
	uint64_t made, named;
	uint64_t swept; /* for idle ones */
};

struct inflight {
	struct table by_session;  /* first of each ring of requests with the same key */
	struct table by_exchange; /* HTTP: exact, where an id is used twice in a session */
	struct table answered;	  /* to know a re-delivered or late answer */
	struct table early;	  /* answers whose request has not come; oldest first */
	struct list by_age, cancelled;
	struct list broken;	  /* by when their exchange broke */
	struct list twins;	  /* that hold one like them, by when it was answered */
	struct list greetings;	  /* initialize, by age */
	size_t early_bytes;
	uint64_t n;
};

struct wires {
	struct table by_id;
	struct table members;	    /* streams that are fd 0 or 1 of some process, with their partners */
	struct table between;	    /* (writer, reader) -> wires */
	struct table by_reader;	    /* process -> live wires that it reads */
	struct list fresh, stale;   /* wires that hold messages: less than the grace time, and longer */
	struct list dirty;	    /* unpaired wires with messages that rule 4 has not looked at */
	struct list young;	    /* pairs known from exec that no message confirmed yet, by age */
	struct list ended;	    /* unpaired wires whose stream ended, by time */
	size_t held_bytes;
	uint64_t pairs;
};

struct exchanges {
	struct table by_id;
	struct list holding; /* undecided, with messages held; by time */
	struct list done;    /* complete, kept for a request that may still come; by time */
	size_t held_bytes;
};

struct logicals {
	struct table open;    /* calls that wait for their next request, or are tasks */
	struct list settling; /* tasks that are over, until their result is fetched; by time */
	uint64_t made;
};

struct relays {
	struct table slots; /* requests in flight, by what an inner hop has in common with them */
	struct list awaited; /* inner hops that their outer ones wait for, oldest first */
	unsigned int n_awaited;
};

struct mcp {
	struct mcp_caps caps;
	struct mcp_ops ops;
	struct mcp_stats stats;
	uint64_t now;	   /* the latest time we were told */
	uint64_t calls;	   /* emitted: numbers them */
	uint64_t held_seq; /* messages held so far */
	struct sessions sessions;
	struct inflight inflight;
	struct wires wires;
	struct exchanges exchanges;
	struct logicals logicals;
	struct relays relays;
	struct table tools; /* tools.c */
	struct table ends;  /* ends.c */
};

#endif
