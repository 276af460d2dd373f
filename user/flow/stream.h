/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a kernel object: reassembly by offset from both ends. */
#ifndef MCPVIGIL_FLOW_STREAM_H
#define MCPVIGIL_FLOW_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"
#include "flow/marks.h"
#include "flow/segs.h"

/* How long one end waits for the other. */
#define STREAM_GRACE_NS (100 * 1000000ull)  /* the other end's record is on its way */
#define STREAM_GRACE_BYTES (4u << 20)	    /* ... but this much does not wait */
#define STREAM_SORT_NS (300 * 1000000ull) /* a call that began earlier may still return: longer than a CPU quota stops one */
#define STREAM_HOLE_NS (100 * 1000000ull)   /* a record in front of this one may still come */
#define STREAM_READER_NS (1000 * 1000000ull) /* written, but nobody has read it yet */
#define STREAM_OTHER_NS (300 * 1000000ull)   /* ... or its TLS connection is not known to have another end */

#define STREAM_BYTES_NS (60 * 1000 * 1000000ull) /* ... and its bytes were left to the reader */

struct flow_conn;

struct flow_stream {
	uint64_t id;
	struct flow_conn *conn;
	uint8_t dir;
	bool started;	     /* fed is valid */
	bool seen[2];	     /* records of this end came, by enum ev_end */
	bool blind[2];	     /* waited for this end in vain: not waited for again until it is seen */
	uint8_t only;	     /* 0: both ends' records; 1 + enum ev_end: that end's alone, as the other counts otherwise */
	bool eof, ended;
	bool reader_gone;    /* ... as its reader closed the connection */
	bool raced;	     /* the last bytes fed were the writer's, and from several threads or raced */
	bool waiting;	     /* on the flow's list */
	struct flow_stream *wait_next, *wait_prev;
	uint64_t fed;	     /* position of the next byte to decode */
	uint64_t cov[2];     /* end of the farthest record of each end */
	uint64_t eof_pos, eof_ts;
	uint32_t writer_tid; /* of the last writer's bytes that were fed */
	uint64_t writer_ts;  /* ... and when that write returned */
	struct segs segs[2];
	struct marks marks[2];
};

/* A record of @end came. */
void stream_data(struct flow *f, struct flow_stream *s, const struct ev_data *d);
/* Decode what can be decoded at @now. */
void stream_run(struct flow *f, struct flow_stream *s, uint64_t now);
/* Decode everything that is left, waiting for nobody. */
void stream_flush(struct flow *f, struct flow_stream *s, uint64_t now);
/* Forget pending bytes and times; the next record begins the stream anew. */
void stream_reset(struct flow *f, struct flow_stream *s);
void stream_done(struct flow *f, struct flow_stream *s);

#endif
