/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC messages out of JSON tokens.
 *
 * Inside a message the tree of wanted paths (rpc_path.h) is walked along with the text: a key that
 * is not in it has its value skipped by the scanner, so tokens arrive for wanted members alone.
 * What the walk set is remembered by tree node in @seen; a repeated key takes its whole subtree
 * out of @seen again, and values whose node is not in it at the end do not exist. Raw members are
 * copied by offset, from the chunk at hand.
 *
 * With marks, every token of params, result and error goes to marker.c as well. There the scanner
 * skips nothing, and what the walk does not want is passed over here. */
#include "proto/jsonrpc.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "proto/json.h"
#include "proto/marker.h"
#include "proto/rpc_path.h"
#include "proto/rpc_text.h"

enum { RAW_N = 3, RAW_NONE = RAW_N }; /* params, result, error */
_Static_assert(RPC_F_RESULT == RPC_F_PARAMS + 1 && RPC_F_ERROR == RPC_F_PARAMS + 2,
	       "raw members are numbered by field");

struct rpc {
	struct rpc_opts o;
	const struct rpc_node *tree;
	struct json json;
	struct sv in; /* the chunk at hand, and its offset */
	uint64_t in_at;
	int err; /* what rpc_feed failed with */

	bool batch, object,
		skipping; /* inside: the batch array, a message, a container nobody wants */
	bool elements;	  /* the batch had one */
	bool marking;	  /* a member is open whose tokens go to @marker */
	bool passing;	  /* such a token is of a value nobody else wants ... */
	bool told;	  /* ... whose end is one of @node's value */
	uint8_t over;	  /* containers open in it */
	uint64_t batch_beg;

	struct rpc_msg msg;
	struct rpc_nodes seen;
	struct rpc_text text;
	uint8_t path[RPC_PATH_DEPTH +
		     1]; /* nodes of the open objects, the message's (root) first */
	uint8_t level;
	uint8_t node; /* whose value comes or is open */
	bool key_long;
	uint8_t key_n; /* a key in fragments so far */
	char key[RPC_KEY_MAX];

	uint8_t raw_open; /* index, or RAW_NONE */
	uint64_t raw_at;  /* next offset to copy */
	struct buf raw[RAW_N];
	bool raw_cut[RAW_N];
	struct marker *marker; /* within a message that has something to mark */
};

struct rpc *rpc_new(const struct rpc_opts *opts)
{
	const struct rpc_node *tree = rpc_paths();
	struct rpc *r;

	if (!tree) {
		errno = EINVAL;
		return NULL;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->o = *opts;
	r->tree = tree;
	rpc_text_init(&r->text);
	for (unsigned int i = 0; i < RAW_N; i++)
		buf_init(&r->raw[i], opts->content_max);
	rpc_reset(r);
	return r;
}

void rpc_free(struct rpc *r)
{
	if (!r)
		return;
	rpc_text_done(&r->text);
	for (unsigned int i = 0; i < RAW_N; i++)
		buf_done(&r->raw[i]);
	marker_free(r->marker);
	free(r);
}

/* Make ready for the next message. */
static void message_clear(struct rpc *r)
{
	r->object = false;
	r->skipping = false;
	r->level = 0;
	r->key_n = 0;
	r->key_long = false;
	r->raw_open = RAW_NONE;
	r->marking = false;
	r->passing = false;
	marker_free(r->marker);
	r->marker = NULL;
	rpc_text_reset(&r->text);
	for (unsigned int i = 0; i < RAW_N; i++)
		buf_reset(&r->raw[i]);
}

void rpc_reset(struct rpc *r)
{
	json_init(&r->json);
	r->err = 0;
	r->batch = false;
	r->elements = false;
	message_clear(r);
}

static void message_begin(struct rpc *r, uint64_t beg)
{
	r->msg = (struct rpc_msg){ .kind = RPC_OTHER, .batch = r->batch, .beg = beg };
	r->seen = (struct rpc_nodes){ 0 };
	memset(r->raw_cut, 0, sizeof(r->raw_cut));
	r->elements = true;
}

static bool none(uint8_t type)
{
	return type == RPC_ABSENT || type == RPC_NULL;
}

static enum rpc_kind kind_of(const struct rpc_msg *m)
{
	uint8_t id = m->f[RPC_F_ID].type, method = m->f[RPC_F_METHOD].type;
	uint8_t error = m->f[RPC_F_ERROR].type, result = m->f[RPC_F_RESULT].type;
	bool has_id = id == RPC_STRING || id == RPC_NUMBER;

	if (!has_id && !none(id))
		return RPC_OTHER;
	if (method == RPC_STRING)
		return has_id ? RPC_REQUEST : RPC_NOTIFICATION;
	if (method != RPC_ABSENT)
		return RPC_OTHER;
	if (error == RPC_OBJECT && none(result))
		return RPC_ERROR;
	return result != RPC_ABSENT && none(error) && has_id ? RPC_RESULT : RPC_OTHER;
}

static struct sv raw_view(struct rpc *r, unsigned int i)
{
	if (r->msg.f[RPC_F_PARAMS + i].type == RPC_ABSENT || r->raw[i].n == 0)
		return (struct sv){ "", 0 };
	r->msg.content_cut |= r->raw_cut[i];
	return buf_sv(&r->raw[i]);
}

static void marks_view(struct rpc *r)
{
	struct rpc_msg *m = &r->msg;
	bool answers = m->kind == RPC_RESULT || m->kind == RPC_ERROR;

	if (!r->marker || m->kind == RPC_OTHER)
		return;
	m->marks = marker_get(r->marker, !answers		? MARKER_PARAMS :
					 m->kind == RPC_RESULT	? MARKER_RESULT :
								  MARKER_ERROR);
	m->tools = marker_tools(r->marker, &m->n_tools, &m->tools_cut);
}

static void message_end(struct rpc *r, uint64_t end)
{
	struct rpc_msg *m = &r->msg;

	for (uint8_t f = 0; f < RPC_F_N; f++) {
		if (!rpc_nodes_has(&r->seen, rpc_path_node(f)))
			m->f[f] = (struct rpc_value){ 0 };
		else
			m->f[f].text = rpc_text_get(&r->text, f);
	}
	m->params = raw_view(r, 0);
	m->result = raw_view(r, 1);
	m->error = raw_view(r, 2);
	m->end = end;
	m->bytes = end - m->beg;
	if (r->object)
		m->kind = r->o.strict && m->f[RPC_F_JSONRPC].type != RPC_STRING ? RPC_OTHER : kind_of(m);
	marks_view(r);
	r->o.msg(r->o.ctx, m);
	message_clear(r);
}

/* Copy the open raw member up to offset @end, which lies in the chunk at hand. */
static void raw_copy(struct rpc *r, uint64_t end)
{
	const char *from;
	struct buf *b;
	size_t n, room;

	if (r->raw_open == RAW_NONE || end == r->raw_at)
		return;
	b = &r->raw[r->raw_open];
	from = r->in.p + (r->raw_at - r->in_at);
	n = (size_t)(end - r->raw_at);
	r->raw_at = end;
	if (r->raw_cut[r->raw_open])
		return;
	room = b->max - b->n;
	r->raw_cut[r->raw_open] = n > room || buf_add(b, from, n);
	if (n > room)
		buf_add(b, from, room);
}

/* The value of @r->node ended at offset @end. */
static void value_end(struct rpc *r, uint64_t end)
{
	if (r->level > 0)
		return;
	raw_copy(r, end);
	r->raw_open = RAW_NONE;
	r->marking = false;
}

static uint8_t rpc_type_of(uint8_t type)
{
	switch (type) {
	case JSON_OBJECT:
		return RPC_OBJECT;
	case JSON_ARRAY:
		return RPC_ARRAY;
	case JSON_STRING:
		return RPC_STRING;
	case JSON_NUMBER:
		return RPC_NUMBER;
	case JSON_NULL:
		return RPC_NULL;
	default:
		return RPC_BOOL;
	}
}

/* A null beside a filled member counts as absent, so it must not take that one's marks away. */
static void marks_begin(struct rpc *r, const struct json_token *t, int field)
{
	bool filled = !none(r->msg.f[RPC_F_ERROR].type);

	if (!r->o.marks || (t->type == JSON_NULL && (field == RPC_F_ERROR || (field == RPC_F_RESULT && filled))))
		return;
	if (!r->marker)
		r->marker = marker_new();
	if (!r->marker)
		return;
	marker_begin(r->marker, (enum marker_member)(MARKER_PARAMS + (field - RPC_F_PARAMS)));
	marker_token(r->marker, t);
	r->marking = true;
}

static void value_begin(struct rpc *r, const struct json_token *t)
{
	int field = r->tree[r->node].field;

	if (field < 0)
		return;
	r->msg.f[field] = (struct rpc_value){ .type = rpc_type_of(t->type) };
	rpc_text_begin(&r->text, (uint8_t)field);
	if (field < RPC_F_PARAMS || field > RPC_F_ERROR)
		return;
	marks_begin(r, t, field);
	if (r->o.content_max == 0)
		return;
	r->raw_open = (uint8_t)(field - RPC_F_PARAMS);
	r->raw_at = t->beg;
	r->raw[r->raw_open].n = 0;
	r->raw_cut[r->raw_open] = false;
}

/* Nobody wants the value that comes, or, with @begun, the rest of the container just begun, whose end is told. */
static void value_skip(struct rpc *r, bool begun)
{
	if (!r->marking) {
		r->skipping = begun;
		json_skip(&r->json);
		return;
	}
	r->passing = true;
	r->told = begun;
	r->over = begun;
}

/* As the scanner does when it skips. */
static void value_pass(struct rpc *r, const struct json_token *t)
{
	if (t->type == JSON_OBJECT || t->type == JSON_ARRAY)
		r->over++;
	else if (t->type == JSON_OBJECT_END || t->type == JSON_ARRAY_END)
		r->over--;
	r->passing = r->over > 0 || !t->last;
	if (!r->passing && r->told)
		value_end(r, t->end);
}

static void value(struct rpc *r, const struct json_token *t)
{
	const struct rpc_node *n = &r->tree[r->node];

	if (t->first)
		value_begin(r, t);
	if (t->type == JSON_OBJECT && n->child) {
		r->path[++r->level] = r->node;
		return;
	}
	if (t->type == JSON_OBJECT || t->type == JSON_ARRAY) {
		value_skip(r, true);
		return;
	}
	if (n->field >= 0) {
		rpc_text_add(&r->text, t->text);
		if (t->last)
			rpc_text_end(&r->text, &r->msg.f[n->field]);
	}
	if (t->last)
		value_end(r, t->end);
}

/* A whole key: choose the node its value belongs to, or skip the value. */
static void member(struct rpc *r, struct sv key)
{
	r->node = rpc_path_find(r->tree, r->path[r->level], key);
	if (!r->node) {
		value_skip(r, false);
		return;
	}
	if (rpc_nodes_has(&r->seen, r->node)) {
		r->msg.dup_keys++;
		rpc_nodes_sub(&r->seen, &r->tree[r->node].under);
	}
	rpc_nodes_add(&r->seen, r->node);
}

static void key(struct rpc *r, const struct json_token *t)
{
	bool fits = t->text.n <= (size_t)(RPC_KEY_MAX - r->key_n);

	if (t->first && t->last) {
		member(r, t->text);
		return;
	}
	if (fits && t->text.n > 0) {
		memcpy(r->key + r->key_n, t->text.p, t->text.n);
		r->key_n = (uint8_t)(r->key_n + t->text.n);
	}
	r->key_long |= !fits;
	if (!t->last)
		return;
	/* No path has an empty key, so that the empty one stands for one too long. */
	member(r, (struct sv){ r->key, r->key_long ? 0 : r->key_n });
	r->key_n = 0;
	r->key_long = false;
}

/* A token inside a message. */
static void inside(struct rpc *r, const struct json_token *t)
{
	if (r->marking)
		marker_token(r->marker, t);
	if (r->passing) {
		value_pass(r, t);
	} else if (r->skipping) { /* only the end of what is skipped is told */
		r->skipping = false;
		value_end(r, t->end);
	} else if (t->type == JSON_KEY) {
		key(r, t);
	} else if (t->type != JSON_OBJECT_END) {
		value(r, t);
	} else if (r->level > 0) {
		r->level--;
		value_end(r, t->end);
	} else {
		message_end(r, t->end);
	}
}

/* A token between messages: their begin, or something that is none. */
static void outside(struct rpc *r, const struct json_token *t)
{
	if (r->skipping) {
		message_end(r, t->end);
	} else if (t->type == JSON_OBJECT) {
		message_begin(r, t->beg);
		r->object = true;
	} else if (t->type == JSON_ARRAY && !r->batch) {
		r->batch = true;
		r->batch_beg = t->beg;
	} else if (t->type == JSON_ARRAY) {
		message_begin(r, t->beg);
		r->skipping = true;
		json_skip(&r->json);
	} else if (t->type == JSON_ARRAY_END) {
		if (r->elements)
			return;
		message_begin(r, r->batch_beg);
		message_end(r, t->end);
	} else {
		if (t->first)
			message_begin(r, t->beg);
		if (t->last)
			message_end(r, t->end);
	}
}

static void token(struct rpc *r, const struct json_token *t)
{
	if (r->object)
		inside(r, t);
	else
		outside(r, t);
}

ssize_t rpc_feed(struct rpc *r, struct sv in)
{
	uint64_t before = json_taken(&r->json);
	bool longer = r->o.text_max && in.n > r->o.text_max - before;
	struct json_token t;
	int got;

	if (r->err)
		return r->err;
	if (longer)
		in.n = (size_t)(r->o.text_max - before);
	r->in = in;
	r->in_at = before;
	json_feed(&r->json, in);
	for (;;) {
		got = json_next(&r->json, &t);
		if (got <= 0)
			break;
		token(r, &t);
	}
	if (json_done(&r->json)) {
		size_t n = (size_t)(json_taken(&r->json) - before);

		rpc_reset(r);
		return (ssize_t)n;
	}
	if (got < 0 || longer) {
		r->err = got < 0 ? got : -EMSGSIZE;
		return r->err;
	}
	raw_copy(r, json_taken(&r->json));
	return 0;
}

ssize_t rpc_end(struct rpc *r)
{
	struct json_token t;
	int got = r->err ? r->err : json_end(&r->json, &t);

	if (got > 0)
		token(r, &t);
	rpc_reset(r);
	return got < 0 ? got : 0;
}

bool rpc_open(const struct rpc *r, uint64_t *ret_beg)
{
	if (!r->object)
		return false;
	*ret_beg = r->msg.beg;
	return true;
}
