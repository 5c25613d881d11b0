// SPDX-License-Identifier: BSD-2-Clause
#include "traffic_options.h"
#include "runner.h"
#include <string.h>

static const struct {
	const char *words[6];
	enum err want;
	const char *says; /* part of the message */
} lines[] = {
	{ { "--to", "10.0.0.1", "--pps", "5" }, ERR_OK, "" },
	{ { "--to", "fd00::1" }, ERR_OK, "" },
	{ { 0 }, ERR_OK, "" },
	{ { "--to", "host" }, ERR_SYNTAX, "--to host" },
	{ { "--pps" }, ERR_MISSING, "--pps" },
	{ { "--pps", "0" }, ERR_RANGE, "1 to" },
	{ { "--pps", "-1" }, ERR_RANGE, "--pps -1" },
	{ { "--pps", "10x" }, ERR_RANGE, "--pps 10x" },
	{ { "--size", "31" }, ERR_RANGE, "32 to" },
	{ { "--flows", "65" }, ERR_RANGE, "1 to 64" },
	{ { "--port", "70000" }, ERR_RANGE, "65535" },
	{ { "pps", "1" }, ERR_UNKNOWN, "pps" },
	{ { "--colour", "1" }, ERR_UNKNOWN, "--colour" },
};

START_TEST(a_wrong_word_is_named)
{
	char *argv[6];
	int argc = 0;
	struct traffic_options o;
	struct why why = { "" };

	while (lines[_i].words[argc] != NULL) {
		argv[argc] = strdup(lines[_i].words[argc]);
		argc++;
	}
	enum err e = traffic_options_read(argc, argv, &o, &why);
	ck_assert_msg(e == lines[_i].want, "line %d: got \"%s\" (%s)", _i, err_text(e), why.text);
	ck_assert_msg(strstr(why.text, lines[_i].says), "line %d says \"%s\"", _i, why.text);
	while (argc > 0)
		free(argv[--argc]);
}
END_TEST

TESTS_OF(traffic_options)
{
	TCase *tc = tcase_create("traffic_options");

	tcase_add_loop_test(tc, a_wrong_word_is_named, 0, (int)ARRAY_LEN(lines));
	return tc;
}
