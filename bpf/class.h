/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* First-byte class of a chunk: does this look like JSON or HTTP? Nothing is parsed here. */
#ifndef MCPVIGIL_BPF_CLASS_H
#define MCPVIGIL_BPF_CLASS_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

enum class { CLASS_OTHER, CLASS_JSON, CLASS_HTTP, CLASS_POST, CLASS_TLS };

#define CLASS_BYTES 16

/* "GET ", "POST", "PUT ", "DELE", "HEAD", "OPTI", "PATC", "HTTP", "PRI " as little-endian words. */
static __always_inline bool class_http(u32 w)
{
	return w == 0x20544547 || w == 0x54534f50 || w == 0x20545550 || w == 0x454c4544 ||
	       w == 0x44414548 || w == 0x4954504f || w == 0x43544150 || w == 0x50545448 ||
	       w == 0x20495250;
}

static __always_inline bool class_ours(int c)
{
	return c == CLASS_JSON || c == CLASS_HTTP || c == CLASS_POST;
}

static __always_inline bool class_space(u8 c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0xef || c == 0xbb || c == 0xbf;
}

static __always_inline bool class_tls(const u8 b[CLASS_BYTES])
{
	return b[1] == 3 && (b[0] == 0x16 || b[0] == 0x17) && b[2] <= 4;
}

/* Class of the first bytes; @b is zero beyond the chunk's end. Leading white space and a BOM are passed over:
 * at most CLASS_BYTES of them. "Content-Length:" (LSP) counts as JSON, so that user space can name it. */
static __always_inline enum class class_of(const u8 b[CLASS_BYTES])
{
	if (class_http(*(u32 *)b))
		return *(u32 *)b == 0x54534f50 ? CLASS_POST : CLASS_HTTP;
	if (class_tls(b))
		return CLASS_TLS;
	if (*(u32 *)b == 0x746e6f43 && *(u32 *)(b + 8) == 0x676e654c) /* "Cont" "Leng" */
		return CLASS_JSON;
	for (int i = 0; i < CLASS_BYTES; i++) {
		if (b[i] == '{' || b[i] == '[')
			return CLASS_JSON;
		if (!class_space(b[i]))
			break;
	}
	return CLASS_OTHER;
}

#endif
