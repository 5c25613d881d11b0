// SPDX-License-Identifier: BSD-2-Clause
/* hawser: the command line. One command per call, or interactive without words. */
#include "client.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNDIR "/run/hawser"

static void usage(FILE *to)
{
	(void)fprintf(to, "usage: hawser [-d RUNDIR] [COMMAND WORDS...] [\"| display json\"]\n"
	                  "\n"
	                  "Without words: interactive, with completion by Tab and help by ?.\n"
	                  "  -d RUNDIR   of the gateway (" RUNDIR ")\n"
	                  "  -h          this text\n"
	                  "\n"
	                  "Commands:\n");
	for (size_t i = 0; i < CLI_COMMANDS; i++)
		(void)fprintf(to, "  %-46s %s\n", cli_commands[i].words, cli_commands[i].help);
}

/* Arguments are words, but one that begins with | may hold several: "| display json". */
static size_t words_of(char **argv, const char **words)
{
	size_t n = 0;

	for (; *argv && n < CLIENT_WORDS_MAX; argv++) {
		if ((*argv)[0] != '|') {
			words[n++] = *argv;
			continue;
		}
		words[n++] = "|";
		for (char *w = strtok(*argv + 1, " "); w && n < CLIENT_WORDS_MAX;
		     w = strtok(NULL, " "))
			words[n++] = w;
	}
	return n;
}

int main(int argc, char **argv)
{
	const char *rundir = RUNDIR;
	const char *words[CLIENT_WORDS_MAX];
	int c;

	while ((c = getopt(argc, argv, "+d:h")) != -1) {
		if (c == 'd') {
			rundir = optarg;
			continue;
		}
		usage(c == 'h' ? stdout : stderr);
		return c == 'h' ? CLIENT_OK : CLIENT_UNKNOWN;
	}
	if (argv[optind] == NULL)
		return interact(rundir);
	return client_run(rundir, words, words_of(argv + optind, words));
}
