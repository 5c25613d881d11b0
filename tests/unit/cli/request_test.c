// SPDX-License-Identifier: BSD-2-Clause
#include "commands.h"
#include "runner.h"
#include "words.h"

#include <stdlib.h>

static const struct {
	const char *line, *json;
	enum cli_display display;
} good[] = {
	{ "show security ike security-associations",
	  "{\"command\":\"show security ike security-associations\",\"args\":{}}", CLI_TEXT },
	{ "sh sec ike sa detail",
	  "{\"command\":\"show security ike security-associations\",\"args\":{\"detail\":true}}",
	  CLI_TEXT },
	{ "show security ike sa 2001:DB8::1 index 4294967295 fpc 15 pic 3 family inet6",
	  "{\"command\":\"show security ike "
	  "security-associations\",\"args\":{\"peer-address\":\"2001:db8::1\","
	  "\"index\":4294967295,\"fpc\":15,\"pic\":3,\"family\":\"inet6\"}}",
	  CLI_TEXT },
	{ "show security ipsec security-associations index 131073 detail | display json",
	  "{\"command\":\"show security ipsec "
	  "security-associations\",\"args\":{\"index\":131073,\"detail\":true}}",
	  CLI_JSON },
	{ "show security ipsec statistics fpc 0 pic 1",
	  "{\"command\":\"show security ipsec statistics\",\"args\":{\"fpc\":0,\"pic\":1}}",
	  CLI_TEXT },
	{ "show chassis spu", "{\"command\":\"show chassis spu\",\"args\":{}}", CLI_TEXT },
	{ "show security flow drops", "{\"command\":\"show security flow drops\",\"args\":{}}",
	  CLI_TEXT },
	{ "show configuration", "{\"command\":\"show configuration\",\"args\":{}}", CLI_TEXT },
	{ "show configuration security ike | display set",
	  "{\"command\":\"show configuration\",\"args\":{\"path\":[\"security\",\"ike\"]}}",
	  CLI_SET },
	{ "clear security ike security-associations 1.1.1.2 port 19405",
	  "{\"command\":\"clear security ike "
	  "security-associations\",\"args\":{\"peer-address\":\"1.1.1.2\","
	  "\"port\":19405}}",
	  CLI_TEXT },
	{ "clear security ipsec sa family inet6",
	  "{\"command\":\"clear security ipsec "
	  "security-associations\",\"args\":{\"family\":\"inet6\"}}",
	  CLI_TEXT },
	{ "request security ipsec offload index 131073 engine software",
	  "{\"command\":\"request security ipsec "
	  "offload\",\"args\":{\"index\":131073,\"engine\":\"software\"}}",
	  CLI_TEXT },
	{ "request chassis anchor 255 fpc-slot 0 pic-slot 1",
	  "{\"command\":\"request chassis "
	  "anchor\",\"args\":{\"anchor\":255,\"fpc-slot\":0,\"pic-slot\":1}}",
	  CLI_TEXT },
	{ "request system configuration load /etc/hawser/new.conf",
	  "{\"command\":\"request system configuration "
	  "load\",\"args\":{\"file\":\"/etc/hawser/new.conf\"}}",
	  CLI_TEXT },
};

/* Words become a request, the request a line, and the line the same request again. */
START_TEST(words_become_requests)
{
	struct cli_request r, again;
	struct why why = { 0 };
	struct words w;

	words_of(good[_i].line, &w);
	ck_assert_msg(cli_parse(w.at, w.n, &r, &why) == ERR_OK, "%s: %s", good[_i].line, why.text);
	char *line = cli_request_write(&r);
	ck_assert_str_eq(line, good[_i].json);
	ck_assert_int_eq(r.display, good[_i].display);
	ck_assert_msg(cli_request_read(line, strlen(line), &again, &why) == ERR_OK, "%s", why.text);
	ck_assert_ptr_eq(again.command, r.command);
	ck_assert(json_equal(again.args, r.args));
	cli_request_done(&r);
	cli_request_done(&again);
	free(line);
}
END_TEST

static const struct {
	const char *line;
	enum err want; /* ERR_UNKNOWN: exit status 2 */
	const char *says;
} bad[] = {
	{ "shwo security ike sa", ERR_UNKNOWN,
	  "the nearest known one is \"show security ike security-associations\"" },
	{ "show security ipsec statistic x", ERR_EXPECTED,
	  "unknown argument \"x\"; expected: fpc, pic, index" },
	{ "show chasis spu", ERR_UNKNOWN,
	  "unknown command \"show chasis spu\"; the nearest known one is \"show chassis spu\"" },
	{ "", ERR_UNKNOWN, "unknown command" },
	{ "show", ERR_UNKNOWN,
	  "the command is not complete; expected one of: security, chassis, configuration" },
	{ "show security", ERR_UNKNOWN, "expected one of: ike, ipsec, flow" },
	{ "show security i sa", ERR_UNKNOWN, "\"i\" may mean: ike and ipsec" },
	{ "request security", ERR_UNKNOWN,
	  "the command is not complete; expected one of: ipsec, ike" },
	{ "show chassis spu fpc", ERR_MISSING, "fpc: the value is missing" },
	{ "show chassis spu fpc 16", ERR_RANGE, "fpc: \"16\" is not in 0..15" },
	{ "show chassis spu fpc -1", ERR_RANGE, "fpc: \"-1\" is not in 0..15" },
	{ "show chassis spu fpc 0 fpc 1", ERR_DUPLICATE, "fpc is given twice" },
	{ "show security ike sa brief detail", ERR_VALUE, "brief and detail exclude each other" },
	{ "show security ike sa nonsense", ERR_VALUE,
	  "peer-address: \"nonsense\" is no IP address" },
	{ "show security ike sa family ipv6", ERR_VALUE,
	  "family: \"ipv6\" is not one of: inet inet6" },
	{ "request security ipsec offload engine inline", ERR_MISSING, "index is missing" },
	{ "request security ipsec offload index 1 engine soft", ERR_VALUE,
	  "is not one of: inline software automatic" },
	{ "request chassis anchor 256 fpc-slot 0 pic-slot 0", ERR_RANGE,
	  "anchor: \"256\" is not in 0..255" },
	{ "request system configuration load", ERR_MISSING, "file is missing" },
	{ "show chassis spu | display xml", ERR_EXPECTED, "display \"xml\" is not known" },
	{ "show chassis spu | display inheritance", ERR_EXPECTED,
	  "display inheritance is for show configuration only" },
	{ "show chassis spu | display set", ERR_EXPECTED,
	  "display set is for show configuration only" },
	{ "show chassis spu | match x", ERR_EXPECTED, "expected display json" },
};

START_TEST(wrong_words)
{
	struct cli_request r;
	struct why why = { 0 };
	struct words w;

	words_of(bad[_i].line, &w);
	enum err e = cli_parse(w.at, w.n, &r, &why);
	ck_assert_msg(e == bad[_i].want && strstr(why.text, bad[_i].says), "%s: %s (%s)",
	              bad[_i].line, why.text, err_text(e));
}
END_TEST

static const struct {
	const char *line, *says;
} from_outside[] = {
	{ "", "expected one line of JSON" },
	{ "{", "expected one line of JSON" },
	{ "[]", "expected one line of JSON" },
	{ "{\"args\":{}}", "expected one line of JSON" },
	{ "{\"command\":1}", "expected one line of JSON" },
	{ "{\"command\":\"show\"}", "unknown command \"show\"" },
	{ "{\"command\":\"show chassis spu\",\"args\":[]}", "\"args\" is no object" },
	{ "{\"command\":\"show chassis spu\",\"args\":{\"x\":1}}", "unknown argument \"x\"" },
	{ "{\"command\":\"show chassis spu\",\"args\":{\"fpc\":16}}", "is not in 0..15" },
	{ "{\"command\":\"show chassis spu\",\"args\":{\"fpc\":-1}}", "is not in 0..15" },
	{ "{\"command\":\"show chassis spu\",\"args\":{\"fpc\":\"1\"}}", "fpc: wrong type" },
	{ "{\"command\":\"show chassis spu\",\"args\":{\"fpc\":1.5}}", "fpc: wrong type" },
	{ "{\"command\":\"show configuration\",\"args\":{\"path\":[1]}}", "path: wrong type" },
	{ "{\"command\":\"show security ike security-associations\",\"args\":{\"detail\":1}}",
	  "detail: wrong type" },
	{ "{\"command\":\"show security ike "
	  "security-associations\",\"args\":{\"peer-address\":\"x\"}}",
	  "is no IP address" },
	{ "{\"command\":\"request chassis anchor\",\"args\":{\"anchor\":1}}",
	  "fpc-slot is missing" },
};

START_TEST(wrong_lines)
{
	struct cli_request r;
	struct why why = { 0 };
	const char *line = from_outside[_i].line;

	ck_assert_msg(cli_request_read(line, strlen(line), &r, &why) != ERR_OK, "%s", line);
	ck_assert_msg(strstr(why.text, from_outside[_i].says) != NULL, "%s: %s", line, why.text);
}
END_TEST

START_TEST(args_are_optional)
{
	static const char line[] = "{\"command\":\"show chassis spu\"}";
	struct cli_request r;
	struct why why;
	uint32_t fpc;

	ck_assert_int_eq(cli_request_read(line, strlen(line), &r, &why), ERR_OK);
	ck_assert(!cli_arg_flag(&r, "detail") && !cli_arg_uint(&r, "fpc", &fpc));
	ck_assert_ptr_null(cli_arg_text(&r, "file"));
	cli_request_done(&r);
}
END_TEST

START_TEST(rows_are_sound)
{
	for (size_t i = 0; i < CLI_COMMANDS; i++) {
		const struct cli_command *c = &cli_commands[i];

		ck_assert_uint_eq((size_t)c->id, i);
		ck_assert(c->help[0] && c->reply[0]);
		for (const struct cli_arg *a = c->args; a->key; a++) {
			ck_assert_msg(a->help && a->help[0], "%s %s", c->words, a->key);
			ck_assert_msg((a->type == CLI_WORD) == (a->words != NULL), "%s %s",
			              c->words, a->key);
			ck_assert_msg(a->type != CLI_FLAG || a->word, "%s %s", c->words, a->key);
		}
	}
}
END_TEST

TESTS_OF(request)
{
	TCase *tc = tcase_create("request");

	tcase_add_loop_test(tc, words_become_requests, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, wrong_words, 0, ARRAY_LEN(bad));
	tcase_add_loop_test(tc, wrong_lines, 0, ARRAY_LEN(from_outside));
	tcase_add_test(tc, args_are_optional);
	tcase_add_test(tc, rows_are_sound);
	return tc;
}
