// SPDX-License-Identifier: BSD-2-Clause
#include "validate.h"

#include <stdio.h>
#include <string.h>

struct validate {
	struct tree *tree;
	struct config_report *report;
};

char *validate_known(const struct tree_node *n, char *buf, size_t cap)
{
	size_t len = 0;

	(void)snprintf(buf, cap, "none");
	for (; n; n = tree_same(n)) {
		if (len + strlen(n->name) + 8 > cap) {
			(void)snprintf(buf + len, cap - len, ", …");
			break;
		}
		len += (size_t)snprintf(buf + len, cap - len, "%s%s", len ? ", " : "", n->name);
	}
	return buf;
}

/* The container of the list at a path, and the list's word. */
static const struct tree_node *list_parent(const struct tree *t, const char *path,
                                           const char **word)
{
	char up[TREE_PATH_MAX];
	const char *last = strrchr(path, ' ');

	*word = last ? last + 1 : path;
	(void)snprintf(up, sizeof(up), "%.*s", last ? (int)(last - path) : 0, path);
	return tree_at(t, up);
}

static void check_reference(const struct validate *v, const struct tree_node *n)
{
	const char *word;
	const struct tree_node *parent = list_parent(v->tree, n->schema->value.words, &word);
	const struct schema *row = schema_at(n->schema->value.words);
	const struct tree_node *target = parent ? tree_find(v->tree, parent, row, n->name) : NULL;
	char path[TREE_PATH_MAX], known[200];

	if (target && !target->inactive)
		return;
	report_error(v->report, n->line, "%s: %s \"%s\" %s; known: %s",
	             tree_path(n, path, sizeof(path)), word, n->name,
	             target ? "is deactivated" : "does not exist",
	             validate_known(tree_child(parent, word), known, sizeof(known)));
	n->parent->damaged = true;
}

/* Names of the statements of a table that stand to choice. */
static void choices(const struct schema *table, char *buf, size_t cap)
{
	size_t len = 0;

	buf[0] = 0;
	for (const struct schema *row = table; row->word; row++)
		if (row->kind != LATER && len + strlen(row->word) + 3 < cap)
			len += (size_t)snprintf(buf + len, cap - len, "%s%s", len ? ", " : "",
			                        row->word);
}

static void check_one(const struct validate *v, const struct tree_node *n)
{
	char path[TREE_PATH_MAX], words[200];
	size_t count = 0;

	for (const struct tree_node *c = tree_active(n->first); c; c = tree_active(c->next))
		count++;
	if (count == 1 || (count == 0 && n->damaged))
		return;
	choices(n->schema->children, words, sizeof(words));
	report_error(v->report, n->line, "%s: %s; expected exactly one of: %s",
	             tree_path(n, path, sizeof(path)), count ? "more than one value" : "no value",
	             words);
}

static void check_complete(const struct validate *v, const struct tree_node *n)
{
	char path[TREE_PATH_MAX];

	if (n->damaged)
		return;
	if ((n->schema->marks & MARK_FULL) && tree_active(n->first) == NULL) {
		char words[200] = "";
		size_t at = 0;

		for (const struct schema *row = n->schema->children; row->word; row++)
			if ((row->marks & MARK_MUST) && at < sizeof(words))
				at += (size_t)snprintf(words + at, sizeof(words) - at, "%s%s",
				                       at ? ", " : "; missing: ", row->word);
		report_error(v->report, n->line, "%s: is empty%s", tree_path(n, path, sizeof(path)),
		             words);
		return;
	}
	for (const struct schema *row = n->schema->children; row && row->word; row++)
		if ((row->marks & MARK_MUST) && tree_child(n, row->word) == NULL)
			report_error(v->report, n->line, "%s: %s is missing",
			             tree_path(n, path, sizeof(path)), row->word);
}

static void check_node(const struct validate *v, const struct tree_node *n)
{
	char path[TREE_PATH_MAX];

	if (n->schema->value.type == TYPE_REFERENCE)
		check_reference(v, n);
	if (n->schema->marks & MARK_PARSE_ONLY)
		report_warning(v->report, n->line, "%s: accepted, has no effect in this version",
		               tree_path(n, path, sizeof(path)));
	if (n->schema->marks & MARK_ONE)
		check_one(v, n);
	if (n->schema->kind == CONTAINER || n->schema->kind == LIST)
		check_complete(v, n);
	for (const struct tree_node *c = tree_active(n->first); c; c = tree_active(c->next))
		check_node(v, c);
}

void validate_tree(struct tree *t, struct config_report *report)
{
	struct validate v = { t, report };

	check_node(&v, tree_root(t));
}
