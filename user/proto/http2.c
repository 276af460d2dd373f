/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 frames and header blocks. Huffman codes and tables are libnghttp2's; nothing else of it is used, since it wants
 * to be an endpoint, and an endpoint ends the connection where a listener has to go on. */
#include "proto/http2.h"

#include <errno.h>
#include <stdlib.h>

#include <nghttp2/nghttp2.h>

#define VALUE_MAX  4096
#define VALUES_MAX 11 /* that a head keeps: two of the request line, nine of fields; "upgrade" is one of them */
#define FIELDS_MAX 512 /* looked at in one block */
/* SETTINGS_HEADER_TABLE_SIZE is told by the other direction, and the two may be read in either order. So the limit is not
 * followed but set: a table grows only as its own direction says, within what the other one has allowed. */
#define TABLE_MAX 65536
#define TABLE_USUAL 4096 /* where neither peer says anything */
#define ENTRY_MIN   32	 /* what an empty entry counts (RFC 7541 4.1) */

struct http2_fields {
	nghttp2_hd_inflater *inflater;
	bool broken;
	uint32_t n; /* fields of the block */
	struct http1_head head;
	char *text; /* of the values */
	size_t text_n;
};

uint32_t http2_u32(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct http2_frame http2_frame(const char *p)
{
	uint32_t stream = http2_u32(p + 5);

	return (struct http2_frame){
		.length = http2_u32(p) >> 8,
		.type = (uint8_t)p[3],
		.flags = (uint8_t)p[4],
		.stream = stream & 0x7fffffff,
		.reserved = stream >> 31,
	};
}

/* What a type requires. Length: bytes, where there is but one; else 0 and a minimum. */
static const struct {
	uint8_t length, min;
	uint8_t flags;
	bool on_stream, off_stream;
} types[HTTP2_TYPES] = {
	[HTTP2_DATA] = { 0, 0, HTTP2_END_STREAM | HTTP2_PADDED, true, false },
	[HTTP2_HEADERS] = { 0, 0, HTTP2_END_STREAM | HTTP2_END_HEADERS | HTTP2_PADDED | HTTP2_PRIORITIES, true, false },
	[HTTP2_PRIORITY] = { 5, 5, 0, true, false },
	[HTTP2_RST_STREAM] = { 4, 4, 0, true, false },
	[HTTP2_SETTINGS] = { 0, 0, HTTP2_ACK, false, true },
	[HTTP2_PUSH_PROMISE] = { 0, 4, HTTP2_END_HEADERS | HTTP2_PADDED, true, false },
	[HTTP2_PING] = { 8, 8, HTTP2_ACK, false, true },
	[HTTP2_GOAWAY] = { 0, 8, 0, false, true },
	[HTTP2_WINDOW_UPDATE] = { 4, 4, 0, true, true },
	[HTTP2_CONTINUATION] = { 0, 0, HTTP2_END_HEADERS, true, false },
};

bool http2_frame_fits(const struct http2_frame *f)
{
	if (f->type >= HTTP2_TYPES)
		return true;
	if (f->stream ? !types[f->type].on_stream : !types[f->type].off_stream)
		return false;
	if (f->type == HTTP2_SETTINGS)
		return f->length % 6 == 0 && !(f->flags & HTTP2_ACK && f->length);
	if (types[f->type].length)
		return f->length == types[f->type].length;
	return f->length >= types[f->type].min;
}

uint32_t http2_prefix(const struct http2_frame *f)
{
	bool padded = f->flags & HTTP2_PADDED;

	switch (f->type) {
	case HTTP2_DATA:
		return padded;
	case HTTP2_HEADERS:
		return padded + (f->flags & HTTP2_PRIORITIES ? 5 : 0);
	case HTTP2_PUSH_PROMISE:
		return padded + 4;
	default:
		return 0;
	}
}

static bool is_usual(const struct http2_frame *f, uint32_t payload_max)
{
	return f->type < HTTP2_TYPES && !f->reserved && (f->stream & 1 || !f->stream) && f->length <= payload_max &&
	       !(f->flags & ~types[f->type].flags) && http2_frame_fits(f) && f->length >= http2_prefix(f);
}

bool http2_begins(struct sv in, uint32_t payload_max)
{
	if (in.n < HTTP2_FRAME_HEAD)
		return false;
	while (in.n >= HTTP2_FRAME_HEAD) {
		struct http2_frame f = http2_frame(in.p);
		size_t n = HTTP2_FRAME_HEAD + f.length;

		if (!is_usual(&f, payload_max))
			return false;
		if (n > in.n)
			return true;
		in.p += n;
		in.n -= n;
	}
	return true;
}

bool http2_asks(struct sv in)
{
	for (int i = 0; i < 2 && in.n > HTTP2_FRAME_HEAD; i++) {
		struct http2_frame f = http2_frame(in.p);
		size_t n = HTTP2_FRAME_HEAD + f.length;
		struct sv text = { in.p + HTTP2_FRAME_HEAD, in.n - HTTP2_FRAME_HEAD };

		if (!is_usual(&f, HTTP2_PAYLOAD_MAX))
			return false;
		if (f.type == HTTP2_DATA)
			return sv_starts(text, SV("{\"jsonr")) || sv_starts(text, SV("{\"metho"));
		if (f.type != HTTP2_HEADERS || n > in.n)
			return false;
		in.p += n;
		in.n -= n;
	}
	return false;
}

/* RFC 7541 5.1: an integer whose first octet has @bits for it. Moves @in on; UINT32_MAX: cut off, or too long. */
static uint32_t take_int(struct sv *in, unsigned int bits)
{
	uint32_t max = (1u << bits) - 1, v;
	uint8_t b;

	if (in->n == 0)
		return UINT32_MAX;
	v = (uint8_t)in->p[0] & max;
	in->p++;
	in->n--;
	for (unsigned int shift = 0; v >= max; shift += 7) {
		if (in->n == 0 || shift > 14)
			return UINT32_MAX;
		b = (uint8_t)in->p[0];
		v += (uint32_t)(b & 0x7f) << shift;
		in->p++;
		in->n--;
		if (!(b & 0x80))
			break;
	}
	return v;
}

static bool skip_string(struct sv *in)
{
	uint32_t n = take_int(in, 7);

	if (n > in->n)
		return false;
	in->p += n;
	in->n -= n;
	return true;
}

/* RFC 7541 Appendix A: 1 to 7 are pseudo-header fields of requests, 8 to 14 are ":status". */
static enum http2_side side_of(uint32_t index)
{
	if (index == 0 || index > 14)
		return HTTP2_UNKNOWN;
	return index < 8 ? HTTP2_REQUEST : HTTP2_RESPONSE;
}

enum http2_side http2_block_side(struct sv in)
{
	enum http2_side side = HTTP2_UNKNOWN;

	while (in.n && side == HTTP2_UNKNOWN) {
		uint8_t b = (uint8_t)in.p[0];
		bool indexed = b & 0x80, size = (b & 0xe0) == 0x20;
		uint32_t index = take_int(&in, indexed ? 7 : b & 0x40 ? 6 : size ? 5 : 4);

		if (index == UINT32_MAX)
			break;
		if (size)
			continue;
		side = side_of(index);
		if (!indexed && ((index == 0 && !skip_string(&in)) || !skip_string(&in)))
			break;
	}
	return side;
}

struct http2_fields *http2_fields_new(void)
{
	struct http2_fields *f = calloc(1, sizeof(*f));

	if (f && nghttp2_hd_inflate_new(&f->inflater) == 0 &&
	    nghttp2_hd_inflate_change_table_size(f->inflater, TABLE_MAX) == 0)
		return f;
	http2_fields_free(f);
	return NULL;
}

/* Fills a new table with entries whose names and values are empty: so many that the index of every entry that the peers may
 * still have leads to one of them, and so small that what comes in is never pushed out earlier than the peers do it. Whatever
 * is made of one has no name either, and is known by that. Indices count from the newest entry, so those of later entries
 * are right; an index beyond the table, which must be larger then, is an error and no other field. */
static bool fill(struct http2_fields *f)
{
	struct http1_head none;
	int r = http2_fields_feed(f, SV("\x40\0\0"), false, &none);

	for (int i = 1; r == 0 && i < TABLE_USUAL / ENTRY_MIN; i++)
		r = http2_fields_feed(f, SV("\x7e\0"), false, &none);
	if (r == 0)
		r = http2_fields_feed(f, (struct sv){ NULL, 0 }, true, &none);
	http2_fields_drop(f);
	return r == 1;
}

struct http2_fields *http2_fields_late(void)
{
	struct http2_fields *f = http2_fields_new();

	if (f && fill(f))
		return f;
	http2_fields_free(f);
	return NULL;
}

void http2_fields_free(struct http2_fields *f)
{
	if (!f)
		return;
	nghttp2_hd_inflate_del(f->inflater);
	free(f->text);
	free(f);
}

void http2_fields_drop(struct http2_fields *f)
{
	free(f->text);
	f->text = NULL;
	f->text_n = 0;
	f->n = 0;
	f->head = (struct http1_head){ .minor = 0 };
}

static uint16_t status_of(struct sv v)
{
	uint16_t n = 0;

	if (v.n != 3 || v.p[0] == '0')
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return 0;
		n = (uint16_t)(n * 10 + (v.p[i] - '0'));
	}
	return n;
}

static struct sv *place(struct http1_head *h, struct sv name)
{
	if (name.n == 0 || name.p[0] != ':')
		return http1_field(h, name);
	if (sv_eq(name, SV(":method")))
		return &h->method;
	if (sv_eq(name, SV(":path")))
		return &h->target;
	if (sv_eq(name, SV(":protocol"))) /* of an extended CONNECT (RFC 8441) */
		return &h->upgrade;
	return sv_eq(name, SV(":authority")) ? &h->host : NULL;
}

static void keep(struct http2_fields *f, const nghttp2_nv *nv)
{
	struct sv name = { (const char *)nv->name, nv->namelen };
	struct sv v = { (const char *)nv->value, nv->valuelen };
	struct sv *to;

	f->head.partial |= name.n == 0;
	if (f->n++ >= FIELDS_MAX)
		return;
	if (sv_eq(name, SV(":status"))) {
		f->head.response = true;
		f->head.status = status_of(v);
		return;
	}
	to = place(&f->head, name);
	if (to && to->p && to == &f->head.content_encoding)
		f->head.encodings = true;
	if (!to || to->p)
		return;
	if (!f->text)
		f->text = malloc(VALUES_MAX * VALUE_MAX);
	if (!f->text)
		return;
	v = sv_trim(v);
	if (v.n > VALUE_MAX)
		v.n = VALUE_MAX;
	if (v.n)
		memcpy(f->text + f->text_n, v.p, v.n);
	*to = (struct sv){ f->text + f->text_n, v.n };
	f->text_n += v.n;
}

/* One step of the inflater. As http2_fields_feed, but 2: go on with what is left of @in. */
static int inflate(struct http2_fields *f, struct sv *in, bool last)
{
	nghttp2_nv nv;
	int flags = 0;
	ssize_t n = nghttp2_hd_inflate_hd2(f->inflater, &nv, &flags, (const uint8_t *)in->p, in->n, last);

	if (n < 0)
		return -EBADMSG;
	in->p += n;
	in->n -= (size_t)n;
	if (flags & NGHTTP2_HD_INFLATE_EMIT)
		keep(f, &nv);
	if (flags & NGHTTP2_HD_INFLATE_FINAL)
		return 1;
	return flags & NGHTTP2_HD_INFLATE_EMIT ? 2 : 0;
}

int http2_fields_feed(struct http2_fields *f, struct sv in, bool last, struct http1_head *ret)
{
	int r = f->broken ? -EBADMSG : 2;

	if (in.n == 0)
		in = SV("");
	while (r == 2)
		r = inflate(f, &in, last);
	if (r < 0 || (last && r == 0)) {
		f->broken = true;
		http2_fields_drop(f);
		return -EBADMSG;
	}
	if (r == 1) {
		nghttp2_hd_inflate_end_headers(f->inflater);
		*ret = f->head;
	}
	return r;
}
