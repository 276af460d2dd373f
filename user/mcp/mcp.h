/* SPDX-License-Identifier: Apache-2.0 */
/* The meaning of messages: sessions, calls, notifications. Entry point of user/mcp.
 *
 * Knows nothing of where the bytes came from: live capture, recordings and transcripts enter here alike.
 * Time is what the messages say (boot ns), never the clock. */
#ifndef MCPVIGIL_MCP_MCP_H
#define MCPVIGIL_MCP_MCP_H

#include "model/call.h"
#include "model/session.h"
#include "proto/jsonrpc.h"

/* One HTTP exchange, as far as it is known when a message in it is decoded. Views live for the call. */
struct mcp_http {
	uint64_t id;		 /* unique in this run; the same for the request and its response */
	bool in_response;	 /* this message is in the response's body */
	bool sse;		 /* ... as an SSE event */
	bool done;		 /* mcp_http_done: the response is complete */
	bool aborted;		 /* mcp_http_done: the connection ended before the response did */
	uint16_t status;	 /* 0: no response head yet */
	struct sv method;	 /* GET, POST, DELETE */
	struct sv target;	 /* request target, query included */
	struct sv host;
	struct sv session_id;	 /* Mcp-Session-Id of the response, else of the request; empty: none */
	struct sv version;	 /* MCP-Protocol-Version */
	struct sv last_event_id; /* request */
	struct sv user_agent;
	struct sv sse_event, sse_id; /* of the event that held this message */
	uint64_t first_w, last_r; /* times of the whole exchange so far, 0: unknown */
	uint64_t client_gone;	 /* the client had closed its side of the connection by then; 0: not */
	uint8_t http_version;	 /* 11 or 20 */
	/* For mcp_http_done and mcp_sse_endpoint, which come without a message: who talks, and see struct mcp_msg; zero:
	 * not known. */
	uint8_t tls;
	struct proc_id client, server;
	struct net_addr client_addr, server_addr;
};

/* Times of a message: first byte, last byte; at the writing end, at the reading end. 0: not seen. */
struct mcp_times {
	uint64_t first_w, last_w, first_r, last_r;
};

struct mcp_msg {
	const struct rpc_msg *rpc;
	uint64_t stream;	/* one-way byte stream it came on */
	uint64_t reverse;	/* the stream of the same kernel object in the other direction; 0: a pipe */
	uint8_t channel;	/* enum call_channel */
	uint8_t tls;		/* see struct route */
	bool writer_unread, reader_unread; /* see struct route */
	struct proc_id writer, reader;
	struct net_addr src, dst; /* TCP: of the writing and of the reading end */
	struct mcp_times t;
	uint64_t lost_bytes;	/* bytes missing within or just before this message */
	bool order_uncertain;
	bool late;		/* the stream was open before the agent */
	const struct mcp_http *http; /* NULL: newline-delimited (stdio) */
	const char *transcript;	/* session name given by a transcript, else NULL */
	uint8_t from;		/* enum call_side; only where @transcript */
	uint64_t agent;		/* the transcript's agent, 0: not told */
};

struct mcp_ops {
	/* A request is under way: what is known of it, borrowed. Its call follows, or that it was withdrawn: it is one that
	 * was asked before, sent again, and part of that one's call. A hop that was known as one is not asked. */
	void (*asked)(void *ctx, const struct call *c);
	void (*withdrawn)(void *ctx, const struct call *c);
	void (*call)(void *ctx, struct call *c);	/* ownership passes to the callee */
	void (*logical)(void *ctx, const struct logical *l); /* borrowed */
	void (*note)(void *ctx, struct note *n);	/* borrowed */
	void (*session)(void *ctx, const struct session_event *e); /* borrowed */
	void (*finding)(void *ctx, const struct finding *f);	   /* borrowed */
	/* The stream's JSON-RPC is MCP (true), or another protocol (false). Once per change. */
	void (*verdict)(void *verdict_ctx, uint64_t stream, bool is_mcp);
	/* Optional: a program that passes on what it reads, with no process between its two sides (docker, kubectl and
	 * the shim of the container): for calls seen at both. */
	bool (*passes)(void *ctx, const struct proc_id *proc);
	void *ctx, *verdict_ctx;
};

/* Caps of every table here. */
struct mcp_caps {
	uint32_t sessions;  /* 4096 */
	uint32_t in_flight; /* 65536 requests without an answer, all sessions */
	uint32_t streams;   /* 16384 */
	uint32_t exchanges; /* 16384 HTTP exchanges */
	uint32_t tools;	    /* 16384 tools whose annotations or attempts are remembered, all sessions */
	uint32_t tasks;	    /* 8192 logical calls that are open: tasks, requests that wait for input */
};
#define MCP_CAPS_DEFAULT { 4096, 65536, 16384, 16384, 16384, 8192 }

struct mcp;
struct mcp *mcp_new(const struct mcp_caps *caps, const struct mcp_ops *ops);
void mcp_free(struct mcp *m);

/* Messages of one stream come in order; streams may overtake each other by up to 1 s. */
void mcp_feed(struct mcp *m, const struct mcp_msg *msg);
/* fd 0 and fd 1 of a process at its exec: @in is what it reads as standard input, @out what it writes. */
void mcp_stdio_set(struct mcp *m, uint64_t in, uint64_t out, struct proc_id proc);
/* A response body ended, its connection broke, or its head came with an error status. */
void mcp_http_done(struct mcp *m, const struct mcp_http *x, uint64_t ts);
/* Old HTTP+SSE (2024-11-05): the GET exchange @x announced the URI that its POSTs go to; it carries the session. */
void mcp_sse_endpoint(struct mcp *m, const struct mcp_http *x, struct sv uri, uint64_t ts);
/* The stream reached end of file, or its connection was closed. @reason: "eof", "exit", "close". */
void mcp_stream_end(struct mcp *m, uint64_t stream, uint64_t ts, const char *reason);
/* Bytes on a stdio stream that were no JSON-RPC message: a finding for its session. */
void mcp_noise(struct mcp *m, uint64_t stream, uint64_t lines, uint64_t bytes, uint64_t ts);
/* A process is gone: its sessions end by "exit" after the grace time, but for those that several processes serve.
 * Findings: "server_died_in_flight". */
void mcp_process_exit(struct mcp *m, struct proc_id proc, uint64_t ts);
/* Requests that wait for an answer, oldest first: @fn runs on each until it returns false. The call has what is known
 * of it, session, names and both ends included; it is borrowed. */
void mcp_in_flight(struct mcp *m, bool (*fn)(void *ctx, const struct call *c), void *ctx);
/* Time passes: give up on what waited too long. Call at least each 100 ms of capture time. */
void mcp_tick(struct mcp *m, uint64_t now);
/* The end of the run: everything pending becomes a record. */
void mcp_flush(struct mcp *m, uint64_t now);

struct mcp_stats {
	uint64_t sessions_evicted, in_flight_evicted, streams_evicted, exchanges_evicted;
	uint64_t other_jsonrpc;	 /* messages of ACP, A2A, LSP, DAP and unknown JSON-RPC */
	uint64_t invalid;	 /* JSON that is no JSON-RPC message */
	uint64_t sessions, in_flight; /* now */
	uint64_t redelivered;	 /* messages seen again on a resumed stream, not a second call */
	uint64_t late_answers;	 /* answers to requests that were given up before: cancelled or evicted */
	uint64_t held_dropped;	 /* messages of undecided or unpaired streams dropped, too many waited */
	uint64_t no_memory;	 /* messages dropped, an allocation failed */
	uint64_t tools_evicted, tasks_evicted;
	uint64_t relays_full;	 /* calls told without their inner hop, too many waited for theirs */
};
void mcp_stats(const struct mcp *m, struct mcp_stats *ret);

#endif
