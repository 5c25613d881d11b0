// SPDX-License-Identifier: BSD-2-Clause
#include "show_config.h"

#include "algorithms.h"
#include "dollar9.h"
#include "grammar.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>

#define SHOW_MAX (64u << 20)
#define WORDS_MAX 64

/* Secrets leave in the reversible form, as in the other forms. */
static json_t *value_json(const struct tree_node *n)
{
	char buf[DOLLAR9_MAX(2 * VALUE_KEY_MAX)];

	if (n->schema->value.type == TYPE_UINT || n->schema->value.type == TYPE_POWER2)
		return json_integer(value_uint(n->name));
	if (!(n->schema->marks & MARK_SECRET) || dollar9_is(n->name))
		return json_string(n->name);
	struct view plain = { (const uint8_t *)n->name, strlen(n->name) };
	return dollar9_encode(plain, buf, sizeof(buf)) ? NULL : json_string(buf);
}

static json_t *children_json(const struct tree_node *parent);

/* One entry of a list: an object with its name. */
static json_t *entry_json(const struct tree_node *n)
{
	json_t *entry = json_object(), *rest = children_json(n);

	(void)json_object_set_new(entry, "name", json_string(n->name));
	(void)json_object_update(entry, rest);
	json_decref(rest);
	return entry;
}

static json_t *node_json(const struct tree_node *n)
{
	switch (n->schema->kind) {
	case CONTAINER:
		return children_json(n);
	case LIST:
		return entry_json(n);
	case FLAG:
		return json_true();
	default:
		return value_json(n);
	}
}

/* Lists are arrays under their word. What is deactivated has no effect, and is not here. */
static json_t *children_json(const struct tree_node *parent)
{
	json_t *all = json_object();

	for (const struct tree_node *n = tree_active(parent->first); n; n = tree_active(n->next)) {
		const char *word = n->schema->word;

		if (n->schema->kind != LIST && n->schema->kind != LEAF_LIST) {
			(void)json_object_set_new(all, word, node_json(n));
			continue;
		}
		json_t *array = json_object_get(all, word);
		if (array == NULL) {
			array = json_array();
			(void)json_object_set_new(all, word, array);
		}
		(void)json_array_append_new(array, node_json(n));
	}
	return all;
}

static void add_form(json_t *reply, const char *key, const struct tree_node *n,
                     enum grammar_form form)
{
	struct text out;

	text_init(&out, SHOW_MAX);
	if (grammar_write(n, form, &out) == ERR_OK)
		(void)json_object_set_new(reply, key, json_string(text_of(&out)));
	text_done(&out);
}

/* ---- what a proposal-set stands for -----------------------------------------------------------
 */

static void say_ike_set(struct text *out, const struct config_ike_policy *p)
{
	text_add(out, "\n## proposal-set of security ike policy %s stands for\n", p->name);
	for (size_t i = 0; i < p->proposals; i++) {
		const struct config_ike_proposal *q = p->proposal[i];

		text_add(out, "##   proposal %s: %s %s %s, %u seconds\n", q->name,
		         q->cipher[0]->name, q->integs ? q->integ[0]->ike_name : q->prf[0]->name,
		         q->ke[0]->name, q->lifetime_s);
	}
}

static void say_ipsec_set(struct text *out, const struct config_ipsec_policy *p)
{
	text_add(out, "\n## proposal-set of security ipsec policy %s stands for\n", p->name);
	for (size_t i = 0; i < p->proposals; i++) {
		const struct config_ipsec_proposal *q = p->proposal[i];

		text_add(out, "##   proposal %s: esp %s%s%s, %u seconds\n", q->name,
		         q->cipher[0]->name, q->integs ? " " : "",
		         q->integs ? q->integ[0]->name : "", q->lifetime_s);
	}
	if (p->pfs)
		text_add(out, "##   perfect-forward-secrecy keys %s\n", p->pfs->name);
}

static void add_inheritance(json_t *reply, const struct config *c)
{
	struct text out;

	text_init(&out, SHOW_MAX);
	for (size_t i = 0; i < c->ike_policies; i++)
		if (c->ike_policy[i].set)
			say_ike_set(&out, &c->ike_policy[i]);
	for (size_t i = 0; i < c->ipsec_policies; i++)
		if (c->ipsec_policy[i].set)
			say_ipsec_set(&out, &c->ipsec_policy[i]);
	(void)json_object_set_new(reply, "inheritance", json_string(text_of(&out)));
	text_done(&out);
}

json_t *show_config_reply(const struct config *c, const struct cli_request *r)
{
	const json_t *path = json_object_get(r->args, "path");
	const char *words[WORDS_MAX];
	size_t n = json_array_size(path);
	const struct tree_node *at;
	struct why why = { 0 };

	if (n > WORDS_MAX)
		return cli_error("the path is too long", NULL, "a path of the configuration");
	for (size_t i = 0; i < n; i++)
		words[i] = json_string_value(json_array_get(path, i));
	if (grammar_find(c->tree, words, n, &at, &why))
		return cli_error(why.text, NULL, "a path of the configuration");
	json_t *reply = json_object();
	bool inner = at->schema->kind == CONTAINER || at->schema->kind == LIST;
	(void)json_object_set_new(reply, "configuration",
	                          inner ? children_json(at) : node_json(at));
	add_form(reply, "braces", at, GRAMMAR_BRACES);
	add_form(reply, "set", at, GRAMMAR_SET);
	add_inheritance(reply, c);
	return reply;
}

json_t *show_config_load_reply(const char *file, const struct config_report *report, bool ok)
{
	json_t *messages = json_array(), *reply;
	char line[1024];

	for (size_t i = 0; i < report->messages; i++)
		(void)json_array_append_new(
		        messages, json_string(report_text(report, i, line, sizeof(line))));
	if (ok)
		return json_pack("{s:s, s:o}", "file", file, "warning", messages);
	reply = cli_error("the file has errors; nothing was changed", file, NULL);
	(void)json_object_set_new(json_object_get(reply, "error"), "message", messages);
	return reply;
}
