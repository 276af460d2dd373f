/* SPDX-License-Identifier: Apache-2.0 */
/* text/event-stream (WHATWG HTML 9.2.6), incremental. Data passes through in pieces; only the
 * event's name and id are kept. */
#ifndef MCPVIGIL_PROTO_SSE_H
#define MCPVIGIL_PROTO_SSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/sv.h"

#define SSE_EVENT_MAX 64
#define SSE_ID_MAX    256

enum sse_kind {
	SSE_NONE, /* bytes that say nothing by themselves */
	SSE_DATA, /* @data: more bytes of the event's data */
	SSE_JOIN, /* another "data" line begins: the data goes on with a line feed */
	SSE_END,  /* a blank line: the event is complete. @dispatch: it had a "data" field */
};

struct sse_part {
	enum sse_kind kind;
	bool dispatch;
	struct sv data;
};

struct sse {
	uint8_t state, field;
	uint8_t bom; /* bytes of a byte order mark matched at the very start */
	uint8_t name_n;
	char name[8];  /* of the field being read, cut */
	bool cr;       /* the last byte was CR: a LF now belongs to it */
	bool ended;    /* the last part was SSE_END: the next byte begins an event */
	bool has_data; /* this event has a "data" field */
	bool id_nul;   /* this "id" has a NUL and does not count */
	uint16_t event_n, id_n, last_n;
	char event[SSE_EVENT_MAX]; /* cut at SSE_EVENT_MAX */
	char id[SSE_ID_MAX];	   /* being read; cut at SSE_ID_MAX */
	char last_id[SSE_ID_MAX];  /* the last complete one, lasts until the next */
};

void sse_init(struct sse *s);
/* Take bytes from the front of @in.
 * > 0   that many are consumed, *ret is filled; its view points into @in
 * 0     @in is empty
 * Never negative: any bytes are an event stream. */
ssize_t sse_next(struct sse *s, struct sv in, struct sse_part *ret);
/* Bytes were missed: forget the event, pass over everything up to the next blank line. */
void sse_resync(struct sse *s);
/* Name and id of the event being read, as far as they were seen. Empty: none. */
struct sv sse_event(const struct sse *s);
struct sv sse_id(const struct sse *s);

#endif
