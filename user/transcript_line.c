/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a transcript. */
#include "transcript_line.h"

#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "model/call.h"

enum field { NONE, TS, SESSION, AGENT, FROM, MSG };

#define SEEN(field) (1U << (field))

struct parse {
	struct transcript_line *l;
	struct sv text;
	bool open;		/* inside the outer object */
	enum field field;	/* whose value comes next */
	unsigned int seen;
	char word[TRANSCRIPT_NAME_MAX]; /* the token being collected */
	size_t n;
	bool too_long;
	uint64_t msg_beg;
};

/* Join the fragments of a token; true at its last. */
static bool collect(struct parse *p, const struct json_token *tok)
{
	if (tok->first) {
		p->n = 0;
		p->too_long = false;
	}
	if (tok->text.n > sizeof(p->word) - p->n) {
		p->too_long = true;
	} else if (tok->text.n) {
		memcpy(p->word + p->n, tok->text.p, tok->text.n);
		p->n += tok->text.n;
	}
	return tok->last;
}

static enum field field_of(const struct parse *p)
{
	static const struct {
		enum field field;
		struct sv key;
	} fields[] = {
		{ TS, { "ts_ms", 5 } },
		{ SESSION, { "session", 7 } },
		{ AGENT, { "agent", 5 } },
		{ FROM, { "from", 4 } },
		{ MSG, { "msg", 3 } },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!p->too_long && sv_eq(fields[i].key, (struct sv){ p->word, p->n }))
			return fields[i].field;
	}
	return NONE;
}

/* "1234.5" ms -> ns. Beyond 2262 the time would not fit the signed offset to wall time. */
static const char *take_ts(struct parse *p)
{
	struct sv whole = { p->word, p->n }, part = { NULL, 0 };
	const char *dot = memchr(p->word, '.', p->n);
	uint64_t ms, ns = 0;

	if (dot) {
		whole.n = (size_t)(dot - p->word);
		part = (struct sv){ dot + 1, p->n - whole.n - 1 };
	}
	if (p->too_long || num_u64(whole, &ms) || ms > INT64_MAX / NSEC_PER_MSEC - 2000)
		return "ts_ms is no time in milliseconds";
	if (part.n > 6 || (dot && num_u64(part, &ns)))
		return "ts_ms has more than six digits behind the point";
	for (size_t i = part.n; i < 6; i++)
		ns *= 10;
	p->l->ts = ms * NSEC_PER_MSEC + ns;
	return NULL;
}

static const char *take_session(struct parse *p)
{
	if (p->n == 0 || p->too_long)
		return "session is empty, or longer than 256 bytes";
	if (memchr(p->word, '\0', p->n))
		return "session holds a NUL";
	memcpy(p->l->name, p->word, p->n);
	p->l->session = (struct sv){ p->l->name, p->n };
	return NULL;
}

static const char *take_agent(struct parse *p)
{
	if (p->too_long || memchr(p->word, '\0', p->n))
		return "agent is longer than 256 bytes, or holds a NUL";
	memcpy(p->l->agent_name, p->word, p->n);
	p->l->agent = (struct sv){ p->l->agent_name, p->n };
	return NULL;
}

static const char *take_from(struct parse *p)
{
	struct sv word = { p->word, p->n };

	if (sv_eq(word, SV("client")))
		p->l->from = SIDE_CLIENT;
	else if (sv_eq(word, SV("server")))
		p->l->from = SIDE_SERVER;
	else
		return "from is neither client nor server";
	return NULL;
}

static const char *take_msg(struct parse *p, const struct json_token *tok)
{
	switch (tok->type) {
	case JSON_OBJECT:
	case JSON_ARRAY: /* a batch */
		p->msg_beg = tok->beg;
		json_skip(&p->l->json);
		return NULL;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		p->l->msg = (struct sv){ p->text.p + p->msg_beg, tok->end - p->msg_beg };
		p->field = NONE;
		return NULL;
	default:
		return "msg is no object";
	}
}

static const char *take_word(struct parse *p, const struct json_token *tok)
{
	enum field field = p->field;

	if (field == AGENT && tok->type != JSON_STRING) { /* somebody else's member of that name */
		if (tok->type == JSON_OBJECT || tok->type == JSON_ARRAY)
			json_skip(&p->l->json);
		p->field = NONE;
		return NULL;
	}
	if (tok->type != (field == TS ? JSON_NUMBER : JSON_STRING))
		return field == TS ? "ts_ms is no number" : "session, agent or from is no string";
	if (!collect(p, tok))
		return NULL;
	p->field = NONE;
	if (field == TS)
		return take_ts(p);
	if (field == AGENT)
		return take_agent(p);
	return field == SESSION ? take_session(p) : take_from(p);
}

static const char *take(struct parse *p, const struct json_token *tok)
{
	if (!p->open) {
		p->open = true;
		return tok->type == JSON_OBJECT ? NULL : "not a JSON object";
	}
	if (p->field == MSG)
		return take_msg(p, tok);
	if (p->field != NONE)
		return take_word(p, tok);
	if (tok->type == JSON_KEY && collect(p, tok)) {
		p->field = field_of(p);
		p->seen |= SEEN(p->field);
		if (p->field == NONE)
			json_skip(&p->l->json);
	}
	return NULL;
}

static const char *missing(unsigned int seen)
{
	if (!(seen & SEEN(TS)))
		return "no ts_ms";
	if (!(seen & SEEN(SESSION)))
		return "no session";
	if (!(seen & SEEN(FROM)))
		return "no from";
	return seen & SEEN(MSG) ? NULL : "no msg";
}

const char *transcript_line_parse(struct sv text, struct transcript_line *l)
{
	struct parse p = { .l = l, .text = text };
	struct json_token tok;
	const char *why = NULL;
	int r;

	l->agent = (struct sv){ NULL, 0 };
	json_init(&l->json);
	json_feed(&l->json, text);
	do {
		r = json_next(&l->json, &tok);
		if (r > 0)
			why = take(&p, &tok);
	} while (r > 0 && !why);
	if (why)
		return why;
	if (r < 0)
		return "not JSON";
	if (!json_done(&l->json))
		return "cut off inside a JSON object";
	if (json_taken(&l->json) != text.n)
		return "more than one JSON object";
	return missing(p.seen);
}
