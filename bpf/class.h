/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* First-byte class of a chunk: does this look like JSON or HTTP? Nothing is parsed here. */
#ifndef MCPVIGIL_BPF_CLASS_H
#define MCPVIGIL_BPF_CLASS_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

enum class {
	CLASS_OTHER,
	CLASS_TEXT, /* printable, or white space: perhaps a banner in front of JSON */
	CLASS_JSON,
	CLASS_HTTP,
	CLASS_POST, /* or another beginning of what opens a connection again that was given up as HTTP */
	CLASS_H2, /* a frame of HTTP/2, whose server does not begin with text */
	CLASS_TLS,
	CLASS_UNREAD, /* could not be looked at: copied, so that user space decides */
};

#define CLASS_BYTES 16

/* Do the first bytes of @w, as far as @mask reaches, begin @word? A peer may write byte by byte. */
#define CLASS_BEGINS(word) ((w & mask) == ((word) & mask))

/* "GET ", "PUT ", "DELE", "HEAD", "OPTI", "PATC", "HTTP", "PRI " as little-endian words. */
static __always_inline bool class_http(u32 w, u32 mask)
{
	return CLASS_BEGINS(0x20544547) || CLASS_BEGINS(0x20545550) || CLASS_BEGINS(0x454c4544) ||
	       CLASS_BEGINS(0x44414548) || CLASS_BEGINS(0x4954504f) || CLASS_BEGINS(0x43544150) ||
	       CLASS_BEGINS(0x50545448) || CLASS_BEGINS(0x20495250);
}

static __always_inline bool class_ours(int c)
{
	return c == CLASS_JSON || c == CLASS_HTTP || c == CLASS_POST || c == CLASS_H2 || c == CLASS_UNREAD;
}

static __always_inline bool class_space(u8 c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0xef || c == 0xbb || c == 0xbf;
}

/* A record of handshake or data, as far as its head is there: a reader may take byte by byte. */
static __always_inline bool class_tls(const u8 *b, u64 n)
{
	return (b[0] == 0x16 || b[0] == 0x17) && (n < 2 || b[1] == 3) && b[2] <= 4 && b[3] <= 0x41; /* RFC 8446, 5.2: 16640 bytes */
}

/* Frames of a stream, as the flags allow (RFC 9113, 6): DATA has END_STREAM and PADDED, HEADERS END_HEADERS and PRIORITY as well. */
static __always_inline bool class_h2_stream(u8 type, u8 flags, u32 len)
{
	return len <= 16384 && (type == 0 ? !(flags & ~0x09) : type == 1 && len && !(flags & ~0x2d));
}

/* Frames of the connection: SETTINGS and its acknowledgement, PING. */
static __always_inline bool class_h2_conn(u8 type, u8 flags, u32 len)
{
	if (type == 4)
		return flags == 1 ? !len : !flags && len <= 0x60 && len % 6 == 0;
	return type == 6 && len == 8 && flags <= 1;
}

/* Does a frame of HTTP/2 begin here? @b has at least 9 bytes. User space makes sure: what is none is given up after a few
 * KiB. */
static __always_inline bool class_h2(const u8 *b)
{
	u32 len = b[0] << 16 | b[1] << 8 | b[2], stream = b[5] << 24 | b[6] << 16 | b[7] << 8 | b[8];

	if (b[3] == 8) /* WINDOW_UPDATE */
		return len == 4 && !b[4] && stream < 1u << 24;
	return stream ? stream < 1u << 24 && class_h2_stream(b[3], b[4], len) : class_h2_conn(b[3], b[4], len);
}

/* A frame of DATA that begins with {"jsonr or {"metho, as requests of JSON-RPC do. */
static __always_inline bool class_h2_asks(u64 lo, u64 hi)
{
	u64 text = hi >> 8;

	return !(lo >> 24 & 0xff) && (text == 0x726e6f736a227b || text == 0x6f6874656d227b);
}

/* JSON may stand behind white space and a BOM. */
static __always_inline enum class class_text(const u8 *b, u64 n)
{
	bool space = true;

	for (u32 i = 0; i < CLASS_BYTES && i < n; i++) {
		if (space && (b[i] == '{' || b[i] == '['))
			return CLASS_JSON;
		if (class_space(b[i]))
			continue;
		if (b[i] < 0x20 || b[i] == 0x7f)
			return CLASS_OTHER;
		space = false;
	}
	return CLASS_TEXT;
}

/* enum class of the first @n bytes of a call, given as two words that are zero beyond them. "Content-Length:" (LSP) counts
 * as JSON, so that user space can name it. */
static __always_inline int class_bytes(u64 lo, u64 hi, u64 n)
{
	u64 words[2] = { lo, hi };
	const u8 *b = (const u8 *)words;
	u32 w = lo, mask = n >= 4 ? ~0u : (1u << n * 8) - 1;

	if (CLASS_BEGINS(0x54534f50)) /* "POST" */
		return CLASS_POST;
	if (class_http(w, mask))
		return CLASS_HTTP;
	if (class_tls(b, n))
		return CLASS_TLS;
	if (w == 0x746e6f43 && (u32)hi == 0x676e654c) /* "Cont" "Leng" */
		return CLASS_JSON;
	if (n >= 9 && class_h2(b))
		return n == CLASS_BYTES && class_h2_asks(lo, hi) ? CLASS_POST : CLASS_H2;
	return class_text(b, n);
}

/* A global function: the verifier walks it once. */
__weak int class_of(u64 lo, u64 hi, u64 n)
{
	return class_bytes(lo, hi, n);
}

#endif
