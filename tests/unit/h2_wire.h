/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of HTTP/2 made by hand, as segments for a pump. Header fields are literals without Huffman codes, so that every
 * length is plain; real peers' blocks are in pump_h2_peers_test.c. */
#ifndef MCPVIGIL_TESTS_H2_WIRE_H
#define MCPVIGIL_TESTS_H2_WIRE_H

#include "base/buf.h"
#include "proto/http2.h"
#include "pump_segs.h"

#define H2_SEGS 96

struct h2_wire {
	struct seg segs[H2_SEGS + 1];
	size_t n;
};

static inline void h2_seg(struct h2_wire *w, uint8_t dir, const char *p, size_t n)
{
	char *copy = malloc(n ? n : 1);

	if (w->n >= H2_SEGS || !copy)
		abort();
	memcpy(copy, p, n);
	w->segs[w->n++] = (struct seg){ dir, copy, n, SEG_BYTES };
}

static inline void h2_hole(struct h2_wire *w, uint8_t dir, size_t n)
{
	w->segs[w->n++] = (struct seg){ dir, NULL, n, SEG_GAP };
}

static inline void h2_eof(struct h2_wire *w, uint8_t dir)
{
	w->segs[w->n++] = (struct seg){ dir, NULL, 0, SEG_EOF };
}

static inline void h2_done(struct h2_wire *w)
{
	for (size_t i = 0; i < w->n; i++)
		free((char *)w->segs[i].p);
	memset(w, 0, sizeof(*w));
}

static inline void h2_add_frame(struct buf *b, struct http2_frame f, struct sv payload)
{
	const char head[HTTP2_FRAME_HEAD] = {
		(char)(payload.n >> 16), (char)(payload.n >> 8), (char)payload.n, (char)f.type, (char)f.flags,
		(char)(f.stream >> 24),	 (char)(f.stream >> 16), (char)(f.stream >> 8), (char)f.stream,
	};

	buf_add(b, head, sizeof(head));
	buf_add_sv(b, payload);
}

/* A frame in a segment of its own. */
static inline void h2_frame(struct h2_wire *w, uint8_t dir, struct http2_frame f, struct sv payload)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	h2_add_frame(&b, f, payload);
	h2_seg(w, dir, b.p, b.n);
	buf_done(&b);
}

/* "name: value" lines to a block: ":status: 200" and the like; "*" in front makes an entry of the dynamic table of it,
 * the line "#62" stands for one. */
static inline void h2_block(struct buf *b, const char *lines)
{
	while (*lines) {
		const char *end = strchr(lines, '\n'), *at;
		bool keep = *lines == '*';

		if (*lines == '#') {
			buf_add_ch(b, (char)(0x80 | atol(lines + 1)));
			lines = end + 1;
			continue;
		}
		lines += keep;
		at = strstr(lines + 1, ": ");
		buf_add_ch(b, keep ? 0x40 : 0);
		buf_add_ch(b, (char)(at - lines));
		buf_add(b, lines, (size_t)(at - lines));
		buf_add_ch(b, (char)(end - at - 2));
		buf_add(b, at + 2, (size_t)(end - at - 2));
		lines = end + 1;
	}
}

static inline void h2_head(struct h2_wire *w, uint8_t dir, uint32_t stream, uint8_t flags, const char *lines)
{
	struct buf b;

	buf_init(&b, 65536);
	h2_block(&b, lines);
	h2_frame(w, dir, (struct http2_frame){ .type = HTTP2_HEADERS, .flags = flags, .stream = stream }, buf_sv(&b));
	buf_done(&b);
}

static inline void h2_data(struct h2_wire *w, uint8_t dir, uint32_t stream, uint8_t flags, const char *text)
{
	h2_frame(w, dir, (struct http2_frame){ .type = HTTP2_DATA, .flags = flags, .stream = stream }, sv_of(text));
}

static inline void h2_reset(struct h2_wire *w, uint8_t dir, uint32_t stream)
{
	h2_frame(w, dir, (struct http2_frame){ .type = HTTP2_RST_STREAM, .stream = stream }, (struct sv){ "\0\0\0\10", 4 });
}

/* What both ends begin with: 24 + 9 bytes, 9 + 6 bytes. */
static inline void h2_hello(struct h2_wire *w)
{
	h2_seg(w, 0, HTTP2_PREFACE, sizeof(HTTP2_PREFACE) - 1);
	h2_frame(w, 0, (struct http2_frame){ .type = HTTP2_SETTINGS }, (struct sv){ NULL, 0 });
	h2_frame(w, 1, (struct http2_frame){ .type = HTTP2_SETTINGS }, (struct sv){ "\0\3\0\0\0\144", 6 });
}

#endif
