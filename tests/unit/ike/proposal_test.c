// SPDX-License-Identifier: BSD-2-Clause
#include "ike_proposal.h"
#include "ike_ts.h"
#include "runner.h"

/* What a peer offers: proposals as short lines of transforms, "type.id.bits". */
struct line {
	uint8_t number, protocol;
	struct {
		uint8_t type;
		uint16_t id, bits;
	} t[6];
};

static struct view body_of(const struct line *l, size_t n, uint8_t buf[512])
{
	struct writer w = wr_of(buf, 512);
	static const uint8_t spi[4] = { 1, 2, 3, 4 };

	for (size_t i = 0; i < n; i++) {
		struct sa_proposal head = { .number = l[i].number, .protocol = l[i].protocol };

		if (l[i].protocol != PROTO_IKE)
			head.spi = (struct view){ spi, 4 };
		while (head.transforms < 6 && l[i].t[head.transforms].type)
			head.transforms++;
		size_t at = payload_sa_open(&w, &head, i + 1 == n);
		for (uint8_t k = 0; k < head.transforms; k++)
			payload_sa_transform(&w,
			                     &(struct sa_transform){ .type = l[i].t[k].type,
			                                             .id = l[i].t[k].id,
			                                             .key_bits = l[i].t[k].bits },
			                     k + 1 == head.transforms);
		payload_sa_close(&w, at);
	}
	ck_assert_int_eq(payload_sa_check(wr_done(&w)), ERR_OK);
	return wr_done(&w);
}

static struct ike_conf_proposal gcm(void)
{
	return (struct ike_conf_proposal){
		.cipher = { alg_cipher_by_id(20, 256), alg_cipher_by_id(20, 128) },
		.ciphers = 2,
		.prf = { alg_prf_by_id(5), alg_prf_by_id(6) },
		.prfs = 2,
		.ke = { alg_ke_by_id(31), alg_ke_by_id(19) },
		.kes = 2,
	};
}

static struct ike_conf_proposal cbc(void)
{
	return (struct ike_conf_proposal){ .cipher = { alg_cipher_by_id(12, 128) },
		                           .ciphers = 1,
		                           .integ = { alg_integ_by_id(12) },
		                           .integs = 1,
		                           .prf = { alg_prf_by_id(5) },
		                           .prfs = 1,
		                           .ke = { alg_ke_by_id(14) },
		                           .kes = 1 };
}

static struct ike_conf_gateway gateway(struct ike_conf_proposal a, struct ike_conf_proposal b)
{
	return (struct ike_conf_gateway){ .proposal = { a, b }, .proposals = 2 };
}

/* clang-format off */
static const struct {
	const char *what;
	struct line offer[3];
	size_t n;
	uint16_t group;   /* of the KE payload */
	uint8_t number;   /* chosen; 0: none */
	uint16_t bits, ke;
} ike_offers[] = {
	{ "one that fits",              { { 1, 1, { { 1, 20, 128 }, { 2, 5, 0 }, { 4, 31, 0 } } } }, 1, 31, 1, 128, 31 },
	{ "the initiator's order of ciphers", { { 1, 1, { { 1, 20, 128 }, { 1, 20, 256 }, { 2, 5, 0 }, { 4, 31, 0 } } } }, 1, 31, 1, 128, 31 },
	{ "the group of the KE payload",{ { 1, 1, { { 1, 20, 128 }, { 2, 5, 0 }, { 4, 31, 0 }, { 4, 19, 0 } } } }, 1, 19, 1, 128, 19 },
	{ "the peer's order of proposals", { { 1, 1, { { 1, 12, 128 }, { 2, 5, 0 }, { 3, 12, 0 }, { 4, 14, 0 } } },
	                                  { 2, 1, { { 1, 20, 128 }, { 2, 5, 0 }, { 4, 31, 0 } } } }, 2, 31, 1, 128, 14 },
	{ "the second, as the first is not ours", { { 1, 1, { { 1, 12, 256 }, { 2, 5, 0 }, { 3, 12, 0 }, { 4, 14, 0 } } },
	                                  { 2, 1, { { 1, 20, 128 }, { 2, 5, 0 }, { 4, 31, 0 } } } }, 2, 31, 2, 128, 31 },
	{ "AEAD with integrity NONE",   { { 1, 1, { { 1, 20, 128 }, { 2, 5, 0 }, { 3, 0, 0 }, { 4, 31, 0 } } } }, 1, 31, 1, 128, 31 },
	{ "AEAD that insists on integrity", { { 1, 1, { { 1, 20, 128 }, { 2, 5, 0 }, { 3, 12, 0 }, { 4, 31, 0 } } } }, 1, 31, 0, 0, 0 },
	{ "CBC without integrity",      { { 1, 1, { { 1, 12, 128 }, { 2, 5, 0 }, { 4, 14, 0 } } } }, 1, 14, 0, 0, 0 },
	{ "no PRF",                     { { 1, 1, { { 1, 20, 128 }, { 4, 31, 0 } } } }, 1, 31, 0, 0, 0 },
	{ "key length missing",         { { 1, 1, { { 1, 20, 0 }, { 2, 5, 0 }, { 4, 31, 0 } } } }, 1, 31, 0, 0, 0 },
	{ "a transform type nobody knows", { { 1, 1, { { 1, 20, 128 }, { 2, 5, 0 }, { 4, 31, 0 }, { 9, 1, 0 } } } }, 1, 31, 0, 0, 0 },
	{ "ESP where IKE is asked",     { { 1, 3, { { 1, 20, 128 }, { 2, 5, 0 }, { 4, 31, 0 } } } }, 1, 31, 0, 0, 0 },
};

static const struct {
	const char *what;
	struct line offer[2];
	bool we_esn;
	uint8_t number; /* 0: none */
	bool esn;
} child_offers[] = {
	{ "ESN or not, we may",       { { 1, 3, { { 1, 20, 128 }, { 5, 0, 0 }, { 5, 1, 0 } } } }, true, 1, true },
	{ "ESN or not, we may not",   { { 1, 3, { { 1, 20, 128 }, { 5, 0, 0 }, { 5, 1, 0 } } } }, false, 1, false },
	{ "ESN only, we may not",     { { 1, 3, { { 1, 20, 128 }, { 5, 1, 0 } } } }, false, 0, false },
	{ "no ESN only",              { { 1, 3, { { 1, 20, 128 }, { 5, 0, 0 } } } }, true, 1, false },
	{ "nothing said about ESN",   { { 1, 3, { { 1, 20, 128 } } } }, true, 1, false },
	{ "with a group, in IKE_AUTH",{ { 1, 3, { { 1, 20, 128 }, { 4, 31, 0 }, { 5, 0, 0 } } } }, true, 0, false },
	{ "with group NONE",          { { 1, 3, { { 1, 20, 128 }, { 4, 0, 0 }, { 5, 0, 0 } } } }, true, 1, false },
	{ "AH",                       { { 1, 2, { { 1, 20, 128 }, { 5, 0, 0 } } } }, true, 0, false },
	{ "CBC",                      { { 1, 3, { { 1, 12, 128 }, { 3, 12, 0 }, { 5, 0, 0 } } } }, true, 0, false },
};
/* clang-format on */

START_TEST(an_ike_offer)
{
	struct ike_conf_gateway ours = gateway(gcm(), cbc());
	struct ike_look look = { &ours, ike_offers[_i].group, false };
	struct ike_choice got;
	uint8_t buf[512];
	enum err e = ike_proposal_choose(body_of(ike_offers[_i].offer, ike_offers[_i].n, buf),
	                                 &look, &got);

	ck_assert_msg((e == ERR_OK) == (ike_offers[_i].number != 0), "%s: %s", ike_offers[_i].what,
	              err_text(e));
	if (e != ERR_OK)
		return;
	ck_assert_msg(got.number == ike_offers[_i].number &&
	                      got.suite.cipher->key_bits == ike_offers[_i].bits &&
	                      got.suite.ke->v2_id == ike_offers[_i].ke,
	              "%s: number %u, %s, %s", ike_offers[_i].what, got.number,
	              got.suite.cipher->name, got.suite.ke->name);
}
END_TEST

START_TEST(a_child_offer)
{
	struct ike_conf_tunnel ours = {
		.proposal = { { .cipher = { alg_cipher_by_id(20, 128) },
		                .ciphers = 1,
		                .esn = child_offers[_i].we_esn } },
		.proposals = 1,
	};
	struct child_choice got;
	uint8_t buf[512];
	enum err e =
	        child_proposal_choose(body_of(child_offers[_i].offer, 1, buf), &ours, NULL, &got);

	ck_assert_msg((e == ERR_OK) == (child_offers[_i].number != 0), "%s: %s",
	              child_offers[_i].what, err_text(e));
	if (e != ERR_OK)
		return;
	ck_assert_uint_eq(got.spi, 0x01020304);
	ck_assert_msg(got.esn == child_offers[_i].esn, "%s", child_offers[_i].what);
}
END_TEST

/* What goes beside the cipher: a group where we ask for one, and only then; AH has no cipher. */
/* clang-format off */
static const struct {
	const char *what;
	struct line offer;
	bool ah;
	uint16_t pfs; /* ours; 0: none */
	bool taken;
} beside[] = {
	{ "PFS with our group",      { 1, 3, { { 1, 20, 128 }, { 4, 31, 0 }, { 5, 0, 0 } } }, false, 31, true },
	{ "PFS with several groups", { 1, 3, { { 1, 20, 128 }, { 4, 14, 0 }, { 4, 31, 0 }, { 5, 0, 0 } } }, false, 31, true },
	{ "PFS with another group",  { 1, 3, { { 1, 20, 128 }, { 4, 19, 0 }, { 5, 0, 0 } } }, false, 31, false },
	{ "no PFS where we ask",     { 1, 3, { { 1, 20, 128 }, { 5, 0, 0 } } }, false, 31, false },
	{ "AH",                      { 1, 2, { { 3, 12, 0 }, { 5, 0, 0 } } }, true, 0, true },
	{ "AH with a cipher",        { 1, 2, { { 1, 20, 128 }, { 3, 12, 0 }, { 5, 0, 0 } } }, true, 0, false },
	{ "AH without integrity",    { 1, 2, { { 5, 0, 0 } } }, true, 0, false },
	{ "an unknown hash besides", { 1, 2, { { 3, 77, 0 }, { 3, 12, 0 }, { 5, 0, 0 } } }, true, 0, true },
};
/* clang-format on */

START_TEST(groups_and_ah)
{
	struct ike_conf_tunnel ours = {
		.proposal = { { .cipher = { alg_cipher_by_id(20, 128) }, .ciphers = 1 } },
		.proposals = 1,
	};
	struct child_choice got;
	uint8_t buf[512];

	if (beside[_i].ah)
		ours.proposal[0] = (struct ike_conf_child_proposal){
			.protocol = PROTO_AH, .integ = { alg_integ_by_id(12) }, .integs = 1
		};
	enum err e = child_proposal_choose(body_of(&beside[_i].offer, 1, buf), &ours,
	                                   alg_ke_by_id(beside[_i].pfs), &got);
	ck_assert_msg((e == ERR_OK) == beside[_i].taken, "%s", beside[_i].what);
	if (e == ERR_OK)
		ck_assert_ptr_eq(got.ke, alg_ke_by_id(beside[_i].pfs));
}
END_TEST

START_TEST(an_answer_is_one_of_ours_or_nothing)
{
	struct ike_conf_gateway ours = gateway(gcm(), cbc());
	struct ike_look look = { &ours, 31, false };
	struct line twice[] = { { 1, 1, { { 1, 20, 128 }, { 2, 5, 0 }, { 4, 31, 0 } } },
		                { 2, 1, { { 1, 20, 128 }, { 2, 5, 0 }, { 4, 31, 0 } } } };
	struct line two_ciphers = { 1,
		                    1,
		                    { { 1, 20, 128 }, { 1, 20, 256 }, { 2, 5, 0 }, { 4, 31, 0 } } };
	struct ike_choice got;
	uint8_t buf[512];

	ck_assert_int_eq(ike_proposal_accept(body_of(twice, 1, buf), &look, &got), ERR_OK);
	ck_assert_int_ne(ike_proposal_accept(body_of(twice, 2, buf), &look, &got), ERR_OK);
	ck_assert_int_ne(ike_proposal_accept(body_of(&two_ciphers, 1, buf), &look, &got), ERR_OK);
	ck_assert_int_ne(ike_proposal_accept(body_of(&twice[1], 1, buf), &look, &got), ERR_OK);
	twice[0].number = 3; /* there was no third */
	ck_assert_int_ne(ike_proposal_accept(body_of(twice, 1, buf), &look, &got), ERR_OK);
}
END_TEST

START_TEST(an_offer_of_ours_is_chosen_by_another_of_us)
{
	struct ike_conf_gateway ours = gateway(gcm(), cbc()), theirs = gateway(cbc(), cbc());
	struct ike_look look = { &theirs, 14, false }, answered = { &ours, 14, false };
	uint8_t offer[512], answer[128];
	struct writer w = wr_of(offer, sizeof(offer)), a = wr_of(answer, sizeof(answer));
	struct ike_choice chosen, accepted;

	ike_proposal_offer(&w, &ours, NULL);
	ck_assert_int_eq(payload_sa_check(wr_done(&w)), ERR_OK);
	ck_assert_int_eq(ike_proposal_choose(wr_done(&w), &look, &chosen), ERR_OK);
	ck_assert_uint_eq(chosen.number, 2);
	ike_proposal_answer(&a, &chosen, NULL);
	ck_assert_int_eq(ike_proposal_accept(wr_done(&a), &answered, &accepted), ERR_OK);
	ck_assert_ptr_eq(accepted.suite.cipher, chosen.suite.cipher);
	ck_assert_ptr_eq(accepted.suite.integ, chosen.suite.integ);
}
END_TEST

static struct ike_ts range(uint32_t first, uint32_t last, uint8_t protocol)
{
	return (struct ike_ts){ protocol, 0, 65535, addr_v4(first), addr_v4(last) };
}

START_TEST(selectors_narrow_to_what_both_have)
{
	struct ike_ts a[] = { range(0, 0xffffffff, 0), range(0x0a000000, 0x0a0000ff, 17) };
	struct ike_ts b[] = { range(0x0a000000, 0x0a00ffff, 6), range(0x0b000000, 0x0b000000, 0) };
	struct ike_ts_list got = ike_ts_narrow(a, 2, b, 2);

	ck_assert_uint_eq(got.n, 2);
	ck_assert(ike_ts_equal(&got.at[0], &b[0])); /* UDP and TCP have nothing in common */
	ck_assert(ike_ts_equal(&got.at[1], &b[1]));
	ck_assert(ike_ts_within(&got, a, 1));
	ck_assert(!ike_ts_within(&got, a + 1, 1));
	got = ike_ts_narrow(a + 1, 1, b + 1, 1);
	ck_assert_uint_eq(got.n, 0);
	ck_assert(!ike_ts_within(&got, a, 2)); /* nothing is never enough */
}
END_TEST

START_TEST(ports_and_families_narrow_too)
{
	struct ike_ts web = range(1, 9, 6), low = range(1, 9, 6), six = { 0 };
	struct ike_ts_list four_and_six = { .n = 2 }, four = { .n = 1 };

	web.port_first = 80;
	web.port_last = 443;
	low.port_last = 100;
	struct ike_ts_list got = ike_ts_narrow(&web, 1, &low, 1);
	ck_assert_uint_eq(got.n, 1);
	ck_assert_uint_eq(got.at[0].port_first, 80);
	ck_assert_uint_eq(got.at[0].port_last, 100);
	six.first.family = six.last.family = ADDR_V6;
	six.port_last = 65535;
	four_and_six.at[0] = six;
	four_and_six.at[1] = four.at[0] = web;
	ike_ts_same_families(&four_and_six, &four);
	ck_assert_uint_eq(four_and_six.n, 1);
	ck_assert(ike_ts_equal(&four_and_six.at[0], &web));
}
END_TEST

TESTS_OF(proposal)
{
	TCase *tc = tcase_create("proposal");

	tcase_add_loop_test(tc, an_ike_offer, 0, ARRAY_LEN(ike_offers));
	tcase_add_loop_test(tc, a_child_offer, 0, ARRAY_LEN(child_offers));
	tcase_add_loop_test(tc, groups_and_ah, 0, ARRAY_LEN(beside));
	tcase_add_test(tc, an_answer_is_one_of_ours_or_nothing);
	tcase_add_test(tc, an_offer_of_ours_is_chosen_by_another_of_us);
	tcase_add_test(tc, selectors_narrow_to_what_both_have);
	tcase_add_test(tc, ports_and_families_narrow_too);
	return tc;
}
