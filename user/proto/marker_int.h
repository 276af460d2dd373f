/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of marker.c and marker_leaf.c. */
#ifndef MCPVIGIL_PROTO_MARKER_INT_H
#define MCPVIGIL_PROTO_MARKER_INT_H

#include "base/buf.h"
#include "proto/mark_place.h"
#include "proto/mark_text.h"
#include "proto/marker.h"

#define MARKER_KEYS 256 /* keys of the open objects that are looked at for doubles */

/* A value's two forms. */
struct twin {
	struct fp plain, other;
};

struct level {
	struct twin sum; /* of the members, or the chain of the elements */
	struct twin key; /* of the open member */
	uint64_t path, member; /* of the container, and of its open member */
	uint32_t n;
	uint16_t keys;	/* in m->keys before it */
	uint8_t type;	/* JSON_OBJECT, JSON_ARRAY; JSON_NONE at the bottom, which holds the member's value */
	uint8_t place;
	uint8_t next;	/* place of the open member */
	bool masked;	/* the open member is a request id */
};

/* The first text of an answer: from where it is the best known so far. */
enum head_rank {
	HEAD_NONE,
	HEAD_ANY,
	HEAD_STRUCTURED,
	HEAD_INNER, /* these two of a task's outcome */
	HEAD_INNER_STRUCTURED,
	HEAD_INNER_TEXT,
	HEAD_TEXT,
};

struct marker {
	struct rpc_marks marks;
	uint8_t member; /* enum marker_member */
	uint8_t answer; /* which of result and error the answer's marks are of */
	uint8_t depth;
	uint8_t inner;	/* depth of the open inner result or error, 0: none */
	uint8_t over;	/* containers open in a value that counts for nothing; 0: it is a scalar */
	bool passing;	/* such a value is open */
	bool arguments; /* params.arguments is whole: nothing else counts as arguments */
	bool outcome;	/* an inner result or error is whole: the outer one does not count, unless it has a ... */
	bool content;	/* ... "content" of its own */
	uint8_t rank;	/* enum head_rank of marks.head */
	uint16_t n_keys;
	struct buf tools; /* struct rpc_tool */
	bool tool_open;
	bool tools_cut;
	uint64_t tool_beg;
	struct simhash sim;
	struct level level[JSON_DEPTH + 1];
	uint64_t keys[MARKER_KEYS];
	struct mark_text text;
};

static inline struct twin twin_of(struct fp f)
{
	return (struct twin){ f, f };
}

/* Whether what comes counts as arguments. */
static inline bool of_arguments(const struct marker *m)
{
	return m->member == MARKER_PARAMS && !m->arguments && !m->inner;
}

/* Whether it is of an answer: result, error, or the outcome of a task in a notification. */
static inline bool of_answer(const struct marker *m)
{
	return m->member != MARKER_PARAMS || m->inner;
}

/* Of the value that is open or comes next. */
static inline uint8_t place_next(const struct marker *m)
{
	const struct level *l = &m->level[m->depth];

	return l->type == JSON_ARRAY ? mark_place_element(l->place, l->n) : l->next;
}

/* The tool at hand; NULL: none is. */
static inline struct rpc_tool *tool_of(struct marker *m)
{
	return m->tool_open ? (struct rpc_tool *)(void *)(m->tools.p + m->tools.n) - 1 : NULL;
}

/* The leaves, marker_leaf.c. A string comes. */
void leaf_string_begin(struct marker *m);
/* It, a number or a literal is whole: note what is to be noted of it, return what it counts as. @leaf->plain of a
 * number is only looked at where @leaf->whole is NULL. */
struct twin leaf_string(struct marker *m, const struct mark_leaf *leaf);
struct twin leaf_number(struct marker *m, const struct mark_leaf *leaf);
struct twin leaf_literal(struct marker *m, uint8_t type);

#endif
