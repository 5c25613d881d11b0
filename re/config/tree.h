/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration as it was written: statements in their order, each with the line it stands in.
 *
 * A node is a row of the schema and, where that row takes one, a name or value. Values are text
 * that has been checked; what they mean is the model's business. Nodes are found by a hash of
 * parent, row and name, so that a file of a hundred thousand lines is read in linear time. Any
 * thread, one at a time. */
#ifndef TREE_H
#define TREE_H
#include "errors.h"
#include "schema.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_NODES_MAX 500000
#define TREE_DEPTH_MAX 24
#define TREE_PATH_MAX 512

struct tree_node {
	const struct schema *schema;
	char *name;    /* LIST: of the entry; LEAF and LEAF_LIST: the value; else NULL. Owns */
	char *comment; /* what stood before it, without the marks; NULL: nothing. Owns */
	uint32_t line;
	bool inactive; /* deactivated: kept and shown, without effect */
	bool damaged;  /* something in it was wrong and is left out, so it may lack what it needs */
	struct tree_node *parent, *first, *last, *prev, *next;
	struct tree_node *hash_next;
};

struct tree;

struct tree *tree_new(void);
void tree_free(struct tree *t); /* wipes secrets; takes NULL */
AUTO_DEFINE(struct tree, tree_free);

struct tree_node *tree_root(struct tree *t);

/* The child of that row and name (NULL for rows without names), or NULL. */
struct tree_node *tree_find(const struct tree *t, const struct tree_node *parent,
                            const struct schema *row, const char *name);

/* Adds a child at the end. The name is copied. */
enum err tree_add(struct tree *t, struct tree_node *parent, const struct schema *row,
                  const char *name, struct tree_node **ret) MUST_CHECK;

/* Takes a node and all that is under it out, and frees it. */
void tree_remove(struct tree *t, struct tree_node *n);

/* Moves a node before or after a sibling. */
void tree_move(struct tree_node *n, struct tree_node *sibling, bool before);

/* Walks over what has effect: the next active node among siblings that begins at n, n included. */
const struct tree_node *tree_active(const struct tree_node *n);

/* The first active child with that word, or NULL; and the next one of the same row. */
const struct tree_node *tree_child(const struct tree_node *parent, const char *word);
const struct tree_node *tree_same(const struct tree_node *n);

/* How many active children have that word. */
size_t tree_count(const struct tree_node *parent, const char *word);

/* The value of the active leaf with that word, or NULL. */
const char *tree_value(const struct tree_node *parent, const char *word);

/* The node at a path of containers, "security ike"; NULL when it is not there or not active. */
const struct tree_node *tree_at(const struct tree *t, const char *path);

/* "security ike gateway gw1 ike-policy": the words that lead to a node, without a leaf's value.
 * Returns buf. */
char *tree_path(const struct tree_node *n, char *buf, size_t cap);

#endif
