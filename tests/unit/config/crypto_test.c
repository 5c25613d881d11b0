// SPDX-License-Identifier: BSD-2-Clause
/* What proposals, sets and profiles mean, and what commit says of them. */
#include "algorithms.h"
#include "load.h"
#include "runner.h"

#include <stdio.h>
#include <string.h>

#define BASE                                                                                    \
	"set interfaces eth0 unit 0 family inet address 192.0.2.1/24\n"                         \
	"set interfaces st0 unit 0 family inet\n"                                               \
	"set security zones security-zone a interfaces eth0.0\n"                                \
	"set security zones security-zone a interfaces st0.0\n"                                 \
	"set security zones security-zone a host-inbound-traffic system-services ike\n"         \
	"set security policies default-policy permit-all\n"                                     \
	"set chassis fpc 0 pic 0 port emulated\n"                                               \
	"set security ike policy p pre-shared-key ascii-text \"a key of sixteen\"\n"            \
	"set security ike gateway g ike-policy p address 192.0.2.2 external-interface eth0.0\n" \
	"set security ipsec vpn v bind-interface st0.0 ike gateway g ipsec-policy p\n"

static void load(const char *lines, struct loaded *l)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "%s%s\n", BASE, lines);
	load_text(text, l);
}

static bool says(const struct loaded *l, const char *what)
{
	return strstr(l->messages, what) != NULL;
}

static void suite(const struct config_ipsec_proposal *p, const char *cipher, const char *integ)
{
	ck_assert_uint_eq(p->ciphers, cipher != NULL);
	ck_assert_uint_eq(p->integs, integ != NULL);
	if (cipher)
		ck_assert_str_eq(p->cipher[0]->name, cipher);
	if (integ)
		ck_assert_str_eq(p->integ[0]->name, integ);
}

/* ---- what is left out ------------------------------------------------------------------------ */

static const struct {
	const char *what, *lines;
	uint8_t protocol;
	const char *cipher, *integ; /* cipher "": AES-GCM, both lengths */
	const char *warning;
} rows[] = {
	{ "1: nothing", "set security ipsec proposal q", PROTO_ESP, "", NULL, NULL },
	{ "4: esp", "set security ipsec proposal q protocol esp", PROTO_ESP, "", NULL, NULL },
	{ "3: esp, authentication",
	  "set security ipsec proposal q protocol esp authentication-algorithm hmac-sha-256-128",
	  PROTO_ESP, "null", "hmac-sha-256-128", "packets are authenticated but not encrypted" },
	{ "5: a cipher alone", "set security ipsec proposal q encryption-algorithm aes-128-cbc",
	  PROTO_ESP, "aes-128-cbc", "hmac-sha-256-128", NULL },
	{ "6: AEAD", "set security ipsec proposal q encryption-algorithm chacha20-poly1305",
	  PROTO_ESP, "chacha20-poly1305", NULL, NULL },
	{ "8: AH",
	  "set security ipsec proposal q protocol ah authentication-algorithm aes-gmac-256",
	  PROTO_AH, NULL, "aes-gmac-256", NULL },
	{ "9: AH alone", "set security ipsec proposal q protocol ah", PROTO_AH, NULL,
	  "hmac-sha-256-128", NULL },
	{ "null, said", "set security ipsec proposal q encryption-algorithm null", PROTO_ESP,
	  "null", "hmac-sha-256-128", "(null)" },
	{ "GMAC", "set security ipsec proposal q encryption-algorithm null-aes-192-gmac", PROTO_ESP,
	  "null-aes-192-gmac", NULL, "(null-aes-192-gmac)" },
	{ "implicit IV", "set security ipsec proposal q encryption-algorithm aes-256-gcm-iiv",
	  PROTO_ESP, "aes-256-gcm-iiv", NULL, NULL },
};

START_TEST(what_is_left_out_is_filled)
{
	struct loaded l;

	load_text(rows[_i].lines, &l);
	ck_assert_msg(l.config != NULL, "%s: %s", rows[_i].what, l.messages);
	const struct config_ipsec_proposal *p = &l.config->ipsec_proposal[0];
	ck_assert_uint_eq(p->protocol, rows[_i].protocol);
	if (rows[_i].cipher && rows[_i].cipher[0] == 0) {
		ck_assert_uint_eq(p->ciphers, 2);
		ck_assert_str_eq(p->cipher[0]->name, "aes-256-gcm");
		ck_assert_str_eq(p->cipher[1]->name, "aes-128-gcm");
	} else {
		suite(p, rows[_i].cipher, rows[_i].integ);
	}
	if (rows[_i].warning)
		ck_assert_msg(says(&l, rows[_i].warning), "%s: %s", rows[_i].what, l.messages);
	else
		ck_assert_str_eq(l.messages, "");
	load_done(&l);
}
END_TEST

START_TEST(scenario_165_authentication_alone_is_not_clear)
{
	struct loaded l;

	load_text("set security ipsec proposal q authentication-algorithm hmac-sha-256-128", &l);
	ck_assert_ptr_null(l.config);
	ck_assert(says(&l, "without an encryption-algorithm it is not clear what is meant; set "
	                   "protocol esp"));
	load_done(&l);
}
END_TEST

START_TEST(scenario_166_a_hash_beside_an_aead_cipher)
{
	struct loaded l;

	load_text("set security ipsec proposal q encryption-algorithm aes-256-gcm "
	          "authentication-algorithm hmac-sha-256-128",
	          &l);
	ck_assert_ptr_null(l.config);
	ck_assert(says(&l, "\"aes-256-gcm\" has integrity of its own"));
	load_done(&l);
}
END_TEST

START_TEST(scenario_009_nothing_configured_is_aead_alone)
{
	struct loaded l;

	load("set security ipsec crypto-profile modern\nset security ike proposal q\n"
	     "set security ipsec proposal q\nset security ike policy p proposals q\n"
	     "set security ipsec policy p proposals q",
	     &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	ck_assert_str_eq(l.messages, "");
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(l.config->ike_proposal[0].cipher[i]->icv_len, 16);
		ck_assert_uint_eq(l.config->ipsec_proposal[0].cipher[i]->icv_len, 16);
	}
	load_done(&l);
}
END_TEST

/* ---- weak ------------------------------------------------------------------------------------ */

static const char *const weak[] = {
	"set security ike proposal q encryption-algorithm des-cbc",
	"set security ike proposal q encryption-algorithm 3des-cbc",
	"set security ike proposal q authentication-algorithm md5",
	"set security ike proposal q authentication-algorithm sha1",
	"set security ike proposal q dh-group group1",
	"set security ike proposal q dh-group group2",
	"set security ike proposal q dh-group group5",
	"set security ike proposal q dh-group group24",
	"set security ipsec proposal q encryption-algorithm des-cbc",
	"set security ipsec proposal q encryption-algorithm 3des-cbc",
	"set security ipsec proposal q protocol ah authentication-algorithm hmac-md5-96",
	"set security ipsec proposal q protocol ah authentication-algorithm hmac-sha1-96",
};

START_TEST(scenario_018_legacy_is_a_warning_or_under_modern_an_error)
{
	char text[400];
	struct loaded l;

	load_text(weak[_i], &l);
	ck_assert_msg(l.config && l.report.warnings == 1 && says(&l, "is weak"), "%s: %s", weak[_i],
	              l.messages);
	load_done(&l);
	(void)snprintf(text, sizeof(text), "%s\nset security ipsec crypto-profile modern",
	               weak[_i]);
	load_text(text, &l);
	ck_assert_msg(!l.config && l.report.errors == 1 &&
	                      says(&l, "crypto-profile modern does not allow it"),
	              "%s: %s", weak[_i], l.messages);
	load_done(&l);
}
END_TEST

/* ---- sets ------------------------------------------------------------------------------------ */

#define SETS(s)                                                                      \
	"set security ike policy p proposal-set " s "\nset security ipsec policy p " \
	"proposal-set " s

START_TEST(scenario_017_standard_is_aes_first_for_ike_and_3des_first_for_ipsec)
{
	struct loaded l;

	load(SETS("standard"), &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	const struct config_ike_policy *k = &l.config->ike_policy[0];
	const struct config_ipsec_policy *p = &l.config->ipsec_policy[0];
	ck_assert_uint_eq(k->proposals, 2);
	ck_assert_str_eq(k->proposal[0]->cipher[0]->name, "aes-128-cbc");
	ck_assert_str_eq(k->proposal[1]->cipher[0]->name, "3des-cbc");
	ck_assert_uint_eq(k->proposal[0]->integ[0]->v2_id, INTEG_HMAC_SHA1_96);
	ck_assert_uint_eq(k->proposal[0]->prf[0]->v2_id, PRF_HMAC_SHA1);
	ck_assert_uint_eq(k->proposal[0]->ke[0]->v2_id, KE_MODP_1024);
	ck_assert_uint_eq(k->proposal[0]->lifetime_s, 28800);
	ck_assert_uint_eq(p->proposals, 2);
	suite(p->proposal[0], "3des-cbc", "hmac-sha1-96");
	suite(p->proposal[1], "aes-128-cbc", "hmac-sha1-96");
	ck_assert_uint_eq(p->proposal[0]->lifetime_s, 3600);
	ck_assert_uint_eq(p->pfs->v2_id, KE_MODP_1024);
	ck_assert_uint_eq(l.report.warnings, 2);
	load_done(&l);
}
END_TEST

START_TEST(scenario_017_pfs_of_the_policy_overrides_that_of_the_set)
{
	struct loaded l;

	load(SETS("standard") "\nset security ipsec policy p perfect-forward-secrecy keys group14",
	     &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	ck_assert_uint_eq(l.config->ipsec_policy[0].pfs->v2_id, KE_MODP_2048);
	load_done(&l);
	load(SETS("standard") "\nset security ipsec crypto-profile modern", &l);
	ck_assert_ptr_null(l.config);
	ck_assert(says(&l, "\"standard\" has weak algorithms"));
	load_done(&l);
}
END_TEST

static const struct {
	const char *set;
	size_t n;
	const char *first, *last; /* of IPsec */
	uint16_t pfs;
} sets[] = {
	{ "basic", 2, "des-cbc", "des-cbc", 0 },
	{ "compatible", 4, "3des-cbc", "des-cbc", 0 },
	{ "standard", 2, "3des-cbc", "aes-128-cbc", 2 },
	{ "suiteb-gcm-128", 1, "aes-128-gcm", "aes-128-gcm", 19 },
	{ "suiteb-gcm-256", 1, "aes-256-gcm", "aes-256-gcm", 20 },
	{ "prime-128", 1, "aes-128-gcm", "aes-128-gcm", 19 },
	{ "prime-256", 1, "aes-256-gcm", "aes-256-gcm", 20 },
};

START_TEST(members_of_the_sets)
{
	struct loaded l;
	char text[200];

	(void)snprintf(text, sizeof(text), "set security ipsec policy p proposal-set %s",
	               sets[_i].set);
	load_text(text, &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	const struct config_ipsec_policy *p = &l.config->ipsec_policy[0];
	ck_assert_uint_eq(p->proposals, sets[_i].n);
	ck_assert_str_eq(p->proposal[0]->cipher[0]->name, sets[_i].first);
	ck_assert_str_eq(p->proposal[sets[_i].n - 1]->cipher[0]->name, sets[_i].last);
	ck_assert_uint_eq(p->pfs ? p->pfs->v2_id : 0, sets[_i].pfs);
	load_done(&l);
}
END_TEST

/* ---- lists ----------------------------------------------------------------------------------- */

START_TEST(scenario_013_five_proposals_are_one_too_many)
{
	struct loaded l;

	load("set security ike policy p proposals [ a b c d e ]\nset security ike proposal a\n"
	     "set security ike proposal b\nset security ike proposal c\n"
	     "set security ike proposal d\nset security ike proposal e\n"
	     "set security ipsec policy p proposal-set prime-128",
	     &l);
	ck_assert_ptr_null(l.config);
	ck_assert(says(&l, "more than 4 proposals"));
	load_done(&l);
}
END_TEST

#define TWO_LIFETIMES                                                                         \
	"set security ike proposal a lifetime-seconds 3600\n"                                 \
	"set security ike proposal b lifetime-seconds 7200\n"                                 \
	"set security ike policy p proposals [ a b ]\n"                                       \
	"set security ipsec proposal a lifetime-seconds 600\nset security ipsec proposal b\n" \
	"set security ipsec policy p proposals [ a b ]\n"

START_TEST(scenario_014_one_policy_has_one_lifetime)
{
	struct loaded l;

	load(TWO_LIFETIMES "set security ike gateway g version v2-only", &l);
	ck_assert_ptr_null(l.config);
	ck_assert(says(&l, "gateway g ike-policy: the proposals of policy \"p\" have different "
	                   "lifetimes (\"a\" 3600, \"b\" 7200 seconds)"));
	ck_assert(says(&l, "ike ipsec-policy: the proposals of policy \"p\" have different "
	                   "lifetimes (\"a\" 600, \"b\" 3600 seconds)"));
	load_done(&l);
	load(TWO_LIFETIMES, &l); /* the version is not said */
	ck_assert_msg(l.config && l.report.warnings == 2, "%s", l.messages);
	load_done(&l);
	load_text("set security ike proposal a authentication-method rsa-signatures", &l);
	ck_assert_ptr_null(l.config);
	load_done(&l);
}
END_TEST

START_TEST(a_stronger_proposal_behind_a_weaker_one_is_never_taken)
{
	struct loaded l;

	load("set security ike proposal weak encryption-algorithm aes-128-gcm dh-group group14\n"
	     "set security ike proposal strong encryption-algorithm aes-256-gcm dh-group group20\n"
	     "set security ike policy p proposals [ weak strong ]\n"
	     "set security ipsec proposal weak encryption-algorithm aes-128-cbc "
	     "authentication-algorithm hmac-sha-256-128\n"
	     "set security ipsec proposal strong encryption-algorithm aes-256-cbc "
	     "authentication-algorithm hmac-sha-256-128\n"
	     "set security ipsec policy p proposals [ weak strong ]",
	     &l);
	ck_assert_msg(l.config && l.report.warnings == 2, "%s", l.messages);
	ck_assert(says(&l, "\"strong\" is stronger than \"weak\" before it"));
	load_done(&l);
	load("set security ike proposal a encryption-algorithm aes-256-gcm dh-group group14\n"
	     "set security ike proposal b encryption-algorithm aes-128-gcm dh-group group20\n"
	     "set security ike policy p proposals [ a b ]\n"
	     "set security ipsec policy p proposal-set prime-128",
	     &l);
	ck_assert_str_eq(l.messages, ""); /* each is stronger in one thing */
	load_done(&l);
}
END_TEST

START_TEST(rules_of_matching)
{
	struct loaded l;

	load("set security ike proposal a\nset security ipsec proposal a\n"
	     "set security ike policy p proposals a match-mode strict-count\n"
	     "set security ipsec policy p proposals a proposal-preference responder",
	     &l);
	ck_assert_msg(l.config != NULL, "%s", l.messages);
	ck_assert(l.config->ike_policy[0].match.strict_count);
	ck_assert(!l.config->ike_policy[0].match.prefer_responder);
	ck_assert(!l.config->ipsec_policy[0].match.strict_count);
	ck_assert(l.config->ipsec_policy[0].match.prefer_responder);
	load_done(&l);
}
END_TEST

TESTS_OF(crypto)
{
	TCase *tc = tcase_create("crypto");

	tcase_add_loop_test(tc, what_is_left_out_is_filled, 0, ARRAY_LEN(rows));
	tcase_add_test(tc, scenario_165_authentication_alone_is_not_clear);
	tcase_add_test(tc, scenario_166_a_hash_beside_an_aead_cipher);
	tcase_add_test(tc, scenario_009_nothing_configured_is_aead_alone);
	tcase_add_loop_test(tc, scenario_018_legacy_is_a_warning_or_under_modern_an_error, 0,
	                    ARRAY_LEN(weak));
	tcase_add_test(tc, scenario_017_standard_is_aes_first_for_ike_and_3des_first_for_ipsec);
	tcase_add_test(tc, scenario_017_pfs_of_the_policy_overrides_that_of_the_set);
	tcase_add_loop_test(tc, members_of_the_sets, 0, ARRAY_LEN(sets));
	tcase_add_test(tc, scenario_013_five_proposals_are_one_too_many);
	tcase_add_test(tc, scenario_014_one_policy_has_one_lifetime);
	tcase_add_test(tc, a_stronger_proposal_behind_a_weaker_one_is_never_taken);
	tcase_add_test(tc, rules_of_matching);
	return tc;
}
