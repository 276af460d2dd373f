/* SPDX-License-Identifier: Apache-2.0 */
/* Doubly linked list whose links lie in the listed structs. A link on no list points to itself. */
#ifndef MCPVIGIL_MCP_LIST_H
#define MCPVIGIL_MCP_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define list_entry(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Put @l, which is on no list, at the end of @head's list. */
static inline void list_add(struct list *head, struct list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static inline void list_del(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* Move @l to the end of @head's list from wherever it is. */
static inline void list_move(struct list *head, struct list *l)
{
	list_del(l);
	list_add(head, l);
}

/* Move all of @from's list to the end of @to's. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	from->prev->next = to;
	to->prev->next = from->next;
	to->prev = from->prev;
	list_init(from);
}

#endif
