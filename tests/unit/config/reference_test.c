// SPDX-License-Identifier: BSD-2-Clause
#include "load.h"
#include "reference.h"
#include "runner.h"

#include <stdlib.h>
#include <string.h>

START_TEST(docs_are_current)
{
	struct text out;
	char *file = load_file(REFERENCE_DOC);

	text_init(&out, REFERENCE_MAX);
	reference_write(&out);
	ck_assert(!out.bad);
	ck_assert_msg(
	        strcmp(file, text_of(&out)) == 0,
	        "docs/configuration.md is out of date; run: ninja -C build docs-configuration");
	text_done(&out);
	free(file);
}
END_TEST

TESTS_OF(reference)
{
	TCase *tc = tcase_create("reference");

	tcase_add_test(tc, docs_are_current);
	return tc;
}
