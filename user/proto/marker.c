/* SPDX-License-Identifier: Apache-2.0 */
/* Marks of one message.
 *
 * Values are folded from the leaves up, on a stack of the open containers: an object is the sum of a hash of each
 * member's key and value, an array a chain. Everything is folded twice at once, plain and in another form: the shape
 * under params, masked elsewhere; where a whole subtree is the same in both, once. */
#include "proto/marker.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/marker_int.h"

struct marker *marker_new(void)
{
	/* Most of it is written before it is read; what is not is set here and in marker_begin. */
	struct marker *m = aligned_alloc(_Alignof(struct marker), sizeof(struct marker));

	if (!m) {
		errno = ENOMEM;
		return NULL;
	}
	memset(&m->marks, 0, sizeof(m->marks));
	m->answer = MARKER_PARAMS;
	m->passing = false;
	buf_init(&m->tools, RPC_TOOLS_MAX * sizeof(struct rpc_tool));
	m->tools_cut = false;
	return m;
}

void marker_free(struct marker *m)
{
	if (!m)
		return;
	buf_done(&m->tools);
	free(m);
}

static void clear_arguments(struct marker *m)
{
	simhash_init(&m->sim);
	m->marks.n_ints = 0;
}

static void clear_answer(struct marker *m)
{
	struct rpc_marks *k = &m->marks;

	k->result = (struct fp){ 0 };
	k->masked = (struct fp){ 0 };
	k->head_n = 0;
	k->text_bytes = 0;
	m->outcome = false;
	m->content = false;
	m->rank = HEAD_NONE;
	buf_reset(&m->tools);
	m->tools_cut = false;
}

void marker_begin(struct marker *m, enum marker_member member)
{
	static const uint8_t place[] = { PLACE_PARAMS, PLACE_RESULT, PLACE_ERROR };

	m->member = (uint8_t)member;
	m->depth = 0;
	m->inner = 0;
	m->passing = false;
	m->n_keys = 0;
	m->tool_open = false;
	m->level[0] = (struct level){ .type = JSON_NONE, .next = place[member] };
	if (member == MARKER_PARAMS) {
		clear_arguments(m);
		m->arguments = false;
		m->marks.args = (struct fp){ 0 };
		m->marks.shape = 0;
		m->marks.simhash = 0;
	} else {
		m->answer = (uint8_t)member;
	}
	clear_answer(m);
}

static void sum(struct fp *to, const struct fp *f)
{
	to->w[0] += f->w[0];
	to->w[1] += f->w[1] + (to->w[0] < f->w[0]);
}

static bool same(const struct twin *t)
{
	return fp_eq(&t->plain, &t->other);
}

/* Both forms of a and b at once. */
static struct twin twin_pair(const struct twin *a, const struct twin *b)
{
	struct twin t = twin_of(fp_pair(&a->plain, &b->plain));

	if (!same(a) || !same(b))
		t.other = fp_pair(&a->other, &b->other);
	return t;
}

/* A container of @l's type and number of members is not the sum itself. */
static struct twin close_level(const struct level *l)
{
	const struct twin end = twin_of((struct fp){ { l->type, l->n } });

	return twin_pair(&l->sum, &end);
}

/* The value at @place is whole. */
static void place_done(struct marker *m, uint8_t place, const struct twin *v)
{
	struct rpc_marks *k = &m->marks;
	bool whole = m->depth == 0;

	if (place == PLACE_ARGUMENTS || (whole && m->member == MARKER_PARAMS && !m->arguments)) {
		k->args = v->plain;
		k->shape = v->other.w[0];
		k->simhash = simhash_get(&m->sim);
		m->arguments = true;
	}
	if (m->inner || (whole && m->member != MARKER_PARAMS && (!m->outcome || m->content))) {
		k->result = v->plain;
		k->masked = v->other;
	}
}

/* A value is whole: fold it into what it is in. */
static void value_done(struct marker *m, const struct twin *v)
{
	struct level *l = &m->level[m->depth];
	uint8_t place = place_next(m);
	struct twin member;

	if (m->inner && m->depth < m->inner) {
		place_done(m, place, v);
		m->inner = 0;
		m->outcome = true;
	} else if (m->depth == 0 || place == PLACE_ARGUMENTS) {
		place_done(m, place, v);
	}
	if (l->type == JSON_ARRAY) {
		l->sum = twin_pair(&l->sum, v);
	} else if (l->type == JSON_OBJECT) {
		member = twin_pair(&l->key, v);
		sum(&l->sum.plain, &member.plain);
		sum(&l->sum.other, &member.other);
	}
	l->n++;
}

static void tool_begin(struct marker *m, uint64_t beg)
{
	struct rpc_tool tool = { 0 };

	m->tool_open = buf_add(&m->tools, &tool, sizeof(tool)) == 0;
	m->tools_cut |= !m->tool_open;
	m->tool_beg = beg;
}

static void tool_end(struct marker *m, uint64_t end)
{
	struct rpc_tool *tool = tool_of(m);
	uint64_t bytes = end - m->tool_beg;

	if (tool)
		tool->bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
	m->tool_open = false;
}

static void container_begin(struct marker *m, const struct json_token *t)
{
	struct level *l = &m->level[m->depth];
	uint64_t path = l->type == JSON_OBJECT ? l->member : l->path;
	uint8_t place = place_next(m);

	if (t->type == JSON_OBJECT && (place == PLACE_INNER_RESULT || place == PLACE_INNER_ERROR) && !m->inner)
		m->inner = (uint8_t)(m->depth + 1);
	if (place == PLACE_CONTENT && !m->inner)
		m->content = true;
	if (t->type == JSON_OBJECT && place == PLACE_TOOL)
		tool_begin(m, t->beg);
	l->masked = false;
	l = &m->level[++m->depth];
	*l = (struct level){ .type = t->type, .place = place, .path = path, .keys = m->n_keys };
}

static void container_end(struct marker *m, const struct json_token *t)
{
	const struct level *l = &m->level[m->depth];
	struct twin v = close_level(l);

	if (l->type == JSON_OBJECT && of_arguments(m))
		simhash_part(&m->sim);
	if (l->type == JSON_OBJECT && l->place == PLACE_TOOL)
		tool_end(m, t->end);
	m->n_keys = l->keys;
	m->depth--;
	value_done(m, &v);
}

/* Past MARKER_KEYS keys nothing is claimed. */
static void key_note(struct marker *m, const struct level *l, uint64_t key)
{
	uint16_t i = l->keys;

	while (i < m->n_keys && m->keys[i] != key)
		i++;
	if (i < m->n_keys)
		m->marks.dup_keys = true;
	else if (i < MARKER_KEYS)
		m->keys[m->n_keys++] = key;
}

static void key_done(struct marker *m, const struct mark_leaf *leaf)
{
	struct level *l = &m->level[m->depth];

	l->key = (struct twin){ leaf->plain, leaf->other };
	l->member = (l->path ^ leaf->plain.w[0]) * 0x9e3779b97f4a7c15ULL;
	l->member ^= l->member >> 32;
	l->masked = leaf->whole.p && mask_key(leaf->whole);
	l->next = leaf->whole.p ? mark_place_member(l->place, leaf->whole) : PLACE_ELSEWHERE;
	key_note(m, l, leaf->plain.w[0]);
	if (l->next == PLACE_META) {
		m->passing = true;
		m->over = 0;
	}
	if (l->next == PLACE_ARGUMENTS) {
		m->arguments = false;
		clear_arguments(m);
	} else if (of_arguments(m) && l->next != PLACE_META && leaf->whole.p) {
		simhash_part(&m->sim);
		simhash_add(&m->sim, leaf->whole);
		simhash_break(&m->sim);
	}
}

/* A fragment of a key, a string or a number. */
static void text(struct marker *m, const struct json_token *t)
{
	struct mark_leaf leaf = { .whole = t->text };
	struct twin v;

	if (t->first && t->type == JSON_STRING)
		leaf_string_begin(m);
	else if (t->first && t->type == JSON_KEY)
		mark_text_begin(&m->text, of_answer(m) ? FORM_MASK : FORM_SHAPE);
	else if (t->first && !t->last)
		mark_text_begin(&m->text, FORM_NONE);
	if (!t->last) {
		mark_text_add(&m->text, t->text);
		return;
	}
	if (t->type != JSON_NUMBER || !t->first)
		mark_text_end(&m->text, t->text, &leaf);
	if (t->type == JSON_KEY) {
		key_done(m, &leaf);
		return;
	}
	v = t->type == JSON_STRING ? leaf_string(m, &leaf) : leaf_number(m, &leaf);
	value_done(m, &v);
}

/* A token of a value that counts for nothing. */
static void pass(struct marker *m, const struct json_token *t)
{
	if (t->type == JSON_OBJECT || t->type == JSON_ARRAY)
		m->over++;
	else if (t->type == JSON_OBJECT_END || t->type == JSON_ARRAY_END)
		m->over--;
	m->passing = m->over > 0 || !t->last;
}

void marker_token(struct marker *m, const struct json_token *t)
{
	struct twin v;

	if (m->passing) {
		pass(m, t);
		return;
	}
	switch (t->type) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		container_begin(m, t);
		break;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		container_end(m, t);
		break;
	case JSON_KEY:
	case JSON_STRING:
	case JSON_NUMBER:
		text(m, t);
		break;
	default:
		if (!t->last)
			return;
		v = leaf_literal(m, t->type);
		value_done(m, &v);
	}
}

const struct rpc_marks *marker_get(struct marker *m, enum marker_member answer)
{
	if (answer != MARKER_PARAMS && m->answer != answer)
		clear_answer(m);
	return &m->marks;
}

const struct rpc_tool *marker_tools(const struct marker *m, uint32_t *ret_n, bool *ret_cut)
{
	*ret_n = (uint32_t)(m->tools.n / sizeof(struct rpc_tool));
	*ret_cut = m->tools_cut;
	return (const struct rpc_tool *)m->tools.p;
}
