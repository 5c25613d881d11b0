/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of one statement, followed through the schema and the tree.
 *
 * Braces and set lines differ in their marks only: in both, a statement is a row of words that
 * leads from a container to a leaf, and may go on with further statements of the same container.
 * Used by grammar.c alone; any thread. */
#ifndef WALK_H
#define WALK_H
#include "lex.h"
#include "report.h"
#include "tree.h"

struct walk {
	struct tree *tree;
	struct config_report *report;
	const struct lex_token *word;
	size_t words, i;
	bool create;  /* add what is not there; else only look */
	bool braces;  /* in braces a statement that comes twice is worth a warning */
	bool is_open; /* a block follows: a list or leaf may lack its name or value */

	struct tree_node *at;       /* the container that the next word belongs to */
	struct tree_node *last;     /* the node of the last word; NULL: none yet */
	const struct schema *list;  /* the last word began a list, and no name followed */
	const struct schema *leaf;  /* the last word began a leaf, and no value followed */
	const struct schema *later; /* the last word is known and refused */
};

/* Follows all words from w->at. With create, errors are reported and what is right is added; the
 * error is returned all the same. Without, ERR_NOT_FOUND when something is not in the tree. */
enum err walk_statement(struct walk *w) MUST_CHECK;

/* Reports "path word: text", path being that of w->at. */
void walk_complain(const struct walk *w, uint32_t line, const char *word, const char *fmt, ...)
        PRINTF(4, 5);

#endif
