/* SPDX-License-Identifier: BSD-2-Clause */
/* Intrusive doubly linked lists: the node is a member of the object, nothing is allocated.
 *
 * A list is a ring with a head; an object may be in as many lists as it has nodes. Any thread, one
 * at a time. */
#ifndef LIST_H
#define LIST_H
#include <stdbool.h>
#include <stddef.h>

/* The object that has this member at this address. */
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_add(struct list *node, struct list *after)
{
	node->prev = after;
	node->next = after->next;
	after->next->prev = node;
	after->next = node;
}

static inline void list_add_tail(struct list *node, struct list *head)
{
	list_add(node, head->prev);
}

/* Takes the node out; it is then a list of its own, so a second time does nothing. */
static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Takes the first node out; NULL when there is none. */
static inline struct list *list_pop(struct list *head)
{
	struct list *first = head->next;

	if (first == head)
		return NULL;
	list_del(first);
	return first;
}

/* struct list *at; list_each(at, &head) { ... }; the body of _safe may take `at` out. */
#define list_each(at, head) for ((at) = (head)->next; (at) != (head); (at) = (at)->next)
#define list_each_safe(at, after, head)                                 \
	for ((at) = (head)->next, (after) = (at)->next; (at) != (head); \
	     (at) = (after), (after) = (at)->next)

#endif
