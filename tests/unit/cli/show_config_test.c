// SPDX-License-Identifier: BSD-2-Clause
#include "show_config.h"
#include "runner.h"
#include "words.h"

static const char text[] =
        "set interfaces eth0 unit 0 family inet address 192.0.2.1/24\n"
        "set security zones security-zone z interfaces eth0.0\n"
        "set security ike proposal p lifetime-seconds 180\n"
        "set security ike proposal q\n"
        "set security ike policy p proposals [ p q ]\n"
        "set security ike policy p pre-shared-key ascii-text a-key-in-clear-text\n"
        "deactivate security ike policy p proposals q\n";

/* The reply for a command line; the caller frees it. */
static json_t *reply_to(const char *line)
{
	struct config *c = NULL;
	struct config_report report;
	struct cli_request r;
	struct why why = { 0 };
	struct words w;

	report_init(&report, "test.conf");
	ck_assert_int_eq(config_load("test.conf", rd_of(text, strlen(text)), &c, &report), ERR_OK);
	words_of(line, &w);
	ck_assert_msg(cli_parse(w.at, w.n, &r, &why) == ERR_OK, "%s", why.text);
	json_t *reply = show_config_reply(c, &r);
	cli_request_done(&r);
	report_done(&report);
	config_free(c);
	return reply;
}

START_TEST(all_forms)
{
	json_t *reply = reply_to("show configuration security ike");
	char *dump = json_dumps(json_object_get(reply, "configuration"), JSON_COMPACT);

	ck_assert_msg(
	        strncmp(dump,
	                "{\"proposal\":[{\"name\":\"p\",\"lifetime-seconds\":180},{\"name\":\"q\"}]"
	                ","
	                "\"policy\":[{\"name\":\"p\",\"proposals\":[\"p\"],\"pre-shared-key\":{"
	                "\"ascii-text\":\"$9$",
	                133) == 0,
	        "%s", dump);
	ck_assert_ptr_null(strstr(dump, "clear"));
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(reply, "braces")),
	                             "proposal p {\n    lifetime-seconds 180;\n}\n"));
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(reply, "set")),
	                             "set security ike proposal p lifetime-seconds 180\n"));
	free(dump);
	json_decref(reply);
}
END_TEST

/* IKE-040 */
START_TEST(scenario_017_what_a_set_stands_for_is_shown)
{
	static const char sets[] = "set security ike policy s proposal-set standard\n"
	                           "set security ike policy s pre-shared-key ascii-text key\n"
	                           "set security ipsec policy s proposal-set standard\n";
	struct config *c = NULL;
	struct config_report report;
	struct cli_request r = { 0 };

	report_init(&report, "test.conf");
	ck_assert_int_eq(config_load("test.conf", rd_of(sets, strlen(sets)), &c, &report), ERR_OK);
	json_t *reply = show_config_reply(c, &r);
	ck_assert_str_eq(
	        json_string_value(json_object_get(reply, "inheritance")),
	        "\n## proposal-set of security ike policy s stands for\n"
	        "##   proposal pre-g2-aes128-sha: aes-128-cbc sha1 group2, 28800 seconds\n"
	        "##   proposal pre-g2-3des-sha: 3des-cbc sha1 group2, 28800 seconds\n"
	        "\n## proposal-set of security ipsec policy s stands for\n"
	        "##   proposal g2-esp-3des-sha: esp 3des-cbc hmac-sha1-96, 3600 seconds\n"
	        "##   proposal g2-esp-aes128-sha: esp aes-128-cbc hmac-sha1-96, 3600 seconds\n"
	        "##   perfect-forward-secrecy keys group2\n");
	json_decref(reply);
	report_done(&report);
	config_free(c);
}
END_TEST

static const struct {
	const char *line, *says;
} nowhere[] = {
	{ "show configuration security ipsec", "ipsec: not configured" },
	{ "show configuration security ike proposal z", "proposal z: not configured" },
	{ "show configuration security ike proposal", "proposal: the name is missing" },
	{ "show configuration securty", "unknown statement \"securty\"; did you mean security?" },
};

START_TEST(not_there)
{
	json_t *reply = reply_to(nowhere[_i].line);
	const char *what =
	        json_string_value(json_object_get(json_object_get(reply, "error"), "what"));

	ck_assert_msg(what && strcmp(what, nowhere[_i].says) == 0, "%s", what);
	json_decref(reply);
}
END_TEST

START_TEST(load_replies)
{
	struct config_report report;

	report_init(&report, "new.conf");
	report_warning(&report, 7, "odd");
	json_t *reply = show_config_load_reply("/etc/new.conf", &report, true);
	char *dump = json_dumps(reply, JSON_COMPACT);
	ck_assert_str_eq(dump,
	                 "{\"file\":\"/etc/new.conf\",\"warning\":[\"new.conf:7: warning: odd\"]}");
	free(dump);
	json_decref(reply);
	report_error(&report, 9, "wrong");
	reply = show_config_load_reply("/etc/new.conf", &report, false);
	dump = json_dumps(reply, JSON_COMPACT);
	ck_assert_str_eq(
	        dump, "{\"error\":{\"what\":\"the file has errors; nothing was changed\",\"path\":"
	              "\"/etc/new.conf\",\"message\":[\"new.conf:7: warning: odd\","
	              "\"new.conf:9: error: wrong\"]}}");
	free(dump);
	json_decref(reply);
	report_done(&report);
}
END_TEST

TESTS_OF(show_config)
{
	TCase *tc = tcase_create("show_config");

	tcase_add_test(tc, all_forms);
	tcase_add_test(tc, scenario_017_what_a_set_stands_for_is_shown);
	tcase_add_loop_test(tc, not_there, 0, ARRAY_LEN(nowhere));
	tcase_add_test(tc, load_replies);
	return tc;
}
