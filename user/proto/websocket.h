/* SPDX-License-Identifier: Apache-2.0 */
/* WebSocket frames (RFC 6455) of one direction, incremental, unmasked. */
#ifndef MCPVIGIL_PROTO_WEBSOCKET_H
#define MCPVIGIL_PROTO_WEBSOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/sv.h"

#define WEBSOCKET_HEAD_MAX 14
#define WEBSOCKET_BLOCK	   4096

/* Zero it, then set @masks: the client masks what it sends, the server does not. */
struct websocket {
	bool masks;
	bool open;     /* a message has begun */
	bool text, packed; /* of that message */
	bool control, fin; /* of the frame */
	uint8_t head[WEBSOCKET_HEAD_MAX], head_n;
	uint8_t mask[4], phase;
	uint64_t left;		     /* of the frame's payload */
	char block[WEBSOCKET_BLOCK]; /* unmasked */
};

/* What the bytes taken were. Of control frames nothing is told. */
struct websocket_part {
	bool begin;  /* a message begins */
	bool end;    /* it ends */
	bool text;   /* else binary */
	bool packed; /* permessage-deflate (RFC 7692) */
	struct sv data;
};

/* Take bytes from the front of @in, which is not empty. The view in *ret lives until the next call, and has as many bytes as
 * were taken, or none.
 * > 0        that many are taken
 * -EBADMSG   no frame that such an end may send */
ssize_t websocket_next(struct websocket *s, struct sv in, struct websocket_part *ret);
/* @len bytes were not seen. true: they are of the payload at hand, and frames go on behind it. */
bool websocket_skip(struct websocket *s, uint64_t len);

#endif
