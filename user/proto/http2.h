/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 frames (RFC 9113) and header blocks (RFC 7541), for somebody who only listens. */
#ifndef MCPVIGIL_PROTO_HTTP2_H
#define MCPVIGIL_PROTO_HTTP2_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"
#include "proto/http1.h"

/* What a client that knows the server to speak HTTP/2 begins with; 24 bytes. */
#define HTTP2_PREFACE	   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define HTTP2_FRAME_HEAD   9
#define HTTP2_PAYLOAD_MAX  16384 /* unless SETTINGS_MAX_FRAME_SIZE says otherwise */
#define HTTP2_MAX_FRAME_SIZE 5	 /* its identifier */

enum http2_type {
	HTTP2_DATA,
	HTTP2_HEADERS,
	HTTP2_PRIORITY,
	HTTP2_RST_STREAM,
	HTTP2_SETTINGS,
	HTTP2_PUSH_PROMISE,
	HTTP2_PING,
	HTTP2_GOAWAY,
	HTTP2_WINDOW_UPDATE,
	HTTP2_CONTINUATION,
	HTTP2_TYPES
};

enum {
	HTTP2_END_STREAM = 0x01,
	HTTP2_ACK = 0x01,
	HTTP2_END_HEADERS = 0x04,
	HTTP2_PADDED = 0x08,
	HTTP2_PRIORITIES = 0x20,
};

struct http2_frame {
	uint32_t length; /* of the payload */
	uint32_t stream; /* without the reserved bit */
	uint8_t type, flags;
	bool reserved; /* the bit */
};

uint32_t http2_u32(const char *p);
/* @p: HTTP2_FRAME_HEAD bytes. */
struct http2_frame http2_frame(const char *p);
/* Length and stream fit the type (RFC 9113 6). Types that are not known fit. */
bool http2_frame_fits(const struct http2_frame *f);
/* Bytes of the payload in front of the data, or of the header block: pad length, priority, promised stream. */
uint32_t http2_prefix(const struct http2_frame *f);
/* Do bytes whose origin is not known begin with a frame? Every head of a frame in @in must fit, be of a known type, and have
 * no flag, length above @payload_max, reserved bit or stream of a push. Binary data of other protocols rarely does; text
 * never. */
bool http2_begins(struct sv in, uint32_t payload_max);

/* Does a frame of DATA that begins as requests of JSON-RPC do stand at the start, or behind one of HEADERS? As bpf/class.h. */
bool http2_asks(struct sv in);

enum http2_side { HTTP2_UNKNOWN, HTTP2_REQUEST, HTTP2_RESPONSE };
/* Whose header block @in is the beginning of, told by the pseudo-header fields of the static table alone: it needs no
 * state of the connection. */
enum http2_side http2_block_side(struct sv in);

/* The header tables of one direction, and the block being read. */
struct http2_fields;

/* NULL: no memory. A few KiB, up to 64 KiB of table where the peers agree on that, and 44 KiB within a block. */
struct http2_fields *http2_fields_new(void);
/* The same, where earlier blocks were missed: of the entries that the table has got already nothing is known. A block that
 * uses one sets "partial"; fields that do not rest on one, or on entries that came since, are exact. NULL: no memory. */
struct http2_fields *http2_fields_late(void);
void http2_fields_free(struct http2_fields *f);
/* Decode the next bytes of a header block; @last: it ends with them.
 * 1          complete; *ret has what is kept of it (values are cut at 4096 bytes), its views live until http2_fields_drop
 * 0          it goes on
 * -EBADMSG   the tables are lost, for good; late ones also where the table is larger than the usual 4096 */
int http2_fields_feed(struct http2_fields *f, struct sv in, bool last, struct http1_head *ret);
/* The block is done with. */
void http2_fields_drop(struct http2_fields *f);

#endif
