// SPDX-License-Identifier: BSD-2-Clause
/* Whole configurations, each with the messages that it must give: NAME.set or NAME.conf beside
 * NAME.messages. The first ones are worked examples of an IPsec guide for Junos, whose legacy
 * algorithms are warned of, and whose policies and address books this version refuses, by name and
 * line. */
#include "load.h"
#include "runner.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The messages of NAME.anything, from NAME.messages. */
static char *expected(const char *path)
{
	char name[1024];
	const char *dot = strrchr(path, '.');

	(void)snprintf(name, sizeof(name), "%.*s.messages", (int)(dot - path), path);
	return load_file(name);
}

static void example(const char *path)
{
	char *text = load_file(path), *want = expected(path);
	struct loaded l;

	load_text(text, &l);
	ck_assert_msg(strcmp(l.messages, want) == 0, "%s says:\n%s\ninstead of:\n%s", path,
	              l.messages, want);
	ck_assert_msg((l.config != NULL) == (strstr(want, ": error: ") == NULL), "%s", path);
	free(text);
	free(want);
	load_done(&l);
}

START_TEST(examples)
{
	glob_t found = { 0 };

	ck_assert_int_eq(glob(EXAMPLES "/*.set", 0, NULL, &found), 0);
	ck_assert_int_eq(glob(EXAMPLES "/*.conf", GLOB_APPEND, NULL, &found), 0);
	ck_assert_uint_ge(found.gl_pathc, 20);
	for (size_t i = 0; i < found.gl_pathc; i++)
		example(found.gl_pathv[i]);
	globfree(&found);
}
END_TEST

TESTS_OF(examples)
{
	TCase *tc = tcase_create("examples");

	tcase_add_test(tc, examples);
	return tc;
}
