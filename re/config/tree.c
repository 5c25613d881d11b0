// SPDX-License-Identifier: BSD-2-Clause
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tree {
	struct tree_node root;
	struct tree_node **bucket;
	size_t buckets; /* a power of two */
	size_t nodes;
};

#define BUCKETS_FIRST 256

struct tree *tree_new(void)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->root.schema = &schema_root;
	t->buckets = BUCKETS_FIRST;
	t->bucket = calloc(t->buckets, sizeof(t->bucket[0]));
	if (t->bucket == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

struct tree_node *tree_root(struct tree *t)
{
	return &t->root;
}

static void node_free(struct tree_node *n)
{
	if (n->name && (n->schema->marks & MARK_SECRET))
		explicit_bzero(n->name, strlen(n->name));
	free(n->name);
	free(n->comment);
	free(n);
}

/* Depth is bounded by the schema's. */
static void children_free(struct tree_node *parent)
{
	struct tree_node *n = parent->first;

	while (n) {
		struct tree_node *next = n->next;

		children_free(n);
		node_free(n);
		n = next;
	}
}

void tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	children_free(&t->root);
	free(t->bucket);
	free(t);
}

/* FNV-1a over the pointers and the name. */
static size_t hash_of(const struct tree_node *parent, const struct schema *row, const char *name)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uintptr_t)parent;

	h = (h ^ (uintptr_t)row) * 0x100000001b3u;
	for (const char *p = name ? name : ""; *p; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3u;
	return (size_t)(h ^ h >> 32);
}

static bool name_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* A leaf is found whatever its value: there is only one. */
static const char *key_of(const struct schema *row, const char *name)
{
	return row->kind == LIST || row->kind == LEAF_LIST ? name : NULL;
}

static struct tree_node **slot_of(const struct tree *t, const struct tree_node *n)
{
	size_t h = hash_of(n->parent, n->schema, key_of(n->schema, n->name));

	return &t->bucket[h & (t->buckets - 1)];
}

struct tree_node *tree_find(const struct tree *t, const struct tree_node *parent,
                            const struct schema *row, const char *name)
{
	const char *key = key_of(row, name);
	struct tree_node *n = t->bucket[hash_of(parent, row, key) & (t->buckets - 1)];

	while (n &&
	       (n->parent != parent || n->schema != row || !name_equal(key_of(row, n->name), key)))
		n = n->hash_next;
	return n;
}

/* Rehashes into twice as many buckets; on failure the old ones go on serving. */
static void grow(struct tree *t)
{
	struct tree_node **old = t->bucket;
	size_t old_buckets = t->buckets;
	struct tree_node **bigger = calloc(old_buckets * 2, sizeof(bigger[0]));

	if (bigger == NULL)
		return;
	t->bucket = bigger;
	t->buckets = old_buckets * 2;
	for (size_t i = 0; i < old_buckets; i++) {
		struct tree_node *n = old[i];

		while (n) {
			struct tree_node *next = n->hash_next;
			struct tree_node **slot = slot_of(t, n);

			n->hash_next = *slot;
			*slot = n;
			n = next;
		}
	}
	free(old);
}

static void link_last(struct tree_node *parent, struct tree_node *n)
{
	n->prev = parent->last;
	n->next = NULL;
	if (parent->last)
		parent->last->next = n;
	else
		parent->first = n;
	parent->last = n;
}

static void unlink_node(struct tree_node *n)
{
	struct tree_node *parent = n->parent;

	if (n->prev)
		n->prev->next = n->next;
	else
		parent->first = n->next;
	if (n->next)
		n->next->prev = n->prev;
	else
		parent->last = n->prev;
}

enum err tree_add(struct tree *t, struct tree_node *parent, const struct schema *row,
                  const char *name, struct tree_node **ret)
{
	if (t->nodes == TREE_NODES_MAX)
		return ERR_FULL;
	struct tree_node *n = calloc(1, sizeof(*n));
	if (n == NULL)
		return ERR_MEMORY;
	if (name && (n->name = strdup(name)) == NULL) {
		free(n);
		return ERR_MEMORY;
	}
	n->schema = row;
	n->parent = parent;
	link_last(parent, n);
	if (t->nodes++ > t->buckets)
		grow(t);
	struct tree_node **slot = slot_of(t, n);
	n->hash_next = *slot;
	*slot = n;
	*ret = n;
	return ERR_OK;
}

static void unhash(struct tree *t, struct tree_node *n)
{
	struct tree_node **at = slot_of(t, n);

	while (*at != n)
		at = &(*at)->hash_next;
	*at = n->hash_next;
	t->nodes--;
}

void tree_remove(struct tree *t, struct tree_node *n)
{
	while (n->first)
		tree_remove(t, n->first);
	unhash(t, n);
	unlink_node(n);
	node_free(n);
}

void tree_move(struct tree_node *n, struct tree_node *sibling, bool before)
{
	struct tree_node *parent = n->parent;

	if (n == sibling)
		return;
	unlink_node(n);
	struct tree_node *next = before ? sibling : sibling->next;
	if (next == NULL) {
		link_last(parent, n);
		return;
	}
	n->next = next;
	n->prev = next->prev;
	if (next->prev)
		next->prev->next = n;
	else
		parent->first = n;
	next->prev = n;
}

const struct tree_node *tree_active(const struct tree_node *n)
{
	while (n && n->inactive)
		n = n->next;
	return n;
}

const struct tree_node *tree_child(const struct tree_node *parent, const char *word)
{
	if (parent == NULL)
		return NULL;
	for (const struct tree_node *n = tree_active(parent->first); n; n = tree_active(n->next))
		if (strcmp(n->schema->word, word) == 0)
			return n;
	return NULL;
}

const struct tree_node *tree_same(const struct tree_node *n)
{
	const struct schema *row = n->schema;

	do
		n = tree_active(n->next);
	while (n && n->schema != row);
	return n;
}

size_t tree_count(const struct tree_node *parent, const char *word)
{
	size_t count = 0;

	for (const struct tree_node *n = tree_child(parent, word); n; n = tree_same(n))
		count++;
	return count;
}

const char *tree_value(const struct tree_node *parent, const char *word)
{
	const struct tree_node *n = tree_child(parent, word);

	return n ? n->name : NULL;
}

const struct tree_node *tree_at(const struct tree *t, const char *path)
{
	const struct tree_node *n = &t->root;
	char word[64];

	for (size_t i = 0; n && schema_word(path, i, word, sizeof(word)); i++)
		n = tree_child(n, word);
	return n;
}

char *tree_path(const struct tree_node *n, char *buf, size_t cap)
{
	const struct tree_node *way[TREE_DEPTH_MAX];
	size_t depth = 0, len = 0;

	buf[0] = 0;
	for (; n->parent && depth < TREE_DEPTH_MAX; n = n->parent)
		way[depth++] = n;
	while (depth > 0 && len < cap) {
		const struct tree_node *step = way[--depth];
		const char *name = step->schema->kind == LIST ? step->name : NULL;
		int n_put = snprintf(buf + len, cap - len, "%s%s%s%s", len ? " " : "",
		                     step->schema->word, name ? " " : "", name ? name : "");
		len += n_put > 0 ? (size_t)n_put : 0;
	}
	return buf;
}
