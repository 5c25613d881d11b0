// SPDX-License-Identifier: BSD-2-Clause
/* Prints docs/commands.md, for the build target docs-commands. */
#include "commands_reference.h"

#include <stdio.h>

int main(void)
{
	struct text out;

	text_init(&out, COMMANDS_REFERENCE_MAX);
	commands_reference_write(&out);
	(void)fputs(text_of(&out), stdout);
	int status = out.bad;
	text_done(&out);
	return status;
}
