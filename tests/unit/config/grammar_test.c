// SPDX-License-Identifier: BSD-2-Clause
#include "load.h"
#include "runner.h"

#include <stdlib.h>
#include <string.h>

/* ---- both forms say the same ---------------------------------------------------------------- */

static const struct {
	const char *what, *braces, *set;
} both[] = {
	{ "leaf", "security { ike { proposal p { dh-group group19; } } }",
	  "set security ike proposal p dh-group group19\n" },
	{ "several leaves on a line",
	  "security ike proposal p { dh-group group19; lifetime-seconds 180; }",
	  "set security ike proposal p dh-group group19\n"
	  "set security ike proposal p lifetime-seconds 180\n" },
	{ "list in brackets", "security { ike { policy p { proposals [ a b c ]; } } }",
	  "set security ike policy p proposals a\nset security ike policy p proposals b\n"
	  "set security ike policy p proposals c\n" },
	{ "list of one", "security { ike { policy p { proposals a; } } }",
	  "set security ike policy p proposals a\n" },
	{ "family on one line",
	  "interfaces { eth0 { unit 0 { family inet { address 192.0.2.1/24; } } } }",
	  "set interfaces eth0 unit 0 family inet address 192.0.2.1/24\n" },
	{ "family as a block",
	  "interfaces { eth0 { unit 0 { family { inet { address 192.0.2.1/24; } inet6; } } } }",
	  "set interfaces eth0 unit 0 family inet address 192.0.2.1/24\n"
	  "set interfaces eth0 unit 0 family inet6\n" },
	{ "bare object", "security { ike { policy p; } }", "set security ike policy p\n" },
	{ "bare container", "security { ike { gateway g { dead-peer-detection; } } }",
	  "set security ike gateway g dead-peer-detection\n" },
	{ "value in a block", "security { policies { default-policy { permit-all; } } }",
	  "set security policies default-policy permit-all\n" },
	{ "value on the line", "security { policies { default-policy permit-all; } }",
	  "set security policies default-policy permit-all\n" },
	{ "entries of a list in a block",
	  "security { zones { security-zone z { interfaces { eth0.0; eth1.0; } "
	  "host-inbound-traffic { system-services { all; ssh { except; } } protocols bgp; } } } }",
	  "set security zones security-zone z interfaces eth0.0\n"
	  "set security zones security-zone z interfaces eth1.0\n"
	  "set security zones security-zone z host-inbound-traffic system-services all\n"
	  "set security zones security-zone z host-inbound-traffic system-services ssh except\n"
	  "set security zones security-zone z host-inbound-traffic protocols bgp\n" },
	{ "choice in a choice",
	  "security { ike { gateway g { local-identity key-id hexadecimal 0a0b; } } }",
	  "set security ike gateway g local-identity key-id hexadecimal 0a0b\n" },
	{ "text with blanks",
	  "security { ike { proposal p { description \"a \\\"b\\\" \\\\ { c }\"; } } }",
	  "set security ike proposal p description \"a \\\"b\\\" \\\\ { c }\"\n" },
	{ "empty text", "security { ike { proposal p { description \"\"; } } }",
	  "set security ike proposal p description \"\"\n" },
	{ "secret",
	  "security { ike { policy p { pre-shared-key ascii-text \"$9$LbHX-wg4Z\"; ## "
	  "SECRET-DATA\n } } }",
	  "set security ike policy p pre-shared-key ascii-text \"$9$LbHX-wg4Z\"\n" },
	{ "inactive leaf", "security { ike { proposal p { inactive: dh-group group19; } } }",
	  "set security ike proposal p dh-group group19\n"
	  "deactivate security ike proposal p dh-group group19\n" },
	{ "inactive entry", "security { ike { inactive: proposal p { dh-group group19; } } }",
	  "set security ike proposal p dh-group group19\ndeactivate security ike proposal p\n" },
	{ "inactive value of a list",
	  "security { ike { policy p { proposals a; inactive: proposals b; } } }",
	  "set security ike policy p proposals a\nset security ike policy p proposals b\n"
	  "deactivate security ike policy p proposals b\n" },
	{ "inactive entry of a block",
	  "security { zones { security-zone z { interfaces { inactive: eth0.0; eth1.0; } } } }",
	  "set security zones security-zone z interfaces eth0.0\n"
	  "deactivate security zones security-zone z interfaces eth0.0\n"
	  "set security zones security-zone z interfaces eth1.0\n" },
	{ "inactive joined container",
	  "security { ike { policy p { inactive: pre-shared-key { ascii-text \"$9$LbHX-wg4Z\"; } } "
	  "} }",
	  "set security ike policy p pre-shared-key ascii-text \"$9$LbHX-wg4Z\"\n"
	  "deactivate security ike policy p pre-shared-key\n" },
	{ "inactive family",
	  "interfaces { eth0 { unit 0 { inactive: family inet { address 192.0.2.1/24; } } } }",
	  "set interfaces eth0 unit 0 family inet address 192.0.2.1/24\n"
	  "deactivate interfaces eth0 unit 0 family inet\n" },
	{ "inactive default policy",
	  "security { policies { inactive: default-policy permit-all; } }",
	  "set security policies default-policy permit-all\n"
	  "deactivate security policies default-policy permit-all\n" },
	{ "chassis", "chassis { fpc 0 { pic 0; pic 1 { weight 5; } } }",
	  "set chassis fpc 0 pic 0\nset chassis fpc 0 pic 1 weight 5\n" },
	{ "routes",
	  "routing-options { static { route 0.0.0.0/0 next-hop 192.0.2.2; } "
	  "rib inet6.0 { static { route ::/0 { next-hop [ 2001:db8::1 st0.0 ]; } } } }",
	  "set routing-options static route 0.0.0.0/0 next-hop 192.0.2.2\n"
	  "set routing-options rib inet6.0 static route ::/0 next-hop 2001:db8::1\n"
	  "set routing-options rib inet6.0 static route ::/0 next-hop st0.0\n" },
	{ "nothing", "", "" },
	{ "order of a list among others",
	  "security { ike { policy p { proposals a; description x; proposals b; } } }",
	  "set security ike policy p proposals a\nset security ike policy p description x\n"
	  "set security ike policy p proposals b\n" },
};

START_TEST(forms_agree)
{
	char *from_braces = load_rewrite(both[_i].braces, GRAMMAR_SET);
	char *from_set = load_rewrite(both[_i].set, GRAMMAR_SET);

	ck_assert_str_eq(from_set, both[_i].set);
	ck_assert_str_eq(from_braces, both[_i].set);
	free(from_braces);
	free(from_set);
}
END_TEST

START_TEST(braces_read_back)
{
	char *braces = load_rewrite(both[_i].set, GRAMMAR_BRACES);
	char *again = load_rewrite(braces, GRAMMAR_BRACES);
	char *set = load_rewrite(braces, GRAMMAR_SET);

	ck_assert_str_eq(braces, again);
	/* Lists in brackets come together; nothing else changes. */
	if (strcmp(both[_i].what, "order of a list among others"))
		ck_assert_msg(strcmp(set, both[_i].set) == 0, "%s:\n%s", both[_i].what, braces);
	free(braces);
	free(again);
	free(set);
}
END_TEST

START_TEST(layout)
{
	/* The first comment goes to the first entry of the list, which has no line of its own
	 * before. */
	static const char want[] =
	        "interfaces {\n"
	        "    # what it is for\n"
	        "    eth0 {\n"
	        "        unit 0 {\n"
	        "            family inet {\n"
	        "                # the\n"
	        "                # address\n"
	        "                address 192.0.2.1/24;\n"
	        "            }\n"
	        "        }\n"
	        "    }\n"
	        "}\n"
	        "security {\n"
	        "    ike {\n"
	        "        policy p {\n"
	        "            proposals [ a b ];\n"
	        "            pre-shared-key ascii-text \"$9$LbHX-wg4Z\"; ## SECRET-DATA\n"
	        "        }\n"
	        "    }\n"
	        "}\n";
	static const char text[] = "# what it is for\n"
	                           "interfaces { eth0 { unit 0 { family inet {\n"
	                           "/* the\n   address */ address 192.0.2.1/24; } } } }\n"
	                           "security { ike { policy p { proposals [ a b ]; # behind\n"
	                           "pre-shared-key ascii-text \"$9$LbHX-wg4Z\"; } } }";
	char *braces = load_rewrite(text, GRAMMAR_BRACES);
	char *again = load_rewrite(braces, GRAMMAR_BRACES);

	ck_assert_str_eq(braces, want);
	ck_assert_str_eq(again, want);
	free(braces);
	free(again);
}
END_TEST

START_TEST(secrets_are_not_shown)
{
	static const char text[] =
	        "set security ike policy p pre-shared-key ascii-text a-clear-key-in-the-file";
	char *braces = load_rewrite(text, GRAMMAR_BRACES), *set = load_rewrite(text, GRAMMAR_SET);

	ck_assert_ptr_null(strstr(braces, "clear"));
	ck_assert_ptr_null(strstr(set, "clear"));
	ck_assert_ptr_nonnull(strstr(braces, "## SECRET-DATA"));
	free(braces);
	free(set);
}
END_TEST

/* ---- lines in their order -------------------------------------------------------------------- */

static const struct {
	const char *what, *text, *want;
} lines[] = {
	{ "the last value counts",
	  "set security ike proposal p dh-group group14\n"
	  "set security ike proposal p dh-group group19\n",
	  "set security ike proposal p dh-group group19\n" },
	{ "a value twice is there once",
	  "set security ike policy p proposals a\nset security ike policy p proposals a",
	  "set security ike policy p proposals a\n" },
	{ "delete a leaf",
	  "set security ike proposal p dh-group group14 lifetime-seconds 200\n"
	  "delete security ike proposal p dh-group\n",
	  "set security ike proposal p lifetime-seconds 200\n" },
	{ "delete an entry",
	  "set security ike proposal p\nset security ike proposal q\n"
	  "delete security ike proposal p\n",
	  "set security ike proposal q\n" },
	{ "delete all entries",
	  "set security ike proposal p\nset security ike proposal q\n"
	  "set security ike policy r\ndelete security ike proposal\n",
	  "set security ike policy r\n" },
	{ "delete one value",
	  "set security ike policy p proposals [ a b c ]\n"
	  "delete security ike policy p proposals b\n",
	  "set security ike policy p proposals a\nset security ike policy p proposals c\n" },
	{ "delete all values",
	  "set security ike policy p proposals [ a b c ]\n"
	  "delete security ike policy p proposals\n",
	  "set security ike policy p\n" },
	{ "activate",
	  "set security ike proposal p\ndeactivate security ike proposal p\n"
	  "activate security ike proposal p\n",
	  "set security ike proposal p\n" },
	{ "insert before",
	  "set security ike proposal p\nset security ike proposal q\nset security ike proposal r\n"
	  "insert security ike proposal r before proposal p\n",
	  "set security ike proposal r\nset security ike proposal p\nset security ike proposal "
	  "q\n" },
	{ "insert after",
	  "set security ike proposal p\nset security ike proposal q\nset security ike proposal r\n"
	  "insert security ike proposal p after proposal q\n",
	  "set security ike proposal q\nset security ike proposal p\nset security ike proposal "
	  "r\n" },
	{ "insert at the end",
	  "set security ike policy p proposals [ a b c ]\n"
	  "insert security ike policy p proposals a after c\n",
	  "set security ike policy p proposals b\nset security ike policy p proposals c\n"
	  "set security ike policy p proposals a\n" },
	{ "braces and lines",
	  "security { ike { proposal p; } }\nset security ike proposal q # and\n"
	  "security { ike { proposal r; } }",
	  "set security ike proposal p\nset security ike proposal q\nset security ike proposal "
	  "r\n" },
	{ "comments",
	  "# a\nset security ike proposal p # b\n\n/* c */ set security ike proposal q ## "
	  "SECRET-DATA\n",
	  "set security ike proposal p\nset security ike proposal q\n" },
};

START_TEST(lines_in_order)
{
	char *got = load_rewrite(lines[_i].text, GRAMMAR_SET);

	ck_assert_msg(strcmp(got, lines[_i].want) == 0, "%s:\n%s", lines[_i].what, got);
	free(got);
}
END_TEST

/* ---- what is wrong --------------------------------------------------------------------------- */

static const struct {
	const char *text, *says;
} wrong[] = {
	{ "securty { }",
	  "test.conf:1: error: unknown statement \"securty\"; did you mean security?" },
	{ "foo bar;", "test.conf:1: error: unknown statement \"foo\"; known: chassis, interfaces" },
	{ "security {\n ike {\n  propsal p;\n } }",
	  "test.conf:3: error: security ike: unknown statement \"propsal\"; did you mean "
	  "proposal?" },
	{ "set security ike proposal p dh-grp group14",
	  "security ike proposal p: unknown statement \"dh-grp\"; did you mean dh-group?" },
	{ "set security ike proposal p dh-group",
	  "security ike proposal p dh-group: the value is missing; expected group1 | group2" },
	{ "set security ike proposal",
	  "security ike proposal: the name is missing; expected name" },
	{ "set security ike proposal p lifetime-seconds 179",
	  "security ike proposal p lifetime-seconds: \"179\" is out of range; expected "
	  "180..86400" },
	{ "set security ipsec proposal p protocol bundle",
	  "\"bundle\" is not supported in this version; supported: ah, esp" },
	{ "set security ike proposal p encryption-algorithm null",
	  "encryption-algorithm: an IKE SA is never without encryption (RFC 7296 3.3.2)" },
	{ "set security ike proposal p encryption-algorithm aes-265-gcm",
	  "\"aes-265-gcm\" is not known; did you mean aes-256-gcm?" },
	{ "set security ike gateway g version v1-only",
	  "\"v1-only\" is not supported in this version; supported: v2-only" },
	{ "security { ike { proposal p { dh-group; } } }",
	  "security ike proposal p dh-group: the value is missing" },
	{ "security { ike { proposal; } }", "security ike proposal: the name is missing" },
	{ "set security group-vpn member ike", "security group-vpn: group VPN is not supported" },
	{ "set security screen ids-option x", "security screen: not supported in this version" },
	{ "set security policies from-zone a to-zone b policy p then deny",
	  "security policies from-zone: not supported in this version" },
	{ "security { flow { tcp-mss { ipsec-vpn { mss 1350; } } } ike { propsal p; } }",
	  "security ike: unknown statement \"propsal\"" },
	{ "security { ike { proposal p { dh-group group14 } } }",
	  "statement without a ; at its end" },
	{ "security { ike {", "test.conf:1: error: block without its closing brace, }" },
	{ "security { } }", "closing brace } without an opening one" },
	{ "security { { } }", "block without a statement before its {" },
	{ "security { ike { proposal p { dh-group group14 { } } } }",
	  "security ike proposal p dh-group: takes no block in braces" },
	{ "set security ike proposal p;", "set lines end with the line, without ; { or }" },
	{ "set", "set: what? A statement is missing" },
	{ "set security ike policy p proposals [ a b", "proposals: list without its end, ]" },
	{ "set security ike proposal p dh-group [ group14 ]",
	  "dh-group: takes one value, not a list" },
	{ "set security ike policy p pre-shared-key ascii-text two words",
	  "something follows the key; a key with blanks stands in quotes" },
	{ "insert security ike proposal p before", "expected insert PATH NAME before|after NAME" },
	{ "set security ike proposal p\ninsert security ike proposal p before proposal q",
	  "insert: there is no \"q\" to put it before" },
	{ "set security ike proposal \"a b\"",
	  "security ike proposal: \"a b\" is not valid; expected 1 to 63" },
	{ "set security ike gateway g address not_a_host_1.example..",
	  "\"not_a_host_1.example..\" is not valid; expected an IPv4 or IPv6 address" },
	{ "set chassis fpc 16 pic 0", "chassis fpc: \"16\" is out of range; expected 0..15" },
	{ "a \"", "string without its closing quote" },
};

START_TEST(errors_are_told)
{
	struct loaded l;

	load_text(wrong[_i].text, &l);
	ck_assert_ptr_null(l.config);
	ck_assert_int_ne(l.e, ERR_OK);
	ck_assert_msg(strstr(l.messages, wrong[_i].says) != NULL, "%s\nsays:\n%s", wrong[_i].text,
	              l.messages);
	load_done(&l);
}
END_TEST

START_TEST(all_errors_are_collected)
{
	struct loaded l;

	load_text("set security ike proposal p dh-group x\nset foo\nset security ike proposal p "
	          "lifetime-seconds 1\n",
	          &l);
	ck_assert_uint_eq(l.report.errors, 3);
	load_done(&l);
}
END_TEST

START_TEST(messages_are_bounded)
{
	static char text[20000];
	struct loaded l;

	for (size_t i = 0; i < 200; i++)
		(void)strcat(text, "set security alarms potential-violation idp\n");
	for (size_t i = 0; i < 200; i++)
		(void)strcat(text, "set wrong\n");
	load_text(text, &l);
	ck_assert_uint_eq(l.report.errors, 200);
	ck_assert_uint_eq(l.report.messages, REPORT_MAX);
	load_done(&l);
}
END_TEST

START_TEST(deep_nesting_ends)
{
	static char text[5000];
	struct loaded l;

	(void)strcat(text, "access {");
	for (size_t i = 0; i < 1000; i++)
		(void)strcat(text, "a {");
	load_text(text, &l);
	ck_assert_msg(strstr(l.messages, "blocks are nested too deeply") != NULL, "%s", l.messages);
	load_done(&l);
}
END_TEST

START_TEST(warnings_of_the_form)
{
	struct loaded l;

	load_text("delete security ike proposal p\n"
	          "security { ike { proposal p { dh-group group14; dh-group group19; } } }\n",
	          &l);
	ck_assert_ptr_nonnull(l.config);
	ck_assert_ptr_nonnull(
	        strstr(l.messages, "test.conf:1: warning: delete: there is no such statement"));
	ck_assert_ptr_nonnull(
	        strstr(l.messages,
	               "test.conf:2: warning: dh-group: stands in line 2 too; this one counts"));
	load_done(&l);
}
END_TEST

TESTS_OF(grammar)
{
	TCase *tc = tcase_create("grammar");

	tcase_add_loop_test(tc, forms_agree, 0, ARRAY_LEN(both));
	tcase_add_loop_test(tc, braces_read_back, 0, ARRAY_LEN(both));
	tcase_add_test(tc, layout);
	tcase_add_test(tc, secrets_are_not_shown);
	tcase_add_loop_test(tc, lines_in_order, 0, ARRAY_LEN(lines));
	tcase_add_loop_test(tc, errors_are_told, 0, ARRAY_LEN(wrong));
	tcase_add_test(tc, all_errors_are_collected);
	tcase_add_test(tc, messages_are_bounded);
	tcase_add_test(tc, deep_nesting_ends);
	tcase_add_test(tc, warnings_of_the_form);
	return tc;
}
