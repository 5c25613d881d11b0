// SPDX-License-Identifier: BSD-2-Clause
/* security ike session and blocklists: what they become, and what is odd or wrong in them. */
#include "load.h"
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HALF_OPEN "set security ike session half-open "
#define RULE "set security ike blocklists bad rule one "

/* The lines behind a sound configuration. */
static void load_with(const char *lines, struct loaded *l)
{
	char *base = load_file(EXAMPLES "/two-tunnels.conf");
	char *text = calloc(1, strlen(base) + strlen(lines) + 3);

	(void)sprintf(text, "%s\n%s\n", base, lines);
	load_text(text, l);
	free(base);
	free(text);
}

static const struct {
	const char *lines;
	bool error; /* or a warning; says NULL: neither */
	const char *says;
} cases[] = {
	{ HALF_OPEN "thresholds send-cookie 500", false,
	  "thresholds send-cookie: is unreachable: at max-count 300 new sessions are refused (the "
	  "default)" },
	{ HALF_OPEN "thresholds send-cookie 300", false, "unreachable" },
	{ HALF_OPEN "thresholds send-cookie 299", false, NULL },
	{ HALF_OPEN "max-count 1000 thresholds send-cookie 500", false, NULL },
	{ HALF_OPEN "max-count 100\n" HALF_OPEN "thresholds reduce-timeout 100 timeout 5", false,
	  "thresholds reduce-timeout 100: is unreachable: at max-count 100 new sessions are "
	  "refused" },
	{ HALF_OPEN "thresholds reduce-timeout 200 timeout 60", true,
	  "reduce-timeout 200: timeout 60 is not below half-open timeout 60" },
	{ HALF_OPEN "timeout 20\n" HALF_OPEN "thresholds reduce-timeout 200 timeout 19", false,
	  NULL },
	{ HALF_OPEN "timeout 20\n" HALF_OPEN "thresholds reduce-timeout 200 timeout 20", true,
	  "timeout 20 is not below half-open timeout 20" },
	{ HALF_OPEN "thresholds reduce-timeout 200", true, "is empty; missing: timeout" },
	{ HALF_OPEN "thresholds reduce-timeout 200 timeout 9\n" HALF_OPEN
	            "thresholds reduce-timeout 250 timeout 8",
	  true, "a second threshold; expected one" },
	{ HALF_OPEN "backoff-timeouts auth-phase-failure 181", true, "expected 1..180" },
	{ HALF_OPEN "backoff-timeouts init-phase-failure 0", true, "expected 1..180" },
	{ HALF_OPEN "thresholds send-cookie 0", true, "expected 1..100000" },
	{ HALF_OPEN "thresholds reduce-timeout 0 timeout 1", true, "expected 1..100000" },
	{ HALF_OPEN "max-count 0", true, "expected 1..100000" },
	{ HALF_OPEN "timeout 181", true, "expected 1..180" },
	{ HALF_OPEN "notify-on-refuse", true, "not supported in this version" },
	{ "set security ike session full-open incoming-exchange-max-rates keepalive 0/5", true,
	  "expected 1..86400" },
	{ "set security ike session full-open incoming-exchange-max-rates keepalive 5/86401", true,
	  "expected 1..86400" },
	{ "set security ike session full-open incoming-exchange-max-rates keepalive 5/", true,
	  "expected 1..86400" },
	{ "set security ike policy east blocklist bad", true,
	  "blocklist: blocklists \"bad\" does not exist" },
	{ RULE "match id-type hostname id-pattern \"a\\.b\"", true, "then is missing" },
	{ RULE "then reject", true, "match is missing" },
	{ RULE "match id-type hostname\n" RULE "then reject", true, "id-pattern is missing" },
	{ RULE "match id-type hostname id-pattern \"a\\.b\"\n" RULE "then backoff 3", true,
	  "expected one of: discard, reject" },
	{ RULE "match id-type hostname id-pattern \"a\\.b\"\n" RULE "then reject\n" RULE
	       "then discard",
	  true, "expected one of: discard, reject" },
	{ RULE "match id-type distinguished-name id-pattern CN=x\n" RULE "then reject", false,
	  "no peer matches" },
	{ "set security ike gateway east dynamic connections-limit 2", true, "excludes address" },
};

START_TEST(what_is_odd_or_wrong)
{
	struct loaded l;

	load_with(cases[_i].lines, &l);
	ck_assert_msg((l.config == NULL) == cases[_i].error, "%s:\n%s", cases[_i].lines,
	              l.messages);
	if (cases[_i].says)
		ck_assert_msg(strstr(l.messages, cases[_i].says) != NULL, "%s\nsays:\n%s",
		              cases[_i].lines, l.messages);
	else
		ck_assert_uint_eq(l.report.messages, 0);
	load_done(&l);
}
END_TEST

/* [DEC-18] */
START_TEST(scenario_072_commit_checks)
{
	static const char *const lines[] = { HALF_OPEN "thresholds send-cookie 500",
		                             HALF_OPEN "thresholds reduce-timeout 9 timeout 60",
		                             HALF_OPEN "backoff-timeouts auth-phase-failure 181" };
	struct loaded l;

	load_with(lines[_i], &l);
	ck_assert_uint_eq(l.report.warnings, _i == 0);
	ck_assert_uint_eq(l.report.errors, _i != 0);
	load_done(&l);
}
END_TEST

/* Both spellings are read, and one is written (DEC-17). */
START_TEST(spellings)
{
	struct loaded l;

	load_with(HALF_OPEN "max-count 1000\n" HALF_OPEN "timeout 45\n" HALF_OPEN
	                    "threshold send-cookie 500\n" HALF_OPEN
	                    "threshold reduced-timeout 600 timeout 10\n" HALF_OPEN
	                    "discard-duplicate\n" HALF_OPEN
	                    "backoff-timeouts init-phase-failure 160\n" HALF_OPEN
	                    "backoff-timeouts auth-phase-failure 150\n"
	                    "set security ike session full-open incoming-exchange-max-rates "
	                    "ike-rekey 2/60\n"
	                    "set security ike session full-open incoming-exchange-max-rates "
	                    "ipsec-rekey 3",
	          &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	const struct config_session *s = &l.config->session;
	ck_assert_uint_eq(s->half_open_max, 1000);
	ck_assert_uint_eq(s->half_open_timeout_s, 45);
	ck_assert_uint_eq(s->cookie_at, 500);
	ck_assert_uint_eq(s->reduce_at, 600);
	ck_assert_uint_eq(s->reduced_timeout_s, 10);
	ck_assert(s->discard_duplicate);
	ck_assert_uint_eq(s->backoff_init_s, 160);
	ck_assert_uint_eq(s->backoff_auth_s, 150);
	ck_assert_uint_eq(s->rate[CONFIG_RATE_IKE_REKEY].count, 2);
	ck_assert_uint_eq(s->rate[CONFIG_RATE_IKE_REKEY].seconds, 60);
	ck_assert_uint_eq(s->rate[CONFIG_RATE_IPSEC_REKEY].count, 3);
	ck_assert_uint_eq(s->rate[CONFIG_RATE_IPSEC_REKEY].seconds, 1);
	ck_assert_uint_eq(s->rate[CONFIG_RATE_KEEPALIVE].count, 0);
	char *out = load_rewrite(HALF_OPEN "threshold reduced-timeout 600 timeout 10", GRAMMAR_SET);
	ck_assert_ptr_nonnull(strstr(out, "half-open thresholds reduce-timeout 600 timeout 10"));
	free(out);
	load_done(&l);
}
END_TEST

START_TEST(without_a_word_nothing_is_given)
{
	struct loaded l;

	load_with("", &l);
	const struct config_session *s = &l.config->session;
	ck_assert_uint_eq(s->half_open_max + s->cookie_at + s->reduce_at + s->backoff_auth_s, 0);
	ck_assert_uint_eq(s->half_open_timeout_s, 60);
	ck_assert_ptr_null(l.config->ike_policy[0].blocklist);
	load_done(&l);
}
END_TEST

START_TEST(blocklists)
{
	struct loaded l;

	load_with(RULE "match id-type hostname id-pattern \"peer.*\\.example\\.net\"\n" RULE
	               "then reject\n"
	               "set security ike blocklists bad rule two match id-type inet id-pattern "
	               "\"10\\.1\\..*\" role responder\n"
	               "set security ike blocklists bad rule two then discard\n"
	               "set security ike blocklists bad rule two then backoff 30\n"
	               "set security ike policy east blocklist bad",
	          &l);
	ck_assert_msg(l.config != NULL && l.report.messages == 0, "%s", l.messages);
	const struct config_blocklist *b = &l.config->blocklist[0];
	ck_assert_uint_eq(l.config->blocklists, 1);
	ck_assert_str_eq(b->name, "bad");
	ck_assert_uint_eq(b->rules, 2);
	ck_assert_str_eq(b->rule[0].pattern, "peer.*\\.example\\.net");
	ck_assert(b->rule[0].reject && !b->rule[0].peer_responds && b->rule[0].backoff_s == 0);
	ck_assert_uint_eq(b->rule[0].id_type, CONFIG_ID_FQDN);
	ck_assert(!b->rule[1].reject && b->rule[1].peer_responds && b->rule[1].backoff_s == 30);
	ck_assert_ptr_eq(l.config->ike_policy[0].blocklist, b);
	load_done(&l);
}
END_TEST

static void load_pattern(const char *type, const char *pattern, struct loaded *l)
{
	char lines[400];

	(void)snprintf(lines, sizeof(lines),
	               RULE "match id-type %s id-pattern \"%s\"\n" RULE "then reject", type,
	               pattern);
	load_with(lines, l);
}

/* [RX-02] */
START_TEST(scenario_084_a_leading_star_is_read_as_any_text)
{
	struct loaded l;

	load_pattern("hostname", "*.example.com", &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	ck_assert_ptr_nonnull(strstr(l.messages, "a leading * is read as .*: \".*.example.com\""));
	ck_assert_str_eq(l.config->blocklist[0].rule[0].pattern, ".*.example.com");
	load_done(&l);
}
END_TEST

/* [RX-05] */
START_TEST(scenario_085_a_broken_pattern_is_an_error_with_its_place)
{
	struct loaded l;

	load_pattern("hostname", "(ab", &l);
	ck_assert_ptr_null(l.config);
	ck_assert_ptr_nonnull(strstr(l.messages,
	                             "blocklists bad rule one match id-pattern: \"(ab\" "
	                             "is no regular expression: at character 1: ( is "
	                             "not closed"));
	load_done(&l);
}
END_TEST

/* [RX-03] */
START_TEST(scenario_216_an_unescaped_dot_is_worth_a_warning)
{
	static const struct {
		const char *type, *pattern;
		unsigned warnings;
	} dots[] = {
		{ "user-at-hostname", "hr.example.com", 1 },
		{ "hostname", "hr.example.com", 1 },
		{ "hostname", "hr\\\\.example\\\\.com", 0 },
		{ "hostname", ".*\\\\.example\\\\.com", 0 },
		{ "hostname", "[.]x.+.?y.{2}", 0 },
		{ "hostname", "a[^].]b.", 1 },
		{ "inet", "10.1.1.1", 0 },
	};
	struct loaded l;

	load_pattern(dots[_i].type, dots[_i].pattern, &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	ck_assert_msg(l.report.warnings == dots[_i].warnings, "%s: %s", dots[_i].pattern,
	              l.messages);
	if (dots[_i].warnings)
		ck_assert_ptr_nonnull(strstr(l.messages, "an unescaped dot matches any character"));
	load_done(&l);
}
END_TEST

/* [BL-08] */
START_TEST(names_have_an_end)
{
	struct loaded l;

	load_with("set security ike blocklists a23456789012345678901234567890123 description x",
	          &l);
	ck_assert_ptr_null(l.config);
	ck_assert_ptr_nonnull(strstr(l.messages, "a name of 33 characters; expected 1..32"));
	load_done(&l);
}
END_TEST

START_TEST(a_peer_without_an_address)
{
	struct loaded l;

	load_with("delete security ike gateway east address\n"
	          "delete security ike gateway east remote-identity\n"
	          "set security ike gateway east dynamic hostname a.example.net\n"
	          "set security ike gateway east dynamic connections-limit 2",
	          &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	const struct config_gateway *g = config_gateway_find(l.config, "east");
	ck_assert_uint_eq(g->peers, 0);
	ck_assert_uint_eq(g->connections_max, 2);
	ck_assert_int_eq(g->remote_id.type, CONFIG_ID_FQDN);
	ck_assert_str_eq((const char *)g->remote_id.bytes, "a.example.net");
	load_done(&l);
}
END_TEST

TESTS_OF(protect)
{
	TCase *tc = tcase_create("protect");

	tcase_add_loop_test(tc, what_is_odd_or_wrong, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, scenario_072_commit_checks, 0, 3);
	tcase_add_test(tc, spellings);
	tcase_add_test(tc, without_a_word_nothing_is_given);
	tcase_add_test(tc, blocklists);
	tcase_add_test(tc, scenario_084_a_leading_star_is_read_as_any_text);
	tcase_add_test(tc, scenario_085_a_broken_pattern_is_an_error_with_its_place);
	tcase_add_loop_test(tc, scenario_216_an_unescaped_dot_is_worth_a_warning, 0, 7);
	tcase_add_test(tc, names_have_an_end);
	tcase_add_test(tc, a_peer_without_an_address);
	return tc;
}
