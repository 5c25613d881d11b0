// SPDX-License-Identifier: BSD-2-Clause
#include "secret.h"
#include "runner.h"
#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define V(s) ((struct view){ (const uint8_t *)(s), sizeof(s) - 1 })

START_TEST(a_copy_is_its_own)
{
	char text[] = "sixteen byte key";
	struct secret *s = secret_copy((struct view){ (uint8_t *)text, 16 });

	ck_assert_ptr_nonnull(s);
	text[0] = 'x';
	ck_assert(secret_equal(secret_view(s), V("sixteen byte key")));
	secret_free(s);
	secret_free(NULL);
	ck_assert_uint_eq(secret_view(NULL).len, 0);
}
END_TEST

START_TEST(equal_means_each_byte_and_the_length)
{
	ck_assert(secret_equal(V(""), V("")));
	ck_assert(!secret_equal(V("abc"), V("ab")));
	ck_assert(!secret_equal(V("abc"), V("abd")));
	ck_assert(!secret_equal(V("xbc"), V("abc")));
	ck_assert(secret_equal(V("abc"), V("abc")));
}
END_TEST

START_TEST(wiped_is_zero)
{
	char b[] = "secret";

	secret_wipe(b, sizeof(b));
	for (size_t i = 0; i < sizeof(b); i++)
		ck_assert_int_eq(b[i], 0);
}
END_TEST

START_TEST(files)
{
	struct scratch dir = scratch_new();
	const char *path = scratch_path(&dir, "key");
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct secret *s = NULL;
	struct why why = { "" };

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "0123456789", 10), 10);
	(void)close(fd);
	ck_assert_int_eq(secret_read_file(path, 10, &s, &why), ERR_OK);
	ck_assert(secret_equal(secret_view(s), V("0123456789")));
	secret_free(s);
	ck_assert_int_eq(secret_read_file(path, 9, &s, &why), ERR_LENGTH);
	ck_assert_ptr_nonnull(strstr(why.text, path));
	ck_assert_int_eq(secret_read_file("/tmp", 9, &s, &why), ERR_EXPECTED);
	(void)unlink(path);
	ck_assert_int_eq(secret_read_file(path, 9, &s, &why), ERR_NOT_FOUND);
	ck_assert_int_eq(mkfifo(path, 0600), 0); /* nobody writes: must not hang */
	ck_assert_int_eq(secret_read_file(path, 9, &s, &why), ERR_EXPECTED);
	scratch_done(&dir);
}
END_TEST

TESTS_OF(secret)
{
	TCase *tc = tcase_create("secret");

	tcase_add_test(tc, a_copy_is_its_own);
	tcase_add_test(tc, equal_means_each_byte_and_the_length);
	tcase_add_test(tc, wiped_is_zero);
	tcase_add_test(tc, files);
	return tc;
}
