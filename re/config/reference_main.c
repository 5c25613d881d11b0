// SPDX-License-Identifier: BSD-2-Clause
/* Prints docs/configuration.md, for the build target docs-configuration. */
#include "reference.h"

#include <stdio.h>

int main(void)
{
	struct text out;

	text_init(&out, REFERENCE_MAX);
	reference_write(&out);
	(void)fputs(text_of(&out), stdout);
	int status = out.bad;
	text_done(&out);
	return status;
}
