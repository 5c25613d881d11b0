// SPDX-License-Identifier: BSD-2-Clause
/* The interactive shell: editing and history by libedit, completion and `?` by complete.h. */
#include "client.h"

#include "complete.h"

#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY_SIZE 500

static char *prompt(EditLine *el)
{
	static char text[80]; /* libedit keeps the pointer */
	char host[64] = "hawser";

	(void)el;
	if (text[0] == 0) {
		(void)gethostname(host, sizeof(host) - 1);
		(void)snprintf(text, sizeof(text), "%s> ", host);
	}
	return text;
}

/* The line up to the cursor, cut into whole words and the one that is being typed. */
struct typed {
	char line[1024];
	const char *words[CLIENT_WORDS_MAX];
	size_t n;
	const char *partial;
};

static bool typed_of(EditLine *el, struct typed *t)
{
	const LineInfo *info = el_line(el);
	size_t len = (size_t)(info->cursor - info->buffer);
	struct why why;

	if (len >= sizeof(t->line))
		return false;
	memcpy(t->line, info->buffer, len);
	t->line[len] = 0;
	bool between = len == 0 || strchr(" \t", t->line[len - 1]);
	if (client_split(t->line, t->words, &t->n, &why))
		return false;
	t->partial = between || t->n == 0 ? "" : t->words[--t->n];
	return true;
}

static void list(const struct cli_choices *c)
{
	(void)printf("\nPossible completions:\n");
	if (c->complete)
		(void)printf("  %-26s %s\n", "<[Enter]>", "Execute this command");
	for (size_t i = 0; i < c->n; i++)
		(void)printf("  %-26s %s\n", c->at[i].word, c->at[i].help);
	(void)fflush(stdout);
}

/* What all choices that can be filled in begin with. */
static size_t common_beginning(const struct cli_choices *c, char *buf, size_t cap)
{
	size_t count = 0;

	buf[0] = 0;
	for (size_t i = 0; i < c->n; i++) {
		if (c->at[i].made_up)
			continue;
		if (count++ == 0)
			(void)snprintf(buf, cap, "%s", c->at[i].word);
		size_t same = 0;
		while (buf[same] && buf[same] == c->at[i].word[same])
			same++;
		buf[same] = 0;
	}
	return count;
}

static unsigned char on_tab(EditLine *el, int ch)
{
	struct cli_choices choices;
	struct typed t;
	char word[80];

	(void)ch;
	if (!typed_of(el, &t))
		return CC_ERROR;
	cli_complete(t.words, t.n, t.partial, &choices);
	size_t count = common_beginning(&choices, word, sizeof(word) - 1);
	if (count == 1 && choices.n == 1)
		(void)strcat(word, " ");
	if (count && strlen(word) > strlen(t.partial)) {
		(void)el_insertstr(el, word + strlen(t.partial));
		return CC_REFRESH;
	}
	if (choices.n == 0)
		return CC_ERROR;
	list(&choices);
	return CC_REDISPLAY;
}

static unsigned char on_question(EditLine *el, int ch)
{
	struct cli_choices choices;
	struct typed t;

	(void)ch;
	if (!typed_of(el, &t))
		return CC_ERROR;
	cli_complete(t.words, t.n, t.partial, &choices);
	list(&choices);
	return CC_REDISPLAY;
}

static void run_line(const char *rundir, const char *line, bool *ret_quit)
{
	const char *words[CLIENT_WORDS_MAX];
	char *copy = strdup(line);
	struct why why = { 0 };
	size_t n = 0;

	if (copy == NULL || client_split(copy, words, &n, &why))
		(void)fprintf(stderr, "error: %s\n", why.text);
	else if (n == 1 && (strcmp(words[0], "quit") == 0 || strcmp(words[0], "exit") == 0))
		*ret_quit = true;
	else if (n > 0)
		(void)client_run(rundir, words, n);
	free(copy);
}

static int loop(const char *rundir, EditLine *el, History *past)
{
	HistEvent event;
	bool quit = false;
	const char *line;
	int len;

	while (!quit && (line = el_gets(el, &len)) != NULL && len > 0) {
		if (line[strspn(line, " \t\n")])
			(void)history(past, &event, H_ENTER, line);
		run_line(rundir, line, &quit);
		(void)fflush(stdout);
	}
	return CLIENT_OK;
}

int interact(const char *rundir)
{
	EditLine *el = el_init("hawser", stdin, stdout, stderr);
	History *past = history_init();
	HistEvent event;
	int status = CLIENT_ERROR;

	if (el && past) {
		(void)history(past, &event, H_SETSIZE, HISTORY_SIZE);
		(void)el_set(el, EL_PROMPT, prompt);
		(void)el_set(el, EL_EDITOR, "emacs");
		(void)el_set(el, EL_HIST, history, past);
		(void)el_wset(el, EL_ADDFN, L"hawser-complete", L"Complete a word", on_tab);
		(void)el_wset(el, EL_ADDFN, L"hawser-help", L"Show what may stand here",
		              on_question);
		(void)el_set(el, EL_BIND, "^I", "hawser-complete", NULL);
		(void)el_set(el, EL_BIND, "?", "hawser-help", NULL);
		status = loop(rundir, el, past);
	}
	if (past)
		history_end(past);
	if (el)
		el_end(el);
	return status;
}
