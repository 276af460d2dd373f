/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, numbers and literals of a payload: what each counts as, and what is noted of it. */
#include "base/hash.h"
#include "proto/decimal.h"
#include "proto/jsonrpc.h"
#include "proto/marker_int.h"

/* An integer among the arguments: those with the lowest paths are kept, of one path the first ones. */
static void int_add(struct marker *m, int64_t v)
{
	const struct level *l = &m->level[m->depth];
	uint64_t path = l->type == JSON_ARRAY ? l->path : l->member;
	struct rpc_marks *k = &m->marks;
	uint8_t at = k->n_ints;

	while (at > 0 && k->ints[at - 1].path > path)
		at--;
	if (at == MARKS_INTS)
		return;
	if (k->n_ints < MARKS_INTS)
		k->n_ints++;
	memmove(&k->ints[at + 1], &k->ints[at], (size_t)(k->n_ints - 1 - at) * sizeof(k->ints[0]));
	k->ints[at].path = path;
	k->ints[at].v = v;
}

/* --- Leaves */

static uint8_t head_rank(const struct marker *m, uint8_t place)
{
	if (place == PLACE_TEXT0 || place == PLACE_MESSAGE)
		return m->inner ? HEAD_INNER_TEXT : HEAD_TEXT;
	if (place == PLACE_STRUCTURED)
		return m->inner ? HEAD_INNER_STRUCTURED : HEAD_STRUCTURED;
	return m->inner ? HEAD_INNER : HEAD_ANY;
}

void leaf_string_begin(struct marker *m)
{
	struct level *l = &m->level[m->depth];
	uint8_t rank = head_rank(m, place_next(m));

	mark_text_begin(&m->text, of_answer(m) ? FORM_MASK : FORM_SHAPE);
	if (of_arguments(m))
		m->text.sim = &m->sim;
	if (l->type == JSON_OBJECT && l->masked && of_answer(m))
		m->text.form = FORM_NONE;
	if (!of_answer(m) || rank <= m->rank)
		return;
	m->rank = rank;
	m->text.head = m->marks.head;
	m->text.head_max = MARKS_HEAD;
}

/* A type's own value of a hash. */
static struct fp typed(struct fp f, uint8_t type)
{
	f.w[1] += type;
	return f;
}

/* A whole text that is an integer; not "-0", which as a number is none. */
static bool text_int(struct sv s, int64_t *ret_v)
{
	struct decimal d;
	size_t neg = s.n && s.p[0] == '-';

	if (!s.p || s.n == neg || s.n - neg > 15)
		return false;
	for (size_t i = neg; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return decimal_of(s, &d) && decimal_int(&d, ret_v);
}

static void tool_name(struct marker *m, struct sv name)
{
	struct rpc_tool *tool = tool_of(m);

	if (tool && name.p)
		tool->name_hash = hash_bytes(name.p, name.n < RPC_VALUE_MAX ? name.n : RPC_VALUE_MAX);
}

struct twin leaf_string(struct marker *m, const struct mark_leaf *leaf)
{
	struct level *l = &m->level[m->depth];
	uint8_t place = place_next(m);
	struct twin v = { typed(leaf->plain, JSON_STRING), typed(leaf->other, JSON_STRING) };
	int64_t i;

	if (m->text.head)
		m->marks.head_n = m->text.head_n;
	if (place == PLACE_TEXT0 || place == PLACE_TEXT)
		m->marks.text_bytes += leaf->bytes;
	if (place == PLACE_TOOL_NAME)
		tool_name(m, leaf->whole);
	if (m->text.form == FORM_NONE)
		v.other = typed(fp_bytes("R", 1), JSON_STRING);
	if (of_arguments(m)) {
		simhash_break(&m->sim);
		if (text_int(leaf->whole, &i))
			int_add(m, i);
	}
	l->masked = false;
	return v;
}

/* What a number is masked to: as in text, but by its value. */
static struct fp number_masked(const struct decimal *d, struct fp plain)
{
	int64_t whole = d->n + d->exp; /* digits before the point */
	struct decimal cut = *d;
	char text[DECIMAL_CANON + 2];
	size_t n;

	if ((whole == 10 || whole == 13) && d->digits[0] == '1' && d->n > 1 && d->digits[1] >= '5')
		return fp_bytes("E", 1);
	if (whole >= 16)
		return fp_bytes("H", 1);
	if (d->exp > -16)
		return plain;
	cut.n = whole > 0 ? (uint8_t)whole : 0;
	cut.exp = 0;
	n = decimal_canon(&cut, text);
	memcpy(text + n, ".H", 2);
	return fp_bytes(text, n + 2);
}

/* Its sign, and whether there is a fraction. */
static struct fp number_shape(const struct decimal *d)
{
	static const char *const shapes[2][2] = { { "#.#", "#" }, { "-#.#", "-#" } };
	const char *shape = shapes[d->neg][decimal_whole(d)];

	return fp_bytes(shape, strlen(shape));
}

/* One that is too long to be read as a number counts as the text that it is. */
struct twin leaf_number(struct marker *m, const struct mark_leaf *leaf)
{
	bool arguments = of_arguments(m);
	char text[DECIMAL_CANON];
	struct decimal d;
	struct twin v;
	int64_t i;
	size_t n;

	if (leaf->whole.p && decimal_of(leaf->whole, &d)) {
		n = decimal_canon(&d, text);
		v.plain = fp_bytes(text, n);
		v.other = of_answer(m) ? number_masked(&d, v.plain) : number_shape(&d);
		if (arguments)
			simhash_add(&m->sim, (struct sv){ text, n });
		if (arguments && decimal_int(&d, &i))
			int_add(m, i);
	} else {
		v = twin_of(leaf->whole.p ? fp_bytes(leaf->whole.p, leaf->whole.n) : leaf->plain);
	}
	if (arguments)
		simhash_break(&m->sim);
	return (struct twin){ typed(v.plain, JSON_NUMBER), typed(v.other, JSON_NUMBER) };
}

struct twin leaf_literal(struct marker *m, uint8_t type)
{
	static const struct sv word[] = { { "true", 4 }, { "false", 5 }, { "null", 4 } };
	struct rpc_tool *tool = tool_of(m);
	uint8_t place = place_next(m);

	if (of_arguments(m)) {
		simhash_add(&m->sim, word[type - JSON_TRUE]);
		simhash_break(&m->sim);
	}
	if (tool && place == PLACE_READ_ONLY)
		tool->read_only = type == JSON_TRUE;
	return twin_of((struct fp){ { type, type } });
}
