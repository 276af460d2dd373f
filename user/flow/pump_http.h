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
/* The request in front asked for another protocol, and nothing came behind it. */
bool pump_http_waits(const struct pump_dir *d);
/* Nothing of the next head came, or nothing but its first bytes. */
bool pump_http_between(const struct pump_dir *d);
/* A head was found there. */
void pump_http_head(struct pump_dir *d);
/* An event stream, whose response head was missed, goes on with the chunk at hand. */
void pump_http_join(struct pump_dir *d);
void pump_http_gap(struct pump_dir *d, uint64_t len);
void pump_http_eof(struct pump_dir *d);

/* pump_body.c */
void pump_body_events(struct pump_part *p);
bool pump_body_is_events(const struct pump_part *p);
void pump_body_begin(struct pump_part *p, const struct http1_head *h);
bool pump_body_feed(struct pump_part *p, struct sv in); /* false: its coding broke */
void pump_body_gap(struct pump_part *p);
void pump_body_end(struct pump_part *p, bool complete);
void pump_body_free(struct pump_part *p);
/* Nothing is known of the body; @start: but that it begins. JSON shows by its first byte, events by the start of a
 * frame. */
void pump_body_guess(struct pump_part *p, bool start);
/* It is a series of texts, in raw deflate as one. false: no room for one more decoder, which is told. */
bool pump_body_unpack(struct pump_part *p);
/* One of a series begins, @json or not; ends. */
void pump_body_text(struct pump_part *p, bool json);
void pump_body_text_end(struct pump_part *p);
/* A frame of the body begins with @in. */
void pump_body_frame(struct pump_part *p, struct sv in);

/* pump_xchg.c */
struct pump_xchg *pump_xchg_new(const struct pump *p, uint16_t version); /* on no list */
void pump_xchg_unlink(struct pump *p, struct pump_xchg *x);
void pump_xchg_over(struct pump *p, struct pump_xchg *x); /* tells of it and frees it */
/* The head of its request, which begins at @beg; of its response. */
void pump_xchg_ask(struct pump *p, struct pump_xchg *x, const struct http1_head *h, uint64_t beg);
void pump_xchg_answer(struct pump_xchg *x, const struct http1_head *h);
struct pump_xchg *pump_xchg_request(struct pump *p, const struct http1_head *h, uint64_t beg);
struct pump_xchg *pump_xchg_peek(struct pump *p);
struct pump_xchg *pump_xchg_response(struct pump *p, const struct http1_head *h);
void pump_xchg_flush(struct pump *p);
void pump_xchg_abort(struct pump *p);
void pump_xchg_free(struct pump *p);

/* pump_chunk.c: does @in begin like a chunk of an event stream? Like an event? */
bool pump_chunk_events(struct sv in);
bool pump_events(struct sv in);

#endif
