// SPDX-License-Identifier: BSD-2-Clause
#include "commands_reference.h"

#include "commands.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS 96

static const char intro[] =
        "# Commands\n"
        "\n"
        "<!-- Printed from the table in re/cli/commands.c by `ninja -C build docs-commands`. -->\n"
        "\n"
        "`hawser [-d RUNDIR] [COMMAND WORDS...]` runs one command, or is interactive without "
        "words: Tab completes,\n"
        "`?` says what may stand next, `quit` ends it. Words may be shortened as long as one "
        "command is meant\n"
        "(`sh sec ike sa`); `sa` is short for `security-associations`.\n"
        "\n"
        "`| display json` behind a command prints the one JSON document that the table is made of. "
        "From a shell it\n"
        "stands in quotes: `hawser show chassis spu \"| display json\"`. Exit status 0: it worked, "
        "also when there is\n"
        "nothing to show. 1: an error, `{\"error\": {\"what\": ..., \"path\": ..., \"expected\": "
        "...}}`. 2: an unknown\n"
        "command.\n"
        "\n"
        "Arguments may stand in any order; several filters must all hold. In the layouts of the "
        "replies N is a\n"
        "number, A an address; a key with `?` is left out where there is nothing to say. Keys are "
        "only ever added.\n"
        "\n"
        "Programs may speak to the socket RUNDIR/cli.sock themselves: a request is one line of "
        "JSON,\n"
        "`{\"command\": \"show chassis spu\", \"args\": {\"fpc\": 0}}`, and so is the reply.\n";

static void write_value(struct text *out, const struct cli_arg *a)
{
	switch (a->type) {
	case CLI_UINT:
		text_add(out, "%u..%u", a->min, a->max);
		break;
	case CLI_WORD:
		for (const char *p = a->words; *p; p++)
			if (*p == ' ')
				text_add(out, " \\| ");
			else
				text_add(out, "%c", *p);
		break;
	case CLI_ADDRESS:
		text_add(out, "IP address");
		break;
	case CLI_FILE:
		text_add(out, "file");
		break;
	case CLI_PATH:
		text_add(out, "words of the configuration");
		break;
	case CLI_FLAG:
		break;
	}
}

static void write_args(struct text *out, const struct cli_arg *args)
{
	if (args->key)
		text_add(out,
		         "\n| argument | value | in JSON | meaning |\n| --- | --- | --- | --- |\n");
	for (const struct cli_arg *a = args; a->key; a++) {
		text_add(out, "| %s%s%s | ", a->word ? "`" : "", a->word ? a->word : "",
		         a->word ? "`" : "");
		write_value(out, a);
		text_add(out, " | `%s` | %s%s |\n", a->key, a->must ? "*required* " : "", a->help);
	}
}

/* In lines that fit a page, cut behind a comma. */
static void write_layout(struct text *out, const char *layout)
{
	text_add(out, "\nReply:\n\n```\n");
	while (strlen(layout) > COLUMNS) {
		const char *cut = layout + COLUMNS;

		while (cut > layout && !(cut[-1] == ' ' && cut[-2] == ','))
			cut--;
		if (cut == layout)
			break;
		text_add(out, "%.*s\n", (int)(cut - layout - 1), layout);
		layout = cut;
	}
	text_add(out, "%s\n```\n", layout);
}

void commands_reference_write(struct text *out)
{
	text_add(out, "%s", intro);
	for (size_t i = 0; i < CLI_COMMANDS; i++) {
		const struct cli_command *c = &cli_commands[i];

		text_add(out, "\n## %s\n\n%s.\n", c->words, c->help);
		write_args(out, c->args);
		write_layout(out, c->reply);
	}
}
