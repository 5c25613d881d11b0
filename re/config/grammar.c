// SPDX-License-Identifier: BSD-2-Clause
#include "grammar.h"

#include "lex.h"
#include "walk.h"

#include <stdlib.h>
#include <string.h>

struct parse {
	struct tree *tree;
	struct config_report *report;
	struct lexer lx;
};

/* Where the statements of a block belong. */
struct frame {
	struct tree_node *at;
	const struct schema *list, *leaf; /* the word before the block, without name or value */
	bool skip;                        /* under something refused or wrong: read over it */
	int depth;
	uint32_t line; /* of its { */
};

static enum err read_block(struct parse *p, const struct frame *f);

static struct walk walk_of(struct parse *p, struct tree_node *at, const struct lex_words *words)
{
	return (struct walk){
		.tree = p->tree, .report = p->report, .word = words->at, .words = words->n, .at = at
	};
}

/* The comment that stood before a statement goes to the statement's node. */
static void give_comment(struct parse *p, struct tree_node *n)
{
	char *comment = lex_take_comment(&p->lx);

	if (n == NULL || n->comment) {
		free(comment);
		return;
	}
	n->comment = comment;
}

static bool is_word(const struct lex_words *w, size_t i, const char *text)
{
	return i < w->n && w->at[i].mark == LEX_WORD && !w->at[i].quoted &&
	       strcmp(w->at[i].text, text) == 0;
}

/* ---- braces -------------------------------------------------------------------------------- */

/* What ended in a leaf or flag cannot have a block. */
static bool may_open(const struct walk *w)
{
	if (w->list || w->leaf || w->later)
		return true;
	return w->last == NULL || w->last == w->at;
}

static enum err brace_statement(struct parse *p, const struct frame *f,
                                const struct lex_words *words)
{
	struct walk w = walk_of(p, f->at, words);
	bool inactive = is_word(words, 0, "inactive:");

	w.create = true;
	w.braces = true;
	w.list = f->list;
	w.leaf = f->leaf;
	w.is_open = words->end == LEX_OPEN;
	w.i = inactive ? 1 : 0;
	enum err e = f->skip ? ERR_OK : walk_statement(&w);
	if (e == ERR_MEMORY || e == ERR_FULL)
		return e;
	if (w.last || words->end != LEX_OPEN) /* else it is for the first entry of the block */
		give_comment(p, w.last);
	if (inactive && w.last)
		w.last->inactive = true;
	if (words->end != LEX_OPEN)
		return ERR_OK;
	if (e == ERR_OK && !f->skip && !may_open(&w)) {
		walk_complain(&w, words->end_line, w.last->schema->word,
		              "takes no block in braces");
		e = ERR_SYNTAX;
	}
	struct frame inner = { w.at, w.list, w.leaf, f->skip || e, f->depth + 1, words->end_line };
	return read_block(p, &inner);
}

/* What stands between two statements. True when the block is over. */
static bool block_ends(struct parse *p, const struct frame *f, const struct lex_words *words)
{
	if (words->end != LEX_CLOSE && words->end != LEX_END)
		return false;
	if (words->n)
		report_error(p->report, words->at[words->n - 1].line,
		             "statement without a ; at its end");
	if (words->end == LEX_END && f->depth)
		report_error(p->report, f->line, "block without its closing brace, }");
	if (words->end == LEX_CLOSE && f->depth == 0)
		report_error(p->report, words->end_line, "closing brace } without an opening one");
	return words->end == LEX_END || f->depth > 0;
}

/* One statement of a block, or its end. */
static enum err block_step(struct parse *p, const struct frame *f, bool *ret_over)
{
	struct lex_words words;
	struct why why = { 0 };
	enum err e = lex_statement(&p->lx, &words, &why);

	if (e) {
		report_error(p->report, p->lx.line, "%s", why.text);
		lex_resume(&p->lx);
		lex_words_done(&words);
		return e == ERR_MEMORY ? e : ERR_OK;
	}
	*ret_over = block_ends(p, f, &words);
	if (!*ret_over && words.n)
		e = brace_statement(p, f, &words);
	else if (!*ret_over && words.end == LEX_OPEN)
		report_error(p->report, words.end_line, "block without a statement before its {");
	lex_words_done(&words);
	return e;
}

static enum err read_block(struct parse *p, const struct frame *f)
{
	bool over = false;

	if (f->depth > TREE_DEPTH_MAX) {
		report_error(p->report, f->line, "blocks are nested too deeply");
		return ERR_LENGTH;
	}
	while (!over)
		TRY(block_step(p, f, &over));
	return ERR_OK;
}

/* ---- set lines ----------------------------------------------------------------------------- */

static enum err line_set(struct parse *p, const struct lex_words *words)
{
	struct walk w = walk_of(p, tree_root(p->tree), words);

	w.create = true;
	w.i = 1;
	enum err e = walk_statement(&w);
	give_comment(p, w.last);
	return e;
}

/* Looks a path up; says so when there is nothing. */
static enum err look(struct parse *p, const struct lex_words *words, struct walk *ret)
{
	struct walk w = walk_of(p, tree_root(p->tree), words);

	w.i = 1;
	enum err e = walk_statement(&w);
	give_comment(p, NULL);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && w.last == NULL && !w.list && !w.leaf))
		report_warning(p->report, words->at[0].line, "%s: there is no such statement",
		               words->at[0].text);
	if (e == ERR_OK)
		*ret = w;
	return e;
}

/* Calls fn for the node, or for all nodes of the row, that a path without its last name means. */
static void for_each(struct parse *p, const struct walk *w,
                     void (*fn)(struct tree *t, struct tree_node *n))
{
	const struct schema *row = w->list ? w->list : w->leaf;

	if (row == NULL) {
		if (w->last)
			fn(p->tree, w->last);
		return;
	}
	for (struct tree_node *n = w->at->first, *next; n; n = next) {
		next = n->next;
		if (n->schema == row)
			fn(p->tree, n);
	}
}

static void activate(struct tree *t, struct tree_node *n)
{
	(void)t;
	n->inactive = false;
}

static void deactivate(struct tree *t, struct tree_node *n)
{
	(void)t;
	n->inactive = true;
}

static enum err line_delete(struct parse *p, const struct lex_words *words)
{
	struct walk w;

	TRY(look(p, words, &w));
	for_each(p, &w, tree_remove);
	return ERR_OK;
}

static enum err line_activate(struct parse *p, const struct lex_words *words)
{
	struct walk w;

	TRY(look(p, words, &w));
	for_each(p, &w, activate);
	return ERR_OK;
}

static enum err line_deactivate(struct parse *p, const struct lex_words *words)
{
	struct walk w;

	TRY(look(p, words, &w));
	for_each(p, &w, deactivate);
	return ERR_OK;
}

/* insert PATH NAME before|after [WORD] NAME */
static enum err line_insert(struct parse *p, const struct lex_words *words)
{
	size_t at = words->n;
	struct walk w;

	while (at > 0 && !is_word(words, at, "before") && !is_word(words, at, "after"))
		at--;
	if (at < 2 || at + 1 >= words->n || words->at[words->n - 1].mark != LEX_WORD) {
		report_error(p->report, words->at[0].line,
		             "insert: expected insert PATH NAME before|after NAME");
		return ERR_SYNTAX;
	}
	struct lex_words left = *words;
	left.n = at;
	TRY(look(p, &left, &w));
	struct tree_node *n = w.last;
	const char *other = words->at[words->n - 1].text;
	struct tree_node *sibling =
	        n && !w.list && !w.leaf ? tree_find(p->tree, n->parent, n->schema, other) : NULL;
	if (sibling == NULL || n->name == NULL || n->schema->kind == LEAF) {
		report_error(p->report, words->at[0].line,
		             "insert: there is no \"%.80s\" to put it %s", other,
		             words->at[at].text);
		return ERR_NOT_FOUND;
	}
	tree_move(n, sibling, is_word(words, at, "before"));
	return ERR_OK;
}

static const struct {
	const char *word;
	enum err (*apply)(struct parse *p, const struct lex_words *words);
} verbs[] = {
	{ "set", line_set },           { "delete", line_delete },
	{ "activate", line_activate }, { "deactivate", line_deactivate },
	{ "insert", line_insert },
};

/* ---- the file ------------------------------------------------------------------------------ */

static enum err read_line(struct parse *p, size_t verb)
{
	struct lex_words words;
	struct why why = { 0 };

	p->lx.lines = true;
	enum err e = lex_statement(&p->lx, &words, &why);
	if (e) {
		report_error(p->report, p->lx.line, "%s", why.text);
		lex_resume(&p->lx);
	} else if (words.end != LEX_LINE && words.end != LEX_END) {
		report_error(p->report, words.end_line,
		             "%s lines end with the line, without ; { or }", verbs[verb].word);
		lex_resume(&p->lx);
	} else if (words.n == 1) {
		report_error(p->report, words.at[0].line, "%s: what? A statement is missing",
		             verbs[verb].word);
	} else {
		e = verbs[verb].apply(p, &words);
	}
	p->lx.lines = false;
	lex_words_done(&words);
	return e == ERR_MEMORY || e == ERR_FULL ? e : ERR_OK;
}

static enum err read_top(struct parse *p, bool *ret_over)
{
	struct frame top = { tree_root(p->tree), NULL, NULL, false, 0, 0 };
	struct why why = { 0 };
	char word[16];

	if (lex_peek(&p->lx, word, sizeof(word), &why)) {
		report_error(p->report, p->lx.line, "%s", why.text);
		*ret_over = true; /* a comment without its end: nothing is left */
		return ERR_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(word, verbs[i].word) == 0)
			return read_line(p, i);
	return block_step(p, &top, ret_over);
}

enum err grammar_read(struct tree *t, struct reader text, struct config_report *report)
{
	struct parse p = { .tree = t, .report = report };
	enum err e = ERR_OK;
	bool over = false;
	size_t before = report->errors;

	if (rd_left(&text) > GRAMMAR_FILE_MAX) {
		report_error(report, 0, "larger than %u bytes", GRAMMAR_FILE_MAX);
		return ERR_LENGTH;
	}
	lex_init(&p.lx, text);
	while (!over && e == ERR_OK)
		e = read_top(&p, &over);
	if (e)
		report_error(report, p.lx.line, "%s", err_text(e));
	return report->errors > before ? ERR_SYNTAX : ERR_OK;
}

enum err grammar_find(struct tree *t, const char *const *words, size_t n,
                      const struct tree_node **ret, struct why *why)
{
	struct tree_node *at = tree_root(t);

	for (size_t i = 0; i < n; i++) {
		const struct schema *row = schema_find(at->schema->children, words[i]);
		const char *near = row ? NULL : schema_nearest(at->schema->children, words[i]);

		if (row == NULL)
			return why_set(why, ERR_UNKNOWN, "unknown statement \"%.80s\"%s%s%s",
			               words[i], near ? "; did you mean " : "", near ? near : "",
			               near ? "?" : "");
		const char *name = NULL;
		if (row->kind == LIST || row->kind == LEAF_LIST) {
			if (++i == n)
				return why_set(why, ERR_MISSING, "%s: the name is missing",
				               row->word);
			name = words[i];
		}
		at = row->kind == LATER ? NULL : tree_find(t, at, row, name);
		if (at == NULL)
			return why_set(why, ERR_NOT_FOUND, "%s%s%s: not configured", row->word,
			               name ? " " : "", name ? name : "");
	}
	*ret = at;
	return ERR_OK;
}
