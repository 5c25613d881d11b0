// SPDX-License-Identifier: BSD-2-Clause
#include "timers.h"

#include <stddef.h>

static bool before(const struct timer *a, const struct timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->serial < b->serial;
}

/* One heap of two; either may be empty. The later root becomes the first child of the earlier. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	if (a == NULL || b == NULL)
		return a ? a : b;
	if (before(b, a)) {
		struct timer *c = a;

		a = b;
		b = c;
	}
	b->next = a->child;
	b->prev = a;
	if (a->child != NULL)
		a->child->prev = b;
	a->child = b;
	return a;
}

static struct timer *alone(struct timer *t)
{
	t->next = t->prev = NULL;
	return t;
}

/* The children of a root that is gone: melded in pairs from left to right, then the pairs from
 * right to left. The first pass strings the pairs together backwards. */
static struct timer *meld_children(struct timer *first)
{
	struct timer *pairs = NULL, *heap = NULL;

	while (first != NULL) {
		struct timer *a = first, *b = a->next;

		first = b ? b->next : NULL;
		struct timer *pair = meld(alone(a), b ? alone(b) : NULL);
		pair->next = pairs;
		pairs = pair;
	}
	while (pairs != NULL) {
		struct timer *pair = pairs;

		pairs = pair->next;
		heap = meld(heap, alone(pair));
	}
	return heap;
}

static void cut(struct timer *t)
{
	if (t->prev->child == t)
		t->prev->child = t->next;
	else
		t->prev->next = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
}

void timers_cancel(struct timers *t, struct timer *timer)
{
	if (!timer->armed)
		return;
	struct timer *children = meld_children(timer->child);
	if (t->root == timer) {
		t->root = children;
	} else {
		cut(timer);
		t->root = meld(t->root, children);
	}
	*timer = (struct timer){ 0 };
}

void timers_add(struct timers *t, struct timer *timer, uint64_t due_ms)
{
	timers_cancel(t, timer);
	*timer = (struct timer){ .due_ms = due_ms, .serial = t->serial++, .armed = true };
	t->root = meld(t->root, timer);
}

uint64_t timers_next_due(const struct timers *t)
{
	return t->root ? t->root->due_ms : UINT64_MAX;
}

struct timer *timers_pop_due(struct timers *t, uint64_t now_ms)
{
	struct timer *first = t->root;

	if (first == NULL || first->due_ms > now_ms)
		return NULL;
	timers_cancel(t, first);
	return first;
}
