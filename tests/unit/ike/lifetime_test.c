// SPDX-License-Identifier: BSD-2-Clause
/* Lifetimes: by time and by volume, soft and hard (LT-01 to LT-09); tunnels that only respond
 * (EST-01 to EST-07); idle time (BH-LT-07). */
#include "ladder.h"
#include "runner.h"

enum { TUNNEL = 131073 };

static void exhausted(struct node *n, uint32_t spi, bool hard)
{
	struct effects fx = { 0 };

	if (hard)
		ike_child_ended(n->ike, spi, &fx);
	else
		ike_child_exhausted(n->ike, spi, &fx);
	node_run(n, &fx);
	world_jobs(&w);
}

static void use(struct node *n)
{
	struct list *at, *in;

	list_each (at, &n->ike->sas)
		list_each (in, &ike_sa_at(at)->children)
			n->usage[child_sa_at(in)->slot_out].last_use_ms = w.now_ms;
}

/* LT-02 of this personality: the hard end less ten minutes or a sixth, give or take 5%; the
 * responder takes three quarters of it. So the initiator is always the first. */
START_TEST(scenario_148_the_initiator_comes_first)
{
	static const struct {
		uint64_t life_ms, first, last;
	} cases[] = { { 180000, 148500, 151500 },
		      { 3600000, 2970000, 3030000 },
		      { 28800000, 28170000, 28230000 } };

	pass_all();
	for (int k = 0; k < 200; k++) {
		uint64_t i = ike_soft_ms(I->ike, true, cases[_i].life_ms);
		uint64_t r = ike_soft_ms(I->ike, false, cases[_i].life_ms);

		ck_assert_uint_ge(i, cases[_i].first);
		ck_assert_uint_le(i, cases[_i].last);
		ck_assert_uint_lt(i, r);
		ck_assert_uint_lt(r, cases[_i].life_ms);
	}
}
END_TEST

/* The initiator of this SA asks; the responder, which waits longer, never has to. */
START_TEST(scenario_148_the_initiator_rekeys)
{
	c[0].tunnel.proposal[0].lifetime_s = c[1].tunnel.proposal[0].lifetime_s = 180;
	pass_all();
	ck_assert_uint_eq(w.packets, 0);
	world_run(&w, 147000);
	ck_assert_uint_eq(w.packets, 0);
	world_run(&w, 5000);
	ck_assert_uint_ge(w.packets, 1);
	ck_assert(addr_equal(&w.packet[0].from.addr, &I->addr));
	pass(EX_CREATE_CHILD_SA, false);
}
END_TEST

/* LT-03: who asked for this SA is its initiator, whoever made the one before. */
START_TEST(scenario_153_a_responder_that_rekeyed_is_the_initiator)
{
	struct effects fx = { 0 };

	pass_all();
	ck_assert(!child_of(R)->initiator);
	ck_assert_int_eq(ike_rekey_child(R->ike, TUNNEL, &fx), ERR_OK);
	node_run(R, &fx);
	world_jobs(&w);
	pass(EX_CREATE_CHILD_SA, false);
	pass(EX_CREATE_CHILD_SA, true);
	const struct child_sa *asked = ike_tunnel_child(R->ike->tunnel[0]);
	const struct child_sa *answered = ike_tunnel_child(I->ike->tunnel[0]);
	ck_assert(asked->initiator && !answered->initiator);
	ck_assert_uint_lt(asked->soft_ms, answered->soft_ms);
	ck_assert_uint_eq(asked->hard_ms - asked->created_ms, 3600000);
}
END_TEST

/* Volume: at the soft limit a successor is made before the hard one; where none can be, the SA ends
 * with a Delete, and traffic asks for another. */
START_TEST(scenario_151_a_soft_limit_of_volume_makes_a_successor)
{
	c[0].tunnel.proposal[0].lifetime_kb = c[1].tunnel.proposal[0].lifetime_kb = 64;
	pass_all();
	use(I);
	uint32_t old = child_of(I)->spi_in;
	ck_assert_uint_eq(child_of(I)->hard_bytes, 65536);
	exhausted(I, old, false);
	pass(EX_CREATE_CHILD_SA, false);
	exhausted(I, old, true); /* its successor is on its way: not deleted */
	pass(EX_CREATE_CHILD_SA, true);
	ck_assert_uint_ne(ike_tunnel_child(I->ike->tunnel[0])->spi_in, old);
	w.manual = false;
	world_run(&w, 10000);
	tunnel_is_up();
	ck_assert_uint_eq(I->events[EVENT_IKE_CHILD_DOWN], 0);
}
END_TEST

START_TEST(scenario_151_a_hard_limit_without_a_successor_ends_the_sa)
{
	c[0].tunnel.establish = IKE_ESTABLISH_RESPONDER_ONLY_NO_REKEY;
	c[1].tunnel.establish = IKE_ESTABLISH_IMMEDIATELY;
	start();
	w.manual = false;
	world_run(&w, 3000);
	tunnel_is_up();
	w.manual = true;
	exhausted(I, child_of(I)->spi_in, false);
	ck_assert_uint_eq(w.packets, 0);
	exhausted(I, child_of(I)->spi_in, true);
	pass(EX_INFORMATIONAL, false); /* SK{D(ESP)} ---> */
	pass(EX_INFORMATIONAL, true);
	ck_assert_uint_eq(node_children(I), 0);
}
END_TEST

/* LT-06 */
START_TEST(scenario_154_rekeys_fail_until_the_hard_end)
{
	struct effects fx = { 0 };

	for (int i = 0; i < 2; i++) {
		c[i].tunnel.establish = IKE_ESTABLISH_ON_TRAFFIC;
		c[i].tunnel.proposal[0].lifetime_s = 180;
	}
	c[1].tunnel.pfs = alg_ke_by_id(KE_MODP_2048); /* never agrees */
	start();
	ike_acquire(I->ike, TUNNEL, &fx);
	node_run(I, &fx);
	w.manual = false;
	world_run(&w, 2000);
	tunnel_is_up();
	uint32_t spi = child_of(I)->spi_in;
	uint64_t end = child_of(I)->hard_ms;
	use(I);
	world_run(&w, end - w.now_ms - 10);
	tunnel_is_up();
	ck_assert_uint_eq(child_of(I)->spi_in, spi);
	ck_assert_uint_ge(I->events[EVENT_IKE_REKEY_FAILED], 2);
	world_run(&w, 500);
	ck_assert_uint_eq(node_children(I) + node_children(R), 0);
	ck_assert_uint_eq(I->events[EVENT_IPSEC_HARD_LIMIT], 1);
	ike_acquire(I->ike, TUNNEL, &fx); /* the next packet */
	node_run(I, &fx);
	world_run(&w, 500);
	ck_assert_uint_ge(I->events[EVENT_IPSEC_ACQUIRE], 2);
}
END_TEST

/* ---- tunnels that only respond --------------------------------------------------------------- */

START_TEST(scenario_142_responder_only_never_begins)
{
	struct effects fx = { 0 };

	c[0].tunnel.establish =
	        _i ? IKE_ESTABLISH_RESPONDER_ONLY_NO_REKEY : IKE_ESTABLISH_RESPONDER_ONLY;
	start();
	ike_acquire(I->ike, TUNNEL, &fx);
	node_run(I, &fx);
	world_run(&w, 60000);
	ck_assert_uint_eq(w.packets, 0);
	ck_assert_uint_eq(I->events[EVENT_IPSEC_ACQUIRE], 0);
	/* The peer may. */
	c[1].tunnel.establish = IKE_ESTABLISH_IMMEDIATELY;
	ck_assert_int_eq(ike_configure(R->ike, &c[1].conf, &fx, NULL), ERR_OK);
	node_run(R, &fx);
	w.manual = false;
	world_run(&w, 3000);
	tunnel_is_up();
	ck_assert(!only(I)->initiator);
}
END_TEST

/* EST-04: what is up goes on: it rekeys. And what the peer deletes does not come back by us. */
START_TEST(scenario_143_responder_only_rekeys_what_is_up)
{
	struct effects fx = { 0 };

	c[0].tunnel.establish = IKE_ESTABLISH_RESPONDER_ONLY;
	c[0].tunnel.proposal[0].lifetime_s = 180;
	c[1].tunnel.establish = IKE_ESTABLISH_IMMEDIATELY;
	w.manual = false;
	start();
	world_run(&w, 175000);
	tunnel_is_up();
	ck_assert_uint_eq(I->events[EVENT_IKE_CHILD_REKEYED], 1);
	ck_assert(child_of(I)->initiator);
	c[1].tunnel.establish = IKE_ESTABLISH_ON_TRAFFIC;
	ck_assert_int_eq(ike_configure(R->ike, &c[1].conf, &fx, NULL), ERR_OK);
	node_run(R, &fx);
	tunnel_is_up(); /* DEC-24: the change leaves it alone */
	ck_assert_int_eq(ike_clear_ike(R->ike, only(R)->index, &fx), ERR_OK);
	node_run(R, &fx);
	world_run(&w, 60000);
	ck_assert_uint_eq(node_children(I), 0);
}
END_TEST

/* EST-05: no rekey by us, of children or of IKE SAs; the tunnel ends at the hard end; where the
 * peer rekeys in time, it survives. */
START_TEST(scenario_144_responder_only_no_rekey)
{
	bool peer_rekeys = _i;

	c[0].tunnel.establish = IKE_ESTABLISH_RESPONDER_ONLY_NO_REKEY;
	c[0].tunnel.proposal[0].lifetime_s = 180;
	c[1].tunnel.establish = IKE_ESTABLISH_IMMEDIATELY;
	c[1].tunnel.proposal[0].lifetime_s = peer_rekeys ? 180 : 3600;
	w.manual = false;
	start();
	world_run(&w, 2000);
	tunnel_is_up();
	uint64_t end = child_of(I)->hard_ms;
	uint32_t spi = child_of(I)->spi_in;
	world_run(&w, end - w.now_ms - 100);
	tunnel_is_up();
	ck_assert_int_eq(child_of(I)->spi_in != spi, peer_rekeys);
	world_run(&w, 200);
	ck_assert_int_eq(I->events[EVENT_IPSEC_HARD_LIMIT], !peer_rekeys);
	ck_assert_uint_eq(I->ike->stats.initiated, 0);
	world_run(&w, 10000);
	tunnel_is_up(); /* the peer, which establishes immediately, made another */
}
END_TEST

/* EST-02: where a gateway has one such tunnel, it is so for all. */
START_TEST(responder_only_wins_for_the_whole_gateway)
{
	struct ike_conf_tunnel two[2] = { c[0].tunnel, c[0].tunnel };

	two[1].index++;
	two[1].establish = IKE_ESTABLISH_RESPONDER_ONLY;
	c[0].conf.tunnel = two;
	c[0].conf.tunnels = 2;
	start();
	world_run(&w, 60000);
	ck_assert_uint_eq(w.packets, 0);
}
END_TEST

/* ---- idle time ------------------------------------------------------------------------------- */

START_TEST(an_idle_tunnel_is_deleted_and_a_used_one_is_not)
{
	struct effects fx = { 0 };

	c[0].tunnel.establish = c[1].tunnel.establish = IKE_ESTABLISH_ON_TRAFFIC;
	c[0].tunnel.idle_s = 60;
	c[0].gateway.dpd = true; /* its messages do not count */
	c[0].gateway.dpd_mode = IKE_DPD_ALWAYS;
	c[0].gateway.dpd_interval_s = 10;
	w.manual = false;
	start();
	ike_acquire(I->ike, TUNNEL, &fx);
	node_run(I, &fx);
	world_run(&w, 1000);
	for (int i = 0; i < 5; i++) { /* also over a rekey, which does not begin it anew */
		use(I);
		world_run(&w, 50000);
		tunnel_is_up();
	}
	ck_assert_int_eq(ike_rekey_child(I->ike, TUNNEL, &fx), ERR_OK);
	node_run(I, &fx);
	world_run(&w, 5000);
	tunnel_is_up();
	world_run(&w, 5500);
	ck_assert_uint_eq(node_children(I) + node_children(R), 0);
	ck_assert_uint_eq(I->events[EVENT_IPSEC_IDLE], 1);
	ike_acquire(I->ike, TUNNEL, &fx);
	node_run(I, &fx);
	world_run(&w, 2000);
	tunnel_is_up();
}
END_TEST

TESTS_OF(lifetime)
{
	TCase *tc = tcase_create("lifetime");

	tcase_add_checked_fixture(tc, ladder_up, ladder_down);
	tcase_add_loop_test(tc, scenario_148_the_initiator_comes_first, 0, 3);
	tcase_add_test(tc, scenario_148_the_initiator_rekeys);
	tcase_add_test(tc, scenario_153_a_responder_that_rekeyed_is_the_initiator);
	tcase_add_test(tc, scenario_151_a_soft_limit_of_volume_makes_a_successor);
	tcase_add_test(tc, scenario_151_a_hard_limit_without_a_successor_ends_the_sa);
	tcase_add_test(tc, scenario_154_rekeys_fail_until_the_hard_end);
	tcase_add_loop_test(tc, scenario_142_responder_only_never_begins, 0, 2);
	tcase_add_test(tc, scenario_143_responder_only_rekeys_what_is_up);
	tcase_add_loop_test(tc, scenario_144_responder_only_no_rekey, 0, 2);
	tcase_add_test(tc, responder_only_wins_for_the_whole_gateway);
	tcase_add_test(tc, an_idle_tunnel_is_deleted_and_a_used_one_is_not);
	return tc;
}
