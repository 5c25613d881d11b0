/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of this folder share: a configuration from text, and its messages as one string.
 */
#ifndef LOAD_H
#define LOAD_H
#include "grammar.h"
#include "model.h"
#include "report.h"

struct loaded {
	enum err e;
	struct config *config; /* NULL when it has errors */
	struct config_report report;
	char messages[16384]; /* "test.conf:1: error: …\n…" */
};

void load_text(const char *text, struct loaded *ret);
void load_done(struct loaded *l);

/* Reads text into a tree, which must work, and writes it in one of the forms. The caller frees. */
char *load_rewrite(const char *text, enum grammar_form form);

/* A whole file; fails the test when it is not there. The caller frees. */
char *load_file(const char *path);

#endif
