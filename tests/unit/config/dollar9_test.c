// SPDX-License-Identifier: BSD-2-Clause
#include "dollar9.h"
#include "runner.h"

#include <string.h>

START_TEST(known_form)
{
	/* From the documentation of Crypt::Juniper. */
	uint8_t buf[8];
	size_t len;

	ck_assert_int_eq(dollar9_decode("$9$LbHX-wg4Z", buf, sizeof(buf), &len), ERR_OK);
	ck_assert_uint_eq(len, 2);
	ck_assert_mem_eq(buf, "lc", 2);
}
END_TEST

START_TEST(round_trip)
{
	uint8_t plain[255], back[255];
	char text[DOLLAR9_MAX(255)];
	size_t n = (size_t)_i, len = 0;

	for (size_t i = 0; i < n; i++)
		plain[i] = (uint8_t)(i * 37 + n);
	ck_assert_int_eq(dollar9_encode((struct view){ plain, n }, text, sizeof(text)), ERR_OK);
	ck_assert(dollar9_is(text));
	enum err e = dollar9_decode(text, back, sizeof(back), &len);
	if (n == 0) {
		ck_assert_int_eq(e, ERR_SYNTAX); /* an empty secret is none */
		return;
	}
	ck_assert_int_eq(e, ERR_OK);
	ck_assert_uint_eq(len, n);
	ck_assert_mem_eq(back, plain, n);
}
END_TEST

static const struct {
	const char *text;
	enum err want;
} damaged[] = {
	{ "$9$", ERR_SYNTAX },
	{ "$9$L", ERR_SYNTAX },
	{ "$9$LbHX-wg4Z!", ERR_SYNTAX },
	{ "$9$LbHX-wg4 ", ERR_SYNTAX },
	{ "$8$LbHX-wg4Z", ERR_SYNTAX },
	{ "plain", ERR_SYNTAX },
	{ "", ERR_SYNTAX },
	{ "$9$!bHX-wg4Z", ERR_SYNTAX },
	{ "$9$LbHX-wg4ZUjLNbHX", ERR_LENGTH },
};

START_TEST(damaged_forms)
{
	uint8_t buf[2];
	size_t len;
	enum err e = dollar9_decode(damaged[_i].text, buf, sizeof(buf), &len);

	ck_assert_msg(e == damaged[_i].want || (damaged[_i].want == ERR_LENGTH && e == ERR_SYNTAX),
	              "%s: got \"%s\"", damaged[_i].text, err_text(e));
}
END_TEST

TESTS_OF(dollar9)
{
	TCase *tc = tcase_create("dollar9");

	tcase_add_test(tc, known_form);
	tcase_add_loop_test(tc, round_trip, 0, 256);
	tcase_add_loop_test(tc, damaged_forms, 0, ARRAY_LEN(damaged));
	return tc;
}
