// SPDX-License-Identifier: BSD-2-Clause
#include "commands_reference.h"
#include "runner.h"

#include <stdio.h>
#include <string.h>

START_TEST(docs_are_current)
{
	static char file[1 << 18];
	FILE *f = fopen(REFERENCE_DOC, "r");
	struct text out;

	ck_assert_ptr_nonnull(f);
	file[fread(file, 1, sizeof(file) - 1, f)] = 0;
	(void)fclose(f);
	text_init(&out, COMMANDS_REFERENCE_MAX);
	commands_reference_write(&out);
	ck_assert(!out.bad);
	ck_assert_msg(strcmp(file, text_of(&out)) == 0,
	              "docs/commands.md is out of date; run: ninja -C build docs-commands");
	text_done(&out);
}
END_TEST

TESTS_OF(commands_reference)
{
	TCase *tc = tcase_create("commands_reference");

	tcase_add_test(tc, docs_are_current);
	return tc;
}
