/* SPDX-License-Identifier: Apache-2.0 */
/* Which protocol do the first bytes of a one-way byte stream belong to? */
#ifndef MCPVIGIL_PROTO_SNIFF_H
#define MCPVIGIL_PROTO_SNIFF_H

#include "base/sv.h"

enum sniff {
	SNIFF_MORE,	 /* fits more than one answer so far */
	SNIFF_TEXT,	 /* none of the below: banners, binary data */
	SNIFF_JSON,	 /* '{' or '[' after an optional BOM and white space */
	SNIFF_HTTP_REQ,	 /* an HTTP/1.x request line */
	SNIFF_HTTP_RESP, /* an HTTP/1.x status line */
	SNIFF_HTTP2,	 /* the client's preface, or the server's SETTINGS frame */
	SNIFF_TLS,	 /* a TLS record */
	SNIFF_LSP,	 /* "Content-Length: N" framing: LSP and DAP */
};

/* Never SNIFF_MORE for an input of this length. */
#define SNIFF_MAX 4096

/* @in is everything from the first byte on. The answer depends on @in alone, and stays the same
 * when more bytes follow once it is not SNIFF_MORE. */
enum sniff sniff(struct sv in);

#endif
