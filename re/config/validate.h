/* SPDX-License-Identifier: BSD-2-Clause */
/* What the schema's rows alone can check of a tree: references lead somewhere, what must be there
 * is there, of alternatives there is one, and what has no effect is said. Rules between statements
 * are checked where the model is built. Any thread. */
#ifndef VALIDATE_H
#define VALIDATE_H
#include "report.h"
#include "tree.h"

void validate_tree(struct tree *t, struct config_report *report);

/* "a, b, c": the names of the active entries of n's row, n the first, as far as they fit; "none"
 * when n is NULL. Returns buf. */
char *validate_known(const struct tree_node *n, char *buf, size_t cap);

#endif
