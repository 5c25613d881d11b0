// SPDX-License-Identifier: BSD-2-Clause
/* Words into requests, and requests over the socket and back. */
#include "commands.h"

#include "addr.h"
#include "schema.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORD_MAX 64
#define REQUEST_MAX 65536

/* ---- the command ---------------------------------------------------------------------------- */

/* Whether a typed word means a word of a command: whole, its beginning, or an alias. */
static bool means(const char *typed, const char *word, bool whole)
{
	if (strcmp(typed, "sa") == 0 && strcmp(word, "security-associations") == 0)
		return true;
	return whole ? strcmp(typed, word) == 0 : strncmp(typed, word, strlen(typed)) == 0;
}

static bool word_of(const struct cli_command *c, size_t i, char *buf)
{
	return schema_word(c->words, i, buf, WORD_MAX);
}

/* True when the words from `from` on mean the words of the command, as far as both go. */
static bool fits(const struct cli_command *c, const char *const *words, size_t n)
{
	char word[WORD_MAX];

	for (size_t i = 0; i < n && word_of(c, i, word); i++) {
		if (words[i][0] == 0 || !means(words[i], word, false))
			return false;
	}
	return true;
}

static size_t length_of(const struct cli_command *c)
{
	char word[WORD_MAX];
	size_t n = 0;

	while (word_of(c, n, word))
		n++;
	return n;
}

/* How far what was typed is from a command, word by word. */
static size_t far_from(const struct cli_command *c, const char *const *words, size_t n)
{
	char word[WORD_MAX];
	size_t sum = 0, i = 0;

	for (; word_of(c, i, word); i++)
		sum += i < n ? (means(words[i], word, false) ? 0 : schema_distance(words[i], word))
		             : 3;
	return sum;
}

static enum err unknown(const char *const *words, size_t n, struct why *why)
{
	const struct cli_command *best = &cli_commands[0];
	char typed[200] = "";
	size_t len = 0;

	for (size_t i = 1; i < CLI_COMMANDS; i++)
		if (far_from(&cli_commands[i], words, n) < far_from(best, words, n))
			best = &cli_commands[i];
	for (size_t i = 0; i < n && len < sizeof(typed); i++)
		len += (size_t)snprintf(typed + len, sizeof(typed) - len, "%s%s", i ? " " : "",
		                        words[i]);
	return why_set(why, ERR_UNKNOWN, "unknown command \"%s\"; the nearest known one is \"%s\"",
	               typed, best->words);
}

/* What may stand at word i, of the commands that fit so far: "ike, ipsec". */
static size_t choices(const char *const *words, size_t i, char *buf, size_t cap)
{
	char word[WORD_MAX], last[WORD_MAX] = "";
	size_t count = 0, len = 0;

	buf[0] = 0;
	for (size_t c = 0; c < CLI_COMMANDS; c++) {
		if (!fits(&cli_commands[c], words, i) || !word_of(&cli_commands[c], i, word))
			continue;
		if (strcmp(word, last) == 0 || strstr(buf, word) || len + strlen(word) + 3 > cap)
			continue;
		len += (size_t)snprintf(buf + len, cap - len, "%s%s", count ? ", " : "", word);
		(void)snprintf(last, sizeof(last), "%s", word);
		count++;
	}
	return count;
}

/* Two commands fit: the first word that they differ in was cut too short. */
static enum err ambiguous(const struct cli_command *a, const struct cli_command *b,
                          const char *const *words, size_t n, struct why *why)
{
	char one[WORD_MAX], other[WORD_MAX], all[200];
	size_t i = 0;

	while (word_of(a, i, one) && word_of(b, i, other) && strcmp(one, other) == 0)
		i++;
	(void)choices(words, i < n ? i : n, all, sizeof(all));
	if (i >= n)
		return why_set(why, ERR_UNKNOWN, "the command is not complete; expected one of: %s",
		               all);
	return why_set(why, ERR_UNKNOWN, "\"%s\" may mean: %s and %s", words[i], one, other);
}

static enum err command_of(const char *const *words, size_t n, const struct cli_command **ret,
                           struct why *why)
{
	const struct cli_command *found = NULL, *second = NULL;
	char all[200];

	for (size_t i = 0; i < CLI_COMMANDS; i++) {
		if (!fits(&cli_commands[i], words, n))
			continue;
		second = found ? &cli_commands[i] : NULL;
		found = found ? found : &cli_commands[i];
		if (second)
			break;
	}
	if (found == NULL || n == 0)
		return unknown(words, n, why);
	if (second)
		return ambiguous(found, second, words, n, why);
	if (length_of(found) > n) {
		(void)choices(words, n, all, sizeof(all));
		return why_set(why, ERR_UNKNOWN, "the command is not complete; expected: %s", all);
	}
	*ret = found;
	return ERR_OK;
}

/* ---- arguments ------------------------------------------------------------------------------ */

static enum err uint_json(const struct cli_arg *a, const char *text, json_t **ret, struct why *why)
{
	char *end;
	unsigned long long x = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || strlen(text) > 10 || x < a->min || x > a->max)
		return why_set(why, ERR_RANGE, "%s: \"%.40s\" is not in %u..%u", a->key, text,
		               a->min, a->max);
	*ret = json_integer((json_int_t)x);
	return ERR_OK;
}

static enum err word_json(const struct cli_arg *a, const char *text, json_t **ret, struct why *why)
{
	if (!schema_has_word(a->words, text))
		return why_set(why, ERR_VALUE, "%s: \"%.40s\" is not one of: %s", a->key, text,
		               a->words);
	*ret = json_string(text);
	return ERR_OK;
}

static enum err address_json(const struct cli_arg *a, const char *text, json_t **ret,
                             struct why *why)
{
	char buf[ADDR_TEXT_MAX];
	struct addr addr;

	if (addr_parse(text, &addr))
		return why_set(why, ERR_VALUE, "%s: \"%.60s\" is no IP address", a->key, text);
	*ret = json_string(addr_text(&addr, buf));
	return ERR_OK;
}

static enum err file_json(const struct cli_arg *a, const char *text, json_t **ret, struct why *why)
{
	char here[PATH_MAX], path[PATH_MAX * 2];

	if (text[0] == '/' || getcwd(here, sizeof(here)) == NULL)
		here[0] = 0;
	(void)snprintf(path, sizeof(path), "%s%s%s", here, here[0] ? "/" : "", text);
	if (text[0] == 0 || strlen(path) >= PATH_MAX)
		return why_set(why, ERR_VALUE, "%s: expected the path of a file", a->key);
	*ret = json_string(path);
	return ERR_OK;
}

static enum err value_json(const struct cli_arg *a, const char *text, json_t **ret, struct why *why)
{
	enum err e = a->type == CLI_UINT      ? uint_json(a, text, ret, why)
	             : a->type == CLI_WORD    ? word_json(a, text, ret, why)
	             : a->type == CLI_ADDRESS ? address_json(a, text, ret, why)
	                                      : file_json(a, text, ret, why);

	return e == ERR_OK && *ret == NULL ? ERR_VALUE : e;
}

/* The row that a word begins, or that takes it as a value that stands alone. */
static const struct cli_arg *arg_of(const struct cli_request *r, const char *word)
{
	const struct cli_arg *alone = NULL;

	for (const struct cli_arg *a = r->command->args; a->key; a++) {
		if (a->word && strcmp(a->word, word) == 0)
			return a;
		if (a->word == NULL && (a->type == CLI_PATH || !json_object_get(r->args, a->key)))
			alone = alone ? alone : a;
	}
	return alone;
}

static void expected_args(const struct cli_command *c, char *buf, size_t cap)
{
	size_t len = 0;

	(void)snprintf(buf, cap, "nothing");
	for (const struct cli_arg *a = c->args; a->key && len < cap; a++)
		len += (size_t)snprintf(buf + len, cap - len, "%s%s", len ? ", " : "",
		                        a->word ? a->word : a->key);
}

static enum err take_path(struct cli_request *r, const struct cli_arg *a, const char *const *words,
                          size_t n)
{
	json_t *path = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(path, json_string(words[i]));
	return json_object_set_new(r->args, a->key, path) ? ERR_MEMORY : ERR_OK;
}

/* Takes one argument of the words at *i. */
static enum err take_arg(struct cli_request *r, const char *const *words, size_t n, size_t *i,
                         struct why *why)
{
	const struct cli_arg *a = arg_of(r, words[*i]);
	char expected[200];
	json_t *value = NULL;

	if (a == NULL) {
		expected_args(r->command, expected, sizeof(expected));
		return why_set(why, ERR_EXPECTED, "unknown argument \"%.40s\"; expected: %s",
		               words[*i], expected);
	}
	if (a->type == CLI_PATH) {
		size_t from = *i;

		*i = n;
		return take_path(r, a, words + from, n - from);
	}
	if (json_object_get(r->args, a->key))
		return why_set(why, ERR_DUPLICATE, "%s is given twice", a->key);
	*i += a->word != NULL;
	if (a->type == CLI_FLAG)
		return json_object_set_new(r->args, a->key, json_true()) ? ERR_MEMORY : ERR_OK;
	if (*i == n)
		return why_set(why, ERR_MISSING, "%s: the value is missing", a->key);
	TRY(value_json(a, words[(*i)++], &value, why));
	return json_object_set_new(r->args, a->key, value) ? ERR_MEMORY : ERR_OK;
}

static enum err check_args(const struct cli_request *r, struct why *why)
{
	for (const struct cli_arg *a = r->command->args; a->key; a++)
		if (a->must && json_object_get(r->args, a->key) == NULL)
			return why_set(why, ERR_MISSING, "%s is missing: %s",
			               a->word ? a->word : a->key, a->help);
	if (cli_arg_flag(r, "brief") && cli_arg_flag(r, "detail"))
		return why_set(why, ERR_VALUE, "brief and detail exclude each other");
	return ERR_OK;
}

/* `| display json|set|inheritance` behind the command; cuts it off. */
static enum err take_display(const char *const *words, size_t *n, enum cli_display *ret,
                             struct why *why)
{
	size_t bar = 0;

	while (bar < *n && strcmp(words[bar], "|"))
		bar++;
	*ret = CLI_TEXT;
	if (bar == *n)
		return ERR_OK;
	if (bar + 3 != *n || strcmp(words[bar + 1], "display"))
		return why_set(why, ERR_EXPECTED, "behind |: expected display json");
	if (strcmp(words[bar + 2], "json") == 0)
		*ret = CLI_JSON;
	else if (strcmp(words[bar + 2], "set") == 0)
		*ret = CLI_SET;
	else if (strcmp(words[bar + 2], "inheritance") == 0)
		*ret = CLI_INHERITANCE;
	else
		return why_set(why, ERR_EXPECTED,
		               "display \"%.40s\" is not known; expected json, or set or "
		               "inheritance for show configuration",
		               words[bar + 2]);
	*n = bar;
	return ERR_OK;
}

enum err cli_parse(const char *const *words, size_t n, struct cli_request *ret, struct why *why)
{
	struct cli_request r = { 0 };
	enum err e;

	*ret = r;
	TRY(take_display(words, &n, &r.display, why));
	ret->display = r.display;
	TRY(command_of(words, n, &r.command, why));
	if (r.display != CLI_TEXT && r.display != CLI_JSON &&
	    r.command->id != CLI_SHOW_CONFIGURATION)
		return why_set(why, ERR_EXPECTED, "display %s is for show configuration only",
		               r.display == CLI_SET ? "set" : "inheritance");
	r.args = json_object();
	e = r.args ? ERR_OK : ERR_MEMORY;
	for (size_t i = length_of(r.command); e == ERR_OK && i < n;)
		e = take_arg(&r, words, n, &i, why);
	if (e == ERR_OK)
		e = check_args(&r, why);
	if (e)
		cli_request_done(&r);
	else
		*ret = r;
	return e;
}

/* ---- over the socket ------------------------------------------------------------------------ */

char *cli_request_write(const struct cli_request *r)
{
	json_t *doc = json_pack("{s:s, s:O}", "command", r->command->words, "args", r->args);
	char *line = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	return line;
}

static const struct cli_command *command_named(const char *words)
{
	for (size_t i = 0; words && i < CLI_COMMANDS; i++)
		if (strcmp(cli_commands[i].words, words) == 0)
			return &cli_commands[i];
	return NULL;
}

static enum err path_check(const json_t *value)
{
	const json_t *word;
	size_t i;

	json_array_foreach(value, i, word) if (!json_is_string(word)) return ERR_VALUE;
	return json_is_array(value) ? ERR_OK : ERR_VALUE;
}

/* A value from outside is checked as one that was typed. */
static enum err value_check(const struct cli_arg *a, const json_t *value, struct why *why)
{
	char number[24];
	const char *text = json_string_value(value);
	json_t *again = NULL;

	if (a->type == CLI_FLAG || a->type == CLI_PATH) {
		if (a->type == CLI_FLAG ? !json_is_true(value) : path_check(value))
			return why_set(why, ERR_VALUE, "%s: wrong type", a->key);
		return ERR_OK;
	}
	if (json_is_integer(value) && a->type == CLI_UINT) {
		(void)snprintf(number, sizeof(number), "%lld",
		               (long long)json_integer_value(value));
		text = number;
	} else if (a->type == CLI_UINT) {
		text = NULL;
	}
	if (text == NULL)
		return why_set(why, ERR_VALUE, "%s: wrong type", a->key);
	enum err e = value_json(a, text, &again, why);
	json_decref(again);
	return e;
}

static enum err args_check(const struct cli_request *r, struct why *why)
{
	const char *key;
	json_t *value;

	json_object_foreach(r->args, key, value)
	{
		const struct cli_arg *a = r->command->args;

		while (a->key && strcmp(a->key, key))
			a++;
		if (a->key == NULL)
			return why_set(why, ERR_UNKNOWN, "unknown argument \"%.40s\"", key);
		TRY(value_check(a, value, why));
	}
	return check_args(r, why);
}

enum err cli_request_read(const char *line, size_t len, struct cli_request *ret, struct why *why)
{
	json_t *doc =
	        len > REQUEST_MAX ? NULL : json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *words = json_string_value(json_object_get(doc, "command"));
	json_t *args = json_object_get(doc, "args");
	struct cli_request r = { .command = command_named(words), .args = json_incref(args) };
	enum err e;

	if (doc == NULL || words == NULL)
		e = why_set(why, ERR_SYNTAX,
		            "expected one line of JSON with \"command\" and \"args\"");
	else if (r.command == NULL)
		e = why_set(why, ERR_UNKNOWN, "unknown command \"%.100s\"", words);
	else if (args && !json_is_object(args))
		e = why_set(why, ERR_SYNTAX, "\"args\" is no object");
	else if (args == NULL && (r.args = json_object()) == NULL)
		e = ERR_MEMORY;
	else
		e = args_check(&r, why);
	json_decref(doc);
	if (e)
		cli_request_done(&r);
	else
		*ret = r;
	return e;
}

/* ---- what callers take from a request ------------------------------------------------------- */

void cli_request_done(struct cli_request *r)
{
	json_decref(r->args);
	*r = (struct cli_request){ 0 };
}

bool cli_arg_flag(const struct cli_request *r, const char *key)
{
	return json_is_true(json_object_get(r->args, key));
}

bool cli_arg_uint(const struct cli_request *r, const char *key, uint32_t *ret)
{
	const json_t *value = json_object_get(r->args, key);

	if (!json_is_integer(value))
		return false;
	*ret = (uint32_t)json_integer_value(value);
	return true;
}

const char *cli_arg_text(const struct cli_request *r, const char *key)
{
	return json_string_value(json_object_get(r->args, key));
}

json_t *cli_error(const char *what, const char *path, const char *expected)
{
	json_t *error = json_pack("{s:s}", "what", what);

	if (path)
		(void)json_object_set_new(error, "path", json_string(path));
	if (expected)
		(void)json_object_set_new(error, "expected", json_string(expected));
	return json_pack("{s:o}", "error", error);
}
