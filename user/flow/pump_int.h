/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a pump, shared by pump*.c only; pump_http.h has the functions of its HTTP part. */
#ifndef MCPVIGIL_FLOW_PUMP_INT_H
#define MCPVIGIL_FLOW_PUMP_INT_H

#include "base/buf.h"
#include "flow/pump.h"
#include "proto/chunked.h"
#include "proto/coding.h"
#include "proto/http1.h"
#include "proto/lines.h"
#include "proto/sniff.h"
#include "proto/sse.h"

#define PUMP_QUIET_EXCHANGES 64 /* HTTP without JSON-RPC before PUMP_NOTHING */
#define PUMP_QUIET_BYTES     (1ULL << 20)

/* Where bytes lie on the wire: byte i at beg + i; coded: somewhere in it. */
struct pump_span {
	uint64_t beg, end;
	bool coded;
};

struct pump_text {
	struct rpc *rpc; /* while it is open */
	bool open;	 /* begun, neither ended nor broken */
	uint8_t shape;		 /* how it begins: see pump_text.c */
	uint64_t off;		 /* bytes fed */
	uint64_t part, part_end; /* offset of the part at hand; wire end of the one before */
	struct pump_span span;	 /* of the part at hand */
	uint64_t beg;		 /* wire position of the text's first byte */
	uint64_t msg_beg;	 /* and of the open message, where that began in an earlier part */
};

struct pump_lines {
	struct lines split;
	uint8_t state;
	uint8_t bom;  /* bytes of a byte order mark matched; 3: none expected any more */
	uint8_t what; /* enum pump_finding that this line will be */
	bool doubt;   /* begun behind bytes not seen: believe only what says "jsonrpc":"2.0" */
	uint64_t bytes; /* of the line so far */
};

struct pump_body {
	uint8_t kind;	       /* see pump_body.c */
	uint8_t state;	       /* of its JSON text, or of the event's data */
	bool bad, too_long;    /* begins like JSON and is not; above the cap */
	bool words;	       /* an "endpoint" event may come */
	bool series;	       /* of texts, which are coded as one: it is decoded to its end, whatever it holds */
	bool blind;	       /* what stood before was not seen: an event may begin with a frame */
	uint64_t bytes;	       /* of the body, or of the event's data */
	uint32_t rpc;	       /* messages before this event */
	struct coding *coding; /* NULL: identity */
	struct sse *sse;
	struct buf word;       /* data of an event that is no JSON */
	struct pump_span span; /* of the bytes at hand */
};

/* What is decoded piece by piece: a direction's lines, or the body of one HTTP message. A direction has one at a time,
 * with HTTP/2 one for each stream. */
struct pump_part {
	struct pump_dir *d;
	struct pump_xchg *x; /* whose message it is; NULL: lines, or an exchange that found no room */
	uint64_t lost;	     /* bytes of holes that no message has told of yet */
	struct pump_text text;
	struct pump_body body;
};

struct pump_xchg {
	struct pump_http pub;
	struct pump_xchg *next;
	char *strings[2];	  /* of the request, of the response */
	bool req_over, resp_over; /* done, or nothing more will come */
	bool alone;		  /* no request will be paired with it */
};

struct pump_hdir {
	uint8_t state; /* see pump_http.c */
	bool response;
	bool resynced; /* answers may have been missed: the next one is for the newest request */
	bool waited;   /* bytes came behind CONNECT before its answer */
	bool fresh;    /* the bytes at hand begin a feed, and are no head */
	uint64_t left; /* of a Content-Length body */
	struct http1_scan scan;
	struct chunked chunked;
};

enum { PUMP_SNIFF, PUMP_LINES, PUMP_HTTP, PUMP_H2, PUMP_WS, PUMP_OFF };

struct pump_dir {
	struct pump *p;
	uint8_t dir, mode;
	uint8_t behind;			  /* mode to go back to if it is no HTTP; at first PUMP_SNIFF */
	uint8_t verdict;		  /* enum pump_verdict */
	bool started, eof, late, at_feed; /* at_feed: the bytes at hand begin a feed */
	uint64_t pos;			  /* of the byte at hand, or of the next one */
	uint64_t quiet;			  /* bytes since the last JSON-RPC message (lines) */
	struct buf head;		  /* bytes being sniffed, or an HTTP head */
	uint64_t head_pos;
	struct {
		uint64_t n, bytes;
	} held[PUMP_F_N]; /* findings until JSON-RPC is seen */
	struct pump_part part; /* of lines and HTTP/1 */
	struct pump_lines lines;
	struct pump_hdir h;
	struct pump_h2_dir *h2; /* PUMP_H2 */
	struct pump_ws *ws;	/* PUMP_WS */
};

struct pump {
	struct pump_opts opts;
	struct pump_ops ops;
	struct pump_dir d[2];
	bool http;
	bool ordinal; /* nothing was missed: the nth response answers the nth request */
	uint8_t req_dir;
	struct pump_xchg *first, *last; /* exchanges, in order */
	uint32_t n;
	uint64_t overflow;	 /* requests behind them that found no room */
	uint64_t quiet, quiet_x; /* HTTP bytes and exchanges since the last JSON-RPC message */
	struct pump_h2 *h2;	 /* HTTP/2 was recognised in a direction */
	struct rpc *spare;	 /* for the next text */
	struct pump_part *speaks; /* whose text is being fed */
};

/* pump.c */
void pump_find(struct pump_dir *d, enum pump_finding f, uint64_t n, uint64_t bytes);
void pump_set_verdict(struct pump_dir *d, enum pump_verdict v);
void pump_restart(struct pump *p);
void pump_http_quiet(struct pump *p);

/* pump_text.c: feed as rpc_feed does; broken says what an error makes of the text. */
void pump_text_begin(struct pump_part *part, uint64_t pos);
ssize_t pump_text_feed(struct pump_part *part, struct sv in, struct pump_span span);
void pump_text_drop(struct pump_part *part);
enum pump_finding pump_text_broken(const struct pump_part *part, ssize_t err);

/* pump_lines.c */
void pump_lines_begin(struct pump_dir *d, bool late);
void pump_lines_feed(struct pump_dir *d, struct sv in);
void pump_lines_gap(struct pump_dir *d, uint64_t len);
void pump_lines_eof(struct pump_dir *d);
/* Joined late, and what came so far may as well be bodies of HTTP. */
bool pump_lines_unsure(const struct pump_dir *d);

#endif
