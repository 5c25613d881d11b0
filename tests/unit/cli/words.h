/* SPDX-License-Identifier: BSD-2-Clause */
/* A line cut at its blanks, for the tests of this folder. */
#ifndef WORDS_H
#define WORDS_H
#include <stdio.h>
#include <string.h>

struct words {
	char line[512];
	const char *at[64];
	size_t n;
};

static inline void words_of(const char *line, struct words *ret)
{
	ret->n = 0;
	(void)snprintf(ret->line, sizeof(ret->line), "%s", line);
	for (char *w = strtok(ret->line, " "); w && ret->n < 64; w = strtok(NULL, " "))
		ret->at[ret->n++] = w;
}

#endif
