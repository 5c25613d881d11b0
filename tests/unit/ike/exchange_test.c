// SPDX-License-Identifier: BSD-2-Clause
/* How a tunnel comes up, message by message. */
#include "ladder.h"
#include "records.pb-c.h"
#include "runner.h"

/* ---- the way up ------------------------------------------------------------------------------ */

START_TEST(four_messages_and_the_tunnel_is_up)
{
	start();
	ck_assert_uint_eq(R->puts, 0);
	pass(EX_IKE_SA_INIT, false);   /* SA KE Ni N(NATD) ---> */
	pass(EX_IKE_SA_INIT, true);    /* <--- SA KE Nr N(NATD) */
	ck_assert_uint_eq(R->puts, 0); /* strangers make no records */
	ck_assert_uint_eq(I->puts, 1); /* an unanswered IKE_AUTH outlives a restart */
	pass(EX_IKE_AUTH, false);      /* SK{IDi AUTH SA TSi TSr} ---> */
	ck_assert_uint_eq(node_children(R), 1);
	ck_assert_int_eq(R->last_after_anchor, only(R)->anchor); /* answers when the SPU has it */
	pass(EX_IKE_AUTH, true);                                 /* <--- SK{IDr AUTH SA TSi TSr} */
	tunnel_is_up();
	ck_assert_uint_eq(w.packets, 0);
	ck_assert_uint_eq(only(I)->local.port, 500); /* no NAT anywhere */
	ck_assert(!only(I)->udp_encap);
	ck_assert_uint_eq(only(I)->spi_i[7], only(I)->anchor); /* idea 1 */
	ck_assert_uint_eq(child_of(I)->spi_in & 0xff, only(I)->anchor);
}
END_TEST

/* clang-format off */
static const struct {
	uint16_t encr, bits, integ, prf, ke;
} suites[] = {
	{ 20, 128, 0,  5, 31 }, { 20, 256, 0,  6, 19 }, { 12, 128, 12, 5, 20 },
	{ 12, 192, 13, 6, 31 }, { 12, 256, 14, 7, 14 },
};
/* clang-format on */

START_TEST(each_suite)
{
	for (int i = 0; i < 2; i++) {
		struct ike_conf_proposal *p = &c[i].gateway.proposal[0];

		p->cipher[0] = alg_cipher_by_id(suites[_i].encr, suites[_i].bits);
		p->integ[0] = alg_integ_by_id(suites[_i].integ);
		p->integs = suites[_i].integ != 0;
		p->prf[0] = alg_prf_by_id(suites[_i].prf);
		p->ke[0] = alg_ke_by_id(suites[_i].ke);
	}
	pass_all();
	tunnel_is_up();
}
END_TEST

START_TEST(a_lost_message_is_sent_again_and_a_duplicate_is_answered_again)
{
	start();
	world_lose(&w, 0);           /* ---x */
	world_run(&w, 700);          /* after half a second */
	pass(EX_IKE_SA_INIT, false); /* ---> */
	world_lose(&w, 0);           /* x--- */
	world_run(&w, 1300);
	pass(EX_IKE_SA_INIT, false); /* ---> again */
	pass(EX_IKE_SA_INIT, true);  /* <--- the same answer */
	pass(EX_IKE_AUTH, false);
	world_lose(&w, 0); /* x--- */
	world_run(&w, 700);
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
	ck_assert_uint_eq(R->ike->stats.duplicates, 2);
	ck_assert_uint_eq(R->ike->stats.answered, 1);
}
END_TEST

START_TEST(nobody_answers_and_it_gives_up_and_tries_again_later)
{
	node_start(I, &c[0].conf);
	world_jobs(&w);
	for (int i = 0; i < 62; i++) {
		world_run(&w, 1000);
		while (w.packets)
			world_lose(&w, 0);
	}
	ck_assert_uint_eq(I->events[EVENT_IKE_TIMEOUT], 1);
	ck_assert_uint_eq(I->ike->stats.retransmits, 7);
	ck_assert_uint_eq(I->ike->stats.initiated, 1);
	world_run(&w, 7000);
	ck_assert_uint_eq(I->ike->stats.initiated, 2);
}
END_TEST

START_TEST(the_other_group_is_asked_for)
{
	struct ike_conf_proposal *p = &c[0].gateway.proposal[0];

	p->ke[1] = alg_ke_by_id(KE_ECP_256);
	p->kes = 2;
	c[1].gateway.proposal[0].ke[0] = alg_ke_by_id(KE_ECP_256);
	start();
	pass(EX_IKE_SA_INIT, false); /* KE(31) ---> */
	ck_assert(list_empty(&R->ike->sas));
	pass(EX_IKE_SA_INIT, true); /* <--- N(INVALID_KE_PAYLOAD 19) */
	pass_init();                /* KE(19) ---> <--- */
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
	ck_assert_uint_eq(only(I)->choice.suite.ke->v2_id, KE_ECP_256);
}
END_TEST

/* An answer to node 0's IKE_SA_INIT that anybody could send. */
static void forge(uint16_t type, struct view data)
{
	struct ike_header h = { .exchange = EX_IKE_SA_INIT, .flags = IKE_FLAG_RESPONSE };
	struct ike_out o;
	struct effects fx = { 0 };

	memcpy(h.spi_i, only(I)->spi_i, 8);
	ike_out_begin(&o, &h);
	ike_out_notify(&o, type, data);
	ike_datagram(I->ike, &only(I)->local, &only(I)->remote, ike_out_finish(&o), &fx);
	node_run(I, &fx);
	world_jobs(&w);
}

START_TEST(a_cookie_goes_back_first_in_the_same_request)
{
	start();
	world_lose(&w, 0);
	forge(N_COOKIE, (struct view){ (const uint8_t *)"biscuit", 7 });
	ck_assert_uint_eq(w.packets, 1);
	ck_assert_uint_eq(w.packet[0].bytes[16], PL_NOTIFY); /* RFC 7296 2.6 */
	ck_assert_mem_eq(w.packet[0].bytes + 36, "biscuit", 7);
	pass_init();
	pass(EX_IKE_AUTH, false); /* AUTH covers the request with the cookie */
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

START_TEST(a_forged_refusal_stops_nothing)
{
	start();
	forge(N_NO_PROPOSAL_CHOSEN, (struct view){ NULL, 0 });
	forge(N_INVALID_KE_PAYLOAD, (struct view){ (const uint8_t *)"\0\16", 2 }); /* not offered */
	forge(N_COOKIE, (struct view){ NULL, 0 });
	ck_assert_int_eq(only(I)->state, IKE_INIT_SENT);
	ck_assert_uint_eq(I->events[EVENT_IKE_PEER_REFUSED], 1);
	pass_init();
	pass(EX_IKE_AUTH, false);
	pass(EX_IKE_AUTH, true);
	tunnel_is_up();
}
END_TEST

/* ---- NAT ------------------------------------------------------------------------------------- */

static bool encapsulated(struct node *n)
{
	struct Hawser__ChildSaRecord *m = node_child(n, 0);
	bool yes = m->udp_encap && m->local_port == 4500;

	record_child_sa_free(m);
	return yes;
}

START_TEST(forced_udp_encapsulation_by_either_end)
{
	c[_i].gateway.force_udp_encap = true;
	pass_all();
	tunnel_is_up();
	ck_assert(encapsulated(I));
	ck_assert(encapsulated(R));
	/* Who fakes its source is taken for one behind a NAT; nobody believes that of himself. */
	ck_assert(!only(I)->natd.local);
	ck_assert(!only(R)->natd.local);
	ck_assert_int_eq(only(I)->natd.remote, _i == 1);
	ck_assert_int_eq(only(R)->natd.remote, _i == 0);
}
END_TEST

START_TEST(without_nat_traversal_nothing_is_encapsulated)
{
	c[_i].gateway.no_nat_traversal = true;
	c[1 - _i].gateway.force_udp_encap = true;
	pass_all();
	tunnel_is_up();
	ck_assert(!encapsulated(I) && !encapsulated(R));
}
END_TEST

/* ---- traffic selectors ----------------------------------------------------------------------- */

START_TEST(the_responder_narrows_and_both_keep_the_same)
{
	c[0].tunnel.remote[0].first = addr_v4(0);
	c[0].tunnel.remote[0].last = addr_v4(0xffffffff); /* asks for everything */
	c[1].tunnel.local[1] = c[1].tunnel.local[0];
	c[1].tunnel.local[1].first = c[1].tunnel.local[1].last = addr_v4(0x0a090909);
	c[1].tunnel.locals = 2;
	pass_all();
	tunnel_is_up();
	ck_assert_uint_eq(child_of(I)->remote_ts.n, 2);
	ck_assert(ike_ts_equal(&child_of(I)->remote_ts.at[0], &c[1].tunnel.local[0]));
}
END_TEST

START_TEST(both_ends_initiate_at_once_and_one_sa_remains)
{
	c[1].tunnel.establish = IKE_ESTABLISH_IMMEDIATELY;
	w.manual = false;
	start();
	world_run(&w, 45000); /* what was deleted lingers half a minute */
	tunnel_is_up();
}
END_TEST

TESTS_OF(exchange)
{
	TCase *tc = tcase_create("exchange");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_test(tc, four_messages_and_the_tunnel_is_up);
	tcase_add_loop_test(tc, each_suite, 0, ARRAY_LEN(suites));
	tcase_add_test(tc, a_lost_message_is_sent_again_and_a_duplicate_is_answered_again);
	tcase_add_test(tc, nobody_answers_and_it_gives_up_and_tries_again_later);
	tcase_add_test(tc, the_other_group_is_asked_for);
	tcase_add_test(tc, a_cookie_goes_back_first_in_the_same_request);
	tcase_add_test(tc, a_forged_refusal_stops_nothing);
	tcase_add_loop_test(tc, forced_udp_encapsulation_by_either_end, 0, 2);
	tcase_add_loop_test(tc, without_nat_traversal_nothing_is_encapsulated, 0, 2);
	tcase_add_test(tc, the_responder_narrows_and_both_keep_the_same);
	tcase_add_test(tc, both_ends_initiate_at_once_and_one_sa_remains);
	return tc;
}
