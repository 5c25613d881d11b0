// SPDX-License-Identifier: BSD-2-Clause
#include "errors.h"
#include "runner.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

START_TEST(each_error_has_a_text_of_its_own)
{
	for (int a = 0; a < ERR_MAX; a++) {
		ck_assert_msg(err_text(a)[0] != '\0', "error %d has no text", a);
		for (int b = 0; b < a; b++)
			ck_assert_str_ne(err_text(a), err_text(b));
	}
	ck_assert_str_eq(err_text(ERR_MAX), "unknown error");
	ck_assert_str_eq(err_text((enum err) - 1), "unknown error");
}
END_TEST

static const struct {
	int no;
	enum err want;
} errnos[] = {
	{ 0, ERR_OK },          { ENOENT, ERR_NOT_FOUND }, { EPERM, ERR_DENIED },
	{ ENOSPC, ERR_FULL },   { EAGAIN, ERR_AGAIN },     { EINTR, ERR_AGAIN },
	{ ENOMEM, ERR_MEMORY }, { EIO, ERR_IO },           { 99999, ERR_IO },
};

START_TEST(an_errno_becomes_an_error)
{
	enum err got = err_from_errno(errnos[_i].no);

	ck_assert_msg(got == errnos[_i].want, "errno %d: got \"%s\"", errnos[_i].no, err_text(got));
}
END_TEST

START_TEST(why_says_what_and_where)
{
	struct why why = { 0 };

	ck_assert_int_eq(why_set(&why, ERR_RANGE, "%d is above %d", 70000, 65535), ERR_RANGE);
	ck_assert_int_eq(why_prefix(&why, ERR_RANGE, "line %d", 7), ERR_RANGE);
	ck_assert_str_eq(why.text, "line 7: 70000 is above 65535");
}
END_TEST

START_TEST(why_may_be_left_out_and_is_cut_when_long)
{
	char longer[2 * sizeof(struct why)];
	struct why why = { 0 };

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(why_set(NULL, ERR_IO, "nobody waits"), ERR_IO);
	ck_assert_int_eq(why_prefix(NULL, ERR_IO, "nobody"), ERR_IO);
	ck_assert_int_eq(why_set(&why, ERR_IO, "%s", longer), ERR_IO);
	ck_assert_uint_eq(strlen(why.text), sizeof(why.text) - 1);
	ck_assert_int_eq(why_prefix(&why, ERR_IO, "path"), ERR_IO);
	ck_assert_uint_eq(strlen(why.text), sizeof(why.text) - 1);
	ck_assert_int_eq(strncmp(why.text, "path: xxx", 9), 0);
	ck_assert_int_eq(why_prefix(&why, ERR_IO, "%s", longer), ERR_IO);
	ck_assert_uint_eq(strlen(why.text), sizeof(why.text) - 1);
}
END_TEST

struct thing {
	int *freed;
};

static void thing_free(struct thing *t)
{
	if (t)
		++*t->freed;
}

AUTO_DEFINE(struct thing, thing_free);

static enum err fail_when(bool fail)
{
	return fail ? ERR_WRONG_STATE : ERR_OK;
}

static enum err half_way(struct thing *in, bool fail, struct thing **ret)
{
	AUTO(thing_free) struct thing *t = in;

	TRY(fail_when(fail));
	*ret = STEAL(t);
	return ERR_OK;
}

START_TEST(try_leaves_and_auto_frees_what_was_not_taken)
{
	int freed = 0;
	struct thing thing = { &freed };
	struct thing *got = NULL;

	ck_assert_int_eq(half_way(&thing, true, &got), ERR_WRONG_STATE);
	ck_assert_int_eq(freed, 1);
	ck_assert_ptr_null(got);
	ck_assert_int_eq(half_way(&thing, false, &got), ERR_OK);
	ck_assert_int_eq(freed, 1);
	ck_assert_ptr_eq(got, &thing);
}
END_TEST

TESTS_OF(errors)
{
	TCase *tc = tcase_create("errors");

	tcase_add_test(tc, each_error_has_a_text_of_its_own);
	tcase_add_loop_test(tc, an_errno_becomes_an_error, 0, ARRAY_LEN(errnos));
	tcase_add_test(tc, why_says_what_and_where);
	tcase_add_test(tc, why_may_be_left_out_and_is_cut_when_long);
	tcase_add_test(tc, try_leaves_and_auto_frees_what_was_not_taken);
	return tc;
}
