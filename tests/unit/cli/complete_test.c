// SPDX-License-Identifier: BSD-2-Clause
#include "complete.h"
#include "runner.h"
#include "words.h"

static const struct {
	const char *line, *partial, *want; /* the words that are offered */
	bool complete;
} cases[] = {
	{ "", "", "show clear request", false },
	{ "", "s", "show", false },
	{ "show", "", "security chassis configuration", false },
	{ "show security", "i", "ike ipsec", false },
	{ "show security ipsec", "", "security-associations statistics compliance", false },
	{ "sh sec ike sa", "d", "detail", true },
	{ "show security ipsec statistics", "", "fpc pic index |", true },
	{ "show security ipsec statistics fpc", "", "<0..15>", false },
	{ "show security ipsec statistics fpc 1", "", "pic index |", true },
	{ "show security ike security-associations family", "", "inet inet6", false },
	{ "show security ike security-associations family", "inet6", "inet6", false },
	{ "show chassis spu |", "", "display", false },
	{ "show chassis spu | display", "", "json", false },
	{ "show configuration | display", "", "inheritance json set", false },
	{ "show configuration", "sec", "security", true },
	{ "show configuration security ike", "", "blocklists gateway policy proposal session |",
	  true },
	{ "show configuration security ike gateway", "", "<name> |", true },
	{ "show configuration security ike gateway g", "ike", "ike-policy", true },
	{ "request security ipsec offload", "", "index engine", false },
	{ "request security ipsec offload index 7 engine", "s", "software", false },
	{ "request chassis anchor", "", "<0..255> fpc-slot pic-slot", false },
	{ "request system configuration load", "", "<file>", false },
	{ "nonsense", "", "", false },
};

START_TEST(offers)
{
	struct cli_choices c;
	struct words w;
	char got[1024] = "";

	words_of(cases[_i].line, &w);
	cli_complete(w.at, w.n, cases[_i].partial, &c);
	for (size_t i = 0; i < c.n; i++) {
		(void)strcat(strcat(got, i ? " " : ""), c.at[i].word);
		ck_assert_msg(c.at[i].help && c.at[i].help[0], "%s: no help", c.at[i].word);
	}
	ck_assert_msg(strcmp(got, cases[_i].want) == 0, "%s: %s", cases[_i].line, got);
	ck_assert_msg(c.complete == cases[_i].complete, "%s", cases[_i].line);
}
END_TEST

TESTS_OF(complete)
{
	TCase *tc = tcase_create("complete");

	tcase_add_loop_test(tc, offers, 0, ARRAY_LEN(cases));
	return tc;
}
