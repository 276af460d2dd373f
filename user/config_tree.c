/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML tree into struct config, by the table of keys. Goes on after an error, so that all are named at once. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "config_key.h"
#include "config_yaml.h"

#define ERRORS_MAX 20

void config_bad(struct config_reader *r, uint32_t line, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	r->n++;
	if (r->n == ERRORS_MAX)
		buf_addf(r->errors, "%s: more errors are not shown\n", r->where);
	if (r->n >= ERRORS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	buf_add_str(r->errors, r->where);
	if (line)
		buf_addf(r->errors, ":%u", line);
	if (r->path[0])
		buf_addf(r->errors, ": key '%s'", r->path);
	buf_addf(r->errors, ": %s\n", why);
}

/* Go to member @key of the path; how long it was, to come back. -1 after an error: no key is that long. */
static int descend(struct config_reader *r, const struct tree_node *node)
{
	size_t n = strlen(r->path);

	if (n + node->key.n + 2 > sizeof(r->path)) {
		config_bad(r, node->line, "unknown key below it");
		return -1;
	}
	snprintf(r->path + n, sizeof(r->path) - n, "%s%s", n ? "." : "", node->key.p);
	return (int)n;
}

static void list_set(struct config_reader *r, const struct config_key *k, void *base, const struct tree_node *node)
{
	char why[192];

	config_list_clear(k, base);
	if (tree_is_null(node))
		return;
	if (node->kind != TREE_LIST) {
		config_bad(r, node->line, "not a list");
		return;
	}
	for (const struct tree_node *e = node->child; e; e = e->next) {
		if (e->kind != TREE_TEXT || tree_is_null(e))
			config_bad(r, e->line, "not a list of texts");
		else if (config_value_set(k, base, (struct config_value){ e->text, e->quoted }, why))
			config_bad(r, e->line, "%s", why);
	}
}

void config_node_set(struct config_reader *r, const struct config_key *k, void *base, const struct tree_node *node)
{
	char why[192];

	if (config_is_own(k))
		config_own_set(r, k, base, node);
	else if (config_is_list(k))
		list_set(r, k, base, node);
	else if (node->kind != TREE_TEXT)
		config_bad(r, node->line, "one value is wanted, not a %s", node->kind == TREE_MAP ? "map" : "list");
	else if (tree_is_null(node))
		config_bad(r, node->line, "no value");
	else if (config_value_set(k, base, (struct config_value){ node->text, node->quoted }, why))
		config_bad(r, node->line, "%s", why);
}

void config_map_set(struct config_reader *r, const struct config_key *keys, void *base, const struct tree_node *node,
		    uint64_t *ret_seen)
{
	*ret_seen = 0;
	if (node->kind != TREE_MAP) {
		config_bad(r, node->line, "not a map");
		return;
	}
	for (const struct tree_node *e = node->child; e; e = e->next) {
		int back = descend(r, e), i = 0;

		if (back < 0)
			return;
		while (keys[i].name && !sv_eq(e->key, sv_of(keys[i].name)))
			i++;
		if (keys[i].name) {
			config_node_set(r, &keys[i], base, e);
			*ret_seen |= 1ULL << i;
		} else {
			config_bad(r, e->line, "unknown key");
		}
		r->path[back] = 0;
	}
}

/* Members of a section: keys, and sections below it. */
static void section(struct config_reader *r, const struct tree_node *node)
{
	if (tree_is_null(node)) /* all that was in it is commented out */
		return;
	if (node->kind != TREE_MAP) {
		config_bad(r, node->line, "keys are wanted below it, not %s",
			   node->kind == TREE_LIST ? "a list" : "a value");
		return;
	}
	for (const struct tree_node *e = node->child; e; e = e->next) {
		const struct config_key *k;
		int back = descend(r, e);

		if (back < 0)
			return;
		/* A dot in a key is no way down. */
		k = memchr(e->key.p, '.', e->key.n) ? NULL : config_key_find(sv_of(r->path));
		if (k)
			config_node_set(r, k, r->c, e);
		else if (!memchr(e->key.p, '.', e->key.n) && config_section(sv_of(r->path)))
			section(r, e);
		else
			config_bad(r, e->line, "unknown key");
		r->path[back] = 0;
	}
}

void config_tree_read(struct config_reader *r, const struct tree_node *root)
{
	r->path[0] = 0;
	section(r, root);
}
