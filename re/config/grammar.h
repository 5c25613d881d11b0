/* SPDX-License-Identifier: BSD-2-Clause */
/* Both written forms of a configuration, into the tree and back.
 *
 * Braces:    security { ike { proposal p { dh-group group19; } } }
 * Set lines: set security ike proposal p dh-group group19
 * A file may hold either, or both; set lines (also delete, deactivate, activate, and insert …
 * before or after …) are applied in their order, and may go on with further statements of the same
 * container. Lists stand in [ ], text with blanks in quotes, comments behind # or between the C
 * marks. Statements that the schema does not have are errors with the nearest known one; all errors
 * of a file go into the report. Any thread, one tree at a time. */
#ifndef GRAMMAR_H
#define GRAMMAR_H
#include "errors.h"
#include "reader.h"
#include "report.h"
#include "text.h"
#include "tree.h"

#define GRAMMAR_FILE_MAX (8u << 20)

/* Reads text into the tree. Errors and warnings go into the report; what has an error is left out
 * of the tree. ERR_SYNTAX when there was any error. */
enum err grammar_read(struct tree *t, struct reader text, struct config_report *report) MUST_CHECK;

enum grammar_form { GRAMMAR_BRACES, GRAMMAR_SET };

/* Writes what is under n (the root: everything) in one of the forms; secrets as "$9$…". What it
 * writes is read back to the same tree. */
enum err grammar_write(const struct tree_node *n, enum grammar_form form,
                       struct text *out) MUST_CHECK;

/* The node that words lead to, from the root. ERR_NOT_FOUND, with why, when there is none. */
enum err grammar_find(struct tree *t, const char *const *words, size_t n,
                      const struct tree_node **ret, struct why *why) MUST_CHECK;

#endif
