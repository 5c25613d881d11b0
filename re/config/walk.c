// SPDX-License-Identifier: BSD-2-Clause
#include "walk.h"

#include "value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void walk_complain(const struct walk *w, uint32_t line, const char *word, const char *fmt, ...)
{
	char path[TREE_PATH_MAX], text[600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tree_path(w->at, path, sizeof(path));
	w->at->damaged = true;
	report_error(w->report, line, "%s%s%s%s%s", path, path[0] && word[0] ? " " : "", word,
	             path[0] || word[0] ? ": " : "", text);
}

/* "known: a, b, c" for a table, as far as it fits. */
static void known_words(const struct schema *table, char *buf, size_t cap)
{
	size_t len = 0;

	buf[0] = 0;
	for (const struct schema *row = table; row && row->word; row++) {
		if (row->kind == LATER || len + strlen(row->word) + 3 > cap)
			continue;
		len += (size_t)snprintf(buf + len, cap - len, "%s%s", len ? ", " : "", row->word);
	}
}

static enum err unknown(const struct walk *w, const struct lex_token *t)
{
	const struct schema *table = w->at->schema->children;
	const char *near = schema_nearest(table, t->text);
	char known[400];

	if (w->last && (w->last->schema->marks & MARK_SECRET)) {
		walk_complain(w, t->line, w->last->schema->word,
		              "something follows the key; a key with blanks stands in quotes");
		return ERR_SYNTAX;
	}
	if (near) {
		walk_complain(w, t->line, "", "unknown statement \"%.80s\"; did you mean %s?",
		              t->text, near);
		return ERR_UNKNOWN;
	}
	known_words(table, known, sizeof(known));
	walk_complain(w, t->line, "", "unknown statement \"%.80s\"; %s%s", t->text,
	              known[0] ? "known: " : "nothing may stand here", known);
	return ERR_UNKNOWN;
}

/* The node of a row under w->at, found or added. */
static enum err enter(struct walk *w, const struct schema *row, const char *name, uint32_t line)
{
	struct tree_node *n = tree_find(w->tree, w->at, row, name);

	if (n == NULL && !w->create)
		return ERR_NOT_FOUND;
	if (n == NULL) {
		enum err e = tree_add(w->tree, w->at, row, name, &n);

		if (e) {
			walk_complain(w, line, row->word, "%s", err_text(e));
			return e;
		}
		n->line = line;
	}
	w->last = n;
	if (row->kind == CONTAINER || row->kind == LIST)
		w->at = n;
	return ERR_OK;
}

/* Checks a value or name, and reports what is wrong or odd with it. */
static enum err check(const struct walk *w, const struct schema *row, const struct lex_token *t)
{
	struct why why = { 0 }, note = { 0 };
	char path[TREE_PATH_MAX];
	enum err e = value_check(&row->value, t->text, &why, &note);

	if (e) {
		walk_complain(w, t->line, row->word, "%s", why.text);
		return e;
	}
	if (note.text[0])
		report_warning(w->report, t->line, "%s %s: %s",
		               tree_path(w->at, path, sizeof(path)), row->word, note.text);
	return ERR_OK;
}

static enum err replace(struct walk *w, struct tree_node *n, const struct lex_token *t)
{
	char *copy = strdup(t->text);

	if (copy == NULL)
		return ERR_MEMORY;
	if (w->braces && strcmp(n->name, t->text))
		report_warning(w->report, t->line, "%s: stands in line %u too; this one counts",
		               n->schema->word, n->line);
	if (n->schema->marks & MARK_SECRET)
		explicit_bzero(n->name, strlen(n->name));
	free(n->name);
	n->name = copy;
	n->line = t->line;
	return ERR_OK;
}

static enum err take_leaf(struct walk *w, const struct schema *row)
{
	const struct lex_token *t = &w->word[w->i++];

	if (!w->create)
		return enter(w, row, NULL, t->line);
	TRY(check(w, row, t));
	struct tree_node *n = tree_find(w->tree, w->at, row, NULL);
	if (n == NULL)
		return enter(w, row, t->text, t->line);
	w->last = n;
	return replace(w, n, t);
}

static enum err take_one_of_list(struct walk *w, const struct schema *row)
{
	const struct lex_token *t = &w->word[w->i++];

	if (t->mark != LEX_WORD) {
		walk_complain(w, t->line, row->word, "a value was expected instead of a bracket");
		return ERR_SYNTAX;
	}
	if (w->create)
		TRY(check(w, row, t));
	return enter(w, row, t->text, t->line);
}

static enum err take_leaf_list(struct walk *w, const struct schema *row)
{
	enum err worst = ERR_OK;

	if (w->word[w->i].mark != LEX_LIST)
		return take_one_of_list(w, row);
	uint32_t line = w->word[w->i++].line;
	while (w->i < w->words && w->word[w->i].mark != LEX_LIST_END) {
		enum err e = take_one_of_list(w, row);

		worst = e ? e : worst;
	}
	if (w->i == w->words) {
		walk_complain(w, line, row->word, "list without its end, ]");
		return ERR_SYNTAX;
	}
	w->i++;
	return worst;
}

/* Name or value are missing at the end of the words: fine before a block, and when only looking. */
static enum err cut_short(struct walk *w, const struct schema *row, uint32_t line)
{
	char right[400];

	if (row->kind == LIST)
		w->list = row;
	else
		w->leaf = row;
	if (w->is_open || !w->create)
		return ERR_OK;
	walk_complain(w, line, row->word, "the %s is missing; expected %s",
	              row->kind == LIST ? "name" : "value",
	              schema_value_text(&row->value, right, sizeof(right)));
	return ERR_MISSING;
}

static enum err take_named(struct walk *w, const struct schema *row)
{
	const struct lex_token *t = &w->word[w->i];

	if (row->kind == LEAF_LIST)
		return take_leaf_list(w, row);
	if (t->mark != LEX_WORD) {
		walk_complain(w, t->line, row->word, "takes one value, not a list in brackets");
		return ERR_SYNTAX;
	}
	if (row->kind == LEAF)
		return take_leaf(w, row);
	w->i++;
	if (w->create)
		TRY(check(w, row, t));
	return enter(w, row, t->text, t->line);
}

static enum err refuse(struct walk *w, const struct schema *row, uint32_t line)
{
	w->later = row;
	w->i = w->words;
	if (!w->create)
		return ERR_NOT_FOUND;
	walk_complain(w, line, row->word, "%s",
	              row->def ? row->def : "not supported in this version");
	return ERR_UNSUPPORTED;
}

static enum err step(struct walk *w)
{
	const struct lex_token *t = &w->word[w->i];

	if (t->mark != LEX_WORD) {
		walk_complain(w, t->line, "", "a statement was expected instead of a bracket");
		return ERR_SYNTAX;
	}
	const struct schema *row = schema_find(w->at->schema->children, t->text);
	if (row == NULL)
		return unknown(w, t);
	w->i++;
	switch (row->kind) {
	case LATER:
		return refuse(w, row, t->line);
	case CONTAINER:
	case FLAG:
		return enter(w, row, NULL, t->line);
	default:
		return w->i == w->words ? cut_short(w, row, t->line) : take_named(w, row);
	}
}

/* The first words, when they are entries of a list or values of a leaf whose word stands before the
 * block: interfaces { ge-0/0/3.0; }. */
static enum err first_words(struct walk *w)
{
	const struct schema *row = w->list ? w->list : w->leaf;

	w->list = w->leaf = NULL;
	return row ? take_named(w, row) : ERR_OK;
}

enum err walk_statement(struct walk *w)
{
	enum err e = w->words ? first_words(w) : ERR_OK;

	while (e == ERR_OK && w->i < w->words)
		e = step(w);
	return e;
}
