// SPDX-License-Identifier: BSD-2-Clause
#include "grammar.h"

#include "dollar9.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>

/* What may stand without quotes. */
#define PLAIN \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@+,=*!%&()<>?^|~'$"

static void write_word(struct text *out, const char *word)
{
	size_t n = strlen(word);

	if (n && strspn(word, PLAIN) == n && strncmp(word, "/*", 2)) {
		text_add(out, "%s", word);
		return;
	}
	text_add(out, "\"");
	for (const char *p = word; *p; p++)
		text_add(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	text_add(out, "\"");
}

/* A secret in clear is encoded; one that is encoded already stays as it is. */
static void write_secret(struct text *out, const char *word)
{
	char buf[DOLLAR9_MAX(2 * VALUE_KEY_MAX)];
	struct view plain = { (const uint8_t *)word, strlen(word) };

	if (dollar9_is(word))
		text_add(out, "\"%s\"", word);
	else if (dollar9_encode(plain, buf, sizeof(buf)) == ERR_OK)
		text_add(out, "\"%s\"", buf);
	else
		out->bad = true;
	explicit_bzero(buf, sizeof(buf));
}

static void write_name(struct text *out, const struct tree_node *n)
{
	if (n->name == NULL)
		return;
	text_add(out, " ");
	if (n->schema->marks & MARK_SECRET)
		write_secret(out, n->name);
	else
		write_word(out, n->name);
}

/* ---- braces -------------------------------------------------------------------------------- */

static void indent(struct text *out, int depth)
{
	for (int i = 0; i < depth; i++)
		text_add(out, "    ");
}

/* Line by line, without what a reader would trim. */
static void write_comment(struct text *out, const struct tree_node *n, int depth)
{
	for (const char *p = n->comment; p && *p;) {
		size_t len = strcspn(p, "\n"), shown = len;

		while (shown > 0 && strchr(" \t", p[shown - 1]))
			shown--;
		if (shown) {
			indent(out, depth);
			text_add(out, "# %.*s\n", (int)shown, p);
		}
		p += len;
		p += *p == '\n';
	}
}

static void write_children(struct text *out, const struct tree_node *parent, int depth);

/* True when n has no block of its own: its words stand before each of its children. */
static bool joined(const struct tree_node *n)
{
	return (n->schema->marks & MARK_JOIN) && n->first && !n->inactive;
}

static void write_joined(struct text *out, const struct tree_node *n)
{
	if (!joined(n))
		return;
	write_joined(out, n->parent);
	text_add(out, "%s ", n->schema->word);
}

/* What goes before the words of a statement. */
static void write_head(struct text *out, const struct tree_node *n, int depth)
{
	indent(out, depth);
	if (n->inactive)
		text_add(out, "inactive: ");
	write_joined(out, n->parent);
}

static void write_block(struct text *out, const struct tree_node *n, int depth)
{
	if (n->first == NULL) {
		text_add(out, ";\n");
		return;
	}
	text_add(out, " {\n");
	write_children(out, n, depth + 1);
	indent(out, depth);
	text_add(out, "}\n");
}

/* The next sibling of the same row; what stands between them has been or will be written. */
static const struct tree_node *same_row(const struct tree_node *n)
{
	const struct schema *row = n->schema;

	do
		n = n->next;
	while (n && n->schema != row);
	return n;
}

static const struct tree_node *first_of_row(const struct tree_node *n)
{
	const struct tree_node *first = n;

	for (const struct tree_node *p = n->prev; p; p = p->prev)
		if (p->schema == n->schema)
			first = p;
	return first;
}

/* Inactive values and commented ones stand alone, so that the marks stay with them. */
static bool listed(const struct tree_node *n)
{
	return !n->inactive && n->comment == NULL;
}

static void write_list(struct text *out, const struct tree_node *n, int depth)
{
	size_t count = 0;

	for (const struct tree_node *v = n; v; v = same_row(v))
		count += listed(v);
	write_head(out, n, depth);
	text_add(out, count > 1 ? "%s [" : "%s", n->schema->word);
	for (const struct tree_node *v = n; v; v = same_row(v))
		write_name(out, v);
	text_add(out, count > 1 ? " ];\n" : ";\n");
}

/* interfaces { ge-0/0/3.0; eth1 { … } } */
static void write_entries(struct text *out, const struct tree_node *n, int depth)
{
	indent(out, depth);
	text_add(out, "%s {\n", n->schema->word);
	for (; n; n = same_row(n)) {
		write_comment(out, n, depth + 1);
		indent(out, depth + 1);
		if (n->inactive)
			text_add(out, "inactive: ");
		write_word(out, n->name);
		if (n->schema->kind == LEAF)
			text_add(out, ";\n");
		else
			write_block(out, n, depth + 1);
	}
	indent(out, depth);
	text_add(out, "}\n");
}

static bool all_listed(const struct tree_node *n)
{
	for (; n; n = same_row(n))
		if (!listed(n))
			return false;
	return true;
}

static void write_plain(struct text *out, const struct tree_node *n, int depth)
{
	write_comment(out, n, depth);
	write_head(out, n, depth);
	text_add(out, "%s", n->schema->word);
	write_name(out, n);
	if (n->schema->kind == CONTAINER || n->schema->kind == LIST)
		write_block(out, n, depth);
	else
		text_add(out, "%s\n", n->schema->marks & MARK_SECRET ? "; ## SECRET-DATA" : ";");
}

static void write_node(struct text *out, const struct tree_node *n, int depth)
{
	const struct schema *row = n->schema;

	if ((row->marks & MARK_BLOCK) && !(row->kind == LEAF && n->inactive)) {
		if (first_of_row(n) == n)
			write_entries(out, n, depth);
	} else if (joined(n)) {
		write_comment(out, n, depth);
		write_children(out, n, depth);
	} else if (row->kind == LEAF_LIST && all_listed(first_of_row(n))) {
		if (first_of_row(n) == n)
			write_list(out, n, depth);
	} else {
		write_plain(out, n, depth);
	}
}

static void write_children(struct text *out, const struct tree_node *parent, int depth)
{
	for (const struct tree_node *n = parent->first; n; n = n->next)
		write_node(out, n, depth);
}

/* ---- set lines ----------------------------------------------------------------------------- */

/* The words from the root to n. */
static void write_path(struct text *out, const struct tree_node *n)
{
	if (n->parent == NULL)
		return;
	write_path(out, n->parent);
	text_add(out, " %s", n->schema->word);
	write_name(out, n);
}

static void write_sets(struct text *out, const struct tree_node *n)
{
	if (n->first == NULL && n->parent) {
		text_add(out, "set");
		write_path(out, n);
		text_add(out, "\n");
	}
	for (const struct tree_node *c = n->first; c; c = c->next)
		write_sets(out, c);
	if (n->inactive) {
		text_add(out, "deactivate");
		write_path(out, n);
		text_add(out, "\n");
	}
}

enum err grammar_write(const struct tree_node *n, enum grammar_form form, struct text *out)
{
	if (form == GRAMMAR_SET)
		write_sets(out, n);
	else if (n->schema->kind == CONTAINER || n->schema->kind == LIST)
		write_children(out, n, 0);
	else
		write_plain(out, n, 0);
	return out->bad ? ERR_FULL : ERR_OK;
}
