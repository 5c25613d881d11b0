// SPDX-License-Identifier: BSD-2-Clause
/* Two lists of proposals meet: what is chosen, whose order rules, and what is said when nothing
 * fits. Node 0 (I) initiates. The lists are ESP's unless a test says otherwise. */
#include "ladder.h"
#include "runner.h"

#include <string.h>

enum { MD5 = INTEG_HMAC_MD5_96, S256 = INTEG_HMAC_SHA2_256_128 };

static struct ike_conf_child_proposal esp(uint16_t cipher, uint16_t bits, uint16_t integ)
{
	return (struct ike_conf_child_proposal){ .protocol = PROTO_ESP,
		                                 .cipher = { alg_cipher_by_id(cipher, bits) },
		                                 .ciphers = 1,
		                                 .integ = { alg_integ_by_id(integ) },
		                                 .integs = integ != 0,
		                                 .lifetime_s = 3600 };
}

static struct ike_conf_child_proposal ah(uint16_t integ)
{
	return (struct ike_conf_child_proposal){ .protocol = PROTO_AH,
		                                 .integ = { alg_integ_by_id(integ) },
		                                 .integs = 1,
		                                 .lifetime_s = 3600 };
}

/* One or two proposals of AES-128-CBC with these hashes; second 0: only one. */
static void hashes(int node, uint16_t first, uint16_t second)
{
	struct ike_conf_tunnel *t = &c[node].tunnel;

	t->proposal[0] = esp(ENCR_AES_CBC, 128, first);
	t->proposal[1] = esp(ENCR_AES_CBC, 128, second ? second : first);
	t->proposals = second ? 2 : 1;
}

static void up_with(uint16_t integ)
{
	pass_all();
	tunnel_is_up();
	for (struct node *n = I; n <= R; n++)
		ck_assert_uint_eq(child_of(n)->integ ? child_of(n)->integ->v2_id : 0, integ);
}

/* The IKE SA is there, a child is not, and both lists are logged side by side. */
static void no_child(const char *said)
{
	const char *text = R->last_text[EVENT_IKE_NO_PROPOSAL_CHOSEN];

	pass_all();
	ck_assert_uint_eq(node_children(I), 0);
	ck_assert_uint_eq(node_children(R), 0);
	ck_assert_int_eq(only(R)->state, IKE_UP);
	ck_assert_uint_eq(R->events[EVENT_IKE_NO_PROPOSAL_CHOSEN], 1);
	ck_assert_msg(strstr(text, said) != NULL, "\"%s\" is not in \"%s\"", said, text);
	ck_assert_ptr_nonnull(strstr(I->last_text[EVENT_IKE_PEER_REFUSED], "NO_PROPOSAL_CHOSEN"));
}

START_TEST(scenario_001_one_identical_proposal)
{
	hashes(0, S256, 0);
	hashes(1, S256, 0);
	up_with(S256);
}
END_TEST

START_TEST(scenario_002_nothing_in_common_is_logged_with_both_lists)
{
	hashes(0, S256, 0);
	hashes(1, MD5, 0);
	no_child("ours 1: esp aes-128-cbc hmac-md5-96 no-esn; offered 1: esp aes-128-cbc "
	         "hmac-sha-256-128 no-esn");
}
END_TEST

START_TEST(scenario_003_the_numbers_of_proposals_differ)
{
	hashes(0, S256, MD5);
	hashes(1, MD5, 0);
	c[1].tunnel.rules.strict_count = true;
	no_child("number of proposals: 2 offered, 1 ours; ");
}
END_TEST

START_TEST(scenario_003_as_many_proposals_are_fine)
{
	hashes(0, S256, MD5);
	hashes(1, MD5, S256);
	c[1].tunnel.rules.strict_count = true;
	up_with(S256);
}
END_TEST

START_TEST(scenario_004_any_common_proposal_will_do)
{
	hashes(0, S256, MD5);
	hashes(1, MD5, 0);
	up_with(MD5);
}
END_TEST

START_TEST(scenario_005_the_initiators_order_rules)
{
	hashes(0, MD5, S256);
	hashes(1, S256, MD5);
	up_with(MD5);
}
END_TEST

START_TEST(scenario_006_the_initiators_order_rules_the_other_way_round)
{
	hashes(0, S256, MD5);
	hashes(1, MD5, S256);
	up_with(S256);
}
END_TEST

START_TEST(scenario_006_unless_the_responder_prefers_its_own)
{
	hashes(0, S256, MD5);
	hashes(1, MD5, S256);
	c[1].tunnel.rules.prefer_ours = true;
	up_with(MD5);
}
END_TEST

START_TEST(scenario_007_one_order_on_both_sides)
{
	hashes(0, S256, MD5);
	hashes(1, S256, MD5);
	c[1].tunnel.rules.prefer_ours = _i;
	up_with(S256);
}
END_TEST

START_TEST(scenario_010_the_length_of_the_key_is_part_of_the_match)
{
	c[0].tunnel.proposal[0] = esp(ENCR_AES_CBC, 128, S256);
	c[1].tunnel.proposal[0] = esp(ENCR_AES_CBC, 256, S256);
	no_child("ours 1: esp aes-256-cbc hmac-sha-256-128 no-esn; offered 1: esp aes-128-cbc");
}
END_TEST

START_TEST(aead_and_cbc_do_not_match)
{
	c[0].tunnel.proposal[0] = esp(ENCR_AES_GCM_16, 256, 0);
	c[1].tunnel.proposal[0] = esp(ENCR_AES_CBC, 256, S256);
	no_child("offered 1: esp aes-256-gcm no-esn");
}
END_TEST

START_TEST(esp_and_ah_do_not_match)
{
	c[0].tunnel.proposal[0] = esp(ENCR_AES_CBC, 256, S256);
	c[1].tunnel.proposal[0] = ah(S256);
	no_child("ours 1: ah hmac-sha-256-128 no-esn");
}
END_TEST

START_TEST(the_second_choice_may_be_of_another_protocol)
{
	c[0].tunnel.proposal[0] = esp(ENCR_AES_CBC, 256, S256);
	c[0].tunnel.proposal[1] = ah(S256);
	c[0].tunnel.proposals = 2;
	c[1].tunnel.proposal[0] = ah(S256);
	up_with(S256);
	ck_assert_uint_eq(child_of(R)->protocol, PROTO_AH);
	ck_assert_ptr_null(child_of(R)->cipher);
}
END_TEST

START_TEST(scenario_164_esp_without_encryption)
{
	c[0].tunnel.proposal[0] = c[1].tunnel.proposal[0] = esp(ENCR_NULL, 0, S256);
	up_with(S256);
	ck_assert_str_eq(child_of(R)->cipher->name, "null");
}
END_TEST

static void behind_a_nat(void)
{
	world_nat(&w, 0, 10000); /* node 0 is */
	c[0].gateway.local_id = (struct ike_id){ IKE_ID_FQDN, 6, "node-0" };
	c[1].gateway.remote_id = c[0].gateway.local_id;
	c[1].gateway.peers = 0;
	c[1].gateway.peer[0] = (struct addr){ 0 };
}

/* PR-05 */
START_TEST(scenario_163_ah_behind_a_nat_is_refused_with_its_reason)
{
	behind_a_nat();
	c[0].tunnel.proposal[0] = c[1].tunnel.proposal[0] = ah(S256);
	start();
	pass_init();
	ck_assert_uint_eq(I->events[EVENT_IPSEC_AH_BEHIND_NAT], 1);
	ck_assert_uint_eq(w.packets, 0); /* no IKE_AUTH: there is nothing to ask for */
	ck_assert_uint_eq(node_children(I), 0);
}
END_TEST

START_TEST(scenario_163_a_responder_refuses_it_too)
{
	behind_a_nat();
	c[0].tunnel.proposal[0] = esp(ENCR_AES_CBC, 128, S256);
	c[1].tunnel.proposal[0] = ah(S256);
	pass_all();
	ck_assert_uint_eq(R->events[EVENT_IPSEC_AH_BEHIND_NAT], 1);
	ck_assert_uint_eq(node_children(R), 0);
}
END_TEST

START_TEST(scenario_163_esp_beside_ah_is_taken)
{
	behind_a_nat();
	for (int i = 0; i < 2; i++) {
		c[i].tunnel.proposal[0] = ah(S256);
		c[i].tunnel.proposal[1] = esp(ENCR_AES_CBC, 128, S256);
		c[i].tunnel.proposals = 2;
	}
	pass_all();
	tunnel_is_up();
	ck_assert_uint_eq(child_of(I)->protocol, PROTO_ESP);
	ck_assert_uint_eq(child_of(R)->protocol, PROTO_ESP);
	ck_assert_uint_eq(I->events[EVENT_IPSEC_AH_BEHIND_NAT], 0);
}
END_TEST

/* ---- IKE ------------------------------------------------------------------------------------- */

static void groups(int node, uint16_t first, uint16_t second)
{
	struct ike_conf_proposal *p = c[node].gateway.proposal;

	p->ke[0] = alg_ke_by_id(first);
	p->ke[1] = second ? alg_ke_by_id(second) : NULL;
	p->kes = second ? 2 : 1;
}

START_TEST(scenario_011_a_wrong_group_is_tried_again_with_the_right_one)
{
	groups(0, 2, 14);
	groups(1, 14, 0);
	start();
	pass(EX_IKE_SA_INIT, false); /* ---> KE of group 2 */
	pass(EX_IKE_SA_INIT, true);  /* <--- INVALID_KE_PAYLOAD(14) */
	ck_assert(list_empty(&R->ike->sas));
	pass_init(); /* ---> KE of group 14 */
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
	ck_assert_uint_eq(only(I)->choice.suite.ke->v2_id, 14);
	ck_assert_uint_eq(only(R)->choice.suite.ke->v2_id, 14);
}
END_TEST

START_TEST(scenario_011_no_group_in_common)
{
	groups(0, 14, 0);
	groups(1, 19, 0);
	start();
	pass(EX_IKE_SA_INIT, false);
	ck_assert_ptr_nonnull(strstr(R->last_text[EVENT_IKE_NO_PROPOSAL_CHOSEN],
	                             "ours 1: aes-256-gcm hmac-sha256 group19; offered 1: "
	                             "aes-256-gcm hmac-sha256 group14"));
	pass(EX_IKE_SA_INIT, true);
	ck_assert_ptr_nonnull(strstr(I->last_text[EVENT_IKE_PEER_REFUSED], "NO_PROPOSAL_CHOSEN"));
	ck_assert(list_empty(&R->ike->sas));
}
END_TEST

START_TEST(scenario_012_each_end_keeps_its_own_lifetimes)
{
	c[0].gateway.proposal[0].lifetime_s = 3600;
	c[1].gateway.proposal[0].lifetime_s = 86400;
	c[0].tunnel.proposal[0].lifetime_s = 28800;
	c[1].tunnel.proposal[0].lifetime_s = 600;
	pass_all();
	ck_assert_uint_eq(only(I)->choice.lifetime_s, 3600);
	ck_assert_uint_eq(only(R)->choice.lifetime_s, 86400);
	ck_assert_uint_eq(child_of(I)->hard_ms - child_of(I)->created_ms, 28800000);
	ck_assert_uint_eq(child_of(R)->hard_ms - child_of(R)->created_ms, 600000);
}
END_TEST

START_TEST(ike_lists_match_by_the_same_rules)
{
	for (int i = 0; i < 2; i++) {
		struct ike_conf_gateway *g = &c[i].gateway;

		g->proposal[1] = g->proposal[0];
		g->proposals = 2;
		g->proposal[i].cipher[0] = alg_cipher_by_id(ENCR_CHACHA20_POLY1305, 0);
	}
	c[1].gateway.rules.prefer_ours = _i;
	pass_all();
	tunnel_is_up();
	ck_assert_str_eq(only(I)->choice.suite.cipher->name,
	                 _i ? "aes-256-gcm" : "chacha20-poly1305");
}
END_TEST

/* Every cipher, hash and group of IKE makes a tunnel, whose records a restart can go on with. */
static const struct {
	uint16_t encr, bits, integ, prf, ke;
} suites[] = {
	{ ENCR_AES_GCM_16, 192, 0, PRF_HMAC_SHA2_512, 32 },
	{ ENCR_CHACHA20_POLY1305, 0, 0, PRF_HMAC_SHA2_256, 31 },
	{ ENCR_3DES_CBC, 0, INTEG_HMAC_SHA1_96, PRF_HMAC_SHA1, 2 },
	{ ENCR_DES_CBC, 0, INTEG_HMAC_MD5_96, PRF_HMAC_MD5, 1 },
	{ ENCR_AES_CBC, 192, INTEG_HMAC_SHA2_384_192, PRF_HMAC_SHA2_384, 21 },
	{ ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_512_256, PRF_HMAC_SHA2_512, 24 },
	{ ENCR_AES_CBC, 256, INTEG_HMAC_SHA1_96, PRF_HMAC_SHA2_256, 5 },
};

START_TEST(every_suite_of_ike)
{
	for (int i = 0; i < 2; i++) {
		struct ike_conf_proposal *p = c[i].gateway.proposal;

		p->cipher[0] = alg_cipher_by_id(suites[_i].encr, suites[_i].bits);
		p->integ[0] = alg_integ_by_id(suites[_i].integ);
		p->integs = suites[_i].integ != 0;
		p->prf[0] = alg_prf_by_id(suites[_i].prf);
		p->ke[0] = alg_ke_by_id(suites[_i].ke);
	}
	pass_all();
	tunnel_is_up();
	node_die(R);
	node_start(R, &c[1].conf);
	ck_assert_ptr_eq(only(R)->choice.suite.cipher, c[1].gateway.proposal[0].cipher[0]);
	tunnel_is_up();
}
END_TEST

/* Every protocol and kind of keys of a child, and its record after a restart. */
START_TEST(every_kind_of_child)
{
	const struct ike_conf_child_proposal kinds[] = {
		esp(ENCR_AES_CBC, 192, INTEG_HMAC_SHA2_512_256),
		esp(ENCR_3DES_CBC, 0, INTEG_HMAC_SHA1_96),
		esp(ENCR_CHACHA20_POLY1305, 0, 0),
		esp(ENCR_NULL_AES_GMAC, 256, 0),
		esp(ENCR_AES_GCM_16_IIV, 256, 0),
		ah(INTEG_HMAC_MD5_96),
		ah(INTEG_AES_192_GMAC),
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (i) {
			ladder_down();
			ladder_up();
		}
		c[0].tunnel.proposal[0] = c[1].tunnel.proposal[0] = kinds[i];
		pass_all();
		tunnel_is_up();
		struct child_sa was = *child_of(R);
		node_die(R);
		node_start(R, &c[1].conf);
		ck_assert_uint_eq(child_of(R)->protocol, was.protocol);
		ck_assert_ptr_eq(child_of(R)->cipher, was.cipher);
		ck_assert_ptr_eq(child_of(R)->integ, was.integ);
		ck_assert_int_eq(memcmp(child_of(R)->key, was.key, sizeof(was.key)), 0);
	}
}
END_TEST

TESTS_OF(match)
{
	TCase *tc = tcase_create("match");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, scenario_001_one_identical_proposal);
	tcase_add_test(tc, scenario_002_nothing_in_common_is_logged_with_both_lists);
	tcase_add_test(tc, scenario_003_the_numbers_of_proposals_differ);
	tcase_add_test(tc, scenario_003_as_many_proposals_are_fine);
	tcase_add_test(tc, scenario_004_any_common_proposal_will_do);
	tcase_add_test(tc, scenario_005_the_initiators_order_rules);
	tcase_add_test(tc, scenario_006_the_initiators_order_rules_the_other_way_round);
	tcase_add_test(tc, scenario_006_unless_the_responder_prefers_its_own);
	tcase_add_loop_test(tc, scenario_007_one_order_on_both_sides, 0, 2);
	tcase_add_test(tc, scenario_010_the_length_of_the_key_is_part_of_the_match);
	tcase_add_test(tc, aead_and_cbc_do_not_match);
	tcase_add_test(tc, esp_and_ah_do_not_match);
	tcase_add_test(tc, the_second_choice_may_be_of_another_protocol);
	tcase_add_test(tc, scenario_163_ah_behind_a_nat_is_refused_with_its_reason);
	tcase_add_test(tc, scenario_163_a_responder_refuses_it_too);
	tcase_add_test(tc, scenario_163_esp_beside_ah_is_taken);
	tcase_add_test(tc, scenario_164_esp_without_encryption);
	tcase_add_test(tc, scenario_011_a_wrong_group_is_tried_again_with_the_right_one);
	tcase_add_test(tc, scenario_011_no_group_in_common);
	tcase_add_test(tc, scenario_012_each_end_keeps_its_own_lifetimes);
	tcase_add_loop_test(tc, ike_lists_match_by_the_same_rules, 0, 2);
	tcase_add_loop_test(tc, every_suite_of_ike, 0, ARRAY_LEN(suites));
	tcase_add_test(tc, every_kind_of_child);
	return tc;
}
