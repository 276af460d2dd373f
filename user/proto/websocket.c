/* SPDX-License-Identifier: Apache-2.0 */
/* WebSocket frames. Control frames may stand between the fragments of a message. */
#include "proto/websocket.h"

#include <errno.h>

enum { OP_CONTINUE, OP_TEXT, OP_BINARY, OP_CLOSE = 8, OP_PING, OP_PONG };

#define CONTROL_MAX 125

static size_t head_want(const struct websocket *s)
{
	size_t n = 2;
	uint8_t len = s->head[1] & 0x7f;

	if (s->head_n < 2)
		return 2;
	n += len == 126 ? 2 : len == 127 ? 8 : 0;
	return n + (s->masks ? 4 : 0);
}

static uint64_t payload_length(const struct websocket *s)
{
	uint8_t len = s->head[1] & 0x7f;
	uint64_t v = 0;

	if (len < 126)
		return len;
	for (size_t i = 0; i < (len == 126 ? 2 : 8); i++)
		v = v << 8 | s->head[2 + i];
	return v;
}

/* RFC 6455 5.2, 5.4, 5.5. */
static bool fits(const struct websocket *s, uint8_t op)
{
	bool compressed = s->head[0] & 0x40;

	if (s->head[0] & 0x30 || !(s->head[1] & 0x80) == s->masks || s->left >> 63)
		return false;
	switch (op) {
	case OP_CONTINUE:
		return s->open && !compressed;
	case OP_TEXT:
	case OP_BINARY:
		return !s->open;
	case OP_CLOSE:
	case OP_PING:
	case OP_PONG:
		return s->fin && s->left <= CONTROL_MAX && !compressed;
	default:
		return false;
	}
}

static int head_done(struct websocket *s, struct websocket_part *ret)
{
	uint8_t op = s->head[0] & 0x0f;

	s->fin = s->head[0] & 0x80;
	s->left = payload_length(s);
	if (!fits(s, op))
		return -EBADMSG;
	s->control = op >= OP_CLOSE;
	s->phase = 0;
	if (s->masks)
		memcpy(s->mask, s->head + s->head_n - 4, 4);
	else
		memset(s->mask, 0, 4);
	if (op == OP_TEXT || op == OP_BINARY) {
		s->open = ret->begin = true;
		s->text = op == OP_TEXT;
		s->packed = s->head[0] & 0x40;
	}
	return 0;
}

/* The frame may be over. */
static void settle(struct websocket *s, struct websocket_part *ret)
{
	if (s->left)
		return;
	s->head_n = 0;
	if (s->control || !s->fin)
		return;
	s->open = false;
	ret->end = true;
}

static ssize_t in_head(struct websocket *s, struct sv in, struct websocket_part *ret)
{
	size_t n = 0;

	while (n < in.n && s->head_n < head_want(s))
		s->head[s->head_n++] = (uint8_t)in.p[n++];
	if (s->head_n < head_want(s))
		return (ssize_t)n;
	if (head_done(s, ret) != 0)
		return -EBADMSG;
	settle(s, ret);
	return (ssize_t)n;
}

ssize_t websocket_next(struct websocket *s, struct sv in, struct websocket_part *ret)
{
	ssize_t n;

	*ret = (struct websocket_part){ .text = s->text, .packed = s->packed };
	if (s->left == 0) {
		n = in_head(s, in, ret);
		ret->text = s->text;
		ret->packed = s->packed;
		return n;
	}
	if (in.n > s->left)
		in.n = (size_t)s->left;
	if (in.n > WEBSOCKET_BLOCK)
		in.n = WEBSOCKET_BLOCK;
	for (size_t i = 0; i < in.n; i++)
		s->block[i] = (char)(in.p[i] ^ s->mask[(s->phase + i) & 3]);
	if (!s->control)
		ret->data = (struct sv){ s->block, in.n };
	s->phase = (uint8_t)((s->phase + in.n) & 3);
	s->left -= in.n;
	settle(s, ret);
	return (ssize_t)in.n;
}

bool websocket_skip(struct websocket *s, uint64_t len)
{
	struct websocket_part part = { .begin = false };

	if (len > s->left)
		return false;
	s->phase = (uint8_t)((s->phase + len) & 3);
	s->left -= len;
	settle(s, &part);
	return true;
}
