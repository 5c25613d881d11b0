/* SPDX-License-Identifier: BSD-2-Clause */
/* What may stand next on a command line, for completion and `?`. Pure; any thread. */
#ifndef COMPLETE_H
#define COMPLETE_H
#include "commands.h"

#define COMPLETE_MAX 96

struct cli_choice {
	char word[64]; /* "detail"; a value that one makes up stands in brackets: "<0..15>" */
	const char *help;
	bool made_up; /* in brackets: shown by `?`, never filled in */
};

struct cli_choices {
	struct cli_choice at[COMPLETE_MAX];
	size_t n;
	bool complete; /* the command may end here */
};

/* words stand on the line before the one that is being typed, of which partial is there so far. */
void cli_complete(const char *const *words, size_t n, const char *partial, struct cli_choices *ret);

#endif
