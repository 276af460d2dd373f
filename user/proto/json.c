/* SPDX-License-Identifier: Apache-2.0 */
/* JSON scanner.
 *
 * Between tokens one table says what each byte means in each state of the grammar. Inside a token
 * three small machines (string, number, literal) can stop at any byte. json_skip adds pass_over(),
 * which does the same work for tokens that lie whole in the fed bytes, with everything in
 * registers; whatever it finds unusual (a token cut by the end of the input, an error, the end of
 * the skipped value) it leaves to the general path. */
#include "proto/json.h"

#include <errno.h>

#include "proto/json_string.h"

/* What the grammar expects, and, above S_N, what to do on a byte. */
enum {
	S_TOP,	 /* the value of the text */
	S_VALUE, /* a member's or further element's value */
	S_ELEM0, /* after '[': value or ']' */
	S_KEY0,	 /* after '{': key or '}' */
	S_KEY,
	S_COLON,
	S_OBJ_NEXT, /* ',' or '}' */
	S_ARR_NEXT,
	S_DONE,
	S_N,
	A_OBJ = S_N,
	A_ARR,
	A_END,
	A_KEY,
	A_STR,
	A_NUM,
	A_LIT,
	A_BAD,
};

/* Byte classes between tokens, in a number (<< 4). */
enum { C_BAD, C_WS, C_OBJ, C_OBJE, C_ARR, C_ARRE, C_COLON, C_COMMA, C_QUOTE, C_NUM, C_LIT, C_N };
enum { N_OTHER, N_0, N_19, N_DOT, N_EXP, N_PLUS, N_MINUS, N_CLASSES };
#define NUM(c) ((c) << 4)

static const uint8_t ctype[256] = {
	['\t'] = C_WS,
	['\n'] = C_WS,
	['\r'] = C_WS,
	[' '] = C_WS,
	['{'] = C_OBJ,
	['}'] = C_OBJE,
	['['] = C_ARR,
	[']'] = C_ARRE,
	[':'] = C_COLON,
	[','] = C_COMMA,
	['"'] = C_QUOTE,
	['-'] = C_NUM | NUM(N_MINUS),
	['+'] = NUM(N_PLUS),
	['.'] = NUM(N_DOT),
	['0'] = C_NUM | NUM(N_0),
	['1' ... '9'] = C_NUM | NUM(N_19),
	['t'] = C_LIT,
	['f'] = C_LIT,
	['n'] = C_LIT,
	['e'] = NUM(N_EXP),
	['E'] = NUM(N_EXP),
};

#define VALUE_ROW                                                                                  \
	[C_OBJ] = A_OBJ, [C_ARR] = A_ARR, [C_QUOTE] = A_STR, [C_NUM] = A_NUM, [C_LIT] = A_LIT
#define NOTHING [0 ... C_N - 1] = A_BAD

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif
static const uint8_t action[S_N][16] = {
	[S_TOP] = { NOTHING, [C_WS] = S_TOP, VALUE_ROW },
	[S_VALUE] = { NOTHING, [C_WS] = S_VALUE, VALUE_ROW },
	[S_ELEM0] = { NOTHING, [C_WS] = S_ELEM0, [C_ARRE] = A_END, VALUE_ROW },
	[S_KEY0] = { NOTHING, [C_WS] = S_KEY0, [C_OBJE] = A_END, [C_QUOTE] = A_KEY },
	[S_KEY] = { NOTHING, [C_WS] = S_KEY, [C_QUOTE] = A_KEY },
	[S_COLON] = { NOTHING, [C_WS] = S_COLON, [C_COLON] = S_VALUE },
	[S_OBJ_NEXT] = { NOTHING, [C_WS] = S_OBJ_NEXT, [C_COMMA] = S_KEY, [C_OBJE] = A_END },
	[S_ARR_NEXT] = { NOTHING, [C_WS] = S_ARR_NEXT, [C_COMMA] = S_VALUE, [C_ARRE] = A_END },
	[S_DONE] = { NOTHING },
};
#pragma GCC diagnostic pop

/* States of a number; 0: no way on. */
enum { M_STOP, M_MINUS, M_ZERO, M_INT, M_DOT, M_FRAC, M_E, M_ESIGN, M_EXP, M_N };
#define ENDS(m) ((m) == M_ZERO || (m) == M_INT || (m) == M_FRAC || (m) == M_EXP)

static const uint8_t number[M_N][N_CLASSES] = {
	[M_STOP] = { [N_MINUS] = M_MINUS, [N_0] = M_ZERO, [N_19] = M_INT },
	[M_MINUS] = { [N_0] = M_ZERO, [N_19] = M_INT },
	[M_ZERO] = { [N_DOT] = M_DOT, [N_EXP] = M_E },
	[M_INT] = { [N_0] = M_INT, [N_19] = M_INT, [N_DOT] = M_DOT, [N_EXP] = M_E },
	[M_DOT] = { [N_0] = M_FRAC, [N_19] = M_FRAC },
	[M_FRAC] = { [N_0] = M_FRAC, [N_19] = M_FRAC, [N_EXP] = M_E },
	[M_E] = { [N_0] = M_EXP, [N_19] = M_EXP, [N_PLUS] = M_ESIGN, [N_MINUS] = M_ESIGN },
	[M_ESIGN] = { [N_0] = M_EXP, [N_19] = M_EXP },
	[M_EXP] = { [N_0] = M_EXP, [N_19] = M_EXP },
};

enum { QUIET_NO, QUIET_VALUE, QUIET_REST };

static inline uint8_t class_of(char c)
{
	return ctype[(uint8_t)c] & 15;
}

/* Fill @t with a fragment of the open token; 1, or 0 where it is skipped. */
static int fragment(struct json *j, struct json_token *t, struct sv text, bool last)
{
	t->type = j->in;
	t->first = j->fresh;
	t->last = last;
	t->text = text;
	t->beg = j->beg;
	t->end = j->base + (uint64_t)(j->p - j->start);
	j->fresh = false;
	return !j->quiet;
}

/* The open token ended; @ready is what fragment() gave. */
static int token_done(struct json *j, int ready)
{
	if (j->in == JSON_KEY) {
		j->state = S_COLON;
	} else {
		j->state = j->nest[j->depth];
		if (j->quiet && j->depth == j->quiet_depth)
			j->quiet = QUIET_NO;
	}
	j->in = JSON_NONE;
	return ready;
}

/* In an escape, or behind a high surrogate. As string_go(). */
static int string_escape(struct json *j, struct json_token *t)
{
	int n;

	if (!j->escape && *j->p == '\\') {
		j->p++;
		j->escape = 1;
		return 0;
	}
	n = j->escape ? json_escape_byte(j) : json_lone(j);
	return n > 0 ? fragment(j, t, (struct sv){ j->text, (size_t)n }, false) : n;
}

/* Plain bytes up to whatever ends them; short ones with the escapes behind them, so that a text full of
 * escapes does not fall into fragments of a few bytes. As string_go(). */
static int string_run(struct json *j, struct json_token *t)
{
	const char *p = j->p;
	struct sv text;

	j->p = j->quiet ? json_passed(p, j->e) : json_plain(p, j->e);
	text = (struct sv){ p, (size_t)(j->p - p) };
	if (!j->quiet && text.n < JSON_TEXT / 2 && j->p != j->e && *j->p == '\\') {
		text = (struct sv){ j->text, json_unescape(&p, j->e, j->text, JSON_TEXT) };
		j->p = p;
	}
	if (j->p != j->e && *j->p == '"') {
		j->p++;
		return token_done(j, fragment(j, t, text, true));
	}
	if (text.n)
		return fragment(j, t, text, false);
	if (*j->p != '\\')
		return -EBADMSG; /* control character */
	j->p++;
	j->escape = 1;
	return 0;
}

/* Go on in a string or key. Like the two below: 1 a fragment, 0 input used up or token skipped,
 * or -EBADMSG. */
static int string_go(struct json *j, struct json_token *t)
{
	int r = 0;

	while (r == 0 && j->in && j->p != j->e)
		r = j->escape || j->high ? string_escape(j, t) : string_run(j, t);
	if (r == 0 && j->in && j->fresh)
		r = fragment(j, t, (struct sv){ j->p, 0 }, false);
	return r;
}

/* The first byte from @p on that is not the number's; *@state is where it got to. */
static inline const char *number_end(const char *p, const char *e, uint8_t *state)
{
	uint8_t m = *state, next;

	for (; p != e; p++) {
		next = number[m][ctype[(uint8_t)*p] >> 4];
		if (next == M_STOP)
			break;
		m = next;
	}
	*state = m;
	return p;
}

static int number_go(struct json *j, struct json_token *t)
{
	const char *p = j->p;
	int ready;

	j->p = number_end(p, j->e, &j->number);
	if (j->p == j->e)
		return p != j->p ? fragment(j, t, (struct sv){ p, (size_t)(j->p - p) }, false) : 0;
	if (!ENDS(j->number))
		return -EBADMSG;
	ready = fragment(j, t, (struct sv){ p, (size_t)(j->p - p) }, true);
	if (j->depth == 0) {
		if (class_of(*j->p) != C_WS)
			return -EBADMSG;
		j->p++;
	}
	return token_done(j, ready);
}

static int literal_go(struct json *j, struct json_token *t)
{
	const char *p = j->p;
	char want = j->literal[j->literal_at];

	while (want && j->p != j->e) {
		if (*j->p != want)
			return -EBADMSG;
		j->p++;
		want = j->literal[++j->literal_at];
	}
	if (want && p == j->p)
		return 0;
	if (want)
		return fragment(j, t, (struct sv){ p, (size_t)(j->p - p) }, false);
	return token_done(j, fragment(j, t, (struct sv){ p, (size_t)(j->p - p) }, true));
}

static int token_go(struct json *j, struct json_token *t)
{
	if (j->in == JSON_NUMBER)
		return number_go(j, t);
	return j->in >= JSON_TRUE ? literal_go(j, t) : string_go(j, t);
}

static int token_begin(struct json *j, uint8_t act, struct json_token *t)
{
	j->beg = json_taken(j);
	j->fresh = true;
	switch (act) {
	case A_NUM:
		j->in = JSON_NUMBER;
		j->number = M_STOP;
		break;
	case A_LIT:
		j->in = *j->p == 't' ? JSON_TRUE : *j->p == 'f' ? JSON_FALSE : JSON_NULL;
		j->literal = *j->p == 't' ? "true" : *j->p == 'f' ? "false" : "null";
		j->literal_at = 0;
		break;
	default:
		j->in = act == A_KEY ? JSON_KEY : JSON_STRING;
		j->escape = 0;
		j->high = 0;
		j->p++;
	}
	return token_go(j, t);
}

/* A bracket of type @type was seen: report it whole. */
static int bracket(struct json *j, struct json_token *t, uint8_t type)
{
	j->in = type;
	j->fresh = true;
	j->beg = json_taken(j);
	j->p++;
	fragment(j, t, (struct sv){ j->p, 0 }, true);
	j->in = JSON_NONE;
	return !j->quiet;
}

static int container_begin(struct json *j, uint8_t act, struct json_token *t)
{
	bool obj = act == A_OBJ;

	if (j->depth == JSON_DEPTH)
		return -EBADMSG;
	j->nest[++j->depth] = obj ? S_OBJ_NEXT : S_ARR_NEXT;
	j->state = obj ? S_KEY0 : S_ELEM0;
	return bracket(j, t, obj ? JSON_OBJECT : JSON_ARRAY);
}

static int container_end(struct json *j, struct json_token *t)
{
	bool obj = j->nest[j->depth--] == S_OBJ_NEXT, told = j->quiet != QUIET_VALUE;

	j->state = j->nest[j->depth];
	if (j->quiet && j->depth == j->quiet_depth)
		j->quiet = QUIET_NO;
	return bracket(j, t, obj ? JSON_OBJECT_END : JSON_ARRAY_END) && told;
}

/* Take the bytes up to and including the first of the next token. */
static int step(struct json *j, struct json_token *t)
{
	while (j->p != j->e) {
		uint8_t act = action[j->state][class_of(*j->p)];

		if (act < S_N) {
			j->state = act;
			j->p++;
			continue;
		}
		switch (act) {
		case A_OBJ:
		case A_ARR:
			return container_begin(j, act, t);
		case A_END:
			return container_end(j, t);
		case A_BAD:
			return -EBADMSG;
		default:
			return token_begin(j, act, t);
		}
	}
	return 0;
}

/* The end of the literal at @p, or NULL: not whole in the input, or none. */
static inline const char *literal_end(const char *p, const char *e)
{
	if (e - p < 5)
		return NULL;
	if (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0)
		return p + 4;
	return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}

/* The end of the token that begins at @p, or NULL where it is not whole in the input, or wrong. */
static inline const char *whole_token(const char *p, const char *e, uint8_t act)
{
	uint8_t m = M_STOP;

	if (act == A_NUM) {
		p = number_end(p, e, &m);
		return p != e && ENDS(m) ? p : NULL;
	}
	if (act == A_LIT)
		return literal_end(p, e);
	p = json_passed(p + 1, e);
	return p != e && *p == '"' ? p + 1 : NULL;
}

/* Inside a skipped container: as step() and token_go(), for tokens whole in the input. */
static int pass_over(struct json *j, struct json_token *t)
{
	const char *p = j->p, *e = j->e, *end;
	uint8_t state = j->state, depth = j->depth, act;

	while (p != e) {
		act = action[state][class_of(*p)];
		if (act < S_N) {
			state = act;
			p++;
		} else if (act >= A_KEY && act <= A_LIT) {
			end = whole_token(p, e, act);
			if (!end)
				break;
			p = end;
			state = act == A_KEY ? S_COLON : j->nest[depth];
		} else if (act == A_END) {
			if (depth - 1 == j->quiet_depth)
				break;
			state = j->nest[--depth];
			p++;
		} else {
			if (act == A_BAD || depth == JSON_DEPTH)
				break;
			j->nest[++depth] = act == A_OBJ ? S_OBJ_NEXT : S_ARR_NEXT;
			state = act == A_OBJ ? S_KEY0 : S_ELEM0;
			p++;
		}
	}
	j->p = p;
	j->state = state;
	j->depth = depth;
	return step(j, t);
}

static int byte_order_mark(struct json *j)
{
	for (; j->bom < 3 && j->p != j->e; j->bom++) {
		if (*j->p == "\xef\xbb\xbf"[j->bom])
			j->p++;
		else if (j->bom)
			return -EBADMSG;
		else
			j->bom = 2;
	}
	return 0;
}

void json_init(struct json *j)
{
	*j = (struct json){ .state = S_TOP, .nest[0] = S_DONE };
}

void json_feed(struct json *j, struct sv in)
{
	j->base = json_taken(j);
	j->start = in.p;
	j->p = in.p;
	j->e = in.n ? in.p + in.n : in.p;
}

int json_next(struct json *j, struct json_token *ret_tok)
{
	int r = j->failed ? -EBADMSG : 0;

	if (r == 0 && j->bom < 3)
		r = byte_order_mark(j);
	while (r == 0 && j->p != j->e && !json_done(j)) {
		if (j->in)
			r = token_go(j, ret_tok);
		else if (j->quiet && j->depth > j->quiet_depth)
			r = pass_over(j, ret_tok);
		else
			r = step(j, ret_tok);
	}
	j->failed = r < 0;
	return r;
}

int json_end(struct json *j, struct json_token *ret_tok)
{
	bool number_ends = j->in == JSON_NUMBER && j->depth == 0 && ENDS(j->number);

	if (j->failed)
		return -EBADMSG;
	if (number_ends)
		return token_done(j, fragment(j, ret_tok, (struct sv){ j->p, 0 }, true));
	if (j->in == JSON_NONE && (j->state == S_DONE || (j->state == S_TOP && j->bom % 3 == 0)))
		return 0;
	j->failed = true;
	return -EBADMSG;
}

void json_skip(struct json *j)
{
	bool begun = j->state == S_KEY0 || j->state == S_ELEM0;

	j->quiet = begun ? QUIET_REST : QUIET_VALUE;
	j->quiet_depth = (uint8_t)(j->depth - begun);
}

bool json_done(const struct json *j)
{
	return j->state == S_DONE && !j->in;
}

uint64_t json_taken(const struct json *j)
{
	return j->base + (uint64_t)(j->p - j->start);
}
