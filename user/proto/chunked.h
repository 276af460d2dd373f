/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 chunked transfer coding (RFC 9112 7.1), incremental; extensions and trailers are
 * skipped. */
#ifndef MCPVIGIL_PROTO_CHUNKED_H
#define MCPVIGIL_PROTO_CHUNKED_H

#include <stdint.h>
#include <sys/types.h>

#include "base/sv.h"

#define CHUNKED_LINE_MAX    16384 /* longest size line with its extensions */
#define CHUNKED_TRAILER_MAX 65536 /* all trailers together */

struct chunked {
	uint64_t left; /* payload bytes left of the current chunk */
	uint32_t seen; /* bytes of this size line, or of the trailers */
	uint8_t state;
};

void chunked_init(struct chunked *c);
/* Take bytes from the front of @in.
 * > 0        that many are consumed; *ret_data is the payload among them, empty where they are
 *            framing
 * 0          @in is empty, or the body has ended (chunked_done)
 * -EBADMSG   not chunked coding */
ssize_t chunked_next(struct chunked *c, struct sv in, struct sv *ret_data);
/* The last chunk and the trailers are through. */
bool chunked_done(const struct chunked *c);
/* @n bytes of the stream were not seen. true where they all are payload of the current chunk, so
 * that the framing stands; else nothing is changed. */
bool chunked_skip(struct chunked *c, uint64_t n);

#endif
