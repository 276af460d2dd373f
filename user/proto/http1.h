/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x request and response heads (RFC 9112), and how the body behind one is framed. Of HTTP/2 it is the head as
 * well. */
#ifndef MCPVIGIL_PROTO_HTTP1_H
#define MCPVIGIL_PROTO_HTTP1_H

#include <stdint.h>
#include <sys/types.h>

#include "base/sv.h"

#define HTTP1_HEAD_MAX 65536 /* longest head the caller should collect */

/* Finds the end of a head in any chunking. Zero, then set @response. */
struct http1_scan {
	uint8_t state;
	uint8_t n; /* bytes of the start line checked */
	bool response;
};

/* Look for the end of the head in the next bytes of it.
 * > 0        the head ends after that many bytes of @in
 * 0          all of @in belongs to it, and more is needed
 * -EBADMSG   the start line cannot be HTTP/1.x */
ssize_t http1_scan(struct http1_scan *s, struct sv in);

struct http1_head {
	bool response;
	uint8_t minor;	 /* HTTP/1.@minor */
	uint16_t status; /* 100..999 */
	struct sv method, target;
	/* Values of header fields, trimmed; the first one where a field is repeated. Empty: not
	 * there. */
	struct sv host, content_type, content_encoding, session_id, version;
	struct sv mcp_method, last_event_id, user_agent, upgrade;
	uint64_t length; /* Content-Length */
	bool has_length;
	bool has_te, chunked; /* Transfer-Encoding; its last coding is chunked */
	bool te_coded;	      /* ... with another coding below it */
	bool encodings;	      /* more than one Content-Encoding field */
	bool partial;	      /* HTTP/2: it has fields that are not known, of any name */
};

/* Parse a whole head, blank line included. Folded lines are joined in place (RFC 9112 5.2),
 * which is why the bytes are not const; all views of @ret point into them. 0, or -EBADMSG:
 * malformed, Content-Length repeated or not a number, Transfer-Encoding past chunked. */
int http1_parse(char *p, size_t n, bool response, struct http1_head *ret);

/* Where the value of the header field @name belongs, whatever the case of its letters; NULL: it is not kept. */
struct sv *http1_field(struct http1_head *h, struct sv name);

enum http1_framing {
	HTTP1_NO_BODY,
	HTTP1_LENGTH,
	HTTP1_CHUNKED,
	HTTP1_TO_EOF,  /* the body lasts as long as the connection */
	HTTP1_INTERIM, /* 1xx: another response head follows */
	HTTP1_TUNNEL,  /* 101, or CONNECT's 2xx: what follows is not HTTP of this connection */
};

/* RFC 9112 6.3. @req_method: of the request that @h answers, empty where that was not seen. */
enum http1_framing http1_framing(const struct http1_head *h, struct sv req_method);

#endif
