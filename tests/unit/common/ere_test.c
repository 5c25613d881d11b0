// SPDX-License-Identifier: BSD-2-Clause
/* Regular expressions: what they match (beside the C library's, which agrees where it can), what is
 * no expression and where, and how long the worst of them take. */
#include "ere.h"
#include "runner.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct view text_view(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

static bool matches(const char *pattern, bool fold, const char *text)
{
	struct why why = { "" };
	struct ere *e = NULL;

	enum err err = ere_new(pattern, fold, &e, &why);
	ck_assert_msg(err == ERR_OK, "%s: %s", pattern, why.text);
	bool yes = ere_match(e, text_view(text));
	ere_free(e);
	return yes;
}

static const struct {
	const char *pattern, *text;
	bool want;
} matching[] = {
	{ "peer.*\\.example\\.net", "peer.example.net", true },
	{ "peer.*\\.example\\.net", "peer.1.example.net", true },
	{ "peer.*\\.example\\.net", "peer.uplink.example.net", true },
	{ "peer.*\\.example\\.net", "hub.example.net", false },
	{ "peer.*\\.example\\.net", "peer-example.net", false },
	{ ".*.example.com", "hr.example.com", true },
	{ "hr.example.com", "hr-example-com", true },
	{ "a", "", false },
	{ "a*", "", true },
	{ "a*", "aaaa", true },
	{ "a*", "aaab", false },
	{ "a+b?c", "aac", true },
	{ "a+b?c", "bc", false },
	{ "(ab|cd)+", "abcdab", true },
	{ "(ab|cd)+", "abc", false },
	{ "ab|cd|ef", "ef", true },
	{ "ab|cd|ef", "af", false },
	{ "x(ab|cd)y", "xcdy", true },
	{ "a{3}", "aaa", true },
	{ "a{3}", "aa", false },
	{ "a{2,}", "aaaaa", true },
	{ "a{2,4}b", "aaaaab", false },
	{ "a{2,4}b", "aaaab", true },
	{ "a{0,2}", "", true },
	{ "a{0,2}b", "aab", true },
	{ "a{0}b", "b", true },
	{ "(ab){0,3}c", "ababc", true },
	{ "(ab){0,3}c", "abababab", false },
	{ "[a-c]+[^0-9]", "abcx", true },
	{ "[a-c]+[^0-9]", "abc1", false },
	{ "[]a]+", "]a]", true },
	{ "[^]a]+", "]", false },
	{ "[a-]", "-", true },
	{ "[[:digit:][:upper:]]+", "A1", true },
	{ "[[:digit:]]+", "1a", false },
	{ "^a$", "a", true },
	{ "(^a|b)c", "ac", true },
	{ "a^b", "ab", false },
	{ "(a$|ab)", "a", true },
	{ "(a|b)*c|d", "ababc", true },
	{ "(a*)*", "aaa", true },
	{ "(a*)+b", "b", true },
	{ "((a|b)?c)*", "acbcc", true },
	{ "\\.\\*\\[\\]\\\\", ".*[]\\", true },
	{ "abcd", "abd", false },
	{ "ab?", "abb", false },
	{ "xa|a", "a", true },
	{ "(ab)?b", "b", true },
	{ "a(b|c)", "ab", true },
};

START_TEST(a_pattern_matches_the_whole_text)
{
	ck_assert_msg(matches(matching[_i].pattern, false, matching[_i].text) == matching[_i].want,
	              "%s on %s", matching[_i].pattern, matching[_i].text);
}
END_TEST

/* [RX-04] */
START_TEST(scenario_083_a_pattern_is_anchored_to_the_whole_id)
{
	ck_assert(!matches("peer.*\\.example\\.net", false, "peer.example.net.evil.org"));
	ck_assert(!matches("peer.*\\.example\\.net", false, "my-peer.example.net"));
	ck_assert(!matches("ab|abc", false, "abcd"));
	ck_assert(matches("ab|abc", false, "abc"));
}
END_TEST

START_TEST(letters_of_either_case)
{
	ck_assert(matches("Peer[a-c]\\.NET", true, "pEERB.net"));
	ck_assert(!matches("Peer", false, "peer"));
	ck_assert(!matches("[^a]", true, "A"));
}
END_TEST

static const struct {
	const char *pattern, *says;
} mistakes[] = {
	{ "(ab", "at character 1: ( is not closed" },
	{ "ab)", "at character 3: ) closes nothing" },
	{ "a[bc", "at character 2: [ is not closed" },
	{ "a[", "at character 2: [ is not closed" },
	{ "a[]", "at character 2: [ is not closed" },
	{ "*a", "at character 1: there is nothing to repeat" },
	{ "a(+b)", "at character 3: there is nothing to repeat" },
	{ "^*", "at character 2: there is nothing to repeat" },
	{ "a||b", "at character 3: an empty alternative" },
	{ "()", "at character 2: an empty alternative" },
	{ "", "at character 1: an empty alternative" },
	{ "a{2", "at character 2: expected {m}, {m,} or {m,n}" },
	{ "a{x}", "at character 2: expected {m}, {m,} or {m,n}" },
	{ "a{,2}", "at character 2: expected {m}, {m,} or {m,n}" },
	{ "a{3,2}", "at character 2: the bounds are the wrong way round" },
	{ "a{256}", "at character 5: more than 255 repetitions" },
	{ "a\\", "at character 2: nothing follows the backslash" },
	{ "(a)\\1", "at character 4: a backslash before a letter or digit means nothing" },
	{ "[z-a]", "at character 2: the range ends before it begins" },
	{ "[[:letter:]]", "at character 2: no such character class" },
	{ "[[.a.]]", "at character 2: collating elements are not supported" },
	{ "((a{100}){100}){100}", NULL },
};

START_TEST(what_is_no_expression_is_told_with_its_place)
{
	struct why why = { "" };
	struct ere *e = NULL;

	ck_assert_int_eq(ere_new(mistakes[_i].pattern, false, &e, &why), ERR_SYNTAX);
	ck_assert_ptr_null(e);
	if (mistakes[_i].says)
		ck_assert_str_eq(why.text, mistakes[_i].says);
	else
		ck_assert_ptr_nonnull(strstr(why.text, "too large"));
}
END_TEST

START_TEST(groups_have_an_end)
{
	char pattern[200] = "";
	struct why why;
	struct ere *e;

	for (int i = 0; i < 40; i++) {
		pattern[i] = '(';
		pattern[41 + i] = ')';
	}
	pattern[40] = 'a';
	ck_assert_int_eq(ere_new(pattern, false, &e, &why), ERR_SYNTAX);
}
END_TEST

/* The best of some runs: what the engine needs, not what else the machine does. */
static double ms_of(const struct ere *e, struct view text, bool want)
{
	double best = 1e9;

	for (int i = 0; i < 20; i++) {
		struct timespec a, b;

		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
		ck_assert_int_eq(ere_match(e, text), want);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
		double ms =
		        (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
		best = ms < best ? ms : best;
	}
	return best;
}

/* [RX-05] */
START_TEST(scenario_092_the_worst_patterns_take_less_than_a_millisecond)
{
	static const char *const patterns[] = { "(a+)+$", "(a*)*b", "(a|a)*c", "(a|aa)+b",
		                                "(.*.*.*.*)*x" };
	char text[255];

	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		struct why why = { "" };
		struct ere *e = NULL;

		ck_assert_int_eq(ere_new(patterns[i], false, &e, &why), ERR_OK);
		for (int odd = 0; odd < 2; odd++) {
			text[254] = odd ? '!' : 'a';
			double ms = ms_of(e, (struct view){ (uint8_t *)text, 255 }, i == 0 && !odd);
			ck_assert_msg(ms < 1, "%s took %.3f ms", patterns[i], ms);
		}
		ere_free(e);
	}
}
END_TEST

/* Patterns and texts at random from few letters, judged by regexec() with ^( )$ around. */
START_TEST(it_agrees_with_the_c_library)
{
	static const char *const parts[] = { "a",      "b",     ".",       "(ab)",  "a*",
		                             "b+",     "(a|b)", "a?",      "[ab]",  "[^a]",
		                             "(a|b)*", "a{2}",  "(ab|a)+", "b{1,3}" };
	unsigned seed = 7;

	for (int round = 0; round < 3000; round++) {
		char pattern[100] = "", posix[110], text[12] = "";
		struct why why = { "" };
		struct ere *e = NULL;
		regex_t re;

		for (int i = 0, n = 1 + rand_r(&seed) % 5; i < n; i++) {
			strcat(pattern, parts[(size_t)rand_r(&seed) % ARRAY_LEN(parts)]);
			if (i + 1 < n && rand_r(&seed) % 6 == 0)
				strcat(pattern, "|");
		}
		for (int i = 0, n = rand_r(&seed) % 9; i < n; i++)
			text[i] = "ab"[rand_r(&seed) % 2];
		(void)snprintf(posix, sizeof(posix), "^(%s)$", pattern);
		ck_assert_int_eq(ere_new(pattern, false, &e, &why), ERR_OK);
		ck_assert_int_eq(regcomp(&re, posix, REG_EXTENDED | REG_NOSUB), 0);
		ck_assert_msg(ere_match(e, text_view(text)) ==
		                      (regexec(&re, text, 0, NULL, 0) == 0),
		              "%s on \"%s\"", pattern, text);
		regfree(&re);
		ere_free(e);
	}
}
END_TEST

TESTS_OF(ere)
{
	TCase *t = tcase_create("ere");

	tcase_add_loop_test(t, a_pattern_matches_the_whole_text, 0, ARRAY_LEN(matching));
	tcase_add_test(t, scenario_083_a_pattern_is_anchored_to_the_whole_id);
	tcase_add_test(t, letters_of_either_case);
	tcase_add_loop_test(t, what_is_no_expression_is_told_with_its_place, 0,
	                    ARRAY_LEN(mistakes));
	tcase_add_test(t, groups_have_an_end);
	tcase_add_test(t, scenario_092_the_worst_patterns_take_less_than_a_millisecond);
	tcase_add_test(t, it_agrees_with_the_c_library);
	return t;
}
