/* SPDX-License-Identifier: BSD-2-Clause */
/* One executable per folder: how its files give their tests, and the main() that runs them.
 *
 * A file x_test.c ends in   TESTS_OF(x) { TCase *tc = tcase_create("x"); ...; return tc; }
 * and the folder's main.c is  #include "runner.h"  and  RUNNER("folder", X(x) X(y)...)  as below.
 */
#ifndef RUNNER_H
#define RUNNER_H
#include <check.h>
#include <stdlib.h>

#define TESTS_OF(name)             \
	TCase *name##_tests(void); \
	TCase *name##_tests(void)

#define RUNNER_DECLARE(name) TCase *name##_tests(void);
#define RUNNER_ADD(name) suite_add_tcase(s, name##_tests());

/* RUNNER("common", TESTS) where TESTS(X) is a list X(errors) X(reader). Each test runs in a process
 * of its own. Check's four seconds are too few for a loaded machine with sanitizers. */
#define RUNNER(folder, TESTS)                                     \
	TESTS(RUNNER_DECLARE)                                     \
	int main(void)                                            \
	{                                                         \
		(void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);      \
		Suite *s = suite_create(folder);                  \
		TESTS(RUNNER_ADD)                                 \
		SRunner *sr = srunner_create(s);                  \
		srunner_run_all(sr, CK_ENV);                      \
		int failed = srunner_ntests_failed(sr);           \
		srunner_free(sr);                                 \
		return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE; \
	}                                                         \
	struct runner_needs_a_semicolon

#endif
