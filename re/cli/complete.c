// SPDX-License-Identifier: BSD-2-Clause
#include "complete.h"

#include "schema.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 64

static void add(struct cli_choices *c, const char *partial, const char *word, const char *help)
{
	bool made_up = word[0] == '<';
	/* Who types letters means one of the words. */
	bool fits = made_up ? partial[0] < 'a' || partial[0] > 'z'
	                    : strncmp(word, partial, strlen(partial)) == 0;

	if (c->n == COMPLETE_MAX || !fits)
		return;
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->at[i].word, word) == 0)
			return;
	struct cli_choice *at = &c->at[c->n++];
	(void)snprintf(at->word, sizeof(at->word), "%s", word);
	at->help = help;
	at->made_up = made_up;
}

/* "<0..15>", "<address>", or the words that are allowed. */
static void add_value(struct cli_choices *c, const char *partial, const struct cli_arg *a)
{
	char word[WORD_MAX];

	if (a->type == CLI_WORD) {
		for (size_t i = 0; schema_word(a->words, i, word, sizeof(word)); i++)
			add(c, partial, word, a->help);
		return;
	}
	if (a->type == CLI_UINT)
		(void)snprintf(word, sizeof(word), "<%u..%u>", a->min, a->max);
	else
		(void)snprintf(word, sizeof(word), "<%s>",
		               a->type == CLI_ADDRESS ? "address" : "file");
	add(c, partial, word, a->help);
}

/* ---- paths of the configuration -------------------------------------------------------------- */

static void add_statements(struct cli_choices *c, const char *const *words, size_t n,
                           const char *partial)
{
	const struct schema *row = &schema_root;
	bool named = false;

	for (size_t i = 0; row && i < n; i++) {
		if (named) {
			named = false;
			continue;
		}
		row = schema_find(row->children, words[i]);
		named = row && (row->kind == LIST || row->kind == LEAF_LIST);
	}
	if (row && named)
		add(c, partial, "<name>", row->help);
	for (const struct schema *s = row && !named ? row->children : NULL; s && s->word; s++)
		if (s->kind != LATER)
			add(c, partial, s->word, s->help);
}

/* ---- arguments ------------------------------------------------------------------------------- */

struct used {
	const struct cli_arg *args;
	uint32_t bits; /* by place in args */
};

static const struct cli_arg *arg_named(const struct used *u, const char *word)
{
	for (const struct cli_arg *a = u->args; a->key; a++)
		if (a->word && strcmp(a->word, word) == 0)
			return a;
	for (const struct cli_arg *a = u->args; a->key; a++)
		if (a->word == NULL && !(u->bits & 1u << (a - u->args)))
			return a;
	return NULL;
}

static void add_args(struct cli_choices *c, const struct used *u, const char *partial)
{
	c->complete = true;
	for (const struct cli_arg *a = u->args; a->key; a++) {
		if (u->bits & 1u << (a - u->args))
			continue;
		if (a->must)
			c->complete = false;
		if (a->type == CLI_PATH)
			add_statements(c, NULL, 0, partial);
		else if (a->word)
			add(c, partial, a->word, a->help);
		else
			add_value(c, partial, a);
	}
	if (c->complete)
		add(c, partial, "|", "Filter what is shown");
}

static void complete_args(struct cli_choices *c, const struct cli_command *command,
                          const char *const *words, size_t n, const char *partial)
{
	struct used u = { command->args, 0 };

	for (size_t i = 0; i < n; i++) {
		const struct cli_arg *a = arg_named(&u, words[i]);

		if (a == NULL)
			return;
		u.bits |= 1u << (a - u.args);
		if (a->type == CLI_PATH) {
			add_statements(c, words + i, n - i, partial);
			add(c, partial, "|", "Filter what is shown");
			c->complete = true;
			return;
		}
		if (a->word && a->type != CLI_FLAG && ++i == n) {
			add_value(c, partial, a);
			return;
		}
	}
	add_args(c, &u, partial);
}

/* ---- commands -------------------------------------------------------------------------------- */

/* How many words of the command stand on the line; 0 when another command does. */
static bool begins(const struct cli_command *command, const char *const *words, size_t n,
                   size_t *ret_words)
{
	char word[WORD_MAX];
	size_t i = 0;

	for (; schema_word(command->words, i, word, sizeof(word)); i++)
		if (i < n && strncmp(word, words[i], strlen(words[i])) &&
		    !(strcmp(words[i], "sa") == 0 && strcmp(word, "security-associations") == 0))
			return false;
	*ret_words = i;
	return true;
}

static void complete_display(struct cli_choices *c, const char *const *words, size_t n,
                             const char *partial, bool configuration)
{
	if (n == 0) {
		add(c, partial, "display", "Show it in another form");
	} else if (n == 1 && strcmp(words[0], "display") == 0) {
		if (configuration)
			add(c, partial, "inheritance", "With what a proposal-set stands for");
		add(c, partial, "json", "As one JSON document");
		if (configuration)
			add(c, partial, "set", "As set lines");
	}
	c->complete = n == 2;
}

static const char *help_of(const struct cli_command *command, size_t length, size_t i)
{
	static const struct {
		const char *word, *help;
	} groups[] = {
		{ "show", "Show state" },
		{ "clear", "Delete state" },
		{ "request", "Do something" },
		{ "security", "IKE, IPsec, flow" },
		{ "ike", "Internet Key Exchange" },
		{ "ipsec", "Tunnels" },
		{ "chassis", "SPUs" },
		{ "system", "The gateway" },
		{ "flow", "Packets" },
		{ "configuration", "Configuration" },
	};
	char word[WORD_MAX] = "";

	if (i + 1 == length)
		return command->help;
	(void)schema_word(command->words, i, word, sizeof(word));
	for (size_t g = 0; g < ARRAY_LEN(groups); g++)
		if (strcmp(groups[g].word, word) == 0)
			return groups[g].help;
	return "";
}

void cli_complete(const char *const *words, size_t n, const char *partial, struct cli_choices *ret)
{
	size_t bar = 0, length;
	char word[WORD_MAX];

	memset(ret, 0, sizeof(*ret));
	while (bar < n && strcmp(words[bar], "|"))
		bar++;
	for (size_t i = 0; i < CLI_COMMANDS; i++) {
		const struct cli_command *command = &cli_commands[i];

		if (!begins(command, words, bar, &length))
			continue;
		if (bar < n)
			complete_display(ret, words + bar + 1, n - bar - 1, partial,
			                 command->id == CLI_SHOW_CONFIGURATION);
		else if (n >= length)
			complete_args(ret, command, words + length, n - length, partial);
		else if (schema_word(command->words, n, word, sizeof(word)))
			add(ret, partial, word, help_of(command, length, n));
	}
}
