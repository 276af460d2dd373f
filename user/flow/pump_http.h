/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP part of a pump, shared by pump*.c only. */
#ifndef MCPVIGIL_FLOW_PUMP_HTTP_H
#define MCPVIGIL_FLOW_PUMP_HTTP_H

#include "flow/pump_int.h"

/* pump_http.c */
/* @lost: the first byte is not a head's. */
void pump_http_begin(struct pump_dir *d, bool response, bool lost);
size_t pump_http_feed(struct pump_dir *d, struct sv in); /* bytes taken; 0: the state changed */
/* true where the next head, or chunk of events, is looked for at the start of feeds. */
bool pump_http_lost(const struct pump_dir *d);
/* A head was found there. */
void pump_http_head(struct pump_dir *d);
/* An event stream, whose response head was missed, goes on with the chunk at hand. */
void pump_http_join(struct pump_dir *d);
void pump_http_gap(struct pump_dir *d, uint64_t len);
void pump_http_eof(struct pump_dir *d);

/* pump_body.c */
void pump_body_events(struct pump_dir *d);
bool pump_body_is_events(const struct pump_dir *d);
void pump_body_begin(struct pump_dir *d, const struct http1_head *h);
void pump_body_feed(struct pump_dir *d, struct sv in);
void pump_body_gap(struct pump_dir *d);
void pump_body_end(struct pump_dir *d, bool complete);
void pump_body_free(struct pump_dir *d);

/* pump_xchg.c */
struct pump_xchg *pump_xchg_request(struct pump *p, const struct http1_head *h);
struct pump_xchg *pump_xchg_peek(struct pump *p);
struct pump_xchg *pump_xchg_response(struct pump *p, const struct http1_head *h);
void pump_xchg_flush(struct pump *p);
void pump_xchg_abort(struct pump *p);
void pump_xchg_free(struct pump *p);

/* pump_chunk.c: does @in begin like a chunk of an event stream? */
bool pump_chunk_events(struct sv in);

#endif
