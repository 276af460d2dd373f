/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML document as a bounded tree, from libyaml's events. Sole includer of libyaml.
 *
 * Built as the events come, so that what is nested too deep or too wide stops the parser before it has read on. */
#include "config_yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <yaml.h>

struct tree {
	struct tree_node *v; /* TREE_NODES at most; allocated once, so pointers hold */
	uint32_t n;
	struct tree_node *open;	  /* the list or map that events go into */
	struct tree_node *keyed;  /* a child of the open map whose value comes next */
	unsigned int depth, documents;
	struct tree_error *error;
};

__attribute__((format(printf, 3, 4))) static int bad(struct tree *t, size_t line, const char *fmt, ...)
{
	va_list ap;

	t->error->line = (uint32_t)line + 1;
	va_start(ap, fmt);
	vsnprintf(t->error->why, sizeof(t->error->why), fmt, ap);
	va_end(ap);
	return -1;
}

static int copy(struct tree *t, size_t line, const yaml_event_t *e, struct sv *ret)
{
	size_t n = e->data.scalar.length;
	char *p;

	if (memchr(e->data.scalar.value, 0, n))
		return bad(t, line, "a NUL in a text");
	p = malloc(n + 1);
	if (!p)
		return bad(t, line, "out of memory");
	memcpy(p, e->data.scalar.value, n);
	p[n] = 0;
	*ret = (struct sv){ p, n };
	return 0;
}

static struct tree_node *append(struct tree *t, size_t line)
{
	struct tree_node *n, *in = t->open;

	if (t->n == TREE_NODES || (in && in->n == TREE_WIDTH)) {
		bad(t, line, in && in->n == TREE_WIDTH ? "more than %d entries in one list or map" :
							 "more than %d values in all",
		    in && in->n == TREE_WIDTH ? TREE_WIDTH : TREE_NODES);
		return NULL;
	}
	n = &t->v[t->n++];
	n->line = (uint32_t)line + 1;
	n->parent = in;
	if (!in)
		return n;
	if (in->last)
		in->last->next = n;
	else
		in->child = n;
	in->last = n;
	in->n++;
	return n;
}

static int add_key(struct tree *t, size_t line, const yaml_event_t *e)
{
	struct tree_node *n;

	if (e->type != YAML_SCALAR_EVENT)
		return bad(t, line, "a key is a word, not a list or map");
	n = append(t, line);
	if (!n || copy(t, line, e, &n->key))
		return -1;
	for (const struct tree_node *o = t->open->child; o != n; o = o->next) {
		if (sv_eq(o->key, n->key))
			return bad(t, line, "key '%.64s' for the second time; first in line %u", n->key.p, o->line);
	}
	t->keyed = n;
	return 0;
}

/* Where the next value goes: the child whose key was read, a new entry of the list, or the root. */
static struct tree_node *place(struct tree *t, size_t line)
{
	struct tree_node *n = t->keyed;

	t->keyed = NULL;
	return n ? n : append(t, line);
}

static int add_text(struct tree *t, size_t line, const yaml_event_t *e)
{
	struct tree_node *n = place(t, line);

	if (!n)
		return -1;
	n->kind = TREE_TEXT;
	n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return copy(t, line, e, &n->text);
}

static int add_open(struct tree *t, size_t line, enum tree_kind kind)
{
	struct tree_node *n;

	if (t->depth == TREE_DEPTH)
		return bad(t, line, "nested more than %d deep", TREE_DEPTH);
	n = place(t, line);
	if (!n)
		return -1;
	n->kind = (uint8_t)kind;
	t->open = n;
	t->depth++;
	return 0;
}

static int refuse_extras(struct tree *t, size_t line, const yaml_event_t *e)
{
	const void *anchor = NULL, *tag = NULL;

	if (e->type == YAML_SCALAR_EVENT) {
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
	}
	if (anchor || e->type == YAML_ALIAS_EVENT)
		return bad(t, line, "anchors and aliases are not taken");
	return tag ? bad(t, line, "tags are not taken") : 0;
}

static int feed(struct tree *t, const yaml_event_t *e)
{
	size_t line = e->start_mark.line;

	if (e->type == YAML_DOCUMENT_START_EVENT && t->documents++)
		return bad(t, line, "a second document");
	if (refuse_extras(t, line, e))
		return -1;
	if (e->type == YAML_SEQUENCE_END_EVENT || e->type == YAML_MAPPING_END_EVENT) {
		t->open = t->open->parent;
		t->depth--;
		return 0;
	}
	if (t->open && t->open->kind == TREE_MAP && !t->keyed)
		return add_key(t, line, e);
	if (e->type == YAML_SCALAR_EVENT)
		return add_text(t, line, e);
	if (e->type == YAML_SEQUENCE_START_EVENT)
		return add_open(t, line, TREE_LIST);
	return e->type == YAML_MAPPING_START_EVENT ? add_open(t, line, TREE_MAP) : 0;
}

static int parse(struct tree *t, struct sv text)
{
	yaml_parser_t parser;
	yaml_event_t e;
	bool end = false;
	int err = 0;

	if (!yaml_parser_initialize(&parser))
		return bad(t, 0, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	while (!err && !end) {
		if (!yaml_parser_parse(&parser, &e)) {
			err = bad(t, parser.problem_mark.line, "%s",
				  parser.problem ? parser.problem : "out of memory");
			break;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		err = feed(t, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	return err;
}

struct tree *tree_parse(struct sv text, struct tree_error *ret_error)
{
	struct tree *t = calloc(1, sizeof(*t));
	const char *nul;
	size_t line = 0;

	*ret_error = (struct tree_error){ .line = 1, .why = "out of memory" };
	if (!t)
		return NULL;
	t->error = ret_error;
	t->v = calloc(TREE_NODES, sizeof(*t->v));
	if (!t->v)
		goto out;
	nul = text.n ? memchr(text.p, 0, text.n) : NULL;
	for (const char *p = text.p; nul && p < nul; p++)
		line += *p == '\n';
	if (text.n > TREE_BYTES)
		bad(t, 0, "more than %u bytes", TREE_BYTES);
	else if (nul)
		bad(t, line, "a NUL byte");
	else if (!parse(t, text))
		return t;
out:
	tree_free(t);
	return NULL;
}

const struct tree_node *tree_root(const struct tree *t)
{
	static const struct tree_node none = { .kind = TREE_MAP, .line = 1 };

	return t->n ? &t->v[0] : &none;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->n; i++) {
		free((void *)t->v[i].key.p);
		free((void *)t->v[i].text.p);
	}
	free(t->v);
	free(t);
}

bool tree_is_null(const struct tree_node *n)
{
	return n->kind == TREE_TEXT && !n->quoted &&
	       (n->text.n == 0 || sv_eq(n->text, SV("~")) || sv_eq(n->text, SV("null")));
}
