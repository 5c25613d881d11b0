// SPDX-License-Identifier: BSD-2-Clause
#include "set_aside.h"

#include "runner.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_store(const char *dir, const char *content)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/store", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/store/data.mdb", dir);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(content, f);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(the_last_one_is_kept)
{
	char dir[] = "/tmp/hawser-aside-XXXXXX", path[256], text[16] = "";

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(set_aside_store(dir), ERR_NOT_FOUND);
	make_store(dir, "first");
	ck_assert_int_eq(set_aside_store(dir), ERR_OK);
	make_store(dir, "second");
	ck_assert_int_eq(set_aside_store(dir), ERR_OK);

	(void)snprintf(path, sizeof(path), "%s/store", dir);
	ck_assert_int_ne(access(path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s/store.aside/data.mdb", dir);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
	(void)fclose(f);
	ck_assert_str_eq(text, "second");

	ck_assert_int_eq(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/store.aside", dir);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

TESTS_OF(set_aside)
{
	TCase *tc = tcase_create("set_aside");

	tcase_add_test(tc, the_last_one_is_kept);
	return tc;
}
