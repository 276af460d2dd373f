/* SPDX-License-Identifier: Apache-2.0 */
/* Per-connection decoder chain: sniff -> lines | HTTP/1 | HTTP/2 -> coding -> SSE -> JSON-RPC.
 *
 * One pump serves one kernel object: a pipe (direction 0 alone) or a socket pair (both
 * directions). It is fed the bytes of each direction in order, with their positions, and told
 * about holes. It keeps no payload beyond the decoders' own bounded state. */
#ifndef MCPVIGIL_FLOW_PUMP_H
#define MCPVIGIL_FLOW_PUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"
#include "proto/jsonrpc.h"

enum pump_verdict {
	PUMP_UNDECIDED,
	PUMP_RPC,     /* JSON-RPC was decoded: keep the bytes coming */
	PUMP_NOTHING, /* other traffic, for good as far as this direction's bytes tell */
	PUMP_TLS,
};

/* Facts about the text around messages; kept as counts. NOISE and BAD_JSON are told once a
 * direction has JSON-RPC; bytes are 0 where they are not known (coding, HTTP). */
enum pump_finding {
	PUMP_F_NOISE,	 /* a line that is no JSON on a stream that has JSON-RPC */
	PUMP_F_BAD_JSON, /* a line or body that begins like JSON and is not */
	PUMP_F_TOO_LONG, /* a message above the cap */
	PUMP_F_LSP,	 /* Content-Length framing on a byte stream: LSP or DAP */
	PUMP_F_BOMB,	 /* content coding past its output or ratio limit */
	PUMP_F_CODING,	 /* unknown or broken content coding */
	PUMP_F_HTTP,	 /* malformed HTTP; the connection is given up until the next head */
	PUMP_F_UPGRADE,	 /* 101: the rest of the connection is another protocol (WebSocket) */
	PUMP_F_H2,	 /* malformed HTTP/2; once a direction, which goes on at a feed that begins with a frame */
	PUMP_F_H2_FLOOD, /* masses of resets, empty frames or header fields; once a connection */
	PUMP_F_N
};

/* What the pump's owner keeps of a request that has begun, as what it knows of those bytes may be gone before the answer
 * is there: time and process, by enum ev_end. */
struct pump_asked {
	struct {
		uint64_t first, start;
		uint32_t pid;
	} end[2];
};

/* One HTTP exchange. Strings live as long as the exchange. */
struct pump_http {
	uint64_t id;	  /* unique in this process's run */
	uint8_t req_dir;  /* direction of the request */
	bool has_request; /* false: joined in the middle, only the response was seen */
	bool req_done, resp_done;
	bool aborted;	 /* the connection ended inside the exchange, or an end reset the stream */
	bool sse;	 /* the response is text/event-stream */
	uint16_t status; /* final status; 0: not yet */
	uint16_t http_version; /* 11, 20 */
	struct sv method, target, host;
	struct sv session_id; /* Mcp-Session-Id: the response's, else the request's */
	struct sv version;    /* MCP-Protocol-Version of the request */
	struct sv mcp_method; /* Mcp-Method of the request */
	struct sv last_event_id, user_agent;
	uint64_t req_beg, req_end; /* positions of the request in its direction; end 0: not yet */
	/* Joined inside an event stream: the first byte seen, and status 0. */
	uint64_t resp_beg, resp_end;
	uint64_t reset_end; /* HTTP/2: the client took the request back with the bytes up to here; 0: it did not */
	struct pump_asked asked; /* set by the one who feeds, in http_begin */
	uint32_t rpc;  /* JSON-RPC messages decoded in it so far */
	uint64_t lost; /* bytes of holes inside it, both directions */
};

struct pump_msg {
	const struct rpc_msg *rpc;
	uint8_t dir;
	/* Positions on the wire, in @dir: first byte (RPC_OTHER: of the text that it is in), byte
	 * after the last. In coded bodies those of the piece around them. */
	uint64_t beg, end;
	uint64_t lost; /* bytes of holes inside or just before it */
	const struct pump_http *http; /* NULL: newline-delimited */
	bool sse;		      /* it came as the data of an SSE event: */
	struct sv sse_event, sse_id;
};

struct pump_ops {
	/* RPC_OTHER only where the direction's verdict is PUMP_RPC. */
	void (*msg)(void *ctx, const struct pump_msg *m);
	/* The head of @x's request was read; or NULL. */
	void (*http_begin)(void *ctx, struct pump_http *x);
	/* An exchange's response is complete or will never be. @x is freed after the call. */
	void (*http_done)(void *ctx, const struct pump_http *x);
	/* Old HTTP+SSE (2024-11-05): "event: endpoint" with the URI that POSTs go to. */
	void (*endpoint)(void *ctx, const struct pump_http *x, struct sv uri);
	/* @dir's verdict changed. */
	void (*verdict)(void *ctx, uint8_t dir, enum pump_verdict v);
	/* @n lines or messages, @bytes of them. */
	void (*finding)(void *ctx, uint8_t dir, enum pump_finding f, uint64_t n, uint64_t bytes);
	void *ctx;
};

/* 0 is the default that is named, where one is. */
/* What the pumps of one run share. A decoder of content codings takes up to 9 MiB a layer: so many at once, no more. */
struct pump_share {
	uint32_t codings, codings_max; /* open now; 0: no cap */
	uint64_t codings_full;	       /* bodies not decoded because of it */
	uint32_t streams, streams_max; /* of HTTP/2, open now; 0: no cap. Some of each connection have a place for sure. */
	uint64_t streams_full;	       /* not followed, or given up, because of it or of pump_opts.streams_max */
};

struct pump_opts {
	size_t content_max;   /* see struct rpc_opts */
	uint64_t message_max; /* longest JSON text, 64 MiB */
	/* Longest decoded body of one exchange, 64 MiB. Ratio limit: 1000 beyond 1 MiB. */
	uint64_t inflate_max;
	uint32_t exchanges_max; /* pipelined exchanges per connection, 64 */
	uint32_t streams_max;	/* HTTP/2: open at once per connection, 1024; then the one longest idle is given up */
	uint64_t undecided_max; /* bytes without JSON-RPC or HTTP before PUMP_NOTHING, 64 KiB */
	bool late;		/* joined in the middle: begin at the next line or head */
	struct pump_share *share; /* outlives the pump; NULL: nothing is shared */
};

struct pump;
struct pump *pump_new(const struct pump_opts *opts, const struct pump_ops *ops);
/* Exchanges still open are handed to http_done, aborted. */
void pump_free(struct pump *p);
/* @in stands at position @pos of direction @dir and follows what was fed or skipped before. */
void pump_feed(struct pump *p, uint8_t dir, uint64_t pos, struct sv in);
/* @len bytes from @pos on were not seen. Decoding goes on at the next line, or at a feed that
 * begins with an HTTP head, a frame of HTTP/2 or (in an event stream) with a chunk of events; where
 * the hole lies wholly inside a body, chunk or frame of known length, the framing survives it. */
void pump_gap(struct pump *p, uint8_t dir, uint64_t pos, uint64_t len);
/* No more bytes in @dir. Ends a body that is framed by the connection's end. */
void pump_eof(struct pump *p, uint8_t dir);
/* The first position of @dir that an unfinished message or head still needs (times before it may
 * be dropped). */
uint64_t pump_needs(const struct pump *p, uint8_t dir);

#endif
