/* SPDX-License-Identifier: Apache-2.0 */
/* Streams out of ring records: whose bytes, in which order, with which holes. Entry point of user/flow.
 *
 * One byte sequence per direction, addressed by offset; both ends feed it. Where both ends are seen the reader's bytes
 * and order win, the writer's fill what was not read. Decoding is the pump's; times and processes of a message are
 * looked up by its position. */
#ifndef MCPVIGIL_FLOW_FLOW_H
#define MCPVIGIL_FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "capture.h"
#include "event.h"
#include "flow/pump.h"

/* (pid, start) of a process; pid 0: not seen. The same shape as model's proc_id, which flow does not know. */
struct flow_proc {
	uint64_t start;
	uint32_t pid;
	uint32_t zero;
};

/* One end of a TCP connection as the record had it. */
struct flow_addr {
	uint16_t family, port;
	uint32_t netns;
	uint8_t ip[16];
};

/* First and last byte of a message at each end, boot ns; 0: not seen. */
struct flow_times {
	uint64_t first_w, last_w, first_r, last_r;
};

struct flow_msg {
	const struct pump_msg *pump;
	uint64_t stream, reverse; /* ids of the one-way streams; reverse 0: a pipe */
	uint8_t chan;		  /* enum ev_chan */
	uint8_t tls;		  /* CHAN_TLS: enum tls_stack of the asking end where that was seen, else of the other */
	bool writer_unread, reader_unread; /* known by its sock, its plaintext is not seen */
	struct flow_proc writer, reader;
	struct flow_addr src, dst;
	struct flow_times t;
	uint64_t http_first_w, http_last_r; /* of the exchange so far */
	uint64_t http_client_gone; /* when the client was seen to have closed its side; 0: not */
	bool uncertain;		  /* taken from several writers at once, with no reader seen */
	bool late;
};

struct flow_http {
	const struct pump_http *http;
	uint64_t req_stream, resp_stream;
	uint8_t chan;
	uint8_t tls; /* see struct flow_msg; the asking end is the client */
	struct flow_proc client, server;
	struct flow_addr client_addr, server_addr;
	uint64_t first_w, last_r;
	uint64_t client_gone; /* see struct flow_msg */
};

struct flow_ops {
	void (*msg)(void *ctx, const struct flow_msg *m);
	void (*http_done)(void *ctx, const struct flow_http *x);
	void (*endpoint)(void *ctx, const struct flow_http *x, struct sv uri);
	void (*finding)(void *ctx, uint64_t stream, enum pump_finding f, uint64_t n, uint64_t bytes);
	/* JSON-RPC on a terminal: a fact about @who, not decoded further. */
	void (*terminal)(void *ctx, struct flow_proc who, uint64_t ts);
	void (*stdio_set)(void *ctx, uint64_t in, uint64_t out, struct flow_proc proc);
	void (*stream_end)(void *ctx, uint64_t stream, uint64_t ts, const char *reason);
	/* Tell the kernel side: @code is an enum verdict_code. */
	void (*verdict)(void *ctx, const struct ev_key *key, uint8_t code);
	void *ctx;
};

struct flow_opts {
	uint32_t conns_max;	/* kernel objects remembered, 16384 */
	uint64_t pending_max;	/* bytes waiting for their other end, all streams, 128 MiB */
	uint64_t stream_pending_max; /* ... of one stream, 16 MiB */
	size_t content_max;	/* see struct rpc_opts */
};
#define FLOW_OPTS_DEFAULT { 16384, 128ull << 20, 16ull << 20, 0 }

/* Why bytes of a watched stream are missing. */
enum flow_gap {
	FLOW_GAP_MISSING, /* no record told of them, or none held them */
	FLOW_GAP_CUT,	  /* beyond the limit of one call */
	FLOW_GAP_SPLICED,
	FLOW_GAP_URING,
	FLOW_GAP_FAULT,
	FLOW_GAPS
};

struct flow_stats {
	uint64_t gap_bytes[FLOW_GAPS];
	uint64_t evicted;	/* connections forgotten: table full */
	uint64_t pending_full;	/* bytes dropped: too much waited */
	uint64_t marks_full;	/* times made coarser */
	uint64_t codings_full;	/* compressed bodies not decoded: too many at once */
	uint64_t h2_streams_full; /* streams of HTTP/2 not followed: too many at once */
	uint64_t parts_dropped; /* TLS records whose connection was not known in time */
	uint64_t conns, rpc_conns, pending;
};

struct flow;
struct flow *flow_new(const struct flow_opts *opts, const struct flow_ops *ops);
void flow_free(struct flow *f);
/* One record; its size was checked against its kind. */
void flow_feed(struct flow *f, const struct ev_hdr *h);
/* Time passes: what waited long enough for its other end goes on. */
void flow_tick(struct flow *f, uint64_t now);
/* The end of the run: nothing more will come, everything pending is decoded. */
void flow_flush(struct flow *f, uint64_t now);
/* What mcp/ found: the stream's JSON-RPC is MCP, or another protocol. */
void flow_verdict(struct flow *f, uint64_t stream, bool is_mcp);
void flow_stats(const struct flow *f, struct flow_stats *ret);

#endif
