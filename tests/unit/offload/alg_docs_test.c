// SPDX-License-Identifier: BSD-2-Clause
/* docs/offload.md says of each algorithm what the tables say. */
#include "algorithms.h"
#include "errors.h"
#include "runner.h"

#include <stdio.h>
#include <string.h>

#define PAGE_MAX (256 * 1024)

static char page[PAGE_MAX];

static void read_page(void)
{
	FILE *f = fopen(OFFLOAD_DOC, "r");

	ck_assert_ptr_nonnull(f);
	size_t n = fread(page, 1, sizeof(page) - 1, f);
	(void)fclose(f);
	page[n] = '\0';
}

static void has_row(const char *name, uint8_t use, const char *kinds)
{
	char row[200];

	(void)snprintf(row, sizeof(row), "\n| `%s` | %s | %s | %s | %s |\n", name, kinds,
	               use & (ALG_SOFT | ALG_AH) ? "yes" : "no", use & ALG_INLINE ? "yes" : "no",
	               use & ALG_LEGACY ? "legacy" : "");
	ck_assert_msg(strstr(page, row) != NULL, "docs/offload.md lacks the row:%s", row);
}

static const char *protocols(uint8_t use)
{
	return !(use & ALG_AH) ? "ESP" : use & ALG_SOFT ? "ESP, AH" : "AH";
}

START_TEST(each_algorithm_has_its_row)
{
	size_t rows = 0, found = 0;

	for (const struct alg_cipher *c = alg_ciphers; c->name; c++, rows++)
		has_row(c->name, c->use, "ESP");
	for (const struct alg_integ *a = alg_integs; a->name; a++, rows++)
		has_row(a->name, a->use, protocols(a->use));
	const char *table = strstr(page, "\n## Algorithms\n");
	ck_assert_ptr_nonnull(table);
	const char *end = strstr(table + 1, "\n## ");
	for (const char *at = table; (at = strstr(at, "\n| `")) != NULL && at < end; at++)
		found++;
	ck_assert_msg(found == rows, "%zu rows, %zu algorithms", found, rows);
}
END_TEST

TESTS_OF(alg_docs)
{
	TCase *tc = tcase_create("alg_docs");

	tcase_add_checked_fixture(tc, read_page, NULL);
	tcase_add_test(tc, each_algorithm_has_its_row);
	return tc;
}
