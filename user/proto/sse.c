/* SPDX-License-Identifier: Apache-2.0 */
/* Event stream as a machine: one part of the input after the other, the state in between. */
#include "proto/sse.h"

enum {
	S_BOM,	 /* at the start of the stream */
	S_LINE,	 /* at the start of a line */
	S_NAME,	 /* in a field name */
	S_SPACE, /* after the colon: one space is not part of the value */
	S_VALUE,
	S_LOST,	     /* after a hole: within a line */
	S_LOST_LINE, /* after a hole: at the start of a line */
};

enum { F_OTHER, F_DATA, F_EVENT, F_ID };

void sse_init(struct sse *s)
{
	memset(s, 0, sizeof(*s));
}

struct sv sse_event(const struct sse *s)
{
	return (struct sv){ s->event, s->event_n };
}

struct sv sse_id(const struct sse *s)
{
	return (struct sv){ s->last_id, s->last_n };
}

void sse_resync(struct sse *s)
{
	s->state = S_LOST;
	s->cr = false;
	s->event_n = 0;
	s->has_data = false;
}

/* The field's name is complete. */
static void field_begin(struct sse *s, struct sse_part *ret)
{
	struct sv name = { s->name, s->name_n };

	s->field = F_OTHER;
	if (sv_eq(name, SV("data"))) {
		s->field = F_DATA;
		if (s->has_data)
			ret->kind = SSE_JOIN;
		s->has_data = true;
	} else if (sv_eq(name, SV("event"))) {
		s->field = F_EVENT;
		s->event_n = 0;
	} else if (sv_eq(name, SV("id"))) {
		s->field = F_ID;
		s->id_n = 0;
		s->id_nul = false;
	}
}

static void field_end(struct sse *s)
{
	if (s->field == F_ID && !s->id_nul) {
		memcpy(s->last_id, s->id, s->id_n);
		s->last_n = s->id_n;
	}
	s->field = F_OTHER;
}

static void event_end(struct sse *s, struct sse_part *ret)
{
	ret->kind = SSE_END;
	ret->dispatch = s->has_data;
	s->has_data = false;
	s->ended = true;
}

static size_t keep(char *to, size_t n, size_t max, struct sv in)
{
	if (in.n > max - n)
		in.n = max - n;
	memcpy(to + n, in.p, in.n);
	return n + in.n;
}

static void value(struct sse *s, struct sv in, struct sse_part *ret)
{
	if (s->field == F_DATA) {
		ret->kind = SSE_DATA;
		ret->data = in;
	} else if (s->field == F_EVENT) {
		s->event_n = (uint16_t)keep(s->event, s->event_n, sizeof(s->event), in);
	} else if (s->field == F_ID) {
		s->id_nul |= memchr(in.p, 0, in.n) != NULL;
		s->id_n = (uint16_t)keep(s->id, s->id_n, sizeof(s->id), in);
	}
}

/* Bytes of @in before its first CR or LF. */
static size_t line_part(struct sv in)
{
	const char *lf = memchr(in.p, '\n', in.n);
	const char *cr;

	if (lf)
		in.n = (size_t)(lf - in.p);
	cr = memchr(in.p, '\r', in.n);
	return cr ? (size_t)(cr - in.p) : in.n;
}

/* A line ends here, whatever kind it was. */
static void line_end(struct sse *s, struct sse_part *ret)
{
	switch (s->state) {
	case S_BOM:
		if (s->bom)
			break; /* half a mark: a field name that nobody knows */
			       /* fall through */
	case S_LOST_LINE:
	case S_LINE:
		event_end(s, ret);
		break;
	case S_NAME:
		field_begin(s, ret); /* a field without a colon has an empty value */
		field_end(s);
		break;
	case S_SPACE:
	case S_VALUE:
		field_end(s);
		break;
	}
	s->state = s->state == S_LOST ? S_LOST_LINE : S_LINE;
}

static size_t in_name(struct sse *s, struct sv in, struct sse_part *ret)
{
	if (in.p[0] == ':') {
		field_begin(s, ret); /* an empty name is a comment */
		s->state = S_SPACE;
	} else if (s->name_n < sizeof(s->name)) {
		s->name[s->name_n++] = in.p[0]; /* no field that counts is this long */
	}
	return 1;
}

static size_t in_value(struct sse *s, struct sv in, struct sse_part *ret)
{
	if (s->state == S_SPACE) {
		s->state = S_VALUE;
		if (in.p[0] == ' ')
			return 1;
	}
	in.n = line_part(in);
	value(s, in, ret);
	return in.n;
}

/* The first bytes of the stream: a byte order mark, or the start of a line. */
static size_t in_bom(struct sse *s, struct sv in)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (in.p[0] == bom[s->bom]) {
		if (++s->bom == 3)
			s->state = S_LINE;
		return 1;
	}
	/* What looked like a mark is the start of a name that nobody knows. */
	s->state = s->bom ? S_NAME : S_LINE;
	s->name_n = (uint8_t)keep(s->name, 0, sizeof(s->name), (struct sv){ bom, s->bom });
	return 0;
}

ssize_t sse_next(struct sse *s, struct sv in, struct sse_part *ret)
{
	size_t n = 0;

	*ret = (struct sse_part){ .kind = SSE_NONE };
	if (in.n == 0)
		return 0;
	if (s->ended)
		s->event_n = 0;
	s->ended = false;
	if (s->cr && in.p[0] == '\n') {
		s->cr = false;
		return 1;
	}
	s->cr = in.p[0] == '\r';
	if (s->cr || in.p[0] == '\n') {
		line_end(s, ret);
		return 1;
	}
	if (s->state == S_BOM)
		n = in_bom(s, in);
	if (n == 0 && s->state == S_LINE) {
		s->state = S_NAME;
		s->name_n = 0;
	}
	if (n)
		return (ssize_t)n;
	if (s->state == S_NAME)
		return (ssize_t)in_name(s, in, ret);
	if (s->state == S_LOST || s->state == S_LOST_LINE) {
		s->state = S_LOST;
		return (ssize_t)line_part(in);
	}
	return (ssize_t)in_value(s, in, ret);
}
