// SPDX-License-Identifier: BSD-2-Clause
#include "lex.h"
#include "runner.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *what, *text, *why;
} cases[] = {
	{ "string without end", "a \"b", "string without its closing quote" },
	{ "string over a line end", "a \"b\nc\";", "string without its closing quote" },
	{ "control character in a string", "a \"b\x01\";", "control character 0x01 in a string" },
	{ "bad UTF-8 in a string", "a \"\xc3\x28\";", "a string is not valid UTF-8" },
	{ "cut UTF-8 in a string", "a \"\xe2\x82\";", "a string is not valid UTF-8" },
	{ "byte outside a string", "a \xc3\xa4;", "character 0xc3 outside a quoted string" },
	{ "zero byte", "a \x02;", "character 0x02 outside a quoted string" },
	{ "comment without end", "/* a;", "comment without its end, */" },
};

START_TEST(errors)
{
	struct lexer lx;
	struct lex_words words;
	struct why why = { 0 };

	lex_init(&lx, rd_of(cases[_i].text, strlen(cases[_i].text)));
	ck_assert_msg(lex_statement(&lx, &words, &why) != ERR_OK, "%s", cases[_i].what);
	ck_assert_msg(strcmp(why.text, cases[_i].why) == 0, "%s: %s", cases[_i].what, why.text);
	lex_words_done(&words);
}
END_TEST

START_TEST(words_and_marks)
{
	static const char text[] = "a \"b \\\"c\\\\\" [ d e ]# behind\n; # before\n/* and */ f { }";
	struct lexer lx;
	struct lex_words w;
	struct why why;

	lex_init(&lx, rd_of(text, strlen(text)));
	ck_assert_int_eq(lex_statement(&lx, &w, &why), ERR_OK);
	ck_assert_uint_eq(w.n, 6);
	ck_assert_str_eq(w.at[1].text, "b \"c\\");
	ck_assert(w.at[1].quoted && w.at[2].mark == LEX_LIST && w.at[5].mark == LEX_LIST_END);
	ck_assert_int_eq(w.end, LEX_SEMICOLON);
	lex_words_done(&w);
	ck_assert_ptr_null(lex_take_comment(&lx));
	ck_assert_int_eq(lex_statement(&lx, &w, &why), ERR_OK);
	ck_assert_int_eq(w.end, LEX_OPEN);
	ck_assert_uint_eq(w.at[0].line, 3);
	lex_words_done(&w);
	char *comment = lex_take_comment(&lx);
	ck_assert_str_eq(comment, "and");
	free(comment);
	ck_assert_int_eq(lex_statement(&lx, &w, &why), ERR_OK);
	ck_assert_int_eq(w.end, LEX_CLOSE);
	lex_words_done(&w);
}
END_TEST

START_TEST(too_long)
{
	static char text[LEX_WORD_MAX * 3];
	struct lexer lx;
	struct lex_words w;
	struct why why;

	memset(text, 'a', LEX_WORD_MAX);
	lex_init(&lx, rd_of(text, strlen(text)));
	ck_assert_int_eq(lex_statement(&lx, &w, &why), ERR_LENGTH);
	lex_words_done(&w);
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "a ", 3);
	lex_init(&lx, rd_of(text, strlen(text)));
	ck_assert_int_eq(lex_statement(&lx, &w, &why), ERR_OK); /* 1,535 words */
	lex_words_done(&w);
}
END_TEST

TESTS_OF(lex)
{
	TCase *tc = tcase_create("lex");

	tcase_add_loop_test(tc, errors, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, words_and_marks);
	tcase_add_test(tc, too_long);
	return tc;
}
