/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP/2 part of a pump, shared by pump*.c only. */
#ifndef MCPVIGIL_FLOW_PUMP_H2_H
#define MCPVIGIL_FLOW_PUMP_H2_H

#include "base/table.h"
#include "flow/pump_http.h"
#include "proto/http2.h"

#define PUMP_H2_QUIET_EXCHANGES 1024 /* without JSON-RPC before PUMP_NOTHING */
#define PUMP_H2_QUIET_BYTES	(16ULL << 20)
#define PUMP_H2_STREAMS		8     /* of each connection, however many others are open */
#define PUMP_H2_BLOCK_MAX	65536 /* bytes of a header block, frame heads included */
#define PUMP_H2_IDLE_MAX	1000  /* frames in a row, in one feed, that carry nothing */
#define PUMP_H2_RESET_WINDOW	256   /* requests; a flood where the client takes back three in four of them */
#define PUMP_H2_GONE		16    /* streams remembered that were reset */
#define PUMP_H2_JOINS		64    /* times that the header tables of a direction are begun anew, at 22 KiB and 40 us each */

/* Where a direction stands. */
enum {
	FRAME_PREFACE, /* in the client's first 24 bytes */
	FRAME_HEAD,
	FRAME_FIX, /* in the part of the payload that says how to read the rest */
	FRAME_BODY,
	FRAME_PAD,
	FRAME_LOST,
};

enum { STREAM_NEW, STREAM_BODY, STREAM_DONE };

struct pump_stream {
	struct table_node node;
	uint32_t id;
	struct pump_xchg *x;
	uint8_t at[2];		/* by direction: no head yet, in the body, ended */
	bool tunnel, websocket; /* the request is CONNECT, and for that */
	struct pump_part part[2]; /* by direction */
};

/* Of a connection. */
struct pump_h2 {
	struct table streams;
	bool sides;	/* pump.req_dir is known */
	bool flooded;	/* told */
	uint32_t high;	/* newest stream that the client was seen to open */
	uint32_t low;	/* streams from here on were seen to begin, if they did; UINT32_MAX: the next one and those after it */
	uint32_t asked, resets; /* in the window */
	uint32_t payload_max[2]; /* told by a direction, for the other one */
	uint32_t gone[PUMP_H2_GONE], n_gone;
};

struct pump_h2_block {
	uint32_t stream; /* 0: none is open */
	uint32_t n;
	uint64_t beg;
	bool end_stream, push;
};

struct pump_h2_dir {
	uint8_t state;
	uint8_t head_n, fix_n, fix_want; /* bytes there of @head, or of the preface; of @fix; how many belong to it */
	bool fresh;  /* no byte of the frame's body was seen yet */
	bool heads;  /* header blocks came */
	bool holed;  /* bytes were missed */
	bool told;   /* that it is malformed */
	char head[HTTP2_FRAME_HEAD];
	char fix[8]; /* how the rest of the payload is to be read */
	struct http2_frame f;
	uint64_t frame_pos;
	uint32_t left, body; /* bytes of the payload to come; of those: in front of the padding */
	uint32_t idle; /* frames of this feed that carried nothing */
	struct pump_h2_block block;
	struct http2_fields *fields; /* NULL: not known; the next block tries anew */
	bool whole;	     /* they are known from the connection's first block on: no head was missed */
	uint8_t joins;	     /* see PUMP_H2_JOINS */
};

/* pump_h2_begin.c */
void pump_h2_free(struct pump *p);
/* @in: how it begins, which is @s. */
void pump_h2_begin(struct pump_dir *d, struct sv in, enum sniff s);
/* After "101 Switching Protocols" in @d: @x becomes stream 1. */
void pump_h2_upgrade(struct pump_dir *d, struct pump_xchg *x);
/* In an HTTP/1 request direction: the preface, of which the first @n bytes are taken. The 101 is yet to be seen. */
void pump_h2_preface(struct pump_dir *d, size_t n);

/* pump_h2.c: the frames of a direction */
size_t pump_h2_feed(struct pump_dir *d, struct sv in, bool at_feed); /* bytes taken */
void pump_h2_gap(struct pump_dir *d, uint64_t len);
void pump_h2_eof(struct pump_dir *d);
uint64_t pump_h2_needs(const struct pump_dir *d);
/* Frames may have been missed, in @len bytes. */
void pump_h2_lost(struct pump_dir *d, uint64_t len);
/* Does a frame begin with @in? */
bool pump_h2_at_frame(const struct pump_dir *d, struct sv in);
void pump_h2_flood(struct pump_dir *d); /* tells, once a connection */
void pump_h2_malformed(struct pump_dir *d); /* tells, once a direction */

/* pump_h2_block.c: its header blocks */
void pump_h2_block_begin(struct pump_dir *d);
void pump_h2_block_feed(struct pump_dir *d, struct sv in);
void pump_h2_block_end(struct pump_dir *d, uint64_t end);
void pump_h2_block_first(struct pump_dir *d); /* the next block is the connection's first one */
void pump_h2_block_lost(struct pump_dir *d); /* and the tables with it */

/* pump_h2_stream.c: the streams of the connection. @end: the position behind what told. */
/* A header block of @b ended; @h: what it says, NULL where it could not be read. Where @h is partial, what it lacks may have
 * been there. */
void pump_stream_head(struct pump_dir *d, const struct pump_h2_block *b, const struct http1_head *h, uint64_t end);
void pump_stream_data(struct pump_dir *d, uint32_t id, struct sv in);
void pump_stream_gap(struct pump_dir *d, uint32_t id, uint64_t len);
void pump_stream_end(struct pump_dir *d, uint32_t id, uint64_t end);
void pump_stream_reset(struct pump_dir *d, uint32_t id, uint64_t end);
/* The server says that it did nothing of the streams above @last. */
void pump_stream_refused(struct pump_dir *d, uint32_t last);
/* @len bytes were missed, and frames may be among them. */
void pump_stream_lost(struct pump_dir *d, uint64_t len);
void pump_stream_eof(struct pump_dir *d);
/* Stream 1 is the exchange of an upgrade, whose request is complete. */
void pump_stream_adopt(struct pump *p, struct pump_xchg *x);
void pump_stream_free(struct pump *p);

#endif
