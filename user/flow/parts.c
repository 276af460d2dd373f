/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/parts.h"

#include <stdlib.h>
#include <string.h>

struct part_record {
	struct part_record *next;
	struct ev_data d; /* and its bytes */
};

struct part {
	struct table_node node;
	struct ev_key name;
	uint64_t since;
	uint64_t bytes;
	struct part_record *first, *last;
};

int parts_init(struct parts *p)
{
	return table_init(&p->table, PARTS_MAX);
}

static void part_free(struct parts *p, struct part *t)
{
	while (t->first) {
		struct part_record *r = t->first;

		t->first = r->next;
		free(r);
	}
	p->bytes -= t->bytes;
	free(t);
}

static void part_drop(struct parts *p, struct part *t)
{
	for (const struct part_record *r = t->first; r; r = r->next)
		p->dropped++;
	part_free(p, t);
}

void parts_done(struct parts *p)
{
	while (p->table.oldest) {
		struct part *t = table_entry(p->table.oldest, struct part, node);

		table_del(&p->table, &t->node);
		part_free(p, t);
	}
	table_done(&p->table);
}

static struct part *part_get(struct parts *p, const struct ev_key *name, uint64_t now)
{
	struct table_node *n = table_peek(&p->table, name, sizeof(*name)), *old;
	struct part *t = n ? table_entry(n, struct part, node) : calloc(1, sizeof(*t));

	if (n || !t)
		return t;
	t->name = *name;
	t->since = now;
	old = table_add(&p->table, &t->node, &t->name, sizeof(t->name));
	if (old)
		part_drop(p, table_entry(old, struct part, node));
	return t;
}

void parts_add(struct parts *p, const struct ev_data *d, uint64_t now)
{
	size_t size = offsetof(struct part_record, d) + d->hdr.size;
	struct part *t = part_get(p, &d->key, now);
	struct part_record *r;

	if (!t || t->bytes + size > PART_BYTES || p->bytes + size > PARTS_BYTES) {
		p->dropped++;
		return;
	}
	r = malloc(size > sizeof(*r) ? size : sizeof(*r));
	if (!r) {
		p->dropped++;
		return;
	}
	r->next = NULL;
	memcpy(&r->d, d, d->hdr.size);
	if (t->last)
		t->last->next = r;
	else
		t->first = r;
	t->last = r;
	t->bytes += size;
	p->bytes += size;
}

void parts_join(struct parts *p, const struct ev_join *j, void (*fn)(void *ctx, const struct ev_data *d), void *ctx)
{
	struct table_node *n = table_peek(&p->table, &j->part, sizeof(j->part));
	struct part *t = n ? table_entry(n, struct part, node) : NULL;

	if (!t)
		return;
	table_del(&p->table, &t->node);
	for (struct part_record *r = t->first; r; r = r->next) {
		struct ev_data *d = &r->d;

		if (j->pos > UINT64_MAX - d->want || d->pos > UINT64_MAX - d->want - j->pos || d->end != j->end) {
			p->dropped++;
			continue;
		}
		d->hdr.flags &= (uint16_t)~EV_F_PART;
		d->key = j->key;
		d->pos += j->pos;
		fn(ctx, d);
	}
	part_free(p, t);
}

void parts_tick(struct parts *p, uint64_t now)
{
	while (p->table.oldest) {
		struct part *t = table_entry(p->table.oldest, struct part, node);

		if (now < t->since + PART_HOLD_NS)
			return;
		table_del(&p->table, &t->node);
		part_drop(p, t);
	}
}
